import { defineConfig } from '@playwright/test';
import { FAULTS } from './e2e/faults';

// As root, as in most containers, Chromium runs only without its sandbox.
const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];

/** `cargo xtask test` starts the app, the gateway and the database, and sets their URLs. */
export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  fullyParallel: true,
  workers: 2,
  forbidOnly: true,
  // With faults, some tests fail; short timeouts let them end sooner.
  timeout: FAULTS ? 30_000 : 90_000,
  expect: { timeout: FAULTS ? 5_000 : 20_000 },
  globalSetup: ['./e2e/warm-up.ts', ...(FAULTS ? ['./e2e/faults.ts'] : [])],
  // These start their own apps on their own databases.
  testIgnore: FAULTS ? /(account-mail|account-verification|dev|failures|login|rate-limits|settings)\.spec\.ts$/ : undefined,
  reporter: [['list'], ['./e2e/log-search.ts']],
  use: {
    baseURL: process.env.APP_URL,
    locale: 'en-GB',
    launchOptions: {
      executablePath: process.env.CHROMIUM,
      args: [...sandbox, '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    },
  },
});
