/** The page without a mouse: the grid pattern, selection, menus, dialogs and shortcuts. */
import { expect, type Page, test } from '@playwright/test';
import { FakeNode } from './fake-node.ts';

let node: FakeNode;

// Nothing moves by itself, so that rows stay where they are.
test.beforeEach(async ({ page }) => {
  node = await FakeNode.start({ changes: 0 });
  await page.goto(`${node.url}/downloads`);
  await expect(page.getByRole('grid')).toBeVisible();
});
test.afterEach(() => node.close());

const row = (page: Page, index: number) =>
  page.locator(`[role=row][data-row="${index}"]`);
const focusedRow = (page: Page) =>
  page.evaluate(() =>
    document.activeElement?.closest('[data-row]')?.getAttribute('data-row'),
  );
const selected = (page: Page) => page.locator('[role=row][aria-selected=true]');

async function enter(page: Page): Promise<void> {
  await row(page, 0).locator('[data-cell]').nth(1).focus();
}

test('a list is one tab stop, with arrows inside', async ({ page }) => {
  await expect(page.locator('[role=grid] [tabindex="0"]')).toHaveCount(1);
  await enter(page);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  expect(await focusedRow(page)).toBe('2');
  await expect(page.locator('[role=grid] [tabindex="0"]')).toHaveCount(1);
  await page.keyboard.press('End');
  await expect(
    row(page, 2).getByRole('button', { name: /More actions/ }),
  ).toBeFocused();
  await page.keyboard.press('Control+End');
  await expect.poll(() => focusedRow(page)).toBe('39');
  await page.keyboard.press('Control+Home');
  await expect.poll(() => focusedRow(page)).toBe('0');
  await page.keyboard.press('ArrowUp');
  expect(await focusedRow(page)).toBe('-1');
  const name = page.getByRole('columnheader', { name: 'Name' });
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await expect(name).toHaveAttribute('aria-sort', 'ascending');
});

test('Space, Shift and Ctrl+A select, as do clicks with Ctrl and Shift; Escape deselects', async ({
  page,
}) => {
  await enter(page);
  await page.keyboard.press('Space');
  await expect(selected(page)).toHaveCount(1);
  await page.keyboard.press('Shift+ArrowDown');
  await page.keyboard.press('Shift+ArrowDown');
  await expect(selected(page)).toHaveCount(3);
  await expect(page.getByRole('toolbar')).toContainText('3 selected');
  await page.keyboard.press('Control+a');
  await expect(page.getByRole('toolbar')).toContainText('40 selected');
  await page.keyboard.press('Escape');
  await expect(selected(page)).toHaveCount(0);

  const name = (index: number) => row(page, index).locator('.name');
  await name(1).click({ modifiers: ['Control'] });
  await name(4).click({ modifiers: ['Shift'] });
  await expect(selected(page)).toHaveCount(4);
  await row(page, 2).getByRole('checkbox').uncheck();
  await expect(selected(page)).toHaveCount(3);
});

test('menu and details open and close by keyboard, and give the focus back', async ({
  page,
}) => {
  await enter(page);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Shift+F10');
  await expect(page.getByRole('menuitem', { name: 'Details' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('menu')).toHaveCount(0);
  expect(await focusedRow(page)).toBe('1');

  await page.keyboard.press('Enter');
  const detail = page.getByRole('complementary');
  await expect(detail).toBeVisible();
  await detail.getByRole('button', { name: 'Close' }).focus();
  await page.keyboard.press('Escape');
  await expect(detail).toHaveCount(0);
});

test('p pauses and resumes, Delete asks, and what is cancelled can be brought back', async ({
  page,
}) => {
  await page.getByRole('searchbox').fill('Sintel');
  await row(page, 0).locator('[data-cell]').nth(1).focus();
  await expect(row(page, 0)).toContainText('Downloading');
  await page.keyboard.press('p');
  await expect(row(page, 0)).toContainText('Paused');
  await page.keyboard.press('p');
  await expect(row(page, 0)).toContainText('Downloading');
  await page.keyboard.press('Delete');
  await expect(page.getByRole('dialog')).toContainText('Remove this download?');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);

  const rows = page.locator('.grid-row');
  const before = await rows.count();
  await row(page, 0).locator('[data-cell]').nth(1).focus();
  await page.keyboard.press('Shift+F10');
  await page.getByRole('menuitem', { name: 'Cancel' }).click();
  await expect(rows).toHaveCount(before - 1);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(rows).toHaveCount(before);
  await expect(row(page, 0)).toContainText('Downloading');
});

test('what failed says why, and is tried again', async ({ page }) => {
  const failed = page.getByRole('button', { name: /^Failed \d+$/ });
  const count = Number((await failed.innerText()).match(/\d+/)?.[0]);
  await failed.click();
  const rows = page.locator('.grid-row');
  await expect(rows).toHaveCount(count);
  await expect(row(page, 0)).toContainText('disk full: 3.2 GB missing');
  await row(page, 0).locator('[data-cell]').nth(1).focus();
  await page.keyboard.press('Shift+F10');
  await page.getByRole('menuitem', { name: 'Try again' }).click();
  await expect(rows).toHaveCount(count - 1);
  await expect(failed).toContainText(String(count - 1));
});

test('the catalogue is sorted by its heads, and is so at the next visit', async ({
  page,
}) => {
  await page.goto(`${node.url}/files`);
  const size = page.getByRole('columnheader', { name: 'Size' });
  for (const order of ['desc', 'asc']) {
    const answer = await page.request.get(`${node.url}/api/catalogue`, {
      params: { sort: 'size', order, limit: 1 },
    });
    await size.getByRole('button').click();
    await expect(size).toHaveAttribute('aria-sort', `${order}ending`);
    await expect(row(page, 0)).toContainText(
      (await answer.json()).items[0].name,
    );
  }
  await page.reload();
  await expect(size).toHaveAttribute('aria-sort', 'ascending');
});

test('shortcuts: ?, /, n and g with a letter; a wrong link is told', async ({
  page,
}) => {
  await page.locator('main').focus();
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog')).toContainText('Keyboard shortcuts');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.keyboard.press('/');
  await expect(page.getByRole('searchbox')).toBeFocused();
  await page.keyboard.press('Tab');
  await page.keyboard.press('n');
  await expect(page.getByRole('dialog')).toContainText('Add a download');
  await page.getByLabel(/Magnet link or info-hash/).fill('https://example.org');
  await page.getByRole('button', { name: 'Download', exact: true }).click();
  await expect(page.getByText('This is neither a magnet link')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.keyboard.press('g');
  await page.keyboard.press('r');
  await expect(page).toHaveURL(/\/ring$/);
});
