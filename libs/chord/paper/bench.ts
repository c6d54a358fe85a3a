/** `nx bench chord -- --nodes 100 --rounds 200000`. */
import { argument } from '@dnd/sim';
import { measureRouting } from '../src/routing.bench';

const nodes = Number(argument(process.argv, 'nodes') ?? 100);
const rounds = Number(argument(process.argv, 'rounds') ?? 200_000);
const { contacts, route, preceding, find, checksum } = measureRouting(
  nodes,
  rounds,
);
console.log(`${contacts} contacts, checksum ${checksum}`);
console.log(`route: ${route.toFixed(2)} µs of CPU`);
console.log(`preceding: ${preceding.toFixed(2)} µs of CPU`);
console.log(`handle a find: ${find.toFixed(2)} µs of CPU`);
