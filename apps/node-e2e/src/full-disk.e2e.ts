/** A disk that fills up: errors in words, what is finished stays, and everything goes on when there is room again. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { bytesOf, sha256, sha256OfFile, writeContent } from './harness/content';
import { eventually } from './harness/eventually';
import type { Node } from './harness/node';
import { Scene } from './harness/scene';
import { canMount, SmallDisk } from './harness/small-disk';

const MiB = 1 << 20;
const mebibytes = 100;

const describeWithMount = canMount() ? describe : describe.skip;

describeWithMount('a full disk (needs the right to mount a tmpfs)', () => {
  let scene: Scene;
  let disk: SmallDisk;
  let a: Node;
  let small: Node;
  const kept = bytesOf('kept', 500_000);
  let keptUrl: string;

  beforeAll(async () => {
    scene = await Scene.open('full-disk');
    disk = await SmallDisk.mount(scene, mebibytes);
    [a, small] = await Promise.all([
      scene.start('a'),
      scene.start('small', {}, join(disk.path, 'Storage')),
    ]);
    await Promise.all([a, small].map((node) => node.seesRingOf(2)));
    const { infoHash } = await small.api.publish({
      files: { 'kept.bin': kept },
    });
    keptUrl = (await small.api.files(infoHash)).items[0].url;
  }, 90_000);
  afterAll(() => scene?.close());

  afterEach(async () => {
    const { bytes } = await small.api.ask('GET', keptUrl);
    expect(sha256(bytes)).toBe(sha256(kept));
    const left = await readdir(join(small.storage, '.node/incoming')).catch(
      () => [],
    );
    expect(left).toEqual([]);
  });

  it('refuses at once an upload that will not fit', async () => {
    const path = scene.path('too-large.bin');
    await writeContent(path, 'too large', (mebibytes + 1) * MiB);
    await expect(
      small.api.publish({ files: { 'too-large.bin': { path } } }),
    ).rejects.toMatchObject({ answer: { status: 507 } });
  });

  it('says so when an upload of unknown length fills it', async () => {
    const block = bytesOf('block', MiB);
    const head =
      '--b\r\nContent-Disposition: form-data; name="files"; filename="endless.bin"\r\n\r\n';
    function* endless(): Generator<Buffer> {
      yield Buffer.from(head);
      for (let i = 0; i < 2 * mebibytes; i++) yield block;
      yield Buffer.from('\r\n--b--\r\n');
    }
    const answer = await small.api.ask('POST', '/api/publications', {
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
      body: Readable.from(endless(), { objectMode: false }),
    });
    expect(answer.status).toBe(507);
    expect(answer.json).toMatchObject({ code: 'disk-full' });
  });

  it('stops a download in words, and completes it once there is room', async () => {
    const path = scene.path('large.bin');
    const hash = await writeContent(path, 'large', (mebibytes + 20) * MiB);
    const { infoHash } = await a.api.publish({
      files: { 'large.bin': { path } },
    });
    await eventually('it is known here', () =>
      small.api.entry(infoHash).catch(() => undefined),
    );
    await small.api.add({ infoHash });
    await eventually('it says that the disk is full', async () => {
      const { state, reason } = await small.api.download(infoHash);
      expect(state).not.toBe('failed');
      return state === 'paused' && /disk|room|space/i.test(reason ?? '');
    });
    // It asks nobody for more meanwhile, and goes on by itself.
    disk.resize(3 * mebibytes);
    await small.reaches(infoHash, 'seeding', 60_000);
    expect(await sha256OfFile(join(small.storage, 'large.bin'))).toBe(hash);
  }, 120_000);
});
