import { randomInt } from 'node:crypto';
import { expect, test } from '@playwright/test';
import { type Account, address, cookieOf, newAccount } from './app';
import { asOwner, DatabaseProxy, type Login, newLogin, type Weather } from './database';
import { secretsIn } from './marks';
import { type OwnApp, startApp } from './own-app';

interface Visitor {
  account: Account;
  cookie: string;
  /** Another session of the user, which they sign out of. */
  leaving: string;
  /** The user's values that contain no mark. */
  values: string[];
}

/** The answer to a request. */
type Answer = { path: string; status: number; retryAfter: string | null };

let login: Login;
let proxy: DatabaseProxy;
let app: OwnApp;
let visitor: Visitor;

test.beforeAll(async () => {
  login = await newLogin();
  proxy = new DatabaseProxy(login.url);
  app = await startApp({ DATABASE_URL: await proxy.start() });
  visitor = await newVisitor();
});

test.afterAll(async () => {
  await app.stop();
  proxy.stop();
  await login.drop();
});

async function send(path: string, body?: object | string, cookie?: string): Promise<Response> {
  const headers = { origin: app.url, 'content-type': 'application/json', ...address(), ...(cookie && { cookie }) };
  const text = typeof body === 'string' ? body : body && JSON.stringify(body);
  return fetch(`${app.url}${path}`, { method: text ? 'POST' : 'GET', redirect: 'manual', headers, body: text });
}

async function newVisitor(): Promise<Visitor> {
  const account = newAccount();
  const response = await send('/api/auth/sign-up/email', account);
  expect(response.status).toBe(200);
  const { token, user } = await response.json();
  const again = await send('/api/auth/sign-in/email', account);
  const hash = await asOwner((owner) => owner.query('SELECT password FROM account WHERE user_id = $1', [user.id]));
  return { account, cookie: cookieOf(response), leaving: cookieOf(again), values: [token, (await again.json()).token, user.id, hash.rows[0].password, ...Object.values(account)] };
}

/** Everything a user does from signing up to signing out, and what only an attacker tries. */
async function everything({ account, cookie, leaving }: Visitor): Promise<Answer[]> {
  const { email, password } = account;
  const other = newAccount();
  const withoutCache = cookie.split('; ').filter((part) => !part.includes('session_data')).join('; ');
  const calls: [path: string, body?: object | string, cookie?: string][] = [
    ['/api/auth/sign-up/email', other],
    ['/api/auth/sign-up/email', account],
    ['/api/auth/sign-in/email', { email, password }],
    ['/api/auth/sign-in/email', { email, password: other.password }],
    ['/api/auth/sign-in/email', { email: other.email, password }],
    ['/api/auth/get-session', undefined, withoutCache],
    ['/api/auth/get-session?disableCookieCache=true', undefined, cookie],
    ['/api/auth/api-token', undefined, cookie],
    ['/api/auth/update-user', { name: other.name }, cookie],
    ['/api/auth/change-password', { currentPassword: other.password, newPassword: password }, cookie],
    ['/api/auth/delete-account', { password: other.password }, cookie],
    ['/api/auth/request-password-reset', { email }],
    ['/api/auth/reset-password', { token: 'marked-0123456789', newPassword: other.password }],
    ['/api/auth/sign-out', {}, leaving],
    ['/api/deletions', { deletions: [{ id: 1, title: 'marked' }], clearing: null }, cookie],
  ];
  const answers = await Promise.all(
    calls.map(async ([path, body, session]) => {
      const response = await send(path, body, session);
      return { path, status: response.status, retryAfter: response.headers.get('retry-after') };
    }),
  );
  // Pages, which Next.js itself renders and logs.
  await Promise.all([send('/', undefined, withoutCache), send('/login', undefined, cookie), send('/signup', undefined, cookie)]);
  return answers;
}

/** Checks that the log contains no user's data. */
function expectNoSecrets() {
  const log = app.log();
  expect([...secretsIn(log), ...visitor.values.filter((value) => log.includes(value))]).toEqual([]);
}

async function expectUnavailable(code: RegExp) {
  const before = app.log().length;
  const answers = await everything(visitor);
  expect(answers.filter(({ status, retryAfter }) => status !== 503 || retryAfter !== '5')).toEqual([]);
  expect(app.log().slice(before)).toMatch(code);
  expectNoSecrets();
}

async function expectRecovery() {
  await expect(async () => expect((await send('/api/auth/api-token', undefined, visitor.cookie)).status).toBe(200)).toPass();
}

test.describe.configure({ mode: 'serial' });

test('nothing of anybody is in the log while the database works, whatever a client sends', async () => {
  await everything(await newVisitor());
  const { email, password } = visitor.account;
  // Concurrently: a constraint refuses the later one, and PostgreSQL quotes its row.
  const twice = newAccount();
  await Promise.all([1, 2, 3].map(() => send('/api/auth/sign-up/email', twice)));
  for (const [path, body, cookie] of [
    ['/api/auth/sign-in/email', `{"email":"${email}","password":"${password}`],
    ['/api/auth/sign-in/email', `"${password}"`],
    ['/api/auth/sign-in/email', { email: [email], password: { $ne: password } }],
    ['/api/auth/sign-in/email', { email, password, callbackURL: `https://evil.example/${password}` }],
    ['/api/auth/sign-in/email', { email: `${email}\u0000`, password }],
    ['/api/auth/sign-up/email', { email, password, name: `\u0000${email}` }],
    ['/api/auth/get-session', undefined, `better-auth.session_token=${password}%ZZ; better-auth.session_data=${password}`],
    [`/api/auth/verify-email?token=${password}&callbackURL=https://evil.example/${password}`],
    [`/api/auth/error?error=${password}`],
    [`/api/auth/reset-password/${password}`],
    [`/?email=${email}`, undefined, `better-auth.session_token=${password}`],
  ] as [string, (object | string)?, string?][]) {
    await send(path, body, cookie);
  }
  await fetch(`${app.url}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: { origin: `https://${password}.example`, 'content-type': 'application/json', cookie: visitor.cookie },
    body: JSON.stringify({ email, password }),
  });
  expect(app.log()).toContain('Invalid origin');
  expectNoSecrets();
});

for (const [what, broken, whole, code] of [
  ['a login that the server refuses', 'NOLOGIN', 'LOGIN', /28000/],
  ['a server without a free connection', 'CONNECTION LIMIT 0', 'CONNECTION LIMIT -1', /53300/],
] as const) {
  test(`${what} is a 503, and a code in the log`, async () => {
    await asOwner((owner) => owner.query(`ALTER ROLE ${login.name} ${broken}`));
    proxy.cutAll();
    await expectUnavailable(code);
    await asOwner((owner) => owner.query(`ALTER ROLE ${login.name} ${whole}`));
    await expectRecovery();
  });
}

test('a database that does not answer is a 503 in the end, and a word in the log', async () => {
  proxy.weather = 'held';
  await expectUnavailable(/TIMEOUT/);
  proxy.weather = 'fair';
  proxy.cutAll();
  await expectRecovery();
});

test('a page does not wait for its tasks longer than 2 s: the browser asks for them', async () => {
  const { cookie } = await newVisitor();
  proxy.weather = 'held';
  const begun = Date.now();
  // The session is in the cookie cache; the token for the API needs the database.
  const html = await (await send('/', undefined, cookie)).text();
  const took = Date.now() - begun;
  proxy.weather = 'fair';
  proxy.cutAll();
  expect(html).toContain('Loading your tasks');
  expect(html).toContain('What is there to do?');
  expect(took).toBeGreaterThan(1_900);
  expect(took).toBeLessThan(4_500);
  await expectRecovery();
});

test('a query that fails in the middle of a request is a 503, and a code in the log', async () => {
  // Each table in turn, so that queries after the rate limit's fail, too.
  for (const table of ['user', 'session', 'account']) {
    const others = ['user', 'session', 'account', 'verification', 'rate_limit'].filter((name) => name !== table);
    await asOwner(async (owner) => {
      await owner.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${others.map((name) => `"${name}"`).join()} TO ${login.name}`);
      await owner.query(`REVOKE better_auth FROM ${login.name}`);
      await owner.query(`GRANT USAGE ON SCHEMA public TO ${login.name}`);
    });
    const answers = await everything(visitor);
    const failed = answers.filter(({ status }) => status === 503).map(({ path }) => path);
    const needed = ['/api/auth/sign-up/email', '/api/auth/sign-in/email', ...(table === 'account' ? [] : ['/api/auth/api-token'])];
    expect(failed).toEqual(expect.arrayContaining(needed));
    expect(answers.filter(({ path, status }) => path.endsWith('api-token') && status === 401)).toEqual([]);
    expect(app.log()).toContain('42501');
    await asOwner(async (owner) => {
      await owner.query(`REVOKE ALL ON "user", "session", "account", "verification", "rate_limit" FROM ${login.name}`);
      await owner.query(`GRANT better_auth TO ${login.name}`);
    });
  }
  expectNoSecrets();
  await expectRecovery();
});

test('a lock that is held is a 503 in the end, and a word in the log', async () => {
  const locked = await newVisitor();
  const before = app.log().length;
  await asOwner(async (owner) => {
    await owner.query('BEGIN');
    await owner.query('SELECT FROM "user" WHERE email = $1 FOR UPDATE', [locked.account.email]);
    const { email, password } = locked.account;
    // Its new session refers to the locked row.
    expect((await send('/api/auth/sign-in/email', { email, password })).status).toBe(503);
  });
  expect(app.log().slice(before)).toContain('TIMEOUT');
  expectNoSecrets();
});

test('a database that fails at random leaves nothing of anybody in the log', async () => {
  const visitors = [visitor, await newVisitor()];
  const end = Date.now() + 20_000;
  const weather = async () => {
    while (Date.now() < end) {
      proxy.weather = (['fair', 'fair', 'cut', 'held'] satisfies Weather[])[randomInt(4)] ?? 'fair';
      await new Promise((resolve) => setTimeout(resolve, randomInt(20, 400)));
    }
    proxy.weather = 'fair';
  };
  const load = async (of: Visitor) => {
    while (Date.now() < end) {
      await everything(of);
    }
  };
  await Promise.all([weather(), ...visitors.map(load)]);
  expect(app.log()).toMatch(/ECONNRESET|CONNECTION_LOST/);
  expectNoSecrets();
  await expectRecovery();
});

test('a database that is stopped is a 503, and a code in the log', async () => {
  proxy.stop();
  await expectUnavailable(/ECONNREFUSED/);
});
