import { createHmac, randomBytes } from 'node:crypto';
import type { Page } from '@playwright/test';
import { type Account, add, address, askForAccount, callApi, expect, issueToken, otherBrowser, setting, signIn, signUp, test } from './app';
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

  const steps: Promise<number>[] = [];
  const passwords: string[] = [];
  page.on('response', (response) => {
    if (response.url().endsWith('/delete-account')) {
      steps.push(response.finished().then(() => response.request().timing().responseEnd));
      passwords.push(response.request().postDataJSON().password);
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
  expect(said).toEqual(expect.arrayContaining([10, 20].map((n) => `${n},000 tasks are deleted. Erasing your tasks …`)));
  const times = await Promise.all(steps);
  // Three for the tasks; the last one also removes the user.
  expect(passwords).toEqual([account.password, undefined, undefined]);
  expect(Math.max(...times), times.join()).toBeLessThan(10_000);

  // Signing in fails, and the address can sign up again.
  await signIn(page, account);
  await expect(page.getByRole('alert').filter({ hasText: 'Invalid email or password' })).toBeVisible();
  await askForAccount(page, account);
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

test('what another browser adds while the account is deleted is erased, too; its token works until it ends', async ({ page, browser }) => {
  const account = await signUp(page);
  const other = await otherBrowser(browser);
  await signIn(other, account);
  await add(other, 'Before');
  const token = await issueToken(other.request);
  const userId = account.id;
  await page.goto('/account');
  await page.route('**/delete-account', async (route) => {
    if (!route.request().postDataJSON().password) {
      // Its session has ended, but its token is still valid.
      expect((await other.request.get('/api/auth/api-token')).status()).toBe(401);
      expect((await callApi(token, 'POST', undefined, { title: 'In between' })).status).toBe(201);
    }
    await route.continue();
  });
  await askToDelete(page, account);
  await expect(page.getByText('Your account and all its data have been deleted.')).toBeVisible();
  expect(await stored(userId)).toEqual(NOTHING);
  // For at most ten minutes, as SECURITY.md says.
  expect((await callApi(token, 'POST', undefined, { title: 'Afterwards' })).status).toBe(201);
  await other.context().close();
});

for (const fails of [false, true]) {
  test(`what is written as the user is removed is erased, too${fails ? ', on demand when the API fails' : ''}`, async ({ page, errors }) => {
    const account = await signUp(page);
    const userId = account.id;
    const trigger = `test_${randomBytes(6).toString('hex')}`;
    const asRemoved = (statement: string) => `CREATE FUNCTION ${trigger}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN ${statement}; RETURN OLD; END $$`;
    await asOwner(async (owner) => {
      await owner.query(asRemoved("INSERT INTO public.tasks (user_id, title) VALUES (OLD.id, 'In between')"));
      await owner.query(`CREATE TRIGGER ${trigger} AFTER DELETE ON "user" FOR EACH ROW WHEN (OLD.id = '${userId}') EXECUTE FUNCTION ${trigger}()`);
      if (fails) {
        await owner.query(asRemoved("RAISE 'this test'").replace(trigger, `${trigger}_fails`));
        await owner.query(`CREATE TRIGGER ${trigger} BEFORE DELETE ON tasks FOR EACH ROW WHEN (OLD.user_id = '${userId}') EXECUTE FUNCTION ${trigger}_fails()`);
      }
    });
    await page.goto('/account');
    await askToDelete(page, account);
    if (fails) {
      await expect(deletion(page).getByText('Your account is deleted.')).toBeVisible();
      await expect(deletion(page).getByText('it may still be stored')).toBeVisible();
      expect(await stored(userId)).toEqual({ ...NOTHING, tasks: 1 });
      const again = deletion(page).getByRole('button', { name: 'Erase it, too' });
      const refused = page.waitForResponse((response) => response.url().endsWith(`/api/${userId}`) && !response.ok());
      await again.click();
      await refused;
      await asOwner((owner) => owner.query(`DROP TRIGGER ${trigger} ON tasks; DROP FUNCTION ${trigger}_fails`));
      await again.click();
    }
    await expect(page.getByText('Your account and all its data have been deleted.')).toBeVisible();
    expect(await stored(userId)).toEqual(NOTHING);
    await asOwner((owner) => owner.query(`DROP FUNCTION ${trigger} CASCADE`));
    expect(errors.splice(0).every((error) => error.includes('50'))).toBe(true);
  });
}

test('a wrong password deletes nothing, and without a password nothing is deleted', async ({ page, errors }) => {
  const account = await signUp(page);
  await add(page, 'Mine');
  const userId = account.id;
  await page.goto('/account');
  await askToDelete(page, { ...account, password: 'not the password' });
  await expect(deletion(page).getByRole('alert').filter({ hasText: 'Invalid password' })).toBeVisible();
  // Nor may a page of another origin, whatever cookies it sends.
  const origin = new URL(page.url()).origin;
  const post = async (data: object, from = origin) =>
    (await page.request.post('/api/auth/delete-account', { headers: { ...address(), origin: from }, data })).status();
  expect(await post({ password: account.password }, 'https://evil.example')).toBe(403);
  for (const data of [{}, { password: 'not the password' }, { password: { $ne: '' } }, { password: null }, { more: true }, []]) {
    expect(await post(data), JSON.stringify(data)).toBe(400);
  }
  expect(await stored(userId)).toEqual({ tasks: 1, keys: 1, users: 1, sessions: 1, passwords: 1, links: 0 });
  expect(errors.splice(0).every((error) => error.includes('400'))).toBe(true);
});

test('the steps without a password are those of one session, for ten minutes', async ({ page, browser }) => {
  const account = await signUp(page);
  await addTasks(account.id, 10_001);
  const headers = { origin: setting('APP_URL') };
  const step = (of: Page, data: object) => of.request.post('/api/auth/delete-account', { headers: { ...address(), ...headers }, data });
  expect(await (await step(page, { password: account.password })).json()).toEqual({ deleted: 10_000, more: true });
  const steps = (await page.context().cookies()).find(({ name }) => name.endsWith('delete_account'));
  expect(steps).toMatchObject({ httpOnly: true, sameSite: 'Lax' });
  expect(steps?.expires).toBeLessThanOrEqual(Date.now() / 1000 + 600);
  // Another session of the user, or a forged time, needs the password.
  const other = await otherBrowser(browser);
  await signIn(other, account);
  await expect(other.getByText(account.name)).toBeVisible();
  const [id, end] = decodeURIComponent(steps?.value ?? '').split('.');
  for (const [of, value] of [[other, steps?.value], [page, encodeURIComponent(`${id}.${Number(end) + 1}.${decodeURIComponent(steps?.value ?? '').split('.')[2]}`)]] as const) {
    await of.context().addCookies([{ name: steps?.name ?? '', value: value ?? '', url: setting('APP_URL') }]);
    expect((await step(of, {})).status()).toBe(400);
  }
  expect(await stored(account.id)).toMatchObject({ tasks: 1, users: 1, sessions: 2 });
  // After ten minutes, too: the cookie itself holds its end.
  await page.context().addCookies([{ name: steps?.name ?? '', value: signedCookie(`${id}.${Date.now() - 1}`), url: setting('APP_URL') }]);
  expect((await step(page, {})).status()).toBe(400);
  await page.context().addCookies([{ name: steps?.name ?? '', value: steps?.value ?? '', url: setting('APP_URL') }]);
  const { deleted, more } = await (await step(page, {})).json();
  expect({ deleted, more }).toEqual({ deleted: 1, more: false });
  expect(await stored(account.id)).toEqual(NOTHING);
  expect((await step(page, {})).status()).toBe(401);
  await other.context().close();
});

/** A cookie's value that the app would sign. */
const signedCookie = (value: string) =>
  encodeURIComponent(`${value}.${createHmac('sha256', setting('BETTER_AUTH_SECRET')).update(value).digest('base64')}`);
