/**
 * Runs the stand-in node by hand, from the root of the workspace:
 *   node apps/web-e2e/src/serve-fake-node.mts --port 4400 --downloads 10000 --changes 1000
 */
import { parseArgs } from 'node:util';
import { FakeNode } from './fake-node.ts';

const text = { type: 'string' as const };
const { values } = parseArgs({
  options: {
    port: { ...text, default: '4400' },
    downloads: { ...text, default: '40' },
    catalogue: { ...text, default: '500' },
    nodes: { ...text, default: '8' },
    changes: { ...text, default: '30' },
    password: { ...text, default: '' },
  },
});
const fake = await FakeNode.start({
  port: Number(values.port),
  downloads: Number(values.downloads),
  catalogue: Number(values.catalogue),
  nodes: Number(values.nodes),
  changes: Number(values.changes),
  password: values.password,
});
console.log(`Open ${fake.url}`);
