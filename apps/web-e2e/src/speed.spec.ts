/** Ten thousand downloads and a thousand changes a second, measured in the browser; and the first load. */
import { type Browser, expect, type Page, test } from '@playwright/test';
import { FakeNode } from './fake-node.ts';

test.describe.configure({ timeout: 180_000 });

/** Processor time of each task of the page's main thread while `act` runs, ms; what other programs take does not count. */
async function tasksOf(
  browser: Browser,
  page: Page,
  act: () => Promise<void>,
): Promise<number[]> {
  await browser.startTracing(page, { categories: ['toplevel', '__metadata'] });
  await act();
  const trace = JSON.parse((await browser.stopTracing()).toString());
  const events = trace.traceEvents as {
    name: string;
    pid: number;
    tid: number;
    tdur?: number;
    args: { name?: string };
  }[];
  const main = new Set(
    events
      .filter(({ args }) => args.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  return events
    .filter(({ name }) => name === 'ThreadControllerImpl::RunTask')
    .filter(({ pid, tid }) => main.has(`${pid} ${tid}`))
    .map(({ tdur = 0 }) => tdur / 1000);
}

test('10,000 downloads scroll, and 1,000 changes a second are applied', async ({
  page,
  browser,
}, info) => {
  const node = await FakeNode.start({ downloads: 10_000, changes: 1000 });
  try {
    await page.goto(`${node.url}/downloads`);
    await expect(
      page.getByRole('button', { name: 'All 10,000' }),
    ).toBeVisible();
    await page.waitForTimeout(2000);
    const tasks = await tasksOf(browser, page, () =>
      page.evaluate(async () => {
        const list = document.querySelector('cdk-virtual-scroll-viewport');
        if (!list) throw new Error('there is no list');
        for (let i = 0; i < 180; i++) {
          list.scrollTop += 240;
          await new Promise(requestAnimationFrame);
        }
      }),
    );
    const figures = {
      tasks: tasks.length,
      over50ms: tasks.filter((time) => time > 50).length,
      longest: Math.round(Math.max(...tasks)),
      perFrame: Math.round(tasks.reduce((sum, time) => sum + time, 0) / 180),
    };
    const description = JSON.stringify(figures);
    info.annotations.push({ type: 'scrolling', description });
    console.log('10,000 downloads, 1,000 changes a second:', figures);
    expect(figures.tasks).toBeGreaterThan(180);
    expect(await page.locator('[role=row][data-row]').count()).toBeLessThan(60);
    // What is shown is what the node says, a moment later.
    const shown = await page.locator('.totals span').first().innerText();
    expect(shown).toMatch(/\d/);
    expect(figures.over50ms).toBe(0);
  } finally {
    await node.close();
  }
});

test('100,000 files of the catalogue can be scrolled to the end', async ({
  page,
}) => {
  const node = await FakeNode.start({ downloads: 0, catalogue: 100_000 });
  try {
    await page.goto(`${node.url}/files`);
    await expect(page.getByText('100,000 files')).toBeVisible();
    await page
      .locator('cdk-virtual-scroll-viewport')
      .evaluate((list) => list.scrollTo(0, list.scrollHeight));
    const last = page.locator('[role=row][data-row="99999"]');
    await expect(last).not.toContainText('Loading');
    await expect(last.locator('.name')).not.toBeEmpty();
  } finally {
    await node.close();
  }
});

test('the first load is small and quick on a slow processor', async ({
  page,
  browser,
}, info) => {
  const node = await FakeNode.start();
  try {
    const session = await page.context().newCDPSession(page);
    await session.send('Network.enable');
    await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
    const scripts: Promise<Buffer>[] = [];
    page.on('response', (response) => {
      if (response.url().endsWith('.js')) scripts.push(response.body());
    });
    await page.goto(`${node.url}/files`);
    await expect(page.getByRole('grid')).toBeVisible();
    const grid = await page.evaluate(() => performance.now());
    const { gzipSync } = await import('node:zlib');
    const bytes = (await Promise.all(scripts)).reduce(
      (sum, body) => sum + gzipSync(body).length,
      0,
    );
    const paint = await page.evaluate(
      () =>
        performance.getEntriesByName('first-contentful-paint')[0]?.startTime ??
        0,
    );
    const figures = {
      scriptKilobytes: Math.round(bytes / 1000),
      firstPaint: Math.round(paint),
      list: Math.round(grid),
    };
    info.annotations.push({
      type: 'first load',
      description: JSON.stringify(figures),
    });
    console.log(
      `first load (${browser.version()}, processor slowed 4 ×):`,
      figures,
    );
    expect(figures.scriptKilobytes).toBeLessThanOrEqual(200);
  } finally {
    await node.close();
  }
});
