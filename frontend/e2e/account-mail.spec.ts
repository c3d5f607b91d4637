import { createHmac } from 'node:crypto';
import { address, callAuth, expect, newAccount, newUser, otherBrowser, setting, signIn, signUp, test } from './app';
import { asOwner, DatabaseProxy, type Login, newLogin } from './database';
import { linkIn, MailServer } from './mail-server';
import { secretsIn } from './marks';
import { type OwnApp, startApp } from './own-app';

const mails = new MailServer();
let login: Login;
let proxy: DatabaseProxy;
let app: OwnApp;

test.beforeAll(async () => {
  login = await newLogin();
  proxy = new DatabaseProxy(login.url);
  app = await startApp({ DATABASE_URL: await proxy.start(), ...(await mails.start()) });
});

test.afterAll(async () => {
  await app.stop();
  await mails.stop();
  proxy.stop();
  await login.drop();
});

// Pages of this test's own app.
test.use({ baseURL: async ({}, provide) => provide(app?.url) });
test.describe.configure({ mode: 'serial' });

const post = (path: string, body: object) => callAuth(path, body, {}, app.url);

const opened = (email: string) => mails.newest(email).then(linkIn);

test('who forgot a password chooses a new one by a link that works once', async ({ page, browser, errors }) => {
  const account = await signUp(page, app.url);
  const other = await otherBrowser(browser);
  await other.goto(`${app.url}/login`);
  await other.getByRole('link', { name: 'Forgot your password?' }).click();
  await expect(other.getByRole('heading', { name: 'Forgotten password' })).toBeVisible();
  await other.getByLabel('Email').fill(account.email.toUpperCase());
  await other.getByRole('button', { name: 'Send me a link' }).click();
  await expect(other.getByText('has an account, a mail with a link')).toBeVisible();
  const mail = await mails.newest(account.email);
  expect(mail).toMatchObject({ from: 'tasks@app.example', to: [account.email], subject: 'Choose a new password' });
  // The name is chosen by whoever signs up, perhaps with somebody else's address.
  expect(mail.text).not.toContain(account.name);
  // A second link, which becomes invalid when either is used.
  expect((await post('/request-password-reset', { email: account.email })).status).toBe(200);
  const second = linkIn(await mails.newest(account.email, 2));
  const link = linkIn(mail);
  expect(link).toMatch(new RegExp(`^${app.url}/reset-password#[A-Za-z0-9]{24}$`));

  const requested: string[] = [];
  other.on('request', (request) => requested.push(`${request.url()} ${request.headers().referer}`));
  await other.goto(link);
  const password = `${account.password}-new`;
  await other.getByLabel('New password').fill(account.password);
  await other.getByRole('button', { name: 'Set password' }).click();
  await expect(other.getByText('The new password is the same as the current one.')).toBeVisible();
  await other.getByLabel('New password').fill(password);
  // The token leaves the address bar, and only the request that uses it contains it.
  expect(other.url()).toBe(`${app.url}/reset-password`);
  await other.getByRole('button', { name: 'Set password' }).click();
  await expect(other.getByText('Your new password is set.')).toBeVisible();
  expect(requested.filter((text) => text.includes(link.split('#')[1] ?? ''))).toEqual([]);

  // All sessions have ended, and the old password is invalid.
  expect((await page.request.get('/api/auth/api-token')).status()).toBe(401);
  expect((await post('/sign-in/email', account)).status).toBe(401);
  await signIn(other, { ...account, password }, true);
  await expect(other.getByText(account.name)).toBeVisible();

  for (const spent of [link, second]) {
    await page.goto(spent);
    await page.getByLabel('New password').fill('another password');
    await page.getByRole('button', { name: 'Set password' }).click();
    await expect(page.getByText('This link is no longer valid')).toBeVisible();
  }
  await page.getByRole('link', { name: 'Send me a new one' }).click();
  await expect(page.getByRole('button', { name: 'Send me a link' })).toBeVisible();
  await signIn(page, { ...account, password });
  await expect(page.getByText(account.name)).toBeVisible();
  await other.context().close();
  expect(errors.splice(0).every((error) => /40[01]/.test(error))).toBe(true);
});

test('a link ends after an hour', async () => {
  const { email } = await newUser(app.url);
  await post('/request-password-reset', { email });
  const token = (await opened(email)).split('#')[1];
  const age = (minutes: number) =>
    asOwner((owner) => owner.query("UPDATE verification SET expires_at = expires_at - $2::int * interval '1 minute' WHERE identifier = 'reset-password:' || $1", [token, minutes]));
  await age(61);
  expect((await (await post('/reset-password', { token, newPassword: 'another password' })).json()).code).toBe('INVALID_TOKEN');
  await age(-2);
  expect((await post('/reset-password', { token, newPassword: 'another password' })).status).toBe(200);
});

test('a link ends with a change of the password', async ({ page }) => {
  const account = await signUp(page, app.url);
  await post('/request-password-reset', { email: account.email });
  const token = (await opened(account.email)).split('#')[1];
  const changed = `${account.password}-new`;
  const change = (currentPassword: string) =>
    page.request.post('/api/auth/change-password', { headers: { ...address(), origin: app.url }, data: { currentPassword, newPassword: changed } });
  // A wrong password changes nothing, and ends nothing.
  expect((await change('not the password')).status()).toBe(400);
  const { rowCount } = await asOwner((owner) => owner.query('SELECT FROM verification WHERE value = $1', [account.id]));
  expect(rowCount).toBe(1);
  expect((await change(account.password)).status()).toBe(200);
  expect((await (await post('/reset-password', { token, newPassword: 'another password' })).json()).code).toBe('INVALID_TOKEN');
  expect((await post('/sign-in/email', { ...account, password: changed })).status).toBe(200);
});

test('an address gets five mails an hour; beyond that, the same answer', async () => {
  const { email } = await newUser(app.url);
  const key = (to: string) => `mail|${createHmac('sha256', setting('BETTER_AUTH_SECRET')).update(`mail-limit:${to}`).digest('base64url')}`;
  for (const to of [email, newAccount().email]) {
    const answers = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const answer = await post('/request-password-reset', { email: to });
        return `${answer.status} ${await answer.text()}`;
      }),
    );
    expect([...new Set(answers)]).toHaveLength(1);
    // Counted in either case, so that the count does not tell them apart.
    expect((await asOwner((owner) => owner.query('SELECT count FROM rate_limit WHERE key = $1', [key(to)]))).rows).toEqual([{ count: 40 }]);
  }
  await mails.newest(email, 5);
  // It ends after an hour.
  await asOwner((owner) => owner.query('UPDATE rate_limit SET last_request = last_request - 3600000 WHERE key = $1', [key(email)]));
  await post('/request-password-reset', { email });
  await mails.newest(email, 6);
});

test('whether an address has an account is not told by words', async ({ page, browser }) => {
  const { email } = await newUser(app.url);
  const unknown = newAccount().email;
  const answers = await Promise.all([email, unknown].map(async (to) => (await post('/request-password-reset', { email: to })).text()));
  expect(answers[0]).toBe(answers[1]);
  const refusals = await Promise.all([email, unknown].map(async (to) => (await post('/sign-in/email', { email: to, password: 'not the password' })).text()));
  expect(refusals[0]).toBe(refusals[1]);
  const texts: string[] = [];
  for (const [tab, to] of [[page, email], [await otherBrowser(browser), unknown]] as const) {
    await tab.goto(`${app.url}/forgot-password`);
    await tab.getByLabel('Email').fill(to);
    await tab.getByRole('button', { name: 'Send me a link' }).click();
    await expect(tab.getByRole('status')).toContainText(to);
    texts.push((await tab.getByRole('main').innerText()).replace(to, '…'));
  }
  expect(texts[0]).toBe(texts[1]);
  await mails.newest(email, 2);
  expect(mails.to(unknown)).toEqual([]);
});

test('whether an address has an account is not told by the time of an answer, however far the database is', async () => {
  const { email } = await newUser(app.url);
  // Each query takes 40 ms, so that one more or less would be visible.
  proxy.delayMs = 20;
  try {
    for (const path of ['/sign-in/email', '/request-password-reset']) {
      const times: number[] = [];
      for (const to of [email, newAccount().email, email, newAccount().email, email]) {
        const start = performance.now();
        await (await post(path, { email: to, password: 'not the password' })).text();
        times.push(performance.now() - start);
      }
      // A whole number of seconds plus overhead, which varies on a busy machine.
      const rests = times.map((time) => time % 1_000).sort((a, b) => a - b);
      expect(rests[2], `${path}: ${times.join()}`).toBeLessThan(250);
      expect(Math.min(...times)).toBeGreaterThan(999);
    }
  } finally {
    proxy.delayMs = 0;
  }
});

test('a mail server that does not answer keeps nobody waiting, and its failure is a code in the log', async () => {
  const { email } = await newUser(app.url);
  mails.isSilent = true;
  const start = performance.now();
  expect((await post('/request-password-reset', { email })).status).toBe(200);
  expect(performance.now() - start).toBeLessThan(5_000);
  await opened(email);
  await expect.poll(() => app.log(), { timeout: 30_000 }).toContain('A mail was not sent | Error (ETIMEDOUT)');
  mails.isSilent = false;
});

test('nothing of a mail is in the log', async () => {
  const links = mails.mails.map(linkIn);
  expect(links.length).toBeGreaterThan(5);
  const log = app.log();
  expect(secretsIn(log)).toEqual([]);
  expect(links.filter((link) => log.includes(link.split('#')[1] ?? link))).toEqual([]);
});
