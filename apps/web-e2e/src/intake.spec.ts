/** A node that has nothing yet: what its pages say to do, and what comes of things dropped or pasted anywhere. */
import { expect, type Page, test } from '@playwright/test';
import { FakeNode } from './fake-node.ts';
import { hashOf } from './fake-world.ts';

let node: FakeNode;

test.beforeEach(async () => {
  node = await FakeNode.start({ downloads: 0, catalogue: 0, changes: 0 });
});
test.afterEach(() => node.close());

async function open(page: Page, path: string, heading: string): Promise<void> {
  await page.goto(node.url + path);
  await expect(
    page.getByRole('heading', { name: heading, exact: true }).first(),
  ).toBeVisible();
}

const drag = (page: Page, type: 'dragenter' | 'drop', ...names: string[]) =>
  page.evaluate(
    ([type, names]) => {
      const dataTransfer = new DataTransfer();
      for (const name of names)
        dataTransfer.items.add(new File(['d4:infode'], name));
      document.body.dispatchEvent(
        new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }),
      );
    },
    [type, names] as const,
  );

const paste = (page: Page, into: string, text: string) =>
  page.locator(into).evaluate((element, text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', text);
    element.dispatchEvent(
      new ClipboardEvent('paste', { clipboardData, bubbles: true }),
    );
  }, text);

test('every empty page says what to do', async ({ page }) => {
  const todo: Record<string, readonly [string, string, RegExp]> = {
    files: ['Nothing has been published yet', 'Publish a file', /publish$/],
    downloads: ['No downloads yet', 'Look at the files', /files$/],
    library: ['The library is empty', 'Look at the files', /files$/],
    [`view/${hashOf(1)}`]: ['This file is not', 'Look at the files', /files$/],
  };
  for (const [path, [title, action, address]] of Object.entries(todo)) {
    await page.goto(`${node.url}/${path}`);
    await expect(page.getByRole('heading', { name: title })).toBeVisible();
    await page.getByRole('main').getByRole('link', { name: action }).click();
    await expect(page).toHaveURL(address);
  }
});

test('a .torrent that is dropped on the settings is downloaded', async ({
  page,
}) => {
  await open(page, '/settings', 'Settings');
  await drag(page, 'dragenter', 'film.torrent');
  await expect(page.getByText('Drop it here')).toBeVisible();
  await drag(page, 'drop', 'film.torrent');
  await expect(page.getByText('Drop it here')).toHaveCount(0);
  await expect(page.locator('mat-snack-bar-container')).toContainText('Added');
  expect(node.downloads.size).toBe(1);
  await expect(page).toHaveURL(/\/settings$/);
});

test('files that are dropped on the ring wait on the publish page, each or together', async ({
  page,
}) => {
  await open(page, '/ring', 'Ring');
  await drag(page, 'drop', 'one.txt', 'two.txt');
  await expect(page).toHaveURL(/\/publish$/);
  await expect(
    page.getByRole('button', { name: 'Publish all 2' }),
  ).toBeVisible();
  await page.getByText('Together as one folder').click();
  await page.getByLabel('Name of the folder').fill('Both');
  await page.getByRole('button', { name: 'Publish', exact: true }).click();
  const card = page.getByRole('article', { name: 'Both' });
  await expect(card).toContainText('2 files');
  await expect(card).toContainText('Published');
});

test('links that are pasted are downloaded, but not while somebody writes', async ({
  page,
}) => {
  await open(page, '/downloads', 'Downloads');
  const links = `magnet:?xt=urn:btih:${hashOf(1)}\n${hashOf(2)}\nnot a link`;
  await paste(page, '[type=search]', links);
  await paste(page, 'body', links);
  await expect(page.getByRole('button', { name: 'All 2' })).toBeVisible();
  expect([...node.downloads.keys()].sort()).toEqual(
    [hashOf(1), hashOf(2)].sort(),
  );
});
