import { defineConfig, devices } from '@playwright/test';

// Debian's browser: nothing is downloaded.
const launchOptions = {
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
};

export default defineConfig({
  testDir: './src',
  // Every run has the flows; all pages, sizes and themes, and the times, are targets of their own.
  testIgnore:
    process.env['DND_ALL_PAGES'] === '1'
      ? []
      : ['**/speed.spec.ts', '**/pages.spec.ts', '**/keyboard.spec.ts'],
  retries: 1,
  outputDir: '../../dist/web-e2e',
  reporter: 'list',
  workers: 1,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  use: { launchOptions, locale: 'en-GB', trace: 'retain-on-failure' },
  projects: [
    {
      name: 'desktop',
      use: { viewport: { width: 1280, height: 800 } },
    },
    {
      name: 'phone',
      testMatch: /(pages|flows|uploads|bulk|settings)\.spec\.ts/,
      use: {
        ...devices['Pixel 7'],
        viewport: { width: 390, height: 844 },
        launchOptions,
      },
    },
  ],
});
