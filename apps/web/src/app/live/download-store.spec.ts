import { computed, effect } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import type { DownloadDto } from '@dnd/api-client';
import { aDownload } from './a-download';
import { DownloadStore } from './download-store';
import { EVENT_SOURCE } from './event-stream';
import { FakeEventSource } from './fake-event-source';

describe('DownloadStore', () => {
  let store: DownloadStore;
  const a = aDownload({ id: 'a', name: 'Árbol', downloadRate: 10 });
  const b = aDownload({
    id: 'b',
    name: 'boat',
    state: 'seeding',
    uploadRate: 3,
  });
  const snapshot = (...downloads: DownloadDto[]) =>
    store.apply([{ type: 'snapshot', data: { downloads, publications: [] } }]);

  beforeEach(() => {
    TestBed.configureTestingModule({
      providers: [{ provide: EVENT_SOURCE, useValue: FakeEventSource.open }],
    });
    store = TestBed.inject(DownloadStore);
  });

  it('takes a snapshot for everything there is', () => {
    snapshot(a, b);
    snapshot(b);
    expect(store.find('a')).toBeUndefined();
    expect([...store.values()].map(({ key }) => key)).toEqual(['boat']);
    expect(store.ready()).toBe(true);
  });

  it('sums rates and counts states', () => {
    snapshot(a, b);
    expect(store.totals()).toEqual({ downloadRate: 10, uploadRate: 3 });
    store.apply([{ type: 'download', data: { ...a, downloadRate: 25 } }]);
    expect(store.totals().downloadRate).toBe(25);
    expect(store.counts().get('seeding')).toBe(1);
    store.apply([{ type: 'download', data: { ...a, state: 'seeding' } }]);
    expect(store.counts().get('seeding')).toBe(2);
    store.apply([{ type: 'download-removed', data: { id: 'b' } }]);
    expect(store.totals()).toEqual({ downloadRate: 10, uploadRate: 0 });
    expect(store.counts().get('seeding')).toBe(1);
    snapshot(b);
    expect(store.totals()).toEqual({ downloadRate: 0, uploadRate: 3 });
    expect(store.counts().get('downloading')).toBe(0);
  });

  it('wakes only what shows the changed download, and lists only for changes of shape', () => {
    snapshot(a, b);
    const woken: string[] = [];
    TestBed.runInInjectionContext(() => {
      const one = computed(() => store.find('a')?.downloadRate);
      const other = computed(() => store.find('b')?.uploadRate);
      effect(() => woken.push(`a ${one()}`));
      effect(() => woken.push(`b ${other()}`));
      effect(() => {
        store.shape();
        woken.push('list');
      });
    });
    TestBed.tick();
    woken.length = 0;
    store.apply([{ type: 'download', data: { ...a, downloadRate: 11 } }]);
    TestBed.tick();
    expect(woken).toEqual(['a 11']);
    store.apply([{ type: 'download-removed', data: { id: 'b' } }]);
    TestBed.tick();
    expect(woken).toContain('list');
  });

  it('tells of transitions after the first snapshot, never of the snapshot itself', () => {
    const seen: string[] = [];
    store.onTransition((before, after) =>
      seen.push(`${before?.state ?? 'new'} → ${after.state}`),
    );
    snapshot(a);
    store.apply([
      { type: 'download', data: { ...a, downloadRate: 5 } },
      { type: 'download', data: { ...a, state: 'seeding' } },
      { type: 'download', data: b },
    ]);
    expect(seen).toEqual(['downloading → seeding', 'new → seeding']);
  });

  it('notices a download that was looked for before it came', () => {
    const name = computed(() => store.find('a')?.name);
    expect(name()).toBeUndefined();
    snapshot(a);
    expect(name()).toBe('Árbol');
  });
});
