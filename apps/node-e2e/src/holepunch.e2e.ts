/** Two nodes whose firewalls let in nothing but answers, and a third by which they come together (BEP 55). */
import { bytesOf, sha256 } from './harness/content';
import { eventually } from './harness/eventually';
import { HandPeer, hello } from './harness/hand-peer';
import { Namespaces } from './harness/namespaces';
import type { Node } from './harness/node';
import { Scene } from './harness/scene';

interface Connected {
  readonly address: string;
  readonly transport: string;
}

const describeWhere = Namespaces.possible ? describe : describe.skip;

describeWhere('nodes behind firewalls', () => {
  const content = bytesOf('behind a wall', 4_000_000);
  let scene: Scene;
  let relay: Node;
  let seeder: Node;
  let asker: Node;
  beforeAll(async () => {
    scene = await Scene.open('holepunch');
    const machines = new Namespaces();
    scene.atEnd(() => machines.remove());
    const [open, ...walled] = [1, 2, 3].map(() => machines.add());
    for (const machine of walled) machines.wallOff(machine);
    const start = async (name: string, machine: typeof open): Promise<Node> => {
      const ring = { ring: `alone-${name}`, multicast: 'off' };
      const flags = { ...ring, 'mainline-dht': 'off' };
      return (await scene.node(name, flags, undefined, machine)).start();
    };
    relay = await start('relay', open);
    seeder = await start('seeder', walled[0]);
    asker = await start('asker', walled[1]);
  }, 120_000);
  afterAll(() => scene.close());

  const peersOf = async (node: Node, id: string): Promise<Connected[]> => {
    const path = `/api/downloads/${id}/peers`;
    return (await node.api.call<{ items: Connected[] }>('GET', path)).items;
  };

  it('transfer what only one of them has', async () => {
    const { infoHash } = await seeder.api.publish({
      files: { 'walled.bin': content },
    });
    // The relay must not have it all, or nobody needs the seeder.
    await relay.api.settings({ downloadLimit: 20_000 });
    const magnet = `magnet:?xt=urn:btih:${infoHash}`;
    await relay.api.add({ magnet });
    await seeder.api.call('PATCH', `/api/downloads/${infoHash}`, {
      json: { peers: [relay.peerAddress] },
    });
    await eventually('the relay knows the seeder', async () =>
      (await peersOf(relay, infoHash)).length > 0 ? true : undefined,
    );
    await asker.api.add({ magnet, peers: [relay.peerAddress] });
    await asker.reaches(infoHash, 'seeding', 170_000);
    const { items } = await asker.api.files(infoHash);
    const { bytes } = await asker.api.ask('GET', items[0].url);
    expect(sha256(bytes)).toBe(sha256(content));
    const relayed = await relay.api.download(infoHash);
    expect(relayed.completedBytes).toBeLessThan(content.length);
    // Peer exchange tells once a minute, dialling in vain takes its time too.
  }, 180_000);

  it('H10: take one connection of an address', async () => {
    const { infoHash } = await relay.api.publish({
      files: { 'open.bin': bytesOf('open', 100_000) },
    });
    const { host, ports } = relay;
    const first = await HandPeer.meet(ports.peer, { infoHash }, host);
    const second = HandPeer.dial(ports.peer, host).say(hello({ infoHash }));
    await second.closed;
    expect(first.isClosed).toBe(false);
    first.end();
  });
});
