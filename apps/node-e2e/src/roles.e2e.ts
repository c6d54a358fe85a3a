/** The modules in processes of their own: rings of trackers without a peer, peers that find a tracker by multicast. */
import { bytesOf, sha256 } from './harness/content';
import { eventually } from './harness/eventually';
import type { Node } from './harness/node';
import { Scene } from './harness/scene';
import { peersAt } from './harness/tracker-client';

const allowed = 10_000;

let scene: Scene;
let trackers: Node[];
let a: Node;
let b: Node;
beforeAll(async () => {
  scene = await Scene.open('roles');
  trackers = await Promise.all(
    ['t1', 't2', 't3'].map((name) =>
      scene.start(name, { roles: 'dht,tracker' }),
    ),
  );
  [a, b] = await Promise.all(
    ['a', 'b'].map((name) => scene.start(name, { roles: 'peer,http' })),
  );
  await Promise.all([a, b].map((node) => node.seesRingOf(3)));
}, 180_000);
afterAll(() => scene.close());

async function passesOn(name: string, ms: number): Promise<void> {
  const content = bytesOf(name, 200_000);
  const end = Date.now() + ms;
  const { infoHash } = await eventually(
    'a publication is stored',
    async () => {
      const publication = await a.api.publish({ files: { [name]: content } });
      return publication.state === 'published' && publication;
    },
    ms,
  );
  await eventually(
    'the other peer lists it',
    async () =>
      (await b.api.catalogue()).items.some(
        (entry) => entry.infoHash === infoHash,
      ),
    Math.max(1, end - Date.now()),
  );
  await b.fetch(infoHash);
  const { items } = await b.api.files(infoHash);
  const { bytes } = await b.api.ask('GET', items[0].url);
  expect(sha256(bytes)).toBe(sha256(content));
}

it('two peers exchange a file through trackers that run elsewhere', async () => {
  await passesOn('first.bin', allowed);
  const { infoHash } = (await b.api.catalogue()).items[0];
  for (const { announceUrl } of trackers)
    await eventually('both are known as seeds', async () => {
      const peers = await peersAt(announceUrl, infoHash);
      return [a, b].every(({ peerAddress }) => peers.includes(peerAddress));
    });
});

// Whichever of them a peer uses, it is among these.
it.each([0, 1, 2])(
  'tracker %i dies and nobody is held up',
  async (index) => {
    await trackers[index].kill();
    await passesOn(`without-${index}.bin`, allowed);
    await trackers[index].start();
    await Promise.all([a, b].map((node) => node.seesRingOf(3)));
  },
  90_000,
);

it('a peer that started before any tracker finds it when it comes', async () => {
  const alone = await Scene.open('roles-late');
  try {
    const peer = await alone.node('peer', { roles: 'peer,http' });
    await peer.start();
    expect((await peer.api.ask('GET', '/api/catalogue')).status).toBe(503);
    await alone.start('tracker', { roles: 'dht,tracker' });
    await eventually(
      'the catalogue answers',
      async () => (await peer.api.catalogue()).total === 0,
    );
    const { state } = await peer.api.publish({
      files: { 'late.bin': bytesOf('late', 1000) },
    });
    expect(state).toBe('published');
  } finally {
    await alone.close();
  }
}, 180_000);
