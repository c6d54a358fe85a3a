/** The page as a program of the device: notifications, installing, magnet links, less motion, fingers. */
import { expect, test } from '@playwright/test';
import { FakeNode } from './fake-node.ts';
import { hashOf } from './fake-world.ts';

let node: FakeNode;

test.beforeAll(async () => {
  node = await FakeNode.start({ changes: 0 });
});
test.afterAll(() => node.close());

test('the system tells when a download ends behind the page', async ({
  page,
}) => {
  await page.addInitScript(() => {
    localStorage.setItem('dnd.notify', 'yes');
    const told: string[] = [];
    class Told {
      static readonly permission = 'granted';
      constructor(text: string) {
        told.push(text);
      }
    }
    Object.assign(window, { Notification: Told, told });
    Object.defineProperty(document, 'hidden', { get: () => true });
  });
  await page.goto(`${node.url}/downloads`);
  await expect(page.getByText('Paused').first()).toBeVisible();
  const item = [...node.downloads.values()].find(
    ({ state }) => state === 'paused',
  );
  if (!item) throw new Error('nothing is paused');
  node.put({ ...item, state: 'downloading' });
  node.put({ ...item, state: 'seeding', completedBytes: item.size });
  await expect
    .poll(() => page.evaluate(() => (window as { told?: string[] }).told))
    .toEqual([`“${item.name}” is complete`]);
});

test('the page can be installed, opens magnet links and keeps still when asked', async ({
  page,
}) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.goto(
    node.url +
      `/add?link=${encodeURIComponent('magnet:?xt=urn:btih:' + hashOf(200))}`,
  );
  await expect(page).toHaveURL(/\/downloads/);
  const manifest = await (
    await page.request.get(`${node.url}/manifest.webmanifest`)
  ).json();
  expect(manifest).toMatchObject({
    display: 'standalone',
    start_url: '/',
    protocol_handlers: [{ protocol: 'magnet', url: '/add?link=%s' }],
  });
  for (const { src, type } of manifest.icons) {
    const icon = await page.request.get(`${node.url}/${src}`);
    expect(icon.headers()['content-type']).toContain(type);
  }
  const moving = await page.evaluate(
    () =>
      document
        .getAnimations()
        .filter(
          ({ effect }) => Number(effect?.getComputedTiming().duration) > 1,
        ).length,
  );
  expect(moving).toBe(0);
});

test(
  'a long press opens the menu, and taps select where there are no boxes',
  { tag: '@phone' },
  async ({ page }, info) => {
    test.skip(info.project.name !== 'phone', 'needs a finger');
    await page.goto(`${node.url}/files`);
    const rows = page.locator('[role=row][data-row]');
    const box = await rows.nth(1).locator('.name').boundingBox();
    if (!box) throw new Error('there is no row');
    const touch = await page.context().newCDPSession(page);
    const touchPoints = [{ x: box.x + 20, y: box.y + 8 }];
    await touch.send('Input.dispatchTouchEvent', {
      type: 'touchStart',
      touchPoints,
    });
    const select = page.getByRole('menuitem', { name: 'Select' });
    await expect(select).toBeVisible();
    await touch.send('Input.dispatchTouchEvent', {
      type: 'touchEnd',
      touchPoints: [],
    });
    await select.tap();
    await rows.nth(3).locator('.name').tap();
    await expect(page.getByRole('toolbar')).toContainText('2 selected');
    await page.getByRole('button', { name: 'Select none' }).tap();
    await rows.nth(3).locator('.name').tap();
    await expect(page.getByRole('complementary')).toBeVisible();
  },
);
