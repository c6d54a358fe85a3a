/** Publishing large things in the page of a real node: pause, a lost connection, another visit, several at once. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { type RealNode, RealNodes } from './real-nodes.ts';

test.describe.configure({ mode: 'serial', timeout: 120_000 });

const MiB = 2 ** 20;
/** More than one request of an upload. */
const size = 40 * MiB;

let nodes: RealNodes;
let node: RealNode;
let folder: string;

test.beforeAll(async () => {
  test.setTimeout(240_000);
  nodes = await RealNodes.create();
  node = await nodes.start('ana');
  folder = await mkdtemp(join(tmpdir(), 'dnd-uploads-'));
});
test.afterAll(async () => {
  await nodes?.removeAll();
  await rm(folder, { recursive: true, force: true });
});

async function large(name: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, randomBytes(size));
  return path;
}

/** A network on which the upload can be seen under way, bytes a second. */
async function slow(page: Page, uploadThroughput: number) {
  const session = await page.context().newCDPSession(page);
  const set = (rate: number, offline = false) =>
    session.send('Network.emulateNetworkConditions', {
      offline,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: rate,
    });
  await session.send('Network.enable');
  await set(uploadThroughput);
  return { full: () => set(-1), cut: () => set(uploadThroughput, true) };
}

const card = (page: Page, name: string) =>
  page.getByRole('article', { name, exact: true });

async function begin(page: Page, ...paths: string[]): Promise<void> {
  await page.goto(`${node.url}/publish`);
  await page.getByTestId('files').setInputFiles(paths);
  await page.getByRole('button', { name: /^Publish/ }).click();
}

async function uploads(page: Page) {
  const answer = await page.request.get(`${node.url}/api/uploads`);
  return (await answer.json()).items as {
    readonly name: string;
    readonly offset: number;
    readonly state: string;
  }[];
}

test('an upload is paused and gone on with', async ({ page }, info) => {
  const name = `paused ${info.project.name}.bin`;
  const path = await large(name);
  const network = await slow(page, 4 * MiB);
  await begin(page, path);
  await expect(card(page, name)).toContainText(/Uploading [1-9]/);
  await page.getByRole('button', { name: `Pause ${name}` }).click();
  await expect(card(page, name)).toContainText('Paused at');
  await expect
    .poll(async () => (await uploads(page))[0])
    .toMatchObject({ name, state: 'paused' });
  await network.full();
  await page.getByRole('button', { name: `Go on with ${name}` }).click();
  await expect(card(page, name)).toContainText('Published', {
    timeout: 60_000,
  });
  expect(await uploads(page)).toEqual([]);
});

test('a lost connection is tried again by itself, and a lost answer begins nothing twice', async ({
  page,
}, info) => {
  const name = `lost ${info.project.name}.bin`;
  const path = await large(name);
  const network = await slow(page, 4 * MiB);
  await page.route(
    '**/api/uploads',
    async (route) => {
      await route.fetch();
      await route.abort();
    },
    { times: 1 },
  );
  await begin(page, path);
  await expect(card(page, name)).toContainText('Connection lost');
  await expect(card(page, name)).toContainText(/Uploading [1-9]/);
  await network.cut();
  await expect(card(page, name)).toContainText('Connection lost');
  await network.full();
  await expect(card(page, name)).toContainText('Published', {
    timeout: 60_000,
  });
  expect(await uploads(page)).toEqual([]);
  await expect(card(page, name)).toHaveCount(1);
});

test('an upload of an earlier visit goes on when its file is chosen again', async ({
  page,
}, info) => {
  const name = `closed ${info.project.name}.bin`;
  const path = await large(name);
  const network = await slow(page, 4 * MiB);
  await begin(page, path);
  await expect(card(page, name)).toContainText(/Uploading [1-9]/);
  await expect
    .poll(async () => (await uploads(page))[0]?.offset ?? 0)
    .toBeGreaterThan(0);
  page.once('dialog', (dialog) => void dialog.accept());
  await page.goto('about:blank');
  // By way of another page: what is unfinished is told before the publish page is there.
  await page.goto(`${node.url}/settings`);
  await expect(page.getByRole('heading', { name: 'Transfers' })).toBeVisible();
  await page.getByRole('link', { name: 'Publish', exact: true }).click();
  await expect(card(page, name)).toContainText('Paused at');
  await network.full();

  const other = join(folder, 'other.bin');
  await writeFile(other, randomBytes(100));
  const choose = async (chosen: string): Promise<void> => {
    const asked = page.waitForEvent('filechooser');
    await card(page, name)
      .getByRole('button', { name: 'Choose again' })
      .click();
    await (await asked).setFiles(chosen);
  };
  await choose(other);
  await expect(page.getByText(/That is not/)).toBeVisible();
  await choose(path);
  await expect(card(page, name)).toContainText('Published', {
    timeout: 60_000,
  });
});

test('several at once, and giving one up', async ({ page }, info) => {
  const names = ['one', 'two', 'three'].map(
    (word) => `${word} ${info.project.name}.bin`,
  );
  const paths = await Promise.all(names.map(large));
  const network = await slow(page, 4 * MiB);
  await begin(page, ...paths);
  await expect(card(page, names[0])).toContainText('Uploading');
  await expect(card(page, names[1])).toContainText('Uploading');
  await expect(card(page, names[2])).toContainText('Waits');
  await expect(card(page, names[0])).toContainText(/Uploading [1-9]/);
  await card(page, names[0])
    .getByRole('button', { name: `Remove ${names[0]}` })
    .click();
  await page.getByRole('button', { name: 'Give up and delete' }).click();
  await expect(card(page, names[0])).toHaveCount(0);
  await network.full();
  for (const name of names.slice(1))
    await expect(card(page, name)).toContainText('Published', {
      timeout: 60_000,
    });
  expect(await uploads(page)).toEqual([]);
});
