/** Who has another secret, or none, or calls for another ring, stays outside; the ring goes on and says so once. */
import { bytesOf } from './harness/content';
import { eventually } from './harness/eventually';
import type { Node } from './harness/node';
import { Scene } from './harness/scene';

const secret = 'a secret of enough characters';

let scene: Scene;
let a: Node;
let b: Node;
beforeAll(async () => {
  scene = await Scene.open('secrets');
  [a, b] = await scene.startRing(['a', 'b'], { secret });
}, 180_000);
afterAll(() => scene.close());

const warnings = (node: Node): string[] =>
  node.process.lines.filter((line) => /\b(WARN|ERROR)\b/.test(line));

let count = 0;
async function ringIsItself(): Promise<void> {
  for (const node of [a, b]) await node.seesRingOf(2);
  const { infoHash } = await a.api.publish({
    files: { [`${++count}.bin`]: bytesOf(`inside ${count}`, 10_000) },
  });
  await b.fetch(infoHash);
}

const kinds: readonly [string, Record<string, string>][] = [
  ['another secret', { secret: 'another secret altogether' }],
  ['no secret', {}],
  ['another ring', { secret, ring: 'elsewhere' }],
];
const strangers: Node[] = [];

it.each(kinds)(
  'a node with %s is not let in',
  async (kind, flags) => {
    const stranger = await scene.start(`stranger with ${kind}`, {
      join: `127.0.0.1:${a.ports.ring}`,
      ...flags,
    });
    strangers.push(stranger);
    await ringIsItself();
    await stranger.seesRingOf(1);
    expect((await stranger.api.catalogue()).total).toBe(0);
    expect((await a.api.ring()).nodes).toHaveLength(2);
  },
  90_000,
);

it('they are complained of once each, however often they try', async () => {
  // Nodes that are alone go on trying all the time; this takes some seconds.
  for (let i = 0; i < 3; i++) await ringIsItself();
  for (const node of [a, b, ...strangers])
    expect(warnings(node).length).toBeLessThanOrEqual(kinds.length);
});

it('the log says that there was somebody with another secret', () => {
  const complaints = [a, b].flatMap(warnings);
  expect(complaints.length).toBeGreaterThan(0);
  expect(complaints.join('\n')).toMatch(/secret|refused/);
  expect(complaints.join('\n')).not.toContain(secret);
});

it('the secret is in no log and no answer', async () => {
  for (const path of ['/api/ring', '/api/settings', '/health'])
    expect((await a.api.ask('GET', path)).bytes.toString()).not.toContain(
      secret,
    );
  expect(a.process.output).not.toContain(secret);
});

it('without a secret, too, a node of another ring stays outside, and both say so once', async () => {
  const [open] = await scene.startRing(['open'], {
    ring: `${scene.ring}-open`,
  });
  const other = await scene.start('of another open ring', {
    ring: `${scene.ring}-other`,
    join: `127.0.0.1:${open.ports.ring}`,
  });
  const complaints = (node: Node): string[] =>
    warnings(node).filter((line) => /another ring/.test(line));
  for (const node of [open, other])
    await eventually(
      `${node.name} complains`,
      () => complaints(node).length === 1,
    );
  // It goes on knocking all the while.
  await ringIsItself();
  const { replicas } = await other.api.publish({
    files: { 'alone.bin': bytesOf('alone', 10_000) },
  });
  expect(replicas).toMatchObject({
    stored: 1,
    wanted: 3,
    advice: expect.stringContaining('stored on 1 of 3: start more nodes'),
  });
  for (const node of [open, other]) {
    await node.seesRingOf(1);
    expect(complaints(node)).toHaveLength(1);
  }
});
