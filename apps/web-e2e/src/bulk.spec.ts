/** Many downloads of a real node at once: with a mouse and keys on a desktop, with a finger on a phone. */
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
  for (const name of ['a', 'b', 'c', 'd']) {
    const form = new FormData();
    form.append('files', new Blob([randomBytes(50_000)]), `${name}.bin`);
    const answer = await fetch(`${node.url}/api/publications`, {
      method: 'POST',
      body: form,
    });
    expect(answer.status).toBe(201);
  }
});
test.afterAll(() => nodes?.removeAll());

const row = (page: Page, name: string) =>
  page.getByRole('row').filter({ hasText: `${name}.bin` });
const bulk = (page: Page, count: number) =>
  page.getByRole('toolbar', { name: `${count} selected` });

async function select(page: Page, phone: boolean): Promise<void> {
  if (phone) {
    await row(page, 'a')
      .getByRole('button', { name: /More actions/ })
      .tap();
    await page.getByRole('menuitem', { name: 'Select' }).tap();
    await row(page, 'b').getByText('b.bin').tap();
    await row(page, 'c').getByText('c.bin').tap();
  } else {
    await row(page, 'a')
      .getByText('a.bin')
      .click({ modifiers: ['Control'] });
    await row(page, 'b')
      .getByText('b.bin')
      .click({ modifiers: ['Control'] });
    await row(page, 'c').getByRole('checkbox').check();
  }
  await expect(bulk(page, 3)).toBeVisible();
}

test('several are paused, resumed, checked and removed at once', async ({
  page,
}, info) => {
  const phone = info.project.name === 'phone';
  await page.goto(`${node.url}/downloads`);
  for (const name of ['a', 'b', 'c', 'd'])
    await expect(row(page, name)).toContainText('Seeding');
  await select(page, phone);
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  for (const name of ['a', 'b', 'c'])
    await expect(row(page, name)).toContainText(/Completed|Paused/);
  await expect(row(page, 'd')).toContainText('Seeding');
  await page.getByRole('button', { name: 'Resume', exact: true }).click();
  for (const name of ['a', 'b', 'c'])
    await expect(row(page, name)).toContainText('Seeding');
  await page
    .getByRole('button', { name: 'Check the files', exact: true })
    .click();
  for (const name of ['a', 'b', 'c'])
    await expect(row(page, name)).toContainText('Seeding');

  await bulk(page, 3).getByRole('button', { name: 'Remove…' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('Remove 3 downloads?');
  await expect(dialog).toContainText('Something you published');
  await dialog
    .getByRole('button', { name: 'Remove and delete the files' })
    .click();
  for (const name of ['a', 'b', 'c'])
    await expect(row(page, name)).toHaveCount(0);
  await expect(row(page, 'd')).toBeVisible();
  await expect(page.getByRole('button', { name: /^All 1$/ })).toBeVisible();
});

test('Shift extends the selection, Ctrl+A takes all, Escape none', async ({
  page,
}, info) => {
  test.skip(info.project.name === 'phone', 'a phone has no such keys');
  for (const name of ['e', 'f', 'g']) {
    const form = new FormData();
    form.append('files', new Blob([randomBytes(1000)]), `${name}.bin`);
    await fetch(`${node.url}/api/publications`, { method: 'POST', body: form });
  }
  await page.goto(`${node.url}/downloads`);
  await page.getByRole('button', { name: /Sort by Name|^Name/ }).click();
  await row(page, 'd')
    .getByText('d.bin')
    .click({ modifiers: ['Control'] });
  await row(page, 'f')
    .getByText('f.bin')
    .click({ modifiers: ['Shift'] });
  await expect(bulk(page, 3)).toBeVisible();
  await page.keyboard.press('Control+a');
  await expect(bulk(page, 4)).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('toolbar')).toHaveCount(0);
});
