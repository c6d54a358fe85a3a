import { fuzz } from '@dnd/sim';
import { targets } from './wire.fuzz';

/** A key agreement an input is slow: fewer of those, more by the target `fuzz`. */
const inputs: Readonly<Record<string, number>> = {
  'encryption, as responder': 1_500,
  'encryption, as initiator': 1_500,
};

it.each(Object.entries(targets))('%s: any bytes are borne', (name, target) => {
  const counts = fuzz(
    { [name]: target },
    { inputs: inputs[name] ?? 100_000, seed: 1 },
  );
  expect(counts[name]).toBeGreaterThan(0);
});
