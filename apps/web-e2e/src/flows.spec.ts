/** What people do, between two real nodes: publish in the page of one, find, download and open in the page of the other. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { hostileName } from './fake-world.ts';
import { type RealNode, RealNodes } from './real-nodes.ts';

test.describe.configure({ mode: 'serial', timeout: 120_000 });

let nodes: RealNodes;
let ana: RealNode;
let ben: RealNode;

test.beforeAll(async () => {
  test.setTimeout(240_000);
  nodes = await RealNodes.create();
  [ana, ben] = await Promise.all([nodes.start('ana'), nodes.start('ben')]);
});
test.afterAll(() => nodes?.removeAll());

interface Sent {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

const file = (name: string, buffer: Buffer): Sent => ({
  name,
  mimeType: 'application/octet-stream',
  buffer,
});
const sha256 = (bytes: Buffer): string =>
  createHash('sha256').update(bytes).digest('hex');

async function publish(page: Page, ...files: Sent[]): Promise<void> {
  await page.goto(`${ana.url}/publish`);
  await page.getByTestId('files').setInputFiles(files);
  // However the node's events and its answers follow each other: never two cards for one.
  const twice = await page.evaluateHandle(() => {
    const seen: string[] = [];
    new MutationObserver(() => {
      const names = [...document.querySelectorAll('article')].map(
        (card) => card.getAttribute('aria-label') ?? '',
      );
      seen.push(...names.filter((name, i) => names.indexOf(name) !== i));
    }).observe(document.body, { childList: true, subtree: true });
    return seen;
  });
  await page.getByRole('button', { name: /^Publish/ }).click();
  for (const { name } of files)
    await expect(page.getByRole('article', { name })).toContainText(
      'Published',
      { timeout: 30_000 },
    );
  expect(await twice.jsonValue()).toEqual([]);
}

const row = (page: Page, name: string) =>
  page.getByRole('row').filter({ hasText: name });

test(
  'publish, find, download, open',
  { tag: '@phone' },
  async ({ page }, info) => {
    const film = file(
      `film ñ 🎬 ${info.project.name}.bin`,
      randomBytes(3_000_000),
    );
    const notes = file(
      `notes ${info.project.name}.txt`,
      Buffer.from('First line\nñandú 風\n'),
    );
    await publish(page, film, notes);

    await page.goto(`${ben.url}/files`);
    await page.getByRole('searchbox').fill(info.project.name);
    await expect(row(page, film.name)).toBeVisible();
    await expect(row(page, notes.name)).toContainText('by ana');
    await page.getByRole('button', { name: `Download ${film.name}` }).click();
    await page.getByRole('button', { name: `Download ${notes.name}` }).click();

    await page.goto(`${ben.url}/downloads`);
    await expect(row(page, film.name)).toContainText('Seeding', {
      timeout: 60_000,
    });
    await expect(row(page, notes.name)).toContainText('Seeding', {
      timeout: 60_000,
    });

    await page.getByRole('link', { name: `Open ${notes.name}` }).click();
    await expect(
      page.getByRole('region', { name: 'Text of the file' }),
    ).toHaveText(notes.buffer.toString());

    await page.goto(`${ben.url}/library`);
    await page.getByRole('link', { name: `Open ${film.name}` }).click();
    const link = page
      .getByRole('link', { name: 'Save to this device' })
      .first();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      link.click(),
    ]);
    const parts: Buffer[] = [];
    for await (const part of await download.createReadStream()) {
      parts.push(part as Buffer);
    }
    expect(sha256(Buffer.concat(parts))).toBe(sha256(film.buffer));
  },
);

test('a hostile name is shown as it is and does nothing', async ({
  page,
}, info) => {
  const name = `${info.project.name}${hostileName}`.replaceAll('/', '_');
  await publish(page, file(name, Buffer.from('harmless')));
  for (const path of ['/files', '/downloads', '/library']) {
    await page.goto(ana.url + path);
    await expect(page.getByText(name).first()).toBeVisible();
  }
  expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
});

test('a pasted magnet link is downloaded; cancel can be undone; removing asks', async ({
  page,
}, info) => {
  const song = file(`song ${info.project.name}.wav`, randomBytes(200_000));
  await publish(page, song);
  const { items } = await (
    await page.request.get(`${ana.url}/api/catalogue`, {
      params: { search: song.name },
    })
  ).json();
  const { magnet } = await (
    await page.request.get(
      `${ana.url}/api/catalogue/${items[0].infoHash}/magnet`,
    )
  ).json();

  await page.goto(`${ben.url}/downloads`);
  await expect(page.getByRole('heading', { name: 'Downloads' })).toBeVisible();
  await page.evaluate((text) => {
    const data = new DataTransfer();
    data.setData('text/plain', text);
    document.dispatchEvent(
      new ClipboardEvent('paste', { clipboardData: data, bubbles: true }),
    );
  }, magnet);
  await expect(row(page, song.name)).toContainText('Seeding', {
    timeout: 60_000,
  });

  await row(page, song.name)
    .getByRole('button', { name: /More actions/ })
    .click();
  await page.getByRole('menuitem', { name: 'Remove…' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText(song.name);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(dialog).toHaveCount(0);
  await expect(row(page, song.name)).toBeVisible();
  await row(page, song.name)
    .getByRole('button', { name: /More actions/ })
    .click();
  await page.getByRole('menuitem', { name: 'Remove…' }).click();
  await dialog
    .getByRole('button', { name: 'Remove and delete the files' })
    .click();
  await expect(row(page, song.name)).toHaveCount(0);
});

test(
  'a folder keeps its shape; single files of it are chosen, and some first',
  { tag: '@phone' },
  async ({ page }, info) => {
    const name = `album ${info.project.name}`;
    const album = info.outputPath(name);
    for (const path of ['one/a.txt', 'one/b.txt', 'two/c.txt', 'two/d.txt']) {
      await mkdir(dirname(join(album, path)), { recursive: true });
      // Pieces of its own for each.
      await writeFile(join(album, path), `text of ${path}\n`.repeat(5000));
    }
    await page.goto(`${ana.url}/publish`);
    await page.getByTestId('folder').setInputFiles(album);
    await page.getByRole('button', { name: 'Publish', exact: true }).click();
    const card = page.getByRole('article', { name });
    await expect(card).toContainText('4 files');
    await expect(card).toContainText('Published', { timeout: 30_000 });

    await page.goto(`${ben.url}/files`);
    await page.getByRole('searchbox').fill(name);
    await row(page, name).getByText(name).click();
    await page.getByRole('checkbox', { name: 'Download two' }).uncheck();
    await page
      .getByRole('button', { name: /Download the chosen ones/ })
      .click();
    await page.getByRole('link', { name: 'Show the download' }).click();
    await page.getByRole('tab', { name: 'Files' }).click();
    await expect(page.getByText('b.txt')).toBeVisible();
    const two = page.getByRole('checkbox', { name: 'Download two' });
    const whole = page.getByRole('checkbox', { name: `Download ${name}` });
    await expect(two).not.toBeChecked();
    await expect(whole).toHaveJSProperty('indeterminate', true);
    // To be loaded first, or at all.
    await page.getByLabel('Priority of c.txt').selectOption('High');
    await expect(two).toHaveJSProperty('indeterminate', true);
    const { id } = (
      await (await page.request.get(`${ben.url}/api/downloads`)).json()
    ).items.find((item: { name: string }) => item.name === name);
    const { items } = await (
      await page.request.get(`${ben.url}/api/downloads/${id}/files`)
    ).json();
    const levels = items.map((item: { path: string; priority: number }) => [
      item.path.slice(-5),
      item.priority,
    ]);
    expect(levels).toEqual([
      ['a.txt', 4],
      ['b.txt', 4],
      ['c.txt', 7],
      ['d.txt', 0],
    ]);
    await two.check();
    await expect(whole).toBeChecked();
    await expect(whole).toHaveJSProperty('indeterminate', false);
    // There is nothing to put first in what is whole.
    await expect(page.getByLabel('Priority of c.txt')).toHaveCount(0, {
      timeout: 60_000,
    });
    await page.getByRole('button', { name: 'Open c.txt' }).click();
    await expect(
      page.getByRole('region', { name: 'Text of the file' }),
    ).toContainText('text of two/c.txt');
  },
);

test('name, comment, format, piece length and privacy are as chosen; others take the .torrent', async ({
  page,
}, info) => {
  await page.goto(`${ana.url}/publish`);
  await page
    .getByTestId('files')
    .setInputFiles([file('draft.bin', randomBytes(300_000))]);
  const name = `chosen ${info.project.name}.bin`;
  await page.getByText('Options').click();
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Comment').fill('Of my own making');
  await page
    .getByLabel('Format')
    .selectOption({ label: 'v1 – for every client' });
  await page.getByLabel('Piece length').selectOption({ label: '64 KiB' });
  await page.getByLabel('Private').check();
  await page.getByRole('button', { name: 'Publish', exact: true }).click();
  const card = page.getByRole('article', { name });
  await expect(card).toContainText('Published', { timeout: 30_000 });

  await page.goto(`${ben.url}/files`);
  await page.getByRole('searchbox').fill(name);
  await row(page, name).getByText(name).click();
  const facts = page.getByRole('complementary').locator('dl');
  for (const fact of ['Of my own making', 'v1', 'Private', '5 of 65', 'ana'])
    await expect(facts).toContainText(fact);
  const [torrent] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save the .torrent' }).click(),
  ]);
  expect(torrent.suggestedFilename()).toBe(`${name}.torrent`);
  const parts: Buffer[] = [];
  for await (const part of await torrent.createReadStream())
    parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString('latin1');
  expect(text).toMatch(/^d8:announce/);
  expect(text).toContain('7:privatei1e');
  expect(text).toContain('12:piece lengthi65536e');
});

test('the ring shows both nodes', async ({ page }) => {
  await page.goto(`${ana.url}/ring`);
  await expect(page.getByRole('row').filter({ hasText: 'Alive' })).toHaveCount(
    2,
  );
  await expect(
    page.getByText('2 nodes keep this network alive together'),
  ).toBeAttached();
});
