/** `nx bench records -- --records 100000`. */
import { argument } from '@dnd/sim';
import { measureStore } from '../src/store.bench';

const count = Number(argument(process.argv, 'records') ?? 100_000);
const { megabytes, loadMs, roundMs, requests } = measureStore(count, 20);
console.log(`${count} records`);
console.log(`heap of the table: ${megabytes.toFixed(0)} MB`);
console.log(`taken in at the start: ${loadMs.toFixed(0)} ms of CPU`);
console.log(
  `an idle round of ten seconds: ${roundMs.toFixed(2)} ms of CPU, ${requests.toFixed(1)} requests`,
);
