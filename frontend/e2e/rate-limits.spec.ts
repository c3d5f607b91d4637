import { createHmac } from 'node:crypto';
import { expect, test } from '@playwright/test';
import { address, callAuth, newAccount, newUser, setting } from './app';
import { asOwner } from './database';
import { startApp } from './own-app';

const GUESSES = 30;
const forwarded = (list: string) => ({ 'x-forwarded-for': list });
const anyAddress = () => Object.values(address())[0] ?? '';

/** Signs in with a wrong password. */
const guess = async (headers: Record<string, string>, email = newAccount().email, app?: string) =>
  (await callAuth('/sign-in/email', { email, password: 'not the password' }, headers, app)).status;

/** The statuses of many guesses, each for another account, so that only the address limit applies. */
async function guesses(headers: () => Record<string, string>, app?: string): Promise<number[]> {
  const statuses: number[] = [];
  for (let n = 0; n < GUESSES; n += 1) {
    statuses.push(await guess(headers(), newAccount().email, app));
  }
  return statuses;
}

const passed = (statuses: number[]) => statuses.filter((status) => status !== 429).length;
/** Three in ten seconds; on a busy machine the guesses may take longer than that. */
const expectStopped = (statuses: number[]) => expect(passed(statuses), statuses.join()).toBeLessThanOrEqual(GUESSES / 3);

test('a forged X-Forwarded-For does not pass the limit of the address, where no proxy is trusted', async () => {
  const app = await startApp({ TRUSTED_PROXIES: '' });
  try {
    expectStopped(await guesses(() => forwarded(anyAddress()), app.url));
    expectStopped(await guesses(() => ({ ...forwarded(anyAddress()), 'x-client-address': anyAddress(), 'x-real-ip': anyAddress() }), app.url));
  } finally {
    await app.stop();
  }
});

test('behind a proxy that appends, each client has a limit of its own', async () => {
  const [attacker, other] = [anyAddress(), anyAddress()];
  expectStopped(await guesses(() => forwarded(`${anyAddress()}, ${attacker}`)));
  expect(await guess(forwarded(`${attacker}, ${attacker}`))).toBe(429);
  expect(await guess(forwarded(`${attacker}, ${other}`))).toBe(401);
});

test('a platform’s header is the only one that counts, where it is named', async () => {
  const app = await startApp({ TRUSTED_PROXIES: '', CLIENT_IP_HEADER: 'cf-connecting-ip' });
  try {
    const [attacker, other] = [anyAddress(), anyAddress()];
    expectStopped(await guesses(() => ({ ...forwarded(anyAddress()), 'cf-connecting-ip': attacker }), app.url));
    expect(await guess({ ...forwarded(attacker), 'cf-connecting-ip': other }, undefined, app.url)).toBe(401);
    // All requests that bypass the platform share one limit.
    expectStopped(await guesses(() => forwarded(anyAddress()), app.url));
  } finally {
    await app.stop();
  }
});

test('an account is guessed at ten times in ten minutes, from however many addresses', async () => {
  const { email, password, cookie } = await newUser();
  // Concurrently: a count that is read before it is written would let all pass.
  const statuses = await Promise.all(Array.from({ length: GUESSES }, () => guess(address(), email)));
  expect(statuses.filter((status) => status === 401)).toHaveLength(10);
  expect(passed(statuses)).toBe(10);

  const stranger = await callAuth('/sign-in/email', { email: email.toUpperCase(), password });
  expect(stranger.status).toBe(429);
  expect(Number(stranger.headers.get('retry-after'))).toBeGreaterThan(9 * 60);
  expect(Number(stranger.headers.get('retry-after'))).toBeLessThanOrEqual(10 * 60);
  // Other accounts are unaffected, and the owner in a known browser, too.
  expect(await guess(address())).toBe(401);
  const known = await callAuth('/sign-in/email', { email, password }, { cookie });
  expect(known.status).toBe(200);
  // That cookie does not affect another account's limit, and has a limit itself.
  const other = await newUser();
  await Promise.all(Array.from({ length: 10 }, () => guess(address(), other.email)));
  expect(await guess({ cookie }, other.email)).toBe(429);
  const fromKnown = await Promise.all(Array.from({ length: GUESSES }, () => guess({ cookie: other.cookie }, other.email)));
  expect(passed(fromKnown)).toBe(10);

  expect((await asOwner((owner) => owner.query("SELECT FROM rate_limit WHERE key LIKE '%' || $1 || '%'", [email]))).rowCount).toBe(0);
});

test('the guesses of an account are forgotten after ten minutes, not before, or after a success', async () => {
  const { email, password } = await newUser();
  const key = `account|${createHmac('sha256', setting('BETTER_AUTH_SECRET')).update(`account-limit:${email}`).digest('base64url')}`;
  const age = async (seconds: number) => {
    const statement = 'UPDATE rate_limit SET last_request = last_request - $1 WHERE key = $2';
    expect((await asOwner((owner) => owner.query(statement, [seconds * 1000, key]))).rowCount).toBe(1);
  };
  const wrong = async (times: number) => {
    const statuses = await Promise.all(Array.from({ length: times }, () => guess(address(), email)));
    expect(statuses).toEqual(Array(times).fill(401));
  };
  const right = async () => (await callAuth('/sign-in/email', { email, password })).status;

  await wrong(9);
  expect(await right()).toBe(200);
  await wrong(10);
  expect(await right()).toBe(429);
  await age(580);
  expect(await right()).toBe(429);
  await age(20);
  expect(await right()).toBe(200);
});

for (const [action, wrong] of [
  ['change the password', { path: '/change-password', body: { currentPassword: 'not the password', newPassword: 'another password' } }],
  ['delete the account', { path: '/delete-account', body: { password: 'not the password' } }],
] as const) {
  test(`a wrong password to ${action} counts as one to sign in`, async () => {
    const { email, password, cookie } = await newUser();
    // A thief has the session, but is no browser that the account knows.
    const stolen = cookie.split('; ').filter((part) => part.includes('session_token')).join('; ');
    const attempt = async (cookie: string) => (await callAuth(wrong.path, wrong.body, { cookie })).status;
    const statuses = await Promise.all(Array.from({ length: GUESSES }, () => attempt(stolen)));
    expect(statuses.filter((status) => status === 400)).toHaveLength(10);
    expect(passed(statuses)).toBe(10);
    expect(await guess(address(), email)).toBe(429);
    // The owner's browser has its own count, of sign-ins and these together; a success resets it.
    for (let n = 0; n < 9; n += 1) {
      expect(await attempt(cookie)).toBe(400);
    }
    const owner = await callAuth('/sign-in/email', { email, password }, { cookie });
    expect(owner.status).toBe(200);
    const fromOwner = await Promise.all(Array.from({ length: GUESSES }, () => attempt(cookie)));
    expect(passed(fromOwner)).toBe(10);
    expect((await callAuth('/sign-in/email', { email, password }, { cookie })).status).toBe(429);
  });
}
