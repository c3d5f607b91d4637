import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { add, callApi, expect, focus, holdScripts, issueToken, otherBrowser, setting, signIn, signOut, signUp, test } from './app';
import { addTasks, asOwner } from './database';

const section = (page: Page, title: string) => page.getByRole('region', { name: title });

async function openAccount(page: Page, name: string) {
  await page.getByRole('link', { name }).click();
  await expect(page.getByRole('heading', { name: 'Your account' })).toBeVisible();
}

test('the account link and the password forms say whose account it is', async ({ page }) => {
  const account = await signUp(page);
  await page.getByRole('link', { name: `Your account: ${account.name}`, exact: true }).click();
  for (const title of ['Password', 'Delete account']) {
    // For password managers: they would save the password without a name.
    await expect(section(page, title).locator('form input').first()).toHaveAttribute('autocomplete', 'username');
    await expect(section(page, title).locator('form input').first()).toHaveValue(account.email);
    await expect(section(page, title).locator('form input').first()).toBeHidden();
  }
});

test('a name is changed, here and in another browser', async ({ page, browser }) => {
  const account = await signUp(page);
  const other = await otherBrowser(browser);
  await signIn(other, account);
  await expect(other.getByText(account.name)).toBeVisible();
  await openAccount(page, account.name);
  await expect(page.getByText(account.email)).toBeVisible();
  const name = `${account.name} عمر`;
  await section(page, 'Name').getByLabel('Name').fill(`  ${name} `);
  await page.getByRole('button', { name: 'Save name' }).click();
  await expect(page.getByText('Your name is saved.')).toBeVisible();
  await page.getByRole('link', { name: 'Back to your tasks' }).click();
  await expect(page.getByRole('link', { name })).toBeVisible();
  await other.goto('/account');
  await expect(section(other, 'Name').getByLabel('Name')).toHaveValue(name);
  await other.context().close();
});

test('a password is shown on demand, and hidden again', async ({ page }) => {
  await page.goto('/login');
  const field = page.getByLabel('Password', { exact: true });
  await field.fill('not a secret');
  await expect(field).toHaveAttribute('type', 'password');
  await page.getByRole('button', { name: 'Show the password' }).click();
  await expect(field).toHaveAttribute('type', 'text');
  await page.getByRole('button', { name: 'Hide the password' }).click();
  await expect(field).toHaveAttribute('type', 'password');
  await expect(field).toHaveValue('not a secret');
});

test('a new password signs out every other browser, and the old one opens nothing', async ({ page, browser, errors }) => {
  const account = await signUp(page);
  const other = await otherBrowser(browser);
  await signIn(other, account);
  await expect(other.getByText(account.name)).toBeVisible();
  await openAccount(page, account.name);

  const form = section(page, 'Password');
  const password = `${account.password}-new`;
  const change = async (current: string) => {
    await form.getByLabel('Current password').fill(current);
    await form.getByLabel('New password').fill(password);
    await form.getByRole('button', { name: 'Change password' }).click();
  };
  await change('not the password');
  await expect(form.getByRole('alert').filter({ hasText: 'Invalid password' })).toBeVisible();
  await expect(form.getByLabel('Current password')).toBeFocused();
  expect((await other.request.get('/api/auth/api-token')).status()).toBe(200);
  await change(account.password);
  await expect(form.getByText('Your password is changed.')).toBeVisible();
  await expect(form.getByLabel('New password')).toHaveValue('');
  await expect(form.getByText('Invalid password')).toHaveCount(0);

  expect((await page.request.get('/api/auth/api-token')).status()).toBe(200);
  expect((await other.request.get('/api/auth/api-token')).status()).toBe(401);
  await other.context().clearCookies();
  await signIn(other, account);
  await expect(other.getByRole('alert').filter({ hasText: 'Invalid email or password' })).toBeVisible();
  await signIn(other, { ...account, password });
  await expect(other.getByText(account.name)).toBeVisible();
  await other.context().close();
  expect(errors.splice(0).every((error) => error.includes('400'))).toBe(true);
});

test('signing out everywhere ends every session', async ({ page, browser }) => {
  const account = await signUp(page);
  const other = await otherBrowser(browser);
  await signIn(other, account);
  await expect(other.getByText(account.name)).toBeVisible();
  const tab = await page.context().newPage();
  await tab.goto('/');
  await openAccount(page, account.name);
  await page.getByRole('button', { name: 'Sign out everywhere' }).click();
  await expect(page.getByText('You are signed out everywhere.')).toBeVisible();
  // The other tab of this browser is told.
  await expect(tab).toHaveURL(/\/login/);
  expect((await other.request.get('/api/auth/api-token')).status()).toBe(401);
  await other.context().close();
});

test('a tab that was not listening yet as the session ended notices, and says so', async ({ page, context }) => {
  await signUp(page);
  const tab = await context.newPage();
  const arrive = await holdScripts(tab);
  await tab.goto('/?show=done', { waitUntil: 'commit' });
  await expect(tab.getByLabel('New task', { exact: true })).toBeVisible();
  await signOut(page);
  arrive();
  await expect(tab.getByText('Your session has ended')).toBeVisible();
});

test('a session that ended in another browser is noticed when its tab is looked at, and by itself after a lost message', async ({ page, context, errors }) => {
  const account = await signUp(page);
  // With a token, which outlives the session.
  await add(page, 'Mine');
  const tab = await context.newPage();
  // A tab that no event reaches.
  await tab.addInitScript(() => {
    const { addEventListener } = EventTarget.prototype;
    EventTarget.prototype.addEventListener = function (type, ...rest) {
      if (type !== 'storage' && type !== 'message') {
        addEventListener.call(this, type, ...rest);
      }
    };
  });
  await tab.goto('/account');
  await expect(tab.getByRole('button', { name: 'Save name' })).toBeEnabled();
  await asOwner((owner) => owner.query('DELETE FROM session WHERE user_id = $1', [account.id]));
  await focus(page);
  await expect(page.getByText('Your session has ended')).toBeVisible();
  await signIn(page, account);
  await expect(page.getByText(account.name)).toBeVisible();
  await expect(tab).toHaveURL(/\/account$/);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(tab.getByText('Your session has ended')).toBeVisible({ timeout: 5_000 });
  expect(errors.splice(0).every((error) => error.includes('401'))).toBe(true);
});

test('a form of the account page whose session has ended elsewhere leads to the sign-in', async ({ page, errors }) => {
  const account = await signUp(page);
  const tab = await page.context().newPage();
  for (const opened of [page, tab]) {
    await opened.goto('/account');
    await expect(opened.getByRole('button', { name: 'Change password' })).toBeEnabled();
  }
  await asOwner((owner) => owner.query('DELETE FROM session WHERE user_id = $1', [account.id]));
  await page.getByLabel('Current password').fill(account.password);
  await page.getByLabel('New password').fill(`${account.password}-new`);
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByText('Your session has ended')).toBeVisible();
  await signIn(page, account, true);
  await expect(page.getByRole('heading', { name: 'Your account' })).toBeVisible();
  await asOwner((owner) => owner.query('DELETE FROM session WHERE user_id = $1', [account.id]));
  // The session has ended already, which is what was asked for.
  await tab.getByRole('button', { name: 'Sign out everywhere' }).click();
  await expect(tab.getByText('You are signed out everywhere.')).toBeVisible();
  expect(errors.splice(0).every((error) => error.includes('401'))).toBe(true);
});

test('all tasks are exported', async ({ page }) => {
  const account = await signUp(page);
  await addTasks(account.id, 204);
  expect((await callApi(await issueToken(page.request), 'POST', undefined, { title: 'Task 205', description: 'ü\n"quoted"' })).status).toBe(201);
  await openAccount(page, account.name);
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export tasks' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toMatch(/^tasks-\d{4}-\d\d-\d\d\.json$/);
  await expect(page.getByText('205 tasks exported.')).toBeVisible();
  const exported = JSON.parse(readFileSync(await file.path(), 'utf8'));
  const { rows } = await asOwner((owner) => owner.query('SELECT id::int, title, description, completed FROM tasks WHERE user_id = $1 ORDER BY id DESC', [exported[0].user_id]));
  expect(exported).toMatchObject(rows);
  expect(rows).toHaveLength(205);
});

test('after too many tries, the page says when the next one is possible', async ({ page, errors }) => {
  const account = await signUp(page);
  await signOut(page);
  await page.getByLabel('Email').fill(account.email);
  await page.getByLabel('Password', { exact: true }).fill('not the password');
  const refusal = page.waitForResponse((response) => response.status() === 429, { timeout: 60_000 });
  await expect(async () => {
    await page.getByRole('button', { name: 'Sign in' }).click({ timeout: 2_000 });
    await expect(page.getByText('Too many attempts.')).toBeVisible({ timeout: 3_000 });
  }).toPass();
  const { retryAfter } = await (await refusal).json();
  expect((await refusal).headers()['retry-after']).toBe(String(retryAfter));
  await expect(page.getByText(`Try again in ${retryAfter} second`)).toBeVisible();
  await expect(page.getByRole('button', { name: /^Wait \d+ second/ })).toBeDisabled();
  // After the wait, it works.
  await signIn(page, account, true);
  await expect(page.getByText(account.name)).toBeVisible();
  expect(errors.splice(0).every((error) => /401|429/.test(error))).toBe(true);
});

test('where no mail can be sent, no link is offered', async ({ page, errors }) => {
  await page.goto('/login');
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeEnabled();
  await expect(page.getByText('Forgot')).toHaveCount(0);
  for (const path of ['/forgot-password', '/reset-password']) {
    expect((await page.goto(path))?.status(), path).toBe(404);
  }
  const answer = await page.request.post('/api/auth/request-password-reset', {
    headers: { origin: setting('APP_URL') },
    data: { email: 'nobody@example.com' },
  });
  expect(answer.status()).toBe(400);
  errors.length = 0;
});
