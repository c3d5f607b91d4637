import type { Page } from '@playwright/test';
import { add, box, callApi, expect, focus, issueToken, list, otherBrowser, row, setting, signIn, signUp, test } from './app';

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
  await page.getByRole('button', { name: 'Delete Shared' }).click();
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

test('a page that closes without a network leaves its deletions to the next one', async ({ page }) => {
  await signUp(page);
  await add(page, 'Drop me');
  const token = await issueToken(page.request);
  // What a page sends as it closes passes the tests' switch for the network.
  await page.evaluate(() => (window.fetch = () => Promise.reject(new TypeError('Failed to fetch'))));
  await page.getByRole('button', { name: 'Delete Drop me' }).click();
  await page.goto('about:blank');
  await page.waitForTimeout(1_000);
  expect((await callApi(token)).body).toHaveLength(1);
  await page.goto('/');
  await expect.poll(async () => (await callApi(token)).body).toEqual([]);
  await expect(list(page).getByRole('listitem')).toHaveCount(0);
});

test('the app deletes for a closing page, for its user alone, and no text that the page did not show', async ({ page, browser }) => {
  const [own, other] = [await signUp(page), await otherBrowser(browser)];
  await signUp(other);
  for (const title of ['Seen', 'Unseen']) {
    await add(page, title);
  }
  const token = await issueToken(page.request);
  const [unseen, seen] = (await callApi(token)).body;
  const left = { deletions: [{ ...seen, etag: null }, { ...unseen, title: 'As shown', etag: null }], clearing: null };
  const send = (from: Page, data: unknown, origin = setting('APP_URL')) =>
    from.request.post('/api/deletions', { headers: { origin, 'content-type': 'application/json' }, data: JSON.stringify(data) });
  const statuses = [];
  for (const call of [
    () => send(other, left),
    () => send(page, left, 'https://evil.example'),
    () => send(page, left, 'null'),
    () => send(page, { ...left, more: 'x'.repeat(64 * 1024) }),
    ...[null, [], {}, { deletions: [null], clearing: null }, { deletions: [{ id: '../1' }], clearing: null }, { deletions: [], clearing: {} }].map((bad) => () => send(page, bad)),
  ]) {
    statuses.push((await call()).status());
  }
  expect(statuses).toEqual([204, 403, 403, 413, 422, 422, 422, 422, 422, 422]);
  expect((await callApi(token)).body).toHaveLength(2);
  expect((await send(page, left)).status()).toBe(204);
  expect((await callApi(token)).body).toMatchObject([{ title: 'Unseen', user_id: own.id }]);
  await page.context().clearCookies();
  expect((await send(page, left)).status()).toBe(401);
  await other.context().close();
});
