/** What a real node has: playing, seeing and reading it in the page, also unfinished; withdrawing it; and a node that comes back. */
import { randomBytes } from 'node:crypto';
import { expect, type Page, test } from '@playwright/test';
import { type RealNode, RealNodes } from './real-nodes.ts';

test.describe.configure({ mode: 'serial', timeout: 120_000 });

let nodes: RealNodes;
let node: RealNode;

test.beforeAll(async () => {
  test.setTimeout(240_000);
  nodes = await RealNodes.create();
  node = await nodes.start('ana');
});
test.afterAll(() => nodes?.removeAll());

async function publish(
  files: Readonly<Record<string, BlobPart>>,
): Promise<void> {
  const form = new FormData();
  for (const [path, bytes] of Object.entries(files))
    form.append('files', new Blob([bytes]), path);
  const answer = await fetch(`${node.url}/api/publications`, {
    method: 'POST',
    body: form,
  });
  expect(answer.status).toBe(201);
}

/** So many seconds of silence, 8 kHz in one byte each. */
function wav(seconds: number): Buffer<ArrayBuffer> {
  const rate = 8000;
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + rate * seconds, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write('data', 36);
  head.writeUInt32LE(rate * seconds, 40);
  return Buffer.concat([head, Buffer.alloc(rate * seconds, 128)]);
}

/** A picture and a short film that the browser makes itself. */
async function made(page: Page): Promise<{ png: Buffer; webm: Buffer }> {
  const urls = await page.evaluate(async () => {
    const canvas = document.createElement('canvas');
    canvas.width = 64;
    canvas.height = 48;
    const pen = canvas.getContext('2d');
    if (!pen) throw new Error('no canvas');
    const recorder = new MediaRecorder(canvas.captureStream(20), {
      mimeType: 'video/webm;codecs=vp8',
    });
    const parts: Blob[] = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    const stopped = new Promise((done) => (recorder.onstop = done));
    recorder.start();
    for (let i = 0; i < 30; i++) {
      pen.fillStyle = `hsl(${i * 12} 80% 50%)`;
      pen.fillRect(0, 0, 64, 48);
      await new Promise(requestAnimationFrame);
    }
    recorder.stop();
    await stopped;
    const film = await new Promise((done) => {
      const reader = new FileReader();
      reader.onload = () => done(reader.result);
      reader.readAsDataURL(new Blob(parts));
    });
    return [canvas.toDataURL('image/png'), String(film)];
  });
  const [png, webm] = urls.map((url) =>
    Buffer.from(url.slice(url.indexOf('base64,') + 7), 'base64'),
  );
  return { png, webm };
}

const expectWidth = (page: Page, name: string) =>
  expect
    .poll(
      () =>
        page
          .getByRole('img', { name })
          .evaluate((i: HTMLImageElement) => i.naturalWidth),
      { timeout: 30_000 },
    )
    .toBe(64);

const play = (page: Page, name: string) =>
  page.getByRole('link', { name: `Open ${name}` }).click();

test('films, songs, pictures, texts and PDFs open in the page', async ({
  page,
}, info) => {
  const at = (name: string): string => `${info.project.name} ${name}`;
  await page.goto(`${node.url}/library`);
  const { png, webm } = await made(page);
  const all = {
    'film.webm': new Uint8Array(webm),
    'song.wav': wav(60),
    'picture.png': new Uint8Array(png),
    'page.html': '<script>window.hacked = 1</script>',
    'book.pdf': '%PDF-1.4\n%%EOF\n',
  };
  for (const [name, bytes] of Object.entries(all))
    await publish({ [at(name)]: bytes });

  await play(page, at('film.webm'));
  const film = page.locator('video');
  await expect
    .poll(() => film.evaluate((v: HTMLVideoElement) => v.videoWidth))
    .toBe(64);
  await page.goBack();

  await play(page, at('song.wav'));
  const song = page.locator('audio');
  await expect
    .poll(() => song.evaluate((a: HTMLAudioElement) => Math.round(a.duration)))
    .toBe(60);
  await song.evaluate((a: HTMLAudioElement) => (a.currentTime = 45));
  await expect
    .poll(() => song.evaluate((a: HTMLAudioElement) => a.currentTime))
    .toBeGreaterThanOrEqual(45);
  await page.goBack();

  await play(page, at('picture.png'));
  await expectWidth(page, at('picture.png'));
  await page.goBack();

  await play(page, at('page.html'));
  await expect(
    page.getByRole('region', { name: 'Text of the file' }),
  ).toContainText('<script>');
  expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
  await page.goBack();

  await play(page, at('book.pdf'));
  const frame = page.locator('iframe');
  const source = await frame.getAttribute('src');
  const answer = await page.request.get(node.url + source);
  expect(answer.headers()['content-type']).toContain('application/pdf');
});

test('songs play and are wound on, pictures and PDFs open while they still download', async ({
  page,
}, info) => {
  const folder = `${info.project.name} album`;
  const seconds = 1200;
  const listener = await nodes.start('lea');
  const api = `${listener.url}/api`;
  // Slow enough that it is unfinished all the time that it is listened to.
  const limits = { downloadLimit: 60_000, limitLocal: true };
  await page.request.patch(`${api}/settings`, { data: limits });
  await page.goto(`${listener.url}/files`);
  const { png } = await made(page);
  const pdf = Buffer.concat([Buffer.from('%PDF-1.4\n'), randomBytes(100_000)]);
  await publish({
    [`${folder}/1 long.wav`]: wav(seconds),
    [`${folder}/2 cover.png`]: new Uint8Array(png),
    [`${folder}/3 booklet.pdf`]: pdf,
  });

  await page.getByRole('searchbox').fill(folder);
  await page
    .getByRole('row')
    .filter({ hasText: folder })
    .getByText(folder)
    .click();
  await page.getByRole('button', { name: 'Stream', exact: true }).click();
  const song = page.locator('audio');
  const lasts = () =>
    song.evaluate((a: HTMLAudioElement) => Math.round(a.duration));
  await expect.poll(lasts, { timeout: 30_000 }).toBe(seconds);
  await song.evaluate((a: HTMLAudioElement) => (a.currentTime = 1100));
  await expect
    .poll(
      () =>
        song.evaluate(
          ({ currentTime, seeking, readyState }: HTMLAudioElement) =>
            currentTime >= 1100 && !seeking && readyState >= 2,
        ),
      { timeout: 30_000 },
    )
    .toBe(true);
  const download = async () =>
    (await (await page.request.get(`${api}/downloads`)).json()).items[0];
  const now = await download();
  expect(now.state).toBe('downloading');
  expect(now.completedBytes).toBeLessThan(0.9 * now.size);

  const openFile = async (name: string): Promise<void> => {
    await page.goto(`${listener.url}/downloads/${now.id}`);
    await page.getByRole('tab', { name: 'Files' }).click();
    await page.getByRole('button', { name: `Open ${name}` }).click();
  };
  await openFile('2 cover.png');
  await expectWidth(page, '2 cover.png');
  await openFile('3 booklet.pdf');
  const answer = await page.request.get(
    listener.url + (await page.locator('iframe').getAttribute('src')),
  );
  expect(answer.headers()['content-type']).toContain('application/pdf');
  expect(pdf.equals(await answer.body())).toBe(true);
  await openFile('1 long.wav');
  await expect.poll(lasts, { timeout: 30_000 }).toBe(seconds);
  expect((await download()).state).toBe('downloading');
  await page.request.patch(`${api}/settings`, { data: { downloadLimit: 0 } });
  await expect
    .poll(async () => (await download()).state, { timeout: 30_000 })
    .toBe('seeding');
  await listener.stop();
});

test('what was published is withdrawn, and stays in the library', async ({
  page,
}, info) => {
  const name = `secret ${info.project.name}.txt`;
  await publish({ [name]: 'plans' });
  await page.goto(`${node.url}/library`);
  const row = page.getByRole('row').filter({ hasText: name });
  await row.getByRole('button', { name: /More actions/ }).click();
  await page.getByRole('menuitem', { name: 'Withdraw…' }).click();
  await page.getByRole('button', { name: 'Withdraw', exact: true }).click();
  await expect(page.getByText(`Withdrew “${name}”`)).toBeVisible();
  await expect(row).toBeVisible();
  await page.goto(`${node.url}/files`);
  await page.getByRole('searchbox').fill(name);
  await expect(
    page.getByRole('heading', { name: 'Nothing matches' }),
  ).toBeVisible();
});

test('the page says that its node is away, and goes on when it is back', async ({
  page,
}) => {
  const other = await nodes.start('ben');
  await page.goto(`${other.url}/downloads`);
  await expect(
    page.getByRole('heading', { name: 'No downloads yet' }),
  ).toBeVisible();
  await other.stop();
  const banner = page.getByText('Connection lost, trying again…').first();
  await expect(banner).toBeVisible();
  await nodes.start('ben', '--port', new URL(other.url).port);
  await expect(page.locator('.lost')).toBeHidden({ timeout: 60_000 });
  await expect(
    page.getByRole('heading', { name: 'No downloads yet' }),
  ).toBeVisible();
});
