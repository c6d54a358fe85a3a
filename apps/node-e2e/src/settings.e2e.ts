/** Settings that outlive a restart: ports for the next start, limits by the hour. */
import { freePort } from './harness/ports';
import { Scene } from './harness/scene';
import { Api } from './harness/api';
import { argumentsOf, type Flags } from './harness/node';

let scene: Scene;
beforeAll(async () => {
  scene = await Scene.open('settings');
});
afterAll(() => scene.close());

interface Port {
  readonly name: string;
  readonly port: number;
  readonly next: number;
  readonly fixed: boolean;
}

const ports = async (api: Api): Promise<Record<string, Port>> => {
  const { items } = await api.call<{ items: Port[] }>(
    'GET',
    '/api/settings/ports',
  );
  return Object.fromEntries(items.map((port) => [port.name, port]));
};

it('ports chosen in the page hold from the next start on, those of flags do not change', async () => {
  const http = await freePort();
  const storage = await scene.directory('ports');
  const flags: Flags = {
    ...{ port: http, storage, multicast: 'off', 'no-lsd': true },
    ...{ 'tracker-port': 0, 'ring-port': 0, 'rpc-port': 0 },
  };
  const api = new Api(`http://127.0.0.1:${http}`);
  const run = async () => {
    const child = scene.program('ports', argumentsOf(flags));
    await child.line(/^Open http/, 120_000);
    return child;
  };
  const change = async (json: object): Promise<number> =>
    (await api.ask('PATCH', '/api/settings/ports', { json })).status;

  const first = await run();
  const { peer, web } = await ports(api);
  expect(web).toMatchObject({ port: http, next: http, fixed: true });
  expect(peer.fixed).toBe(false);
  const wanted = await freePort();
  expect(await change({ web: wanted })).toBe(409);
  expect(await change({ peer: http })).toBe(400);
  expect(await change({ peer: 0 })).toBe(400);
  expect(await change({ peer: wanted })).toBe(200);
  expect((await ports(api))['peer']).toEqual({ ...peer, next: wanted });

  first.signal('SIGTERM');
  await first.exit;
  await run();
  expect((await ports(api))['peer']).toMatchObject({
    port: wanted,
    next: wanted,
  });
}, 120_000);

it('a schedule holds at its times, over a restart too', async () => {
  const node = await scene.start('schedule');
  const always = { days: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '00:00' };
  expect(
    await node.api.settings({ alternative: 'schedule', schedule: [always] }),
  ).toMatchObject({ alternativeNow: true });
  await node.stop();
  await node.start();
  const settings = () => node.api.call('GET', '/api/settings');
  expect(await settings()).toMatchObject({
    alternativeNow: true,
    schedule: [always],
  });
  await node.api.settings({ schedule: [] });
  expect(await settings()).toMatchObject({ alternativeNow: false });
  for (const wrong of [
    { schedule: [{ days: [0], from: '00:00', to: '01:00' }] },
    { schedule: [{ days: [1], from: '24:00', to: '01:00' }] },
    { schedule: [{ days: [1], from: '1:00', to: '02:00' }] },
    { alternativeDownloadLimit: -1 },
    { alternative: 'sometimes' },
    { alternativeNow: true },
  ]) {
    const answer = await node.api.ask('PATCH', '/api/settings', {
      json: wrong,
    });
    expect(answer.status).toBe(400);
  }
}, 120_000);
