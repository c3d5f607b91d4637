import { createHmac, randomBytes, randomInt } from 'node:crypto';
import { type APIRequestContext, test as base, type Browser, expect, type Page } from '@playwright/test';

export { expect };

/** A variable that `cargo xtask test` sets. */
export function setting(name: string): string {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is not set: run these tests with cargo xtask test`);
  }
  return value;
}

/** A unique client address, so that tests do not share rate limits: the app trusts this machine as a proxy. */
export const address = () => ({ 'x-forwarded-for': `10.${randomInt(256)}.${randomInt(256)}.${randomInt(1, 255)}` });

export const test = base.extend<{ errors: string[] }>({
  extraHTTPHeaders: async ({}, provide) => provide(address()),
  // The browser's errors; a test that provokes some clears them.
  errors: [
    async ({ page }, provide) => {
      const errors = collectErrors(page);
      await provide(errors);
      expect(errors).toEqual([]);
    },
    { auto: true },
  ],
});

function collectErrors(page: Page): string[] {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  return errors;
}

/** A page of another browser, without shared state. */
export async function otherBrowser(browser: Browser): Promise<Page> {
  const context = await browser.newContext({ extraHTTPHeaders: address() });
  return context.newPage();
}

export interface Account {
  name: string;
  email: string;
  password: string;
}

export function newAccount(): Account {
  const id = randomBytes(6).toString('hex');
  // Marked, so that a search of the app's log finds them.
  return { name: `Marked ${id}`, email: `marked.${id}@example.com`, password: `marked-${randomBytes(12).toString('hex')}` };
}

/** The app closes idle connections; a request on one that is closing would be reset. */
const OWN_CONNECTION = { connection: 'close' };

/** Calls an endpoint of Better Auth as a browser on the app would, as another client each time: a POST if there is a body. */
export function callAuth(path: string, body?: unknown, headers: Record<string, string> = {}, app = setting('APP_URL')): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return fetch(`${app}/api/auth${path}`, {
    method: text === undefined ? 'GET' : 'POST',
    redirect: 'manual',
    headers: { origin: app, 'content-type': 'application/json', ...OWN_CONNECTION, ...address(), ...headers },
    body: text,
  });
}

/** The cookies that an answer sets, as a browser sends them. */
export const cookieOf = ({ headers }: Pick<Response, 'headers'>) => headers.getSetCookie().map((line) => line.split(';')[0]).join('; ');

/** A new user, with the cookies of a session, without a browser. */
export async function newUser(app?: string) {
  const account = newAccount();
  const response = await callAuth('/sign-up/email', account, {}, app);
  expect(response.status).toBe(200);
  return { ...account, id: (await response.json()).user.id as string, cookie: cookieOf(response) };
}

/** Signs up without the form; returns the user's id, too. */
export async function signUp(page: Page, app = setting('APP_URL')): Promise<Account & { id: string }> {
  const account = newAccount();
  // The page gets the cookies in the answer.
  const response = await page.request.post(`${app}/api/auth/sign-up/email`, { headers: { ...OWN_CONNECTION, origin: app }, data: account });
  expect(response.status()).toBe(200);
  const { user } = await response.json();
  await page.goto(`${app}/`);
  await expect(page.getByRole('heading', { name: 'Your tasks' })).toBeAttached();
  return { ...account, id: user.id };
}

/** Sends the form of a sign-up. */
export async function askForAccount(page: Page, { name, email, password }: Account) {
  await page.goto('/signup');
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Create account' }).click();
}

/** Signs in by the form, or by the one that is open already. */
export async function signIn(page: Page, { email, password }: Pick<Account, 'email' | 'password'>, isOpen = false) {
  if (!isOpen) {
    await page.goto('/login');
  }
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

export async function signOut(page: Page) {
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL(/\/login/);
}

/** Chooses a filter of the list. */
export const show = (page: Page, name: string) => page.getByRole('group', { name: 'Show' }).getByRole('button', { name }).click();

/** Simulates a window that gets the focus: in the tests' browser all windows have it. */
export const focus = (page: Page) => page.evaluate(() => window.dispatchEvent(new Event('focus')));

/** Holds back the scripts of a page until the returned function is called. */
export async function holdScripts(page: Page): Promise<() => void> {
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  await page.route('**/_next/static/**/*.js*', (route) => arrived.then(() => route.continue()));
  return arrive;
}

export const list = (page: Page) => page.getByRole('list', { name: 'Tasks' });
export const row = (page: Page, title: string) => list(page).getByRole('listitem').filter({ hasText: title });
/** A task's checkbox; only stored tasks have one. */
export const box = (page: Page, title: string) => list(page).getByRole('checkbox', { name: title, exact: true });

export async function add(page: Page, title: string, description?: string) {
  await page.getByLabel('New task', { exact: true }).fill(title);
  if (description) {
    await page.getByLabel('Description of the new task').fill(description);
  }
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(box(page, title)).toBeVisible();
}

export interface Claims {
  sub: string;
  iss: string;
  aud: string;
  iat: number;
  exp: number;
}

export const claimsOf = (token: string): Claims => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

/** A token for the user of this context's cookies. */
export async function issueToken(request: APIRequestContext): Promise<string> {
  const response = await request.get(`${setting('APP_URL')}/api/auth/api-token`, { headers: OWN_CONNECTION });
  expect(response.status()).toBe(200);
  return (await response.json()).token;
}

/** Calls the API without a browser, at the path of the token's user or at `path`. */
export async function callApi(token: string, method = 'GET', path?: string, body?: unknown, api = setting('API_URL')) {
  const response = await fetch(`${api}${path ?? `/api/${claimsOf(token).sub}/tasks`}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

/** A JWT signed with the shared secret by another library. */
export function sign(claims: object, secret = setting('BETTER_AUTH_SECRET')): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
