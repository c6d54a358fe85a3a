import { fuzz } from '@dnd/sim';
import { targets } from './metainfo.fuzz';

it('any .torrent and any link is something whole and safe, or refused', () => {
  const understood = fuzz(targets, { inputs: 100_000, seed: 1 });
  for (const count of Object.values(understood))
    expect(count).toBeGreaterThan(1_000);
});
