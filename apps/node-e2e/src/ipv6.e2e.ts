/** Two nodes that have nothing but IPv6. */
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { bytesOf, sha256, sha256OfFile } from './harness/content';
import { eventually } from './harness/eventually';
import type { Node } from './harness/node';
import { Scene } from './harness/scene';
import { relayUdp } from './harness/udp-relay';

const host = '::1';
const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === host),
);

(hasIpv6 ? describe : describe.skip)('over IPv6', () => {
  let scene: Scene;
  let seeder: Node;
  let asker: Node;
  beforeAll(async () => {
    scene = await Scene.open('ipv6');
    [seeder, asker] = await Promise.all(
      ['seeder', 'asker'].map((name) =>
        scene.start(name, { host, ring: `alone-${name}`, multicast: 'off' }),
      ),
    );
  }, 120_000);
  afterAll(() => scene.close());

  interface Connected {
    readonly address: string;
    readonly transport: string;
  }

  it.each(['tcp', 'utp'])(
    'a magnet link that names a peer (%s)',
    async (kind) => {
      const name = `${kind}.bin`;
      const content = bytesOf(name, 1_000_000);
      const { infoHash } = await seeder.api.publish({
        files: { [name]: content },
      });
      // Where there is no TCP they meet over uTP.
      const port =
        kind === 'tcp'
          ? seeder.ports.peer
          : await relayUdp(scene, seeder.ports.peer, undefined, host);
      // So that there is time to look at the connection.
      await seeder.api.settings({ uploadLimit: 200_000 });
      const magnet = `magnet:?xt=urn:btih:${infoHash}&x.pe=[${host}]:${port}`;
      await asker.api.add({ magnet });
      const path = `/api/downloads/${infoHash}/peers`;
      const connected = await eventually('they are connected', async () => {
        const { items } = await asker.api.call<{ items: Connected[] }>(
          'GET',
          path,
        );
        return items.length > 0 && items;
      });
      expect(connected).toMatchObject([
        { address: `[${host}]:${port}`, transport: kind },
      ]);
      await seeder.api.settings({ uploadLimit: 0 });
      await asker.reaches(infoHash, 'seeding');
      expect(await sha256OfFile(join(asker.storage, name))).toBe(
        sha256(content),
      );
    },
  );
});
