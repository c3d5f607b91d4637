import type { Page } from '@playwright/test';
import { type Account, add, address, callApi, claimsOf, expect, issueToken, otherBrowser, signIn, signUp, signUpByForm, test } from './app';
import { addTasks, asOwner } from './database';

const deletion = (page: Page) => page.getByRole('region', { name: 'Delete account' });

async function askToDelete(page: Page, { password }: Account) {
  await deletion(page).getByLabel('Password').fill(password);
  await deletion(page).getByRole('button', { name: 'Delete my account' }).click();
}

/** A user's rows in the database. */
async function stored(userId: string) {
  const counts = ['tasks WHERE user_id', 'idempotency_keys WHERE user_id', '"user" WHERE id', 'session WHERE user_id', 'account WHERE user_id', 'verification WHERE value'];
  const rows = await asOwner(async (owner) => {
    const found: number[] = [];
    for (const table of counts) {
      found.push((await owner.query(`SELECT count(*)::int AS count FROM ${table} = $1`, [userId])).rows[0].count);
    }
    return found;
  });
  const [tasks, keys, users, sessions, passwords, links] = rows;
  return { tasks, keys, users, sessions, passwords, links };
}

const NOTHING = { tasks: 0, keys: 0, users: 0, sessions: 0, passwords: 0, links: 0 };

test('an account of 25,000 tasks is deleted, with all that it had', async ({ page, errors }) => {
  const account = await signUp(page);
  const userId = account.id;
  await add(page, 'By the app');
  await addTasks(userId, 25_000);
  await asOwner((owner) =>
    owner.query("INSERT INTO verification (id, identifier, value, expires_at) VALUES ($1, 'reset-password:x', $1, now() + interval '1 hour')", [userId]),
  );
  expect(await stored(userId)).toEqual({ tasks: 25_001, keys: 1, users: 1, sessions: 1, passwords: 1, links: 1 });

  const calls: Promise<number>[] = [];
  page.on('response', (response) => {
    if (response.request().method() === 'DELETE') {
      calls.push(response.finished().then(() => response.request().timing().responseEnd));
    }
  });
  await page.goto('/account');
  // The page's message may disappear before it is checked.
  const said: string[] = [];
  await page.exposeFunction('said', (text: string) => said.push(text));
  await deletion(page)
    .locator('[role=status]:first-child')
    .evaluate((status) => new MutationObserver(() => (window as unknown as { said(text: string): void }).said(status.textContent)).observe(status, { subtree: true, childList: true, characterData: true }));
  await askToDelete(page, account);
  await expect(page.getByText('Your account and all its data have been deleted.')).toBeVisible();
  expect(await stored(userId)).toEqual(NOTHING);
  expect(said).toEqual(expect.arrayContaining(['Erasing your tasks …', ...[10, 20].map((n) => `${n},000 tasks are deleted. Erasing your tasks …`)]));
  const times = await Promise.all(calls);
  // Three for the tasks, and one more after the user is removed.
  expect(times).toHaveLength(4);
  expect(Math.max(...times), times.join()).toBeLessThan(10_000);

  // Signing in fails, and the address can sign up again.
  await signIn(page, account);
  await expect(page.getByRole('alert').filter({ hasText: 'Invalid email or password' })).toBeVisible();
  await signUpByForm(page, account);
  await expect(page.getByText('Nothing to do yet')).toBeVisible();
  expect(errors.splice(0).every((error) => error.includes('401'))).toBe(true);
});

test('where the API fails in the middle, the user stays and the page says what is gone; the next try goes on', async ({ page, errors }) => {
  const account = await signUp(page);
  const userId = account.id;
  await addTasks(userId, 12_000);
  await page.goto('/account');
  await asOwner(async (owner) => {
    await owner.query('BEGIN');
    // The second call to the API waits for this row until its statement times out.
    await owner.query('SELECT FROM tasks WHERE user_id = $1 ORDER BY id DESC LIMIT 1 FOR UPDATE', [userId]);
    await askToDelete(page, account);
    await expect(deletion(page).getByRole('alert').filter({ hasText: 'Your account is still there' })).toBeVisible({ timeout: 60_000 });
    await expect(deletion(page).getByText('10,000 tasks are deleted.')).toBeVisible();
    await owner.query('ROLLBACK');
  });
  expect(await stored(userId)).toEqual({ tasks: 2_000, keys: 0, users: 1, sessions: 1, passwords: 1, links: 0 });
  expect(errors.splice(0).every((error) => error.includes('503'))).toBe(true);

  await askToDelete(page, account);
  await expect(page.getByText('Your account and all its data have been deleted.')).toBeVisible();
  expect(await stored(userId)).toEqual(NOTHING);
});

test('where the database fails at the end, the user stays whole, and the next try goes on', async ({ page, errors }) => {
  const account = await signUp(page);
  await add(page, 'Mine');
  const userId = account.id;
  await page.goto('/account');
  await asOwner(async (owner) => {
    await owner.query('BEGIN');
    await owner.query('SELECT FROM "user" WHERE id = $1 FOR UPDATE', [userId]);
    await askToDelete(page, account);
    await expect(deletion(page).getByRole('alert').filter({ hasText: 'The database does not answer.' })).toBeVisible({ timeout: 60_000 });
    await expect(deletion(page).getByText('1 task is deleted.')).toBeVisible();
    await owner.query('ROLLBACK');
  });
  expect(await stored(userId)).toEqual({ tasks: 0, keys: 0, users: 1, sessions: 1, passwords: 1, links: 0 });
  expect(errors.splice(0).every((error) => error.includes('503'))).toBe(true);
  await askToDelete(page, account);
  await expect(page.getByText('Your account and all its data have been deleted.')).toBeVisible();
  expect(await stored(userId)).toEqual(NOTHING);
});

test('what another browser adds before the user is removed is erased, too; its token works until it ends', async ({ page, browser }) => {
  const account = await signUp(page);
  const other = await otherBrowser(browser);
  await signIn(other, account);
  await add(other, 'Before');
  const token = await issueToken(other.request);
  const userId = claimsOf(token).sub;
  await page.goto('/account');
  await page.route('**/delete-account/finish', async (route) => {
    // Its session has ended, but its token is still valid.
    expect((await other.request.get('/api/auth/api-token')).status()).toBe(401);
    expect((await callApi(token, 'POST', undefined, { title: 'In between' })).status).toBe(201);
    await route.continue();
  });
  await askToDelete(page, account);
  await expect(page.getByText('Your account and all its data have been deleted.')).toBeVisible();
  expect(await stored(userId)).toEqual(NOTHING);
  // For at most ten minutes, as SECURITY.md says.
  expect((await callApi(token, 'POST', undefined, { title: 'Afterwards' })).status).toBe(201);
  await other.context().close();
});

test('what is left when the API fails last is erased on demand', async ({ page, errors }) => {
  const account = await signUp(page);
  await add(page, 'Mine');
  const userId = account.id;
  await page.goto('/account');
  await page.route('**/delete-account/finish', async (route) => {
    const response = await route.fetch();
    await page.route('**/tasks?all=true', (call) =>
      call.fulfill({ status: 500, headers: { 'access-control-allow-origin': '*' } }),
    );
    await route.fulfill({ response });
  });
  await askToDelete(page, account);
  await expect(deletion(page).getByText('Your account is deleted.')).toBeVisible();
  await expect(deletion(page).getByText('it may still be stored')).toBeVisible();
  await page.unroute('**/tasks?all=true');
  await deletion(page).getByRole('button', { name: 'Erase it, too' }).click();
  await expect(page.getByText('Your account and all its data have been deleted.')).toBeVisible();
  expect(await stored(userId)).toEqual(NOTHING);
  expect(errors.splice(0).every((error) => error.includes('500'))).toBe(true);
});

test('a wrong password deletes nothing, and without a password nothing is deleted', async ({ page, errors }) => {
  const account = await signUp(page);
  await add(page, 'Mine');
  const userId = account.id;
  await page.goto('/account');
  await askToDelete(page, { ...account, password: 'not the password' });
  await expect(deletion(page).getByRole('alert').filter({ hasText: 'Invalid password' })).toBeVisible();
  // Nor may a page of another origin, whatever cookies it sends.
  const foreign = await page.request.post('/api/auth/delete-account/finish', { headers: { origin: 'https://evil.example' }, data: { password: account.password } });
  expect(foreign.status()).toBe(403);
  for (const [path, data] of [
    ['/delete-account/finish', {}],
    ['/delete-account/finish', { password: 'not the password' }],
    ['/delete-account/finish', { password: { $ne: '' } }],
    ['/delete-account/prepare', {}],
    ['/delete-user', { password: account.password }],
  ] as const) {
    const headers = { ...address(), origin: new URL(page.url()).origin };
    const answer = await page.request.post(`/api/auth${path}`, { headers, data });
    expect(answer.status(), path).toBe(path === '/delete-user' ? 404 : 400);
  }
  expect(await stored(userId)).toEqual({ tasks: 1, keys: 1, users: 1, sessions: 1, passwords: 1, links: 0 });
  expect(errors.splice(0).every((error) => error.includes('400'))).toBe(true);
});
