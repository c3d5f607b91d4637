import { gzipSync } from 'node:zlib';
import type { Page, Response } from '@playwright/test';
import { box, expect, focus, list, show, signIn, signUp, test } from './app';
import { addTasks } from './database';

const TASKS = 20;
/** The limit for all scripts, compressed, until the network is idle. */
const MOST_SCRIPT_BYTES = 195 * 1024;

/** The requests of a page, in order. */
function requestsOf(page: Page) {
  const urls: string[] = [];
  page.on('request', (request) => {
    const { pathname, searchParams } = new URL(request.url());
    // Next.js's prefetches do not delay the page.
    if (searchParams.has('_rsc')) {
      return;
    }
    if (!pathname.startsWith('/_next/static/') && !/\.(svg|ico|png|webmanifest)$/.test(pathname)) {
      urls.push(`${request.method()} ${pathname.replace(/\/api\/[^/]+\/tasks/, '/api/…/tasks')}`);
    }
  });
  return urls;
}

async function withTasks(page: Page) {
  const account = await signUp(page);
  await addTasks(account.id, TASKS);
  return account;
}

test('after a sign-in the tasks are there in two round trips, on a reload in one', async ({ page, context }) => {
  const account = await withTasks(page);
  await context.clearCookies();
  await page.goto('/login');
  const requests = requestsOf(page);
  await signIn(page, account);
  await expect(box(page, 'Task 20')).toBeVisible();
  await page.waitForLoadState('networkidle');
  expect(requests.splice(0)).toEqual(['GET /login', 'POST /api/auth/sign-in/email', 'GET /']);
  await page.reload();
  await expect(list(page).getByRole('listitem')).toHaveCount(TASKS);
  await page.waitForLoadState('networkidle');
  expect(requests).toEqual(['GET /']);
});

test('calls do without a preflight each', async ({ page }) => {
  await withTasks(page);
  await page.reload();
  await expect(page.getByRole('button', { name: 'Add', exact: true })).toBeEnabled();
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  const sent: string[] = [];
  session.on('Network.requestWillBeSent', ({ request }) => request.url.includes('/tasks') && sent.push(request.method));
  for (let n = 0; n < 4; n += 1) {
    // While a list is being fetched, another focus does not fetch it again.
    await expect(async () => {
      const isList = (response: Response) => response.url().includes('/tasks?') && response.request().method() === 'GET';
      const listed = page.waitForResponse(isList, { timeout: 3_000 });
      await focus(page);
      await listed;
    }).toPass();
  }
  expect(sent.filter((method) => method === 'GET').length).toBeGreaterThanOrEqual(4);
  expect(sent.filter((method) => method === 'OPTIONS')).toHaveLength(1);
});

test('the document has the tasks, and no token', async ({ page }) => {
  await withTasks(page);
  const html = await (await page.request.get('/')).text();
  expect(html).toContain('Task 20');
  expect(html).not.toMatch(/eyJ[\w-]{10,}/);
  expect(html).toMatch(/<noscript>.*needs JavaScript/);
});

test('the scripts until the network is idle are small', async ({ page, browser }) => {
  await withTasks(page);
  const context = await browser.newContext({ storageState: await page.context().storageState() });
  const cold = await context.newPage();
  const scripts: Promise<number>[] = [];
  cold.on('response', (response) => {
    if (response.request().resourceType() === 'script') {
      scripts.push(response.body().then((body) => gzipSync(body, { level: 6 }).length));
    }
  });
  await cold.goto(new URL('/', page.url()).href);
  await expect(box(cold, 'Task 20')).toBeVisible();
  await cold.waitForLoadState('networkidle');
  const bytes = (await Promise.all(scripts)).reduce((sum, size) => sum + size, 0);
  test.info().annotations.push({ type: 'scripts', description: `${(bytes / 1024).toFixed(1)} KB in ${scripts.length} files` });
  console.log(`scripts: ${(bytes / 1024).toFixed(1)} KB in ${scripts.length} files`);
  expect(bytes).toBeLessThanOrEqual(MOST_SCRIPT_BYTES);
  await context.close();
});

test('a filter is in the URL, keeps what was loaded, and never shows a part as the whole', async ({ page }) => {
  await withTasks(page);
  await page.goto('/?show=done');
  await expect(page.getByText('Nothing done yet')).toBeVisible();
  await page.getByLabel('New task', { exact: true }).fill('Where is it?');
  await page.keyboard.press('Enter');
  await expect(page.getByText('Added “Where is it?” to your open tasks.')).toBeVisible();
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await expect(page).toHaveURL(/\?show=open$/);
  await expect(box(page, 'Where is it?')).toBeVisible();
  await page.getByRole('button', { name: 'Load more' }).click();
  await expect(list(page).getByRole('listitem')).toHaveCount(TASKS + 1);
  await show(page, 'Open');
  await expect(list(page).getByRole('listitem')).toHaveCount(TASKS + 1);
  await page.goBack();
  await expect(page.getByText('Nothing done yet')).toBeVisible();
  await page.route('**/tasks?**', (route) => new Promise<void>(() => {}).then(() => route.abort()));
  await show(page, 'All');
  await expect(page.getByText('Loading your tasks')).toBeVisible();
  await show(page, 'Open');
  await expect(list(page).getByRole('listitem')).toHaveCount(TASKS + 1);
});
