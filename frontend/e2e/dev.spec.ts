import { existsSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { address, askForAccount, callAuth, expect, newAccount, test } from './app';
import { startApp } from './own-app';

/** How often the development server is started; set `DEV_STARTS=10` for more. */
const STARTS = Number(process.env.DEV_STARTS ?? 3);

test('the development server starts the same way every time, also after a stop in the middle of a compilation', async ({ browser }) => {
  expect(isRunning(), 'a development server has this folder: stop cargo xtask dev, then test again').toBe(false);
  test.setTimeout(STARTS * 240_000);
  // A cookie from an older version of the app.
  rmSync('.next/dev/cache', { recursive: true, force: true });
  for (let start = 1; start <= STARTS; start += 1) {
    // As `cargo xtask dev` starts it.
    const dev = await startApp({ NODE_ENV: 'development' }, undefined, 'dev');
    try {
      if (start % 2 === 0) {
        void fetch(`${dev.url}/login`).catch(() => {});
        await sleep(200 * start);
        continue;
      }
      const page = await (await browser.newContext({ baseURL: dev.url, extraHTTPHeaders: address() })).newPage();
      const account = newAccount();
      await askForAccount(page, account);
      await expect(page.getByText('Nothing to do yet')).toBeVisible({ timeout: 180_000 });
      await page.waitForLoadState();
      // A page in a reload loop would reload within a second.
      let loads = 0;
      page.on('load', () => (loads += 1));
      await sleep(5_000);
      expect(loads, `start ${start}`).toBe(0);

      // Without a mail server, mails are printed for the developer.
      await callAuth('/request-password-reset', { email: account.email }, {}, dev.url);
      await expect.poll(dev.log).toContain(`${dev.url}/reset-password#`);
      // This machine's other name, where nobody could sign in, leads to the app's own.
      await page.goto(`${dev.url.replace('localhost', '127.0.0.1')}/?show=done`);
      await expect(page).toHaveURL(`${dev.url}/?show=done`);
      await expect(page.getByText('Nothing done yet')).toBeVisible({ timeout: 60_000 });
      await page.context().close();
    } finally {
      await dev.stop();
    }
  }
  expect(existsSync('.next/dev/cache/turbopack')).toBe(false);
});

/** Whether a development server is running in this folder. */
function isRunning(): boolean {
  try {
    process.kill(JSON.parse(readFileSync('.next/dev/lock', 'utf8')).pid, 0);
    return true;
  } catch {
    return false;
  }
}
