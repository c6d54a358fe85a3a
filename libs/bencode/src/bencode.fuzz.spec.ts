import { fuzz } from '@dnd/sim';
import { targets } from './bencode.fuzz';

it('any bytes are read or refused', () => {
  const { bencode } = fuzz(targets, { inputs: 100_000, seed: 1 });
  expect(bencode).toBeGreaterThan(1_000);
});
