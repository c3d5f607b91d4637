import { expect, test } from '@playwright/test';
import { callAuth, newAccount, setting } from './app';
import { refusal, startApp } from './own-app';

test('the app names every setting that is not safe, and does not start', async () => {
  const said = await refusal({
    BETTER_AUTH_SECRET: 'short',
    DATABASE_URL: 'postgres://u:marked-0123@db.example/app?sslmode=no-verify',
    BETTER_AUTH_URL: 'http://app.example',
    NEXT_PUBLIC_APP_URL: 'http://192.168.1.7:3000',
    CLIENT_IP_HEADER: 'x forwarded for',
    TRUSTED_PROXIES: '10.0.0.0/16, proxy.example, 10.0.0.0/33',
    SMTP_URL: 'smtp://u:marked-4567@smtp.example?tls.rejectUnauthorized=false',
    REQUIRE_EMAIL_VERIFICATION: 'yes',
  });
  for (const fault of [
    'BETTER_AUTH_SECRET is shorter than 32 bytes',
    'DATABASE_URL: sslmode must be one of',
    'BETTER_AUTH_URL must begin with https:// unless it is on this machine',
    'NEXT_PUBLIC_APP_URL must begin with https:// unless it is on this machine',
    'CLIENT_IP_HEADER and TRUSTED_PROXIES are both set',
    'CLIENT_IP_HEADER is not the name of a header',
    'SMTP_URL ends with its host or port',
    'MAIL_FROM is not set: mails need both',
    'REQUIRE_EMAIL_VERIFICATION is neither true nor false',
    'TRUSTED_PROXIES: "proxy.example" is neither an address nor a network',
    'TRUSTED_PROXIES: "10.0.0.0/33" is neither an address nor a network',
  ]) {
    expect(said).toContain(`  - ${fault}`);
  }
  expect(said).not.toContain('marked-0123');
  expect(said).not.toContain('marked-4567');
});

test('the header that the app itself writes cannot be the platform’s', async () => {
  const said = await refusal({ TRUSTED_PROXIES: '', CLIENT_IP_HEADER: 'X-Client-Address' });
  expect(said).toContain('  - CLIENT_IP_HEADER cannot be x-client-address: the app overwrites it');
});

test('addresses cannot have to be confirmed where no mail can be sent', async () => {
  const said = await refusal({ REQUIRE_EMAIL_VERIFICATION: 'true' });
  expect(said).toContain('  - REQUIRE_EMAIL_VERIFICATION needs SMTP_URL and MAIL_FROM');
});

test('every answer has one policy, and one that is no page says so', async () => {
  const noPage = ['/api/auth/get-session', '/api/auth/nonsense', '/api/nonsense', '/login/', '/icon.svg/', '/login//x', '/_next/static/x'];
  const page = ['/login', '/account', '/nowhere', '/%zz', '/api', '/_next/static', '/icon.svgx', '/favicon.icox', '/apple-icon.pngx', '/manifest.webmanifestx'];
  const file = ['/icon.svg', '/favicon.ico', '/apple-icon.png', '/manifest.webmanifest', '/_next/image?url=%2Ficon.svg&w=64&q=75'];
  for (const [paths, policy] of [[noPage, /^default-src 'none'; frame-ancestors 'none'$/], [[...page, ...file], /^default-src 'none'; script-src 'self' 'nonce-[^,]+$/]] as const) {
    for (const path of paths) {
      const { headers } = await fetch(`${setting('APP_URL')}${path}`, { redirect: 'manual' });
      expect(headers.get('content-security-policy'), path).toMatch(policy);
    }
  }
  expect((await fetch(`${setting('APP_URL')}/api/auth/get-session`)).headers.get('x-content-type-options')).toBe('nosniff');
});

test('a page has a policy of its own for each answer, which allows this app and its API', async () => {
  const policyOf = async () => (await fetch(`${setting('APP_URL')}/login`)).headers.get('content-security-policy') ?? '';
  const [one, other] = [await policyOf(), await policyOf()];
  const nonce = /'nonce-[^']+'/;
  expect(one).toMatch(/script-src 'self' 'nonce-[^']+' 'strict-dynamic';/);
  expect(one).toContain(`connect-src 'self' ${new URL(setting('API_URL')).origin};`);
  expect(one).not.toContain('unsafe');
  expect(one.match(nonce)?.[0]).not.toBe(other.match(nonce)?.[0]);
});

test('on an https URL, cookies are for https alone', async () => {
  const origin = 'https://app.example';
  const app = await startApp({ BETTER_AUTH_URL: origin, NEXT_PUBLIC_APP_URL: origin });
  const answer = await callAuth('/sign-up/email', newAccount(), { origin }, app.url);
  await app.stop();
  expect(answer.status).toBe(200);
  const cookies = answer.headers.getSetCookie();
  expect(cookies.length).toBeGreaterThan(0);
  for (const cookie of cookies) {
    expect(cookie).toMatch(/^__Secure-better-auth\..*; Secure/);
    expect(cookie).toContain('; HttpOnly');
  }
});
