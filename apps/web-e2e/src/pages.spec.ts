/** Every page, in both sizes, in every theme and in forced colours, on a made-up node: accessible, inert, local, and usable by keyboard. */
import { expect, type Page, test } from '@playwright/test';
import axe from 'axe-core';
import { FakeNode } from './fake-node.ts';
import { hashOf, hostileName } from './fake-world.ts';

let node: FakeNode;

test.beforeAll(async () => {
  // So many that something hostile is among what is complete, and so still that each notice can be read.
  node = await FakeNode.start({ downloads: 60, changes: 0 });
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
  test(
    `${name}: no accessibility violation`,
    { tag: '@phone' },
    async ({ page }) => {
      await open(page, path);
      await ready(page);
      expect(await violationsOf(page), 'light').toEqual([]);
      for (const theme of ['dark', 'contrast']) {
        await page.evaluate(
          (name) => document.documentElement.setAttribute('data-theme', name),
          theme,
        );
        expect(await violationsOf(page, 'color-contrast'), theme).toEqual([]);
      }
      await page.emulateMedia({ forcedColors: 'active' });
      expect(await violationsOf(page, 'color-contrast'), 'forced').toEqual([]);
    },
  );
}

/** Of all rules, or of one: a theme changes colours only. Of the whole page, or of the element `within`. */
async function violationsOf(page: Page, rule?: string, within = 'html') {
  // Colours that are on their way are nobody's colours.
  await page.addStyleTag({ content: '* { transition: none !important }' });
  if (!(await page.evaluate(() => 'axe' in window)))
    await page.evaluate(axe.source);
  return page.evaluate(
    async ([within, rule]) => {
      const { axe } = window as unknown as { axe: typeof import('axe-core') };
      const { violations } = await axe.run(within, {
        // What passes need not be described.
        resultTypes: ['violations'],
        ...(rule ? { runOnly: { type: 'rule', values: [rule] } } : {}),
      });
      return violations.map(({ id, nodes }) => [
        id,
        nodes.map(({ html, any }) => [html.slice(0, 200), any[0]?.message]),
      ]);
    },
    [within, rule] as const,
  );
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
  // Also where it is asked about, and where it is told.
  await open(page, '/downloads');
  await page.getByRole('searchbox').fill('<img');
  const row = page.getByRole('row').filter({ hasText: '<img' }).first();
  await row.getByRole('button', { name: /More actions/ }).click();
  await page.getByRole('menuitem', { name: 'Remove…' }).click();
  await expect(page.getByRole('dialog')).toContainText('<img');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  const item = node.downloads.get(hostile);
  if (!item) throw new Error('what was not to be removed is gone');
  node.put({ ...item, state: 'paused', completedBytes: 0 });
  await expect(row).toContainText('Paused');
  node.put({ ...item, state: 'failed', reason: hostileName });
  await expect(page.locator('mat-snack-bar-container')).toContainText('<img');
  expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
  expect(foreign).toEqual([]);
  expect(
    refused.filter((text) => /Content Security Policy/.test(text)),
  ).toEqual([]);
});

test(
  'a download tells everything about itself, each part accessible',
  { tag: '@phone' },
  async ({ page }) => {
    await open(page, `/downloads/${folder}`);
    const detail = page.getByRole('complementary');
    const parts: Record<string, RegExp> = {
      Overview: /Limits of this download/,
      Files: /CD 1/,
      Pieces: /On the way/,
      Peers: /Transmission 4\.0\.5/,
      Sources: /no answer within 15 s/,
      Log: /Discarded a damaged piece/,
    };
    for (const [name, words] of Object.entries(parts)) {
      await page.getByRole('tab', { name }).click();
      await expect(detail).toContainText(words);
      if (name === 'Overview')
        await expect(
          detail.getByRole('img', { name: /^Download .*Upload/ }),
        ).toBeVisible();
      if (name === 'Pieces')
        await expect(
          detail.getByRole('img', { name: /\d+ of \d+ pieces are here/ }),
        ).toBeVisible();
      expect(await violationsOf(page, undefined, 'aside'), name).toEqual([]);
    }
  },
);

test('the magnet link is copied, and shown as a QR code', async ({
  page,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await open(page, `/files/${folder}`);
  await page.getByRole('button', { name: 'Copy the magnet link' }).click();
  await expect(page.getByText('Magnet link copied')).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(
    `magnet:?xt=urn:btih:${folder}`,
  );
  await page.getByRole('button', { name: 'Show as QR code' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('img', { name: 'Magnet link' })).toBeVisible();
  await expect(dialog).toContainText(folder);
  expect(await violationsOf(page)).toEqual([]);
});

test('what came since the last visit is told apart', async ({ page }) => {
  const hours = 3;
  await page.addInitScript(
    (at) => localStorage.setItem('dnd.visited', at),
    new Date(Date.now() - hours * 3_600_000).toISOString(),
  );
  await page.goto(`${node.url}/downloads`);
  const chip = page.getByRole('button', { name: /^Since last visit \d+$/ });
  const count = Number((await chip.innerText()).match(/\d+/)?.[0]);
  expect(count).toBeGreaterThan(0);
  expect(count).toBeLessThan(10);
  await chip.click();
  await expect(page.locator('.grid-row')).toHaveCount(count);
});

test('the library tells live what was given back', async ({ page }, info) => {
  await open(page, '/library');
  const name = page.getByText('debian-13.2.0-amd64-netinst.iso', {
    exact: true,
  });
  const row = page.getByRole('row').filter({ has: name });
  await expect(row).toContainText(/1\.4 MB( ·| given, ratio) 0\.40/);
  if (info.project.name === 'desktop')
    await expect(row).toContainText(/667 KB\/s.*3 peers/);
  const item = node.downloads.get(hashOf(2));
  if (!item) throw new Error('there is no such download');
  node.put({ ...item, uploadedBytes: 2 * item.size, uploadRate: 0, peers: 1 });
  await expect(row).toContainText(/7\.0 MB( ·| given, ratio) 2\.00/);
});

test('theme and language change while the page runs, and are kept', async ({
  page,
}) => {
  await page.goto(`${node.url}/settings`);
  const colour = () =>
    page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await colour();
  await page.getByText('Dark', { exact: true }).click();
  await expect.poll(colour).not.toBe(light);
  const dark = await colour();
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
  expect(await colour()).toBe(dark);
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

test('the catalogue is live, searched as one types, and narrowed; the address says how', async ({
  page,
}) => {
  await open(page, '/files');
  const film = page.getByRole('row', { name: /Sintel/ }).first();
  await expect(film).toContainText('13 seeders');
  node.announce(folder, 1);
  await expect(film).toContainText('1 seeder');
  await page.getByRole('searchbox').fill('debian');
  await expect(
    page.getByRole('status').filter({ hasText: /\d+ results?/ }),
  ).toBeAttached();
  await expect(film).toHaveCount(0);
  await page.getByRole('searchbox').fill('');

  const kinds = page.getByRole('group', { name: 'Filter by kind' });
  await kinds.getByRole('button', { name: /^Folders/ }).click();
  await expect(page).toHaveURL(/kind=folder/);
  await expect(page.getByRole('row', { name: /debian/ })).toHaveCount(0);
  await page.getByLabel('Publisher').selectOption({ index: 1 });
  await expect(page).toHaveURL(/publisher=\d+/);
  await page.getByLabel('Health').selectOption('good');
  await expect(page).toHaveURL(/health=good/);
  await page.reload();
  await expect(
    kinds.getByRole('button', { name: /^Folders/, pressed: true }),
  ).toBeVisible();
  await page.goBack();
  await expect(page).not.toHaveURL(/health/);
  await page.getByRole('searchbox').fill('no such thing');
  await expect(
    page.getByRole('heading', { name: 'Nothing matches' }),
  ).toBeVisible();
  await page.getByRole('button', { name: 'Clear' }).click();
  await expect(page).toHaveURL(/\/files$/);
  await expect(page.getByText('500 files')).toBeAttached();
});

test('nodes of the ring come and go live, and tell about themselves', async ({
  page,
}) => {
  const shown = await FakeNode.start({ nodes: 3, changes: 0 });
  try {
    await page.goto(`${shown.url}/ring`);
    const circle = page.getByRole('group', { name: /as a circle/ });
    await expect(circle.getByRole('button')).toHaveCount(3);
    shown.resizeRing(4);
    await expect(circle.getByRole('button')).toHaveCount(4);
    await expect(
      page.getByRole('status').filter({ hasText: /has joined/ }),
    ).toBeAttached();
    await circle.getByRole('button', { name: /This node/ }).press('Enter');
    await expect(page.getByText('192.168.1.20:7000').first()).toBeVisible();
    await page.getByLabel('Name or info-hash of a file').fill('debian');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await expect(page.getByText(/Its record lies on/)).toBeVisible();
  } finally {
    await shown.close();
  }
});

test('the sign-in stands before everything where the node asks for it', async ({
  page,
}) => {
  const guarded = await FakeNode.start({ password: 'sesame' });
  try {
    await page.goto(`${guarded.url}/downloads`);
    await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
    expect(await violationsOf(page)).toEqual([]);
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
