import type { Page } from '@playwright/test';
import { add, box, callApi, expect, issueToken, list, row, signIn, signUp, otherBrowser, test } from './app';

/** Simulates a window that gets the focus: in the tests' browser all windows have it. */
const focus = (page: Page) => page.evaluate(() => window.dispatchEvent(new Event('focus')));

test('what one tab changes, the others show', async ({ page, context }) => {
  await signUp(page);
  await add(page, 'Shared');
  const other = await context.newPage();
  await other.goto('/');
  await box(other, 'Shared').check();
  await expect(box(page, 'Shared')).toBeChecked();
  await add(other, 'New there');
  await expect(box(page, 'New there')).toBeVisible();
});

test('what another browser changes is there when the window is looked at, or the network is back', async ({ page, context, browser, errors }) => {
  const account = await signUp(page);
  const elsewhere = await otherBrowser(browser);
  await signIn(elsewhere, account);
  await add(elsewhere, 'First');
  await focus(page);
  await expect(box(page, 'First')).toBeVisible();
  await add(elsewhere, 'Second');
  await context.setOffline(true);
  await expect(page.getByText('You are offline')).toBeVisible();
  await context.setOffline(false);
  await expect(box(page, 'Second')).toBeVisible();
  await expect(page.getByText('You are offline')).toHaveCount(0);
  await elsewhere.context().close();
  errors.length = 0;
});

test('a task whose text was changed elsewhere is not deleted unseen', async ({ page, errors }) => {
  await page.clock.install();
  await signUp(page);
  await add(page, 'Shared');
  // A list contains no versions.
  await page.reload();
  const token = await issueToken(page.request);
  const [task] = (await callApi(token)).body;
  const path = `/api/${task.user_id}/tasks/${task.id}`;
  const looked = page.waitForResponse((response) => response.url().endsWith(path));
  await page.getByRole('button', { name: 'Delete Shared' }).click();
  await looked;
  await callApi(token, 'PUT', path, { title: 'Changed elsewhere' });
  await page.clock.runFor(11_000);
  const question = page.getByRole('alert').filter({ hasText: 'changed elsewhere, and is still here' });
  await expect(question).toContainText('Changed elsewhere');
  await expect(box(page, 'Changed elsewhere')).toBeVisible();
  expect((await callApi(token, 'GET', path)).status).toBe(200);
  await page.getByRole('button', { name: 'Delete it' }).click();
  await expect(row(page, 'Changed elsewhere')).toHaveCount(0);
  await expect.poll(async () => (await callApi(token, 'GET', path)).status).toBe(404);
  expect(errors.splice(0).every((error) => error.includes('412'))).toBe(true);
});

test('a page that closes leaves to the next one what it could not delete safely', async ({ page, errors }) => {
  await page.clock.install();
  await signUp(page);
  await add(page, 'Drop me');
  await page.reload();
  const token = await issueToken(page.request);
  // The version is unknown and cannot be fetched.
  await page.route('**/tasks/*', (route) => route.abort());
  await page.getByRole('button', { name: 'Delete Drop me' }).click();
  await page.goto('about:blank');
  expect((await callApi(token)).body).toHaveLength(1);
  await page.unrouteAll();
  await page.goto('/');
  await expect(page.getByRole('region', { name: 'Notifications' })).toContainText('“Drop me” deleted');
  await expect(list(page).getByRole('listitem')).toHaveCount(0);
  await page.clock.runFor(11_000);
  await expect.poll(async () => (await callApi(token)).body).toEqual([]);
  errors.length = 0;
});
