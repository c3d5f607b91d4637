import type { Page } from '@playwright/test';
import { type Account, askForAccount, callAuth, expect, newAccount, newUser, signIn, test } from './app';
import { asOwner } from './database';
import { look, show, VIEWS } from './look';
import { linkIn, MailServer } from './mail-server';
import { secretsIn } from './marks';
import { type OwnApp, startApp } from './own-app';

const mails = new MailServer();
let app: OwnApp;

test.beforeAll(async () => {
  app = await startApp({ REQUIRE_EMAIL_VERIFICATION: 'true', ...(await mails.start()) });
});

test.afterAll(async () => {
  await app.stop();
  await mails.stop();
});

// Pages of this test's own app.
test.use({ baseURL: async ({}, provide) => provide(app?.url) });

/** Asks for an account; returns what the page says then. */
async function askedFor(page: Page, account: Account) {
  await askForAccount(page, account);
  await expect(page.getByRole('status')).toContainText(account.email);
  return (await page.getByRole('main').innerText()).replace(account.email, '…');
}

test('a new account is used only after its address is confirmed', async ({ page, errors }) => {
  const account = newAccount();
  await askedFor(page, account);
  const first = linkIn(await mails.newest(account.email));
  await page.goto('/');
  await expect(page).toHaveURL(/\/login$/);
  // A sign-in sends another link.
  await signIn(page, account);
  await expect(page.getByText('Your address is not confirmed yet.')).toBeVisible();
  await mails.newest(account.email, 2);
  expect(errors.splice(0).every((error) => error.includes('403'))).toBe(true);

  await page.goto(`${first.replace(/token=[^&]*/, 'token=marked-0123')}`);
  await expect(page.getByText('That link is no longer valid.')).toBeVisible();
  await page.goto(first);
  await expect(page.getByText('Your address is confirmed.')).toBeVisible();
  // The link does not sign in: somebody who reads the mail, or a log of URLs, has no password.
  expect((await page.request.get('/api/auth/api-token')).status()).toBe(401);
  await signIn(page, account, true);
  await expect(page.getByText(account.name)).toBeVisible();
  expect(secretsIn(app.log())).toEqual([]);
});

test('a sign-up does not tell whether the address has an account; its owner hears of it', async ({ page }) => {
  const account = newAccount();
  const said = await askedFor(page, account);
  await mails.newest(account.email);
  const stranger = { ...newAccount(), email: account.email };
  const post = async (body: object) => {
    const start = performance.now();
    const response = await callAuth('/sign-up/email', body, {}, app.url);
    const { token, user } = await response.json();
    const taken = performance.now() - start;
    const kinds = Object.fromEntries(Object.entries(user).map(([name, value]) => [name, typeof value]));
    return { isLate: taken > 999, status: response.status, token, kinds };
  };
  const known = await post(stranger);
  expect(known).toEqual(await post(newAccount()));
  expect(known).toMatchObject({ isLate: true, status: 200, token: null });
  expect((await mails.newest(account.email, 2)).subject).toBe('You have an account already');
  expect(await askedFor(page, stranger)).toBe(said);
  // Name and password are those of the first sign-up.
  const { rows } = await asOwner((owner) => owner.query('SELECT name, email_verified FROM "user" WHERE email = $1', [account.email]));
  expect(rows).toEqual([{ name: account.name, email_verified: false }]);
});

test('an address gets five mails an hour, whatever causes them', async () => {
  const account = newAccount();
  const post = async (path: string) => (await callAuth(path, account, {}, app.url)).status;
  expect(await post('/sign-up/email')).toBe(200);
  expect(await post('/sign-up/email')).toBe(200);
  expect(await post('/sign-in/email')).toBe(403);
  expect(await post('/send-verification-email')).toBe(200);
  expect(await post('/request-password-reset')).toBe(200);
  await mails.newest(account.email, 5);
  for (const [path, status] of [['/sign-up/email', 200], ['/sign-in/email', 403], ['/send-verification-email', 200], ['/request-password-reset', 200]] as const) {
    expect(await post(path), path).toBe(status);
  }
  // Another address still gets one, sent after those that were not.
  const other = newAccount();
  expect((await callAuth('/sign-up/email', other, {}, app.url)).status).toBe(200);
  await mails.newest(other.email);
  expect(mails.to(account.email)).toHaveLength(5);
});

test('without the switch, no address is to be confirmed', async () => {
  expect((await newUser()).cookie).toContain('session_token=');
});

for (const view of VIEWS) {
  test(`the pages of a forgotten password are accessible: ${view.name}`, async ({ page, errors }, testInfo) => {
    await show(page, view);
    await page.goto('/login?reset');
    await look(page, testInfo, 'login');
    await page.goto('/forgot-password');
    await look(page, testInfo, 'forgotten');
    await page.getByLabel('Email').fill('somebody.with.a.very.long.address@example.com');
    await page.getByRole('button', { name: 'Send me a link' }).click();
    await expect(page.getByRole('status')).toBeVisible();
    await look(page, testInfo, 'sent');
    await page.goto('/reset-password#none');
    await page.getByLabel('New password').fill('whatever it is');
    await look(page, testInfo, 'reset');
    await page.getByRole('button', { name: 'Set password' }).click();
    await expect(page.getByText('This link is no longer valid')).toBeVisible();
    await look(page, testInfo, 'spent');
    expect(errors.splice(0).every((error) => error.includes('400'))).toBe(true);
  });
}
