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
}, 90_000);
afterAll(() => scene.close());

const warnings = (node: Node): string[] =>
  node.process.lines.filter((line) => /\b(WARN|ERROR)\b/.test(line));

async function ringIsItself(): Promise<void> {
  for (const node of [a, b]) await node.seesRingOf(2);
  const { infoHash } = await a.api.publish({
    files: { 'inside.bin': bytesOf(`${Date.now()}`, 10_000) },
  });
  await b.fetch(infoHash);
}

describe.each<[string, Record<string, string>]>([
  ['another secret', { secret: 'another secret altogether' }],
  ['no secret', {}],
  ['another ring', { secret, ring: 'elsewhere' }],
])('a node with %s', (name, flags) => {
  let stranger: Node;
  beforeAll(async () => {
    stranger = await scene.start(`stranger with ${name}`, {
      join: `127.0.0.1:${a.ports.ring}`,
      ...flags,
    });
  }, 60_000);
  afterAll(() => stranger.kill());

  it('is alone, and sees nothing of what the ring has', async () => {
    await ringIsItself();
    await stranger.seesRingOf(1);
    expect((await stranger.api.catalogue()).total).toBe(0);
    expect((await a.api.ring()).nodes).toHaveLength(2);
  });

  it('is complained of once, not each time it tries', async () => {
    // It has tried many times by when its own ring is long settled.
    await eventually(
      'it has tried for a while',
      () => stranger.process.lines.length > 0,
    );
    await ringIsItself();
    for (const node of [a, b, stranger])
      expect(warnings(node).length).toBeLessThanOrEqual(3);
  });
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
