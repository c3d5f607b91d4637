import type { Page } from '@playwright/test';
import { type Account, address, expect, newAccount, otherBrowser, setting, signIn, test } from './app';
import { asOwner } from './database';
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

async function askForAccount(page: Page, { name, email, password }: Account) {
  await page.goto('/signup');
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByRole('status')).toContainText(email);
  return (await page.getByRole('main').innerText()).replace(email, '…');
}

test('a new account is used only after its address is confirmed', async ({ page, errors }) => {
  const account = newAccount();
  await askForAccount(page, account);
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
  await page.getByLabel('Email').fill(account.email);
  await page.getByLabel('Password', { exact: true }).fill(account.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByText(account.name)).toBeVisible();
  expect(secretsIn(app.log())).toEqual([]);
});

test('a sign-up does not tell whether the address has an account; its owner hears of it', async ({ page, browser }) => {
  const account = newAccount();
  const said = await askForAccount(page, account);
  await mails.newest(account.email);
  const other = await otherBrowser(browser);
  await other.goto(`${app.url}/login`);
  const stranger = { ...newAccount(), email: account.email };
  const post = async (body: object) => {
    const start = performance.now();
    const response = await fetch(`${app.url}/api/auth/sign-up/email`, {
      method: 'POST',
      headers: { origin: app.url, 'content-type': 'application/json', ...address() },
      body: JSON.stringify(body),
    });
    const { token, user } = await response.json();
    const taken = performance.now() - start;
    const kinds = Object.fromEntries(Object.entries(user).map(([name, value]) => [name, typeof value]));
    return { isLate: taken > 999, status: response.status, token, kinds };
  };
  const known = await post(stranger);
  expect(known).toEqual(await post(newAccount()));
  expect(known).toMatchObject({ isLate: true, status: 200, token: null });
  expect((await mails.newest(account.email, 2)).subject).toBe('You have an account already');
  expect(await askForAccount(page, stranger)).toBe(said);
  // Name and password are those of the first sign-up.
  const { rows } = await asOwner((owner) => owner.query('SELECT name, email_verified FROM "user" WHERE email = $1', [account.email]));
  expect(rows).toEqual([{ name: account.name, email_verified: false }]);
  await other.context().close();
});

test('without the switch, no address is to be confirmed', async () => {
  const answer = await fetch(`${setting('APP_URL')}/api/auth/sign-up/email`, {
    method: 'POST',
    headers: { origin: setting('APP_URL'), 'content-type': 'application/json', ...address() },
    body: JSON.stringify(newAccount()),
  });
  expect((await answer.json()).token).toEqual(expect.any(String));
});
