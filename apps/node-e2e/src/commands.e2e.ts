/** The program as a command: its flags, its refusals, its ends, and that it finds others without being told. */
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { bytesOf, sha256 } from './harness/content';
import { eventually } from './harness/eventually';
import { Api } from './harness/api';
import { freePort } from './harness/ports';
import { Scene } from './harness/scene';

let scene: Scene;
beforeAll(async () => (scene = await Scene.open('commands')));
afterAll(() => scene.close());

/** Flags that others rely on: none of them may go or be renamed unnoticed. */
const flags = [
  'host',
  'advertise',
  'port',
  'tracker-port',
  'peer-port',
  'ring-port',
  'rpc-port',
  'rpc-host',
  'storage',
  'share',
  'roles',
  'name',
  'ring',
  'secret',
  'join',
  'multicast',
  'interface',
  'password',
  'open',
  'allow-host',
  'no-lsd',
  'mainline-dht',
  'dht-bootstrap',
  'log-level',
  'version',
  'help',
];

/** Runs the program and expects one line of error and exit code 2. */
async function refusal(args: readonly string[]): Promise<string> {
  const child = scene.program('refused', args);
  const { code } = await child.exit;
  expect({ code, errors: child.errorLines }).toEqual({
    code: 2,
    errors: [expect.stringMatching(/^error: /)],
  });
  expect(child.output).not.toMatch(/^Open http/m);
  return child.errorLines[0];
}

const listenOn = (port: number): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });

describe('--help and --version', () => {
  it('list every flag with what it does', async () => {
    const child = scene.program('help', ['--help']);
    expect((await child.exit).code).toBe(0);
    const listed = [...child.output.matchAll(/^ {2}--([\w-]+)(.*)/gm)];
    expect(listed.map(([, name]) => name)).toEqual(
      expect.arrayContaining(flags),
    );
    for (const [, , text] of listed) expect(text).toMatch(/ {2}\S+ /);
  });

  it('name a version', async () => {
    const child = scene.program('version', ['--version']);
    expect((await child.exit).code).toBe(0);
    expect(child.output).toMatch(/^\d+\.\d+\.\d+/);
  });
});

describe('a start that cannot be', () => {
  it.each([
    [['--prot', '8080'], '--prot'],
    [['--port', '99999'], '--port'],
    [['--port', 'http'], '--port'],
    [['--port'], '--port'],
    [['extra'], 'extra'],
    [['--roles', 'dht,cook'], 'cook'],
    [['--roles', 'http'], 'peer'],
    [['--join', 'nowhere'], '--join'],
    [['--ring', 'a b'], '--ring'],
    [['--secret', 'short'], '--secret'],
    [['--log-level', 'loud'], '--log-level'],
    [['--host', '0.0.0.0'], '--secret'],
    [['--rpc-host', '0.0.0.0'], '--secret'],
    [['--host', '203.0.113.77', '--open'], 'address'],
  ])('%j is refused, naming %s', async (args, named) => {
    const storage = scene.path('never');
    expect(
      await refusal([...args, '--storage', storage, '--multicast', 'off']),
    ).toContain(named);
  });

  it.each(['port', 'tracker-port', 'peer-port', 'ring-port', 'rpc-port'])(
    'a taken --%s that was asked for is refused',
    async (flag) => {
      const port = await freePort();
      const taken = await listenOn(port);
      try {
        const storage = scene.path('taken');
        const args = ['--storage', storage, '--multicast', 'off'];
        const line = await refusal([...args, `--${flag}`, String(port)]);
        expect(line).toContain(String(port));
        expect(line).toContain(`--${flag}`);
      } finally {
        taken.close();
      }
    },
  );

  it('a Storage that is a file is refused', async () => {
    const file = scene.path('file');
    await writeFile(file, 'not a folder');
    const line = await refusal(['--storage', file, '--multicast', 'off']);
    expect(line).toContain(file);
  });

  it('a Storage that may not be written is refused', async () => {
    const line = await refusal([
      '--storage',
      '/proc/dnd',
      '--multicast',
      'off',
    ]);
    expect(line).toContain('/proc/dnd');
  });
});

describe('a running node', () => {
  it('keeps its Storage to itself', async () => {
    const node = await scene.start('owner');
    const args = ['--storage', node.storage, '--multicast', 'off'];
    expect(await refusal(args)).toContain(node.storage);
    expect((await node.api.ask('GET', '/health')).status).toBe(200);
    await node.kill();
    await node.start();
    expect((await node.stop()).code).toBe(0);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    '%s ends it cleanly, and a restart seeds what it had',
    async (signal) => {
      const node = await scene.start(`stopped-by-${signal}`);
      const content = bytesOf(signal, 300_000);
      const name = `${signal}.bin`;
      const { infoHash } = await node.api.publish({
        files: { [name]: content },
      });

      expect(await node.stop(signal)).toEqual({ code: 0, signal: null });
      expect(node.process.errorLines).toEqual([]);

      await node.start();
      await node.reaches(infoHash, 'seeding');
      const { items } = await node.api.files(infoHash);
      const { bytes } = await node.api.ask('GET', items[0].url);
      expect(sha256(bytes)).toBe(sha256(content));
      await eventually('it is in the catalogue again', async () =>
        (await node.api.catalogue()).items.some(
          (entry) => entry.infoHash === infoHash,
        ),
      );
      await node.stop();
    },
  );
});

it('a second node with nothing but a Storage finds the first, on ports that are free', async () => {
  // The environment keeps this ring apart from whatever else runs on this machine.
  const env = { DND_RING: scene.ring };
  const bare = (name: string): ReturnType<Scene['program']> =>
    scene.program(name, ['--storage', join(scene.folder, name)], env);
  const ready = /^Open (http:\/\/127\.0\.0\.1:\d+)/;
  const first = bare('bare-1');
  const [, one] = await first.line(ready, 120_000);
  const second = bare('bare-2');
  const [, two] = await second.line(ready, 120_000);
  expect(two).not.toBe(one);
  for (const origin of [one, two]) {
    const api = new Api(origin);
    await eventually(`${origin} sees both`, async () => {
      const { nodes } = await api.ring();
      return nodes.filter(({ state }) => state === 'alive').length === 2;
    });
  }
  for (const child of [first, second]) {
    child.signal('SIGTERM');
    expect(await child.exit).toEqual({ code: 0, signal: null });
  }
  expect(existsSync(join(scene.folder, 'bare-1', '.node'))).toBe(true);
  expect(await readdir(join(scene.folder, 'bare-2'))).toEqual(['.node']);
});
