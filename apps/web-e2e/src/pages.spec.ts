/** Every page, in both sizes and in every theme, on a made-up node: accessible, inert, local, and usable by keyboard. */
import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';
import { FakeNode } from './fake-node.ts';
import { hashOf } from './fake-world.ts';

let node: FakeNode;

test.beforeAll(async () => {
  node = await FakeNode.start();
});
test.afterAll(() => node.close());

const folder = hashOf(1);
const pages: Record<
  string,
  { path: string; ready: (page: Page) => Promise<void> }
> = {
  files: { path: '/files', ready: seen('grid', 'Files on the ring') },
  'a file': { path: `/files/${folder}`, ready: seen('heading', 'Contents') },
  downloads: {
    path: '/downloads',
    ready: seen('grid', 'Downloads of this node'),
  },
  'a download': {
    path: `/downloads/${folder}`,
    ready: seen('tab', 'Overview'),
  },
  library: { path: '/library', ready: seen('grid', 'What this node has') },
  'a text': {
    path: `/view/${hashOf(11)}`,
    ready: seen('region', 'Text of the file'),
  },
  publish: {
    path: '/publish',
    ready: seen('heading', 'Drop files or folders here'),
  },
  ring: { path: `/ring?key=${hashOf(5)}`, ready: seen('table', 'Nodes') },
  settings: { path: '/settings', ready: seen('heading', 'Transfers') },
  'a wrong address': {
    path: '/nowhere',
    ready: seen('heading', 'There is nothing here'),
  },
};

function seen(
  role: 'grid' | 'heading' | 'tab' | 'region' | 'table',
  name: string,
) {
  return (page: Page) =>
    expect(page.getByRole(role, { name }).first()).toBeVisible();
}

async function open(page: Page, path: string, theme = 'light'): Promise<void> {
  await page.addInitScript(
    (name) => localStorage.setItem('dnd.theme', name),
    theme,
  );
  await page.goto(node.url + path);
}

for (const [name, { path, ready }] of Object.entries(pages)) {
  for (const theme of ['light', 'dark', 'contrast']) {
    test(`${name}: no accessibility violation, ${theme}`, async ({ page }) => {
      await open(page, path, theme);
      await ready(page);
      const { violations } = await new AxeBuilder({ page })
        .exclude('.cdk-overlay-container')
        .analyze();
      expect(
        violations.map(({ id, nodes }) => [
          id,
          nodes.map(({ html, any }) => [html.slice(0, 200), any[0]?.message]),
        ]),
      ).toEqual([]);
    });
  }
}

test('a hostile name is inert on every page, and no request leaves the machine', async ({
  page,
}) => {
  const foreign: string[] = [];
  page.on('request', (request) => {
    if (
      !request.url().startsWith(node.url) &&
      !/^(data|blob):/.test(request.url())
    ) {
      foreign.push(request.url());
    }
  });
  const refused: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') refused.push(message.text());
  });
  const hostile = hashOf(6);
  for (const path of [
    '/files',
    '/downloads',
    '/library',
    `/files/${hostile}`,
    `/downloads/${hostile}`,
  ]) {
    await open(page, path);
    await expect(page.getByText('<img src=x').first()).toBeAttached();
  }
  for (const tab of ['Files', 'Peers']) {
    await page.getByRole('tab', { name: tab }).click();
  }
  await page.goto(`${node.url}/view/${hostile}`);
  await expect(page.getByRole('heading', { level: 1 })).toContainText('<img');
  expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
  expect(foreign).toEqual([]);
  expect(
    refused.filter((text) => /Content Security Policy/.test(text)),
  ).toEqual([]);
});

test('the language changes while the page runs', async ({ page }) => {
  await open(page, '/settings');
  await page.getByText('Español').click();
  await expect(
    page.getByRole('heading', { level: 1, name: 'Ajustes' }),
  ).toBeVisible();
  await expect(page).toHaveTitle('Ajustes – D&D BitTorrent');
  await page.getByRole('link', { name: 'Descargas' }).click();
  await expect(page.getByText('En pausa').first()).toBeVisible();
  await page.reload();
  await expect(
    page.getByRole('heading', { level: 1, name: 'Descargas' }),
  ).toBeVisible();
});

test('a lost connection is told, and comes back by itself', async ({
  page,
  context,
}) => {
  await open(page, '/downloads');
  await pages['downloads'].ready(page);
  await context.route('**/api/events*', (route) => route.abort());
  node.interrupt();
  const banner = page.locator('.lost');
  await expect(banner).toContainText('Connection lost, trying again');
  await context.unroute('**/api/events*');
  await expect(banner).toBeHidden();
  await expect(
    page.getByRole('status').filter({ hasText: 'Connected again' }),
  ).toBeAttached();
});

test('search as you type', async ({ page }) => {
  await open(page, '/files');
  await page.getByRole('searchbox').fill('debian');
  await expect(page.getByText(/^\d+ results?$/)).toBeVisible();
  await expect(page.getByRole('row', { name: /Sintel/ })).toHaveCount(0);
  await page.getByRole('searchbox').fill('no such thing');
  await expect(
    page.getByRole('heading', { name: 'Nothing matches' }),
  ).toBeVisible();
});

test('the sign-in stands before everything where the node asks for it', async ({
  page,
}) => {
  const guarded = await FakeNode.start({ password: 'sesame' });
  try {
    await page.goto(`${guarded.url}/downloads`);
    await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations).toEqual([]);
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('alert')).toHaveText(
      'This is not the password',
    );
    await page.getByLabel('Password').fill('sesame');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(
      page.getByRole('heading', { name: 'Downloads' }),
    ).toBeVisible();
    await expect(page.getByText('Seeding').first()).toBeVisible();
  } finally {
    await guarded.close();
  }
});
