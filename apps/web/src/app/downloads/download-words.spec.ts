import { en } from '../language/en';
import { es } from '../language/es';
import { aDownload } from '../live/a-download';
import { can, progressOf, ratioOf, reasonOf } from './download-words';

describe('the words of a download', () => {
  it('say why it does not move', () => {
    expect(reasonOf(aDownload(), en)).toBe('waiting for peers');
    expect(reasonOf(aDownload({ peers: 3 }), en)).toBe(en.reasons.idlePeers);
    expect(reasonOf(aDownload({ peers: 3, downloadRate: 9 }), en)).toBe('');
  });

  it('are in the page’s language where the node’s are usual', () => {
    const full = aDownload({
      state: 'failed',
      reason: 'disk full: 3.2 GB missing; it goes on',
    });
    expect(reasonOf(full, es)).toContain('faltan 3.2 GB');
    expect(reasonOf(aDownload({ reason: 'waiting for peers' }), es)).toBe(
      'esperando pares',
    );
    const odd = aDownload({
      state: 'failed',
      reason: 'the tracker is on fire',
    });
    expect(reasonOf(odd, es)).toBe('the tracker is on fire');
  });

  it('offer only what makes sense', () => {
    expect(can('cancel', aDownload())).toBe(true);
    expect(
      can('cancel', aDownload({ state: 'paused', completedBytes: 1000 })),
    ).toBe(false);
    expect(can('retry', aDownload({ state: 'failed' }))).toBe(true);
    expect(can('resume', aDownload({ state: 'paused' }))).toBe(true);
    expect(can('pause', aDownload({ state: 'completed' }))).toBe(false);
  });

  it('count without dividing by nothing', () => {
    expect(progressOf(aDownload({ size: 0, completedBytes: 0 }))).toBe(0);
    expect(progressOf(aDownload({ size: 0, state: 'seeding' }))).toBe(1);
    expect(ratioOf({ uploadedBytes: 5, size: 0 })).toBe(0);
  });
});
