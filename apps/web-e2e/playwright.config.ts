import { defineConfig, devices } from '@playwright/test';

// Debian's browser: nothing is downloaded.
const launchOptions = {
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
};

const everything = process.env['DND_ALL_PAGES'] === '1';

export default defineConfig({
  testDir: './src',
  // Times are measured by a target of their own.
  testIgnore: process.env['DND_SPEED'] === '1' ? [] : ['**/speed.spec.ts'],
  retries: 1,
  outputDir: '../../dist/web-e2e',
  reporter: 'list',
  // A half of a browser's time is waiting; pages of a made-up node do not disturb each other.
  workers: 2,
  fullyParallel: true,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  use: { launchOptions, locale: 'en-GB', trace: 'on-first-retry' },
  projects: [
    {
      name: 'desktop',
      use: { viewport: { width: 1280, height: 800 } },
    },
    {
      name: 'phone',
      // Every run has what looks or is done otherwise on a phone; the target `pages` all but keys and time.
      testMatch: /(?<!keyboard|speed)\.spec\.ts/,
      grep: everything ? /./ : /@phone/,
      use: {
        ...devices['Pixel 7'],
        viewport: { width: 390, height: 844 },
        launchOptions,
      },
    },
  ],
});
