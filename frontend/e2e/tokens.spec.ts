import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { createEmailVerificationToken } from 'better-auth/api';
import { callApi, callAuth, claimsOf, cookieOf, expect, issueToken, newAccount, newUser, setting, signUp, test } from './app';
import { startApp } from './own-app';
import { apiToken } from '../lib/api-token';

test('what Better Auth signs for other purposes is no token for the API', async ({ page }) => {
  const { email } = await signUp(page);
  const { sub } = claimsOf(await issueToken(page.request));
  const path = `/api/${sub}/tasks`;

  const mail = await createEmailVerificationToken(setting('BETTER_AUTH_SECRET'), email, undefined, 3600, { userId: sub });
  expect(claimsOf(mail)).toMatchObject({ email });
  expect(await callApi(mail, 'GET', path)).toMatchObject({ status: 401, body: { code: 'invalid_token' } });

  // A JWT cookie cache of another Better Auth app with the same secret.
  const auth = betterAuth({
    database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
    secret: setting('BETTER_AUTH_SECRET'),
    baseURL: setting('APP_URL'),
    emailAndPassword: { enabled: true },
    session: { cookieCache: { enabled: true, strategy: 'jwt' } },
  });
  const { headers } = await auth.api.signUpEmail({ body: newAccount(), returnHeaders: true });
  const cookie = headers.getSetCookie().find((text) => text.includes('session_data='));
  const cached = decodeURIComponent(cookie?.match(/session_data=([^;]+)/)?.[1] ?? '');
  expect(cached.split('.')).toHaveLength(3);
  expect(await callApi(cached, 'GET', path)).toMatchObject({ status: 401, body: { code: 'invalid_token' } });

  // The session's own token, which the tutorial sends.
  const session = await (await page.request.get('/api/auth/get-session')).json();
  expect(await callApi(session.session.token, 'GET', path)).toMatchObject({ status: 401 });
});

test('our token is nothing to Better Auth', async ({ page }) => {
  await signUp(page);
  const token = await issueToken(page.request);
  const bearer = { Authorization: `Bearer ${token}` };
  const cookies = ['token', 'data'].map((name) => ({ cookie: `better-auth.session_${name}=${token}` }));
  const tries = [
    callAuth(`/verify-email?token=${token}`),
    callAuth('/reset-password', { token, newPassword: 'a new password' }),
    ...[bearer, ...cookies].flatMap((headers) => [callAuth('/api-token', undefined, headers), callAuth('/update-user', { name: 'x' }, headers)]),
  ];
  for (const response of await Promise.all(tries)) {
    expect([400, 401], response.url).toContain(response.status);
    expect(cookieOf(response)).not.toMatch(/session_token=./);
  }
  for (const headers of cookies) {
    expect(await (await callAuth('/get-session', undefined, { ...bearer, ...headers })).json()).toBeNull();
  }
});

test('in another app, the copied plugin extends the session with its cookie', async () => {
  const tables: Record<string, Record<string, unknown>[]> = { user: [], session: [], account: [], verification: [] };
  const auth = betterAuth({
    database: memoryAdapter(tables),
    secret: setting('BETTER_AUTH_SECRET'),
    baseURL: setting('APP_URL'),
    emailAndPassword: { enabled: true },
    session: { cookieCache: { enabled: true } },
    plugins: [apiToken({ issuer: setting('JWT_ISSUER'), audience: setting('JWT_AUDIENCE') })],
  });
  const { headers } = await auth.api.signUpEmail({ body: newAccount(), returnHeaders: true });
  const cookie = cookieOf({ headers });
  const ask = () => auth.handler(new Request(`${setting('APP_URL')}/api/auth/api-token`, { headers: { cookie } }));
  const end = new Date(Date.now() + 5 * 24 * 60 * 60 * 1000);
  tables.session?.forEach((row) => (row.expiresAt = end));
  const answer = await ask();
  expect(claimsOf((await answer.json()).token).sub).toBe(tables.user?.[0]?.id);
  expect((tables.session?.[0]?.expiresAt as Date).getTime()).toBeGreaterThan(end.getTime());
  expect(answer.headers.getSetCookie().map((line) => line.split('=')[0])).toEqual(['better-auth.session_token', 'better-auth.session_data']);
  tables.session?.splice(0);
  expect((await ask()).status).toBe(401);
});

test('a rotation of the secret refuses no live token', async ({ page }) => {
  test.setTimeout(180_000);
  await signUp(page);
  const before = await issueToken(page.request);

  const secrets = { BETTER_AUTH_SECRETS: `2:the-next-secret-of-this-test-with-32-bytes,1:${setting('BETTER_AUTH_SECRET')}` };
  const rotated = await startApp(secrets);
  // The app's login may not read tasks.
  const env = { ...process.env, ...secrets, NEXT_PUBLIC_APP_URL: rotated.url, DATABASE_URL: setting('DATABASE_OWNER_URL') };
  const gateway = spawn('cargo', ['run', '--quiet', '--package', 'xtask', '--', 'fixture', 'gateway'], { cwd: '..', env, stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const ready = async (): Promise<{ url: string }> => {
      for await (const line of createInterface({ input: gateway.stdout })) {
        if (line.startsWith('{')) {
          return JSON.parse(line);
        }
      }
      throw new Error('the gateway did not start');
    };
    const { url } = await ready();
    const { cookie } = await newUser(rotated.url);
    const { token: after } = await (await callAuth('/api-token', undefined, { cookie }, rotated.url)).json();
    // Functions with both secrets accept both; those without the new one refuse only that.
    expect((await callApi(before, 'GET', undefined, undefined, url)).status).toBe(200);
    expect((await callApi(after, 'GET', undefined, undefined, url)).status).toBe(200);
    expect((await callApi(before)).status).toBe(200);
    expect((await callApi(after)).status).toBe(401);
  } finally {
    gateway.stdin.end();
    await rotated.stop();
    await (gateway.exitCode ?? once(gateway, 'exit'));
  }
});
