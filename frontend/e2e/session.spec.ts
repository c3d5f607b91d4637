import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { add, address, askForAccount, box, callAuth, claimsOf, cookieOf, expect, newAccount, newUser, otherBrowser, row, setting, sign, signIn, signOut, signUp, test } from './app';
import { asOwner } from './database';

const password = 'marked-another-password';

/** The endpoints that need a session, with bodies that they accept. */
const SIGNED_IN: [path: string, body: (current: string) => object | undefined][] = [
  ['/api-token', () => undefined],
  ['/update-user', () => ({ name: 'Marked 0' })],
  ['/revoke-sessions', () => ({})],
  ['/delete-account', (current) => ({ password: current })],
  ['/change-password', (current) => ({ currentPassword: current, newPassword: `${current}!` })],
];
/** The others that answer, with something that they refuse or that changes nothing. */
const PUBLIC: [path: string, body?: object][] = [
  ['/get-session'],
  ['/ok'],
  ['/verify-email?token=marked'],
  ['/sign-up/email', {}],
  ['/sign-in/email', {}],
  ['/request-password-reset', {}],
  ['/reset-password', {}],
  ['/send-verification-email', {}],
  ['/sign-out', {}],
];

/** The values of session cookies that an answer sets; removing one sets none. */
const sessionCookies = ({ headers }: Response) => headers.getSetCookie().filter((line) => /session_(token|data)[\w.]*=[^;]/.test(line));

async function newSession() {
  const user = await newUser();
  return { ...user, other: cookieOf(await callAuth('/sign-in/email', user)) };
}

test('who signs up finds an empty list, and who is not signed in no list and no token', async ({ page }) => {
  const account = newAccount();
  await askForAccount(page, account);
  await expect(page.getByText('Nothing to do yet')).toBeVisible();
  await expect(page.getByText(account.name)).toBeVisible();
  const cookies = await page.context().cookies();
  expect(cookies.map(({ name }) => name.split('.')[1]).sort()).toEqual(['known_account', 'session_data', 'session_token']);
  expect(cookies.every(({ httpOnly, sameSite }) => httpOnly && sameSite === 'Lax')).toBe(true);
  await signOut(page);
  await page.goto('/');
  await expect(page).toHaveURL(/\/login$/);
  expect((await page.request.get('/api/auth/api-token')).status()).toBe(401);
});

test('a sign-in leads to where one wanted to go, and nowhere else', async ({ page }) => {
  const account = await signUp(page);
  for (const [wanted, reached] of [['/account', '/account'], ['/?show=done', '/?show=done'], ['/login?to=/..//evil.example', '/']] as const) {
    await page.context().clearCookies();
    await page.goto(wanted);
    await signIn(page, account, true);
    await expect(page).toHaveURL(`${setting('APP_URL')}${reached}`);
  }
  // Who is signed in already goes there at once.
  await page.goto('/login?to=%2Faccount');
  await expect(page.getByRole('heading', { name: 'Your account' })).toBeVisible();
});

test('what is wrong in a form is said in our words, and is where the cursor goes', async ({ page, errors }) => {
  // The browser takes it, Better Auth does not.
  const wrong = { name: 'Marked', email: 'marked@localhost', password: 'marked-password' };
  const [alert, email] = [page.getByRole('alert').filter({ hasText: /\w/ }), page.getByLabel('Email')];
  await askForAccount(page, wrong);
  await expect(alert).toHaveText('This is not an email address.');
  await expect(email).toBeFocused();
  // A browser would cut a password at its field's `maxlength`, without a word.
  const long = 'ä'.repeat(129);
  await askForAccount(page, { ...newAccount(), password: long });
  await expect(alert).toHaveText('A password has at most 128 characters.');
  await expect(page.getByLabel('Password', { exact: true })).toHaveValue(long);

  await signIn(page, wrong);
  await expect(alert).not.toContainText('body');
  await expect(email).toBeFocused();
  await signIn(page, { ...wrong, email: 'marked@example.com' }, true);
  await expect(alert).toHaveText('Invalid email or password.');
  await expect(page.getByLabel('Password', { exact: true })).toBeFocused();

  // An error that the page does not know.
  await page.route('**/api/auth/sign-in/email', (route) => route.fulfill({ status: 400, json: { code: 'MARKED', message: '[body.marked] Marked' } }));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(alert).toHaveText('That did not work. Please try again.');
  expect(errors.splice(0).every((error) => /40[01]/.test(error))).toBe(true);
});

test('two users in two browsers never see each other’s tasks', async ({ page, browser }) => {
  const other = await otherBrowser(browser);
  await signUp(page);
  await signUp(other);
  await add(page, 'Of the first');
  await add(other, 'Of the second');
  for (const [tab, own, foreign] of [[page, 'Of the first', 'Of the second'], [other, 'Of the second', 'Of the first']] as const) {
    await tab.reload();
    await expect(box(tab, own)).toBeVisible();
    await expect(row(tab, foreign)).toHaveCount(0);
  }
  await other.context().close();
});

test('the token says who and for how long, and nothing else, and is kept nowhere', async ({ page }) => {
  await signUp(page);
  await add(page, 'A task');
  const response = await page.request.get('/api/auth/api-token');
  expect(response.headers()['cache-control']).toContain('no-store');
  const { token } = await response.json();
  const header = JSON.parse(Buffer.from(token.split('.')[0], 'base64url').toString());
  expect(header).toEqual({ alg: 'HS256', typ: 'JWT' });
  const claims = claimsOf(token);
  expect(Object.keys(claims).sort()).toEqual(['aud', 'exp', 'iat', 'iss', 'sub']);
  expect(claims).toMatchObject({ iss: setting('JWT_ISSUER'), aud: setting('JWT_AUDIENCE') });
  expect(claims.exp - claims.iat).toBe(600);
  expect(sign(claims)).toBe(token);
  const kept = await page.evaluate(() => ({ ...localStorage, ...sessionStorage, cookie: document.cookie }));
  // The time of the last change, for other tabs.
  expect(kept).toEqual({ cookie: '', 'changed:tasks': expect.stringMatching(/^[\d.]+$/) });
});

test('only the endpoints that the app calls answer', async () => {
  const { api } = betterAuth({ database: memoryAdapter({}), secret: setting('BETTER_AUTH_SECRET'), baseURL: setting('APP_URL') });
  const all = Object.values(api).map(({ path }) => path).filter((path) => path !== undefined);
  const called = new Set([...SIGNED_IN, ...PUBLIC].map(([path]) => path.split('?')[0]));
  const others = all.filter((path) => !called.has(path)).map((path) => path.replace(/:\w+/, 'marked'));
  expect(others.length).toBeGreaterThan(15);
  const { cookie } = await newUser();
  const client = address();
  const answering: string[] = [];
  for (const path of [...others, '/nonsense', '/delete-account/prepare', '/delete-account/finish']) {
    for (const body of [undefined, {}]) {
      const { status } = await callAuth(path, body, { ...client, cookie });
      if (status !== 404) {
        answering.push(`${body ? 'POST' : 'GET'} ${path}: ${status}`);
      }
    }
  }
  expect(answering).toEqual([]);
  for (const [path, body] of [...SIGNED_IN.map(([path, body]) => [path, body('')] as const), ...PUBLIC]) {
    expect((await callAuth(path, body)).status, path).not.toBe(404);
    // Nor by another method.
    expect((await callAuth(path, body ? undefined : {}, client)).status, path).toBe(404);
  }
  // None of these wrote a row, as Better Auth's limit does for each new path.
  const limits = async () => (await asOwner((owner) => owner.query("SELECT key FROM rate_limit WHERE key LIKE $1 || '|%'", Object.values(client)))).rows;
  expect(await limits()).toEqual([]);
  await callAuth('/get-session', undefined, client);
  expect(await limits()).toEqual([{ key: `${client['x-forwarded-for']}|/get-session` }]);
});

/** Ends all sessions of a user whose cookies somebody kept. */
const ENDS: [how: string, end: (session: Awaited<ReturnType<typeof newSession>>) => Promise<unknown>][] = [
  ['signed out', ({ cookie }) => callAuth('/sign-out', {}, { cookie })],
  ['signed out everywhere', ({ other }) => callAuth('/revoke-sessions', {}, { cookie: other })],
  [
    'with a changed password, whatever the request says',
    (of) => callAuth('/change-password', { currentPassword: of.password, newPassword: password, revokeOtherSessions: false }, { cookie: of.other }),
  ],
  [
    'with a forgotten password',
    async ({ id }) => {
      const row = "INSERT INTO verification (id, identifier, value, expires_at) VALUES ($1, 'reset-password:' || $1, $1, now() + interval '1 hour')";
      await asOwner((owner) => owner.query(row, [id]));
      expect((await callAuth('/reset-password', { token: id, newPassword: password })).status).toBe(200);
    },
  ],
  [
    'of a deleted account',
    async (of) => {
      for (let more = true; more; ) {
        ({ more } = await (await callAuth('/delete-account', { password: of.password }, { cookie: of.other })).json());
      }
    },
  ],
  ['that has expired', ({ id }) => asOwner((owner) => owner.query('UPDATE session SET expires_at = now() WHERE user_id = $1', [id]))],
];
for (const [how, end] of ENDS) {
  test(`a session ${how} opens nothing, and is not renewed`, async () => {
    const session = await newSession();
    const { cookie } = session;
    expect((await callAuth('/api-token', undefined, { cookie })).status).toBe(200);
    await end(session);
    for (const [path, body] of SIGNED_IN) {
      // With either password, and with a cached session that a parser may take for another cookie.
      for (const [current, kept] of [[session.password, cookie], [password, cookie.replace('session_data=', 'session_data\t =')]] as const) {
        const answer = await callAuth(path, body(current), { cookie: kept });
        expect([answer.status, sessionCookies(answer)], path).toEqual([401, []]);
      }
    }
    for (const [path, body] of PUBLIC) {
      const answer = await callAuth(path, body, { cookie });
      expect(sessionCookies(answer), path).toEqual([]);
      expect(path === '/get-session' ? await answer.json() : null).toBeNull();
    }
    const { rows } = await asOwner((owner) => owner.query('SELECT name FROM "user" WHERE id = $1', [session.id]));
    expect(rows).toEqual(how === 'of a deleted account' ? [] : [{ name: session.name }]);
  });
}

test('the cookie of a session never ends before its row, whoever extends it', async () => {
  const refused = () => ({ currentPassword: 'not the password', newPassword: password });
  const endpoints = [...SIGNED_IN, ['/change-password', refused], ...PUBLIC.map(([path, body]) => [path, () => body])] as typeof SIGNED_IN;
  const extending: string[] = [];
  for (const [path, body] of [...endpoints, ...['/', '/account', '/login'].map((page) => [`../..${page}`, () => undefined] as const)]) {
    const session = await newUser();
    const setEnd = "UPDATE session SET expires_at = now() + interval '5 days' WHERE user_id = $1";
    await asOwner((owner) => owner.query(setEnd, [session.id]));
    // Without the cache, as after five minutes.
    const cookie = session.cookie.split('; ').filter((part) => !part.includes('session_data')).join('; ');
    const answer = await callAuth(path, body(session.password), { cookie });
    await answer.text();
    const isExtended = "SELECT FROM session WHERE user_id = $1 AND expires_at > now() + interval '5 days'";
    if ((await asOwner((owner) => owner.query(isExtended, [session.id]))).rowCount) {
      extending.push(path);
      const token = sessionCookies(answer).find((line) => line.includes('session_token='));
      expect(token, path).toContain('Max-Age=604800;');
    }
  }
  // `change-password` starts a session. An open page calls `api-token`, so an active user stays signed in.
  expect(extending).toEqual(['/api-token', '/change-password', '/get-session']);
});
