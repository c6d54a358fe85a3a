import { provideHttpClient } from '@angular/common/http';
import {
  HttpTestingController,
  provideHttpClientTesting,
} from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import type { SettingsDto, UpdateSettingsDto } from '@dnd/api-client';
import { AlternativeLimits } from './alternative-limits';
import { browserOf } from './browser-of';
import { toggleDay } from './limit-rules';
import { NodePorts } from './node-ports';

const settings: SettingsDto = {
  name: 'casa',
  downloadLimit: 0,
  uploadLimit: 0,
  alternative: 'schedule',
  alternativeDownloadLimit: 1_000_000,
  alternativeUploadLimit: 250_000,
  schedule: [{ days: [1, 3], from: '22:00', to: '06:00' }],
  alternativeNow: true,
  limitLocal: true,
  maxActiveDownloads: 8,
  seedRatio: 0,
  seedMinutes: 0,
  encryption: 'accepted',
  utp: true,
};

describe('alternative limits', () => {
  function show(change: Partial<SettingsDto> = {}) {
    const fixture = TestBed.createComponent(AlternativeLimits);
    const sent: UpdateSettingsDto[] = [];
    fixture.componentInstance.changed.subscribe((each) => sent.push(each));
    fixture.componentRef.setInput('settings', { ...settings, ...change });
    fixture.detectChanges();
    const find = (selector: string): HTMLInputElement => {
      const found = fixture.nativeElement.querySelector(selector);
      if (!found) throw new Error(`no ${selector}`);
      return found;
    };
    return {
      sent,
      find,
      text: (): string => fixture.nativeElement.textContent,
    };
  }

  it('says which limits hold, and that a time ends on the next day', () => {
    const { text } = show();
    expect(text()).toContain('They hold right now');
    expect(text()).toContain('of the next day');
  });

  it('sends the whole schedule with one day or time changed', () => {
    const { sent, find } = show();
    find('input[aria-label=Tuesday]').click();
    const from = find('input[type=time]');
    from.value = '21:30';
    from.dispatchEvent(new Event('change'));
    from.value = '';
    from.dispatchEvent(new Event('change'));
    expect(sent).toEqual([
      { schedule: [{ days: [1, 2, 3], from: '22:00', to: '06:00' }] },
      { schedule: [{ days: [1, 3], from: '21:30', to: '06:00' }] },
    ]);
  });

  it('begins with a time when a schedule is asked for and there is none', () => {
    const { sent, find } = show({ alternative: 'off', schedule: [] });
    find('label:last-child input[type=radio]').click();
    expect(sent).toEqual([
      {
        alternative: 'schedule',
        schedule: [{ days: [1, 2, 3, 4, 5], from: '08:00', to: '18:00' }],
      },
    ]);
  });
});

it('a day is on or off, and the days stay in order', () => {
  expect(toggleDay([1, 5], 3)).toEqual([1, 3, 5]);
  expect(toggleDay([1, 3, 5], 3)).toEqual([1, 5]);
});

it.each([
  [
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0 Safari/537.36',
    'Chrome, Linux',
  ],
  [
    'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/149.0 Safari/537.36 Edg/149.0',
    'Edge, Windows',
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Safari/604',
    'Safari, iOS',
  ],
  [
    'Mozilla/5.0 (Android 15; Mobile; rv:140.0) Firefox/140.0',
    'Firefox, Android',
  ],
  ['curl/8.14.1', 'curl'],
  ['something else', 'something else'],
  ['', '?'],
])('%s is %s', (agent, name) => {
  expect(browserOf(agent)).toBe(name);
});

it('a port is chosen for the next start; one given as a flag stays', async () => {
  TestBed.configureTestingModule({
    providers: [provideHttpClient(), provideHttpClientTesting()],
  });
  const http = TestBed.inject(HttpTestingController);
  const fixture = TestBed.createComponent(NodePorts);
  const answer = async (method: string, next: number): Promise<unknown> => {
    const request = http.expectOne({ method, url: '/api/settings/ports' });
    request.flush({
      total: 2,
      items: [
        { name: 'web', port: 8080, next: 8080, fixed: true },
        { name: 'peer', port: 6881, next, fixed: false },
      ],
    });
    await fixture.whenStable();
    return request.request.body;
  };
  fixture.detectChanges();
  await answer('GET', 6881);
  const [web, peer] = fixture.nativeElement.querySelectorAll('input');
  expect(web.readOnly).toBe(true);
  expect(peer.readOnly).toBe(false);
  peer.value = '70000';
  peer.dispatchEvent(new Event('change'));
  await fixture.whenStable();
  expect(fixture.nativeElement.textContent).toContain('From 1 to 65535');
  peer.value = '51413';
  peer.dispatchEvent(new Event('change'));
  expect(await answer('PATCH', 51413)).toEqual({ peer: 51_413 });
  expect(fixture.nativeElement.textContent).toContain(
    'hold when the node is started again',
  );
});
