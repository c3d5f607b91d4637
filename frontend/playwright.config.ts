import { defineConfig } from '@playwright/test';

// As root, as in most containers, Chromium runs only without its sandbox.
const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];

/** `cargo xtask test` starts the app, the gateway and the database, and says where they are. */
export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  fullyParallel: true,
  workers: 2,
  forbidOnly: true,
  // On a busy machine a browser may stall; what passes only then is reported as flaky.
  retries: process.env.CI ? 1 : 0,
  timeout: 90_000,
  expect: { timeout: 20_000 },
  reporter: [['list']],
  use: {
    baseURL: process.env.APP_URL,
    locale: 'en-GB',
    launchOptions: {
      executablePath: process.env.CHROMIUM,
      args: [...sandbox, '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    },
  },
});
