/**
 * The commands of the README: `npm run ring` is three nodes, `npm start` with another Storage is one more,
 * and they find each other on the ports that happen to be free. One more comes and goes in every run;
 * DND_E2E_FULL=1 makes it 3 → 12 → 3.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Api } from './harness/api';
import type { Child } from './harness/child';
import { bytesOf } from './harness/content';
import { eventually } from './harness/eventually';
import { workspace } from './harness/node';
import { Scene } from './harness/scene';

const more = process.env['DND_E2E_FULL'] === '1' ? 9 : 1;
const patience = 300_000;

let scene: Scene;
/** Commands whose nodes live; SIGTERM ends both. */
const running: Child[] = [];
let scripts: Readonly<Record<'ring' | 'start', string>>;
beforeAll(async () => {
  scene = await Scene.open('npm-ring');
  const file = await readFile(join(workspace, 'package.json'), 'utf8');
  ({ scripts } = JSON.parse(file));
});
afterAll(async () => {
  for (const child of [...running]) await end(child);
  await scene.close();
});

/** What npm runs for this script: npm itself does not hand a SIGTERM on. */
function npm(script: 'ring' | 'start', name: string): Child {
  const [command, ...args] = scripts[script].split(' ');
  const child = scene.child(name, {
    command,
    args: [...args, '--storage', scene.path(name)],
    // Apart from whatever else runs on this machine.
    env: { DND_RING: scene.ring, DND_MULTICAST: scene.multicast },
    cwd: workspace,
  });
  running.push(child);
  return child;
}

async function end(child: Child): Promise<void> {
  running.splice(running.indexOf(child), 1);
  child.signal('SIGTERM');
  await child.exit;
}

/** The pages that a command has said are open, once there are so many. */
async function pagesOf(child: Child, count: number): Promise<Api[]> {
  const pages = (): string[] =>
    child.lines.flatMap((line) => /Open (http:\S+)/.exec(line)?.[1] ?? []);
  await eventually(
    `${count} nodes are open`,
    () => {
      if (child.ended) throw new Error(child.tail);
      return pages().length === count;
    },
    180_000,
  );
  return pages().map((origin) => new Api(origin));
}

async function areOneRing(nodes: readonly Api[]): Promise<void> {
  for (const api of nodes)
    await eventually(
      `${api.origin} is in a ring of ${nodes.length}`,
      async () => {
        const { nodes: known } = await api.ring();
        const alive = known.filter(({ state }) => state === 'alive');
        return alive.length === nodes.length;
      },
      60_000,
    );
}

it(
  `three nodes, ${more} more, and three again with everything that was published`,
  async () => {
    const three = await pagesOf(npm('ring', 'ring'), 3);
    await areOneRing(three);
    const { infoHash, replicas } = await three[0].publish({
      files: { 'first.bin': bytesOf('first', 50_000) },
    });
    expect(replicas).toMatchObject({ stored: 3, wanted: 3 });

    const others: { child: Child; api: Api }[] = [];
    for (let i = 0; i < more; i++) {
      const child = npm('start', `more-${i}`);
      const [api] = await pagesOf(child, 1);
      others.push({ child, api });
      await areOneRing([...three, ...others.map((other) => other.api)]);
    }
    const [newest] = others;
    expect((await newest.api.torrent(infoHash)).length).toBeGreaterThan(0);
    const late = await newest.api.publish({
      files: { 'late.bin': bytesOf('late', 50_000) },
    });

    while (others.length > 0) {
      const other = others.pop();
      if (other) await end(other.child);
      await areOneRing([...three, ...others.map(({ api }) => api)]);
    }
    for (const api of three)
      for (const published of [infoHash, late.infoHash])
        expect((await api.torrent(published)).length).toBeGreaterThan(0);
  },
  patience,
);
