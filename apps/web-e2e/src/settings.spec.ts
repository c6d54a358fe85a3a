/** The settings of a real node that asks for a password: kept over a reload, sessions, another password. */
import { expect, type Page, test } from '@playwright/test';
import { type RealNode, RealNodes } from './real-nodes.ts';

test.describe.configure({ mode: 'serial', timeout: 120_000 });

let nodes: RealNodes;
let node: RealNode;
let password: string;

test.beforeAll(async () => {
  test.setTimeout(240_000);
  nodes = await RealNodes.create();
  node = await nodes.start('ana', '--sign-in');
  password = /page is (\S+)/.exec(node.output())?.[1] ?? '';
});
test.afterAll(() => nodes?.removeAll());

async function open(page: Page): Promise<void> {
  await page.goto(`${node.url}/settings`);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Transfers' })).toBeVisible();
}

const settings = async (page: Page) =>
  (await page.request.get(`${node.url}/api/settings`)).json();

test('alternative limits hold by weekday and hour', async ({ page }) => {
  await open(page);
  const card = page.getByRole('region', { name: 'Alternative limits' });
  await card.getByText('By schedule').click();
  await expect(
    card.getByRole('group', { name: 'Days of time 1' }),
  ).toBeVisible();
  for (const day of ['Saturday', 'Sunday'])
    await card.getByRole('checkbox', { name: day }).check({ force: true });
  await card.getByLabel('from', { exact: true }).fill('00:00');
  await card.getByLabel('to', { exact: true }).fill('00:00');
  await card.getByLabel('to', { exact: true }).blur();
  await expect(card.getByRole('status')).toHaveText('They hold right now');
  await expect
    .poll(async () => (await settings(page)).schedule[0]?.days)
    .toHaveLength(7);
  await page.reload();
  await expect(card.getByRole('status')).toHaveText('They hold right now');
  expect(await settings(page)).toMatchObject({
    alternativeNow: true,
    schedule: [{ days: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '00:00' }],
  });
  await card.getByRole('button', { name: 'Remove time 1' }).click();
  await expect(card).toContainText('the usual limits hold always');
  await card.getByText('Off', { exact: true }).click();
  await expect.poll(async () => (await settings(page)).alternative).toBe('off');
});

test('limits, goals, encryption, ports and folders', async ({ page }) => {
  await open(page);
  await page.getByLabel('Stop seeding at ratio').fill('1.5');
  await page.getByLabel('Stop seeding at ratio').blur();
  await page
    .getByLabel('Encryption of peer connections')
    .selectOption({ label: 'Required' });
  await expect
    .poll(() => settings(page))
    .toMatchObject({ seedRatio: 1.5, encryption: 'required' });
  const ports = page.getByRole('region', { name: 'Ports' });
  await expect(ports.getByLabel('This page and REST')).toHaveValue(
    new URL(node.url).port,
  );
  const folders = page.getByRole('region', { name: 'Folders' });
  await expect(folders).toContainText(node.storage);
  await expect(folders).toContainText('free of');
});

test('others are signed out, and the password is another', async ({
  page,
  browser,
}) => {
  await open(page);
  const elsewhere = await browser.newContext();
  const other = await elsewhere.newPage();
  await open(other);

  await page.reload();
  const card = page.getByRole('region', { name: 'Sign-in' });
  await expect(card).toContainText('this browser');
  await card.getByRole('button', { name: 'Sign out all others' }).click();
  await expect(
    other.getByRole('button', { name: 'Sign in' }),
    'the other browser notices by itself',
  ).toBeVisible({ timeout: 30_000 });

  await card.getByLabel('Present password').fill('wrong');
  await card.getByLabel('New password').first().fill('correct horse');
  await card.getByLabel('New password again').fill('correct horse');
  await card.getByRole('button', { name: 'Change the password' }).click();
  await expect(card.getByRole('alert')).toHaveText(
    'This is not the present password',
  );
  await card.getByLabel('Present password').fill(password);
  await card.getByRole('button', { name: 'Change the password' }).click();
  await expect(page.getByText('Password changed')).toBeVisible();
  password = 'correct horse';
  await card.getByRole('button', { name: 'Sign out', exact: true }).click();
  await open(page);
  await elsewhere.close();
});
