/**
 * A node that is killed (SIGKILL) again and again: while it downloads and while it publishes. A few times
 * in every run; DND_KILLS says how often (`nx kills node-e2e`).
 */
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { bytesOf, sha256, sha256OfFile, writeContent } from './harness/content';
import { eventually } from './harness/eventually';
import type { Node } from './harness/node';
import { Scene } from './harness/scene';

const mebibyte = 1024 * 1024;
const kills = Number(process.env['DND_KILLS'] ?? 2);
const patience = 120_000 + kills * 30_000;
/** Bytes that may have to come again: pieces in flight, and those of the last moments. */
const mostAgain = 16 * mebibyte;

let scene: Scene;
let seed: Node;
let victim: Node;
beforeAll(async () => {
  scene = await Scene.open('kill');
  [seed, victim] = await scene.startRing(['seed', 'victim']);
}, 120_000);
afterAll(() => scene.close());

async function restart(): Promise<void> {
  await victim.kill();
  await victim.start();
}

it(
  'goes on with what it had when it is killed while it downloads',
  async () => {
    const size = Math.min(1024, 32 + 8 * kills) * mebibyte;
    const path = scene.path('big.bin');
    const hash = await writeContent(path, 'to be killed', size);
    await seed.api.settings({ uploadLimit: 8 * mebibyte, limitLocal: true });
    const { infoHash } = await seed.api.publish({
      files: { 'big.bin': { path } },
    });
    await eventually('the victim knows it', () =>
      victim.api.entry(infoHash).catch(() => undefined),
    );
    await victim.api.add({ infoHash });
    let before = 0;
    for (let kill = 0; kill < kills; kill++) {
      const goal = Math.min(size, before + randomInt(1, 6 * mebibyte));
      before = await eventually(
        `it has ${goal} bytes`,
        async () => {
          const { completedBytes } = await victim.api.download(infoHash);
          return completedBytes >= goal && completedBytes;
        },
        60_000,
      );
      await restart();
      const after = await eventually('it goes on', async () => {
        const { state, completedBytes } = await victim.api.download(infoHash);
        expect(state).not.toBe('failed');
        return ['downloading', 'seeding'].includes(state) && { completedBytes };
      });
      expect(after.completedBytes).toBeGreaterThanOrEqual(before - mostAgain);
      before = after.completedBytes;
    }
    await seed.api.settings({ uploadLimit: 0 });
    await victim.reaches(infoHash, 'seeding', 60_000);
    expect(await sha256OfFile(join(victim.storage, 'big.bin'))).toBe(hash);
  },
  patience,
);

it(
  'loses nothing that it said it had published, and nothing half published hinders it',
  async () => {
    for (let kill = 0; kill < kills; kill++) {
      const content = bytesOf(`published ${kill}`, 3 * mebibyte);
      const done = await victim.api.publish({
        files: { [`done ${kill}.bin`]: content },
      });
      // Killed at any moment of the next one.
      const half = `half ${kill}.bin`;
      const under = victim.api
        .publish({ files: { [half]: bytesOf(half, 8 * mebibyte) } })
        .catch(() => undefined);
      if (kill % 2 === 0)
        await eventually('it is under way', async () => {
          const { total } = await victim.api.call<{ total: number }>(
            'GET',
            '/api/publications',
          );
          return total > 2 * kill + 1;
        }).catch(() => undefined);
      await restart();
      await under;
      await victim.reaches(done.infoHash, 'seeding', 60_000);
      const path = join(victim.storage, `done ${kill}.bin`);
      expect(await sha256OfFile(path)).toBe(sha256(content));
      const again = await victim.api.publish({
        files: { [`again ${kill}.bin`]: content.subarray(kill + 1) },
      });
      await victim.reaches(again.infoHash, 'seeding', 60_000);
    }
  },
  patience,
);
