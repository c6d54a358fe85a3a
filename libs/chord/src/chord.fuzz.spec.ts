import { fuzz } from '@dnd/sim';
import { targets } from './chord.fuzz';

it.each(Object.entries(targets))('%s: any bytes are borne', (name, target) => {
  const counts = fuzz({ [name]: target }, { inputs: 20_000, seed: 1 });
  expect(counts[name]).toBeGreaterThan(0);
});
