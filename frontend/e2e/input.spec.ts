import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { expect, test } from '@playwright/test';
import { createEmailVerificationToken } from 'better-auth/api';
import fc from 'fast-check';
import { address, callAuth, cookieOf, newAccount, newUser, setting } from './app';
import { nameOf } from '../lib/name';
import { asOwner } from './database';

const app = setting('APP_URL');
const PICTURE = 'https://marked-0123.example/x.png';

const told = async (response: Response) => [response.status, (await response.json()).code];

/** The answer to what no client library would send. */
function raw(head: string, body?: Iterable<string>): Promise<{ status: number; headers: Headers; sent: number }> {
  const { hostname, port, host } = new URL(app);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.setEncoding('latin1').on('data', (data: string) => (text += data));
    // The app may end the connection while we still send.
    socket.on('error', (error: NodeJS.ErrnoException) => ['EPIPE', 'ECONNRESET'].includes(error.code ?? '') || reject(error));
    socket.on('close', () => {
      const [line = '', ...fields] = text.split('\r\n\r\n')[0]?.split('\r\n') ?? [];
      const headers = new Headers(fields.map((field): [string, string] => [field.slice(0, field.indexOf(':')), field.slice(field.indexOf(':') + 1)]));
      resolve({ status: Number(line.split(' ')[1]), headers, sent: socket.bytesWritten });
    });
    const connection = body ? '' : 'Connection: close\r\n';
    socket.write(`${head}\r\nHost: ${host}\r\nX-Forwarded-For: ${address()['x-forwarded-for']}\r\n${connection}\r\n`);
    const sending = async () => {
      for (const chunk of body ?? []) {
        // As clients do, it stops where there is an answer.
        if (text || !socket.writable) {
          return socket.end();
        }
        await new Promise((done) => socket.write(chunk, done));
      }
    };
    void sending();
  });
}

/** Where a browser that asked for `path` would go next. */
function destinations(path: string, headers: Headers): URL[] {
  const refresh = headers.get('refresh')?.replace(/^\d+;url=/, '');
  return [headers.get('location'), refresh].flatMap((text) => (typeof text === 'string' ? new URL(text, app + path) : []));
}

test('no answer leads to another origin, whatever is in a link', async () => {
  test.setTimeout(180_000);
  const { email, id } = await newUser();
  await asOwner((owner) => owner.query('UPDATE "user" SET email_verified = true WHERE id = $1', [id]));
  const valid = await createEmailVerificationToken(setting('BETTER_AUTH_SECRET'), email, undefined, 3600, { userId: id });
  const link = (token: string, callbackURL: string) => `/api/auth/verify-email?token=${token}&callbackURL=${encodeURIComponent(callbackURL)}`;

  const piece = fc.constantFrom(...['/', '/', '\\', '.', '..', '%2e', '%2E', '%2f', '%5C', ';', '?', '#', '@', ':', '\t', '%09', ' ', 'login'], ...['evil.test', 'EVIL.test', 'http:', 'HTTPS://']);
  const text = fc.array(piece, { minLength: 1, maxLength: 8 }).map((pieces) => pieces.join(''));
  const start = fc.constantFrom('', '/', '/..', '/.//', app);
  const stays = fc.asyncProperty(start, text, fc.constantFrom('x', valid), async (before, after, token) => {
    for (const path of [link(token, before + after), `/${after.replaceAll(/\s/g, '')}`]) {
      const { status, headers } = await raw(`GET ${path} HTTP/1.1`);
      expect(status, path).toBeLessThan(500);
      for (const { origin, pathname } of destinations(path, headers)) {
        expect([origin, pathname.startsWith('//')], path).toEqual([app, false]);
      }
    }
  });
  await fc.assert(stays, { numRuns: 120, examples: [['/..', '//evil.test', 'x'], ['/..', '//evil.test', valid], ['', '/%2e%2e//evil.test', 'x'], ['/.//', 'evil.test', 'x']] });

  // A request may name a host in its first line, too.
  expect(await raw('GET http://evil.test//login/ HTTP/1.1')).toMatchObject({ status: 400 });
  // Our own links lead where they should.
  expect((await raw(`GET ${link(valid, '/login?verified')} HTTP/1.1`)).headers.get('location')).toBe('/login?verified');
});

test('a sign-in leads to no other origin', async () => {
  const { email, password } = await newUser();
  for (const callbackURL of ['/..//evil.test', '/.//evil.test', '/%2e%2e//evil.test']) {
    const response = await callAuth('/sign-in/email', { email, password, callbackURL });
    expect([response.headers.get('location'), (await response.json()).url], callbackURL).toEqual([null, undefined]);
  }
});

// What needs no body may be answered before it is known to be too long.
for (const [path, early] of Object.entries({ '/api/auth/sign-out': 413, '/api/auth/nonsense': 404, '/api/nonsense': 404, '/login': 413, '/nowhere': 413, '/icon.svg': 413, '/_next/static/x': 404 })) {
  test(`a body over 64 KiB is refused while it arrives, and the connection ends: ${path}`, async () => {
    const total = 200 * 1024 * 1024;
    const chunk = ' '.repeat(32 * 1024);
    const stream = (text: string) => Array<string>(total / chunk.length).fill(text);
    for (const [framing, body] of [
      [`Content-Length: ${total}`, stream(chunk)],
      ['Transfer-Encoding: chunked', stream(`${chunk.length.toString(16)}\r\n${chunk}\r\n`)],
    ] as const) {
      const { status, headers, sent } = await raw(`POST ${path} HTTP/1.1\r\nContent-Type: application/json\r\nOrigin: ${app}\r\n${framing}`, body);
      expect([413, framing.startsWith('T') && early], framing).toContain(status);
      expect(headers.get('connection')).toBe('close');
      expect(sent).toBeLessThan(total / 4);
    }
  });
}

test('a body of 64 KiB is read', async () => {
  const body = (length: number) => JSON.stringify({ token: 'x' }).padEnd(length);
  expect((await callAuth('/reset-password', body(64 * 1024))).status).toBe(400);
  expect((await callAuth('/reset-password', body(64 * 1024 + 1))).status).toBe(413);
});

const LONGEST = '😀'.repeat(100);
const NO_NAMES = ['', '  ', '\u200b', '\u3164\u2800', 'x'.repeat(101), `${LONGEST}x`, 'a\u0000b', 'a\nb', 'a\u007fb', 'a\ud800b', 'x'.repeat(12_000), null, 5, true, ['x'], { x: 'x' }];

test('a name has 1 to 100 characters, by whatever way it comes, and no picture is stored', async () => {
  const { id, cookie, email, name: first } = await newUser();
  const stored = () => asOwner(async (owner) => (await owner.query('SELECT name, image FROM "user" WHERE id = $1', [id])).rows[0]);
  for (const name of NO_NAMES) {
    // The same for an address with an account and for one without.
    const answers = [callAuth('/update-user', { name }, { cookie }), ...[email, newAccount().email].map((to) => callAuth('/sign-up/email', { ...newAccount(), email: to, name }))];
    for (const answer of answers) {
      expect(await told(await answer), JSON.stringify(name)?.slice(0, 40)).toEqual([400, 'INVALID_NAME']);
    }
  }
  expect(await stored()).toEqual({ name: first, image: null });
  for (const name of ['x', LONGEST, 'علی\u200cرضا', '👩‍👩‍👧']) {
    const response = await callAuth('/update-user', { name: ` ${name}\u3000`, image: PICTURE }, { cookie });
    expect([response.status, await stored()]).toEqual([200, { name, image: null }]);
  }
  const other = newAccount();
  const { user } = await (await callAuth('/sign-up/email', { ...other, name: `  ${other.name} `, image: PICTURE })).json();
  expect(user).toMatchObject({ name: other.name, image: null });
});

test('stored names are made to fit the rule, and pictures are emptied', async () => {
  const known: [before: string, after?: string][] = [
    ['x'.repeat(12_000), 'x'.repeat(100)],
    [`${'😀'.repeat(99)} xy`, '😀'.repeat(99)],
    ['  Jane\r\nDoe\u3000', 'Jane  Doe'],
    ['علی\u200cرضا', 'علی\u200cرضا'],
    ['  ', 'local.part'],
    ['\u200b\u3164\u2800', 'local.part'],
  ];
  const any = fc.sample(fc.string({ unit: fc.oneof(fc.constantFrom(...'\u0001\u007f\u0085\u00a0\u00ad\u2028\u200b\ufeff\u3164 x'), fc.nat(0x10ffff).map((code) => String.fromCodePoint(code || 1))), maxLength: 110 }), 500);
  const names = [...known, ...any.filter((name) => name.isWellFormed()).map((name): [string] => [name])];
  const migration = readFileSync('drizzle/0002_names.sql', 'utf8');
  const after = await asOwner(async (owner) => {
    await owner.query('BEGIN');
    await owner.query(
      `INSERT INTO "user" (id, name, email, image) SELECT 'name-' || n, name, 'local.part@' || n || '.names.example', $2 FROM unnest($1::text[]) WITH ORDINALITY AS all_names (name, n)`,
      [names.map(([name]) => name), PICTURE],
    );
    await owner.query(migration);
    const { rows } = await owner.query(`SELECT name, image FROM "user" WHERE id LIKE 'name-%' ORDER BY substr(id, 6)::int`);
    await owner.query('ROLLBACK');
    return rows;
  });
  names.forEach(([before, expected], n) => {
    const { name, image } = after[n];
    expect([nameOf(name), image], JSON.stringify(before)).toEqual([name, null]);
    expect(name).toBe(expected ?? nameOf(before) ?? name);
  });
});

test('hostile text is refused, and never taken for a failing database', async () => {
  const { email, password, cookie } = await newUser();
  const token = (await (await callAuth('/api-token', undefined, { cookie })).json()).token;
  const letters = Array.from({ length: 6_000 }, () => Math.floor(Math.random() * 36).toString(36)).join('');
  const endpoints: [path: string, body: Record<string, unknown>][] = [
    ['/sign-up/email', { ...newAccount() }],
    ['/sign-in/email', { email, password }],
    ['/request-password-reset', { email, redirectTo: '/' }],
    ['/send-verification-email', { email, callbackURL: '/' }],
    ['/reset-password', { token: 'x', newPassword: password }],
    ['/change-password', { currentPassword: password, newPassword: `${password}!` }],
    ['/update-user', { name: 'x' }],
    ['/delete-account', { password: 'x' }],
    ['/revoke-sessions', { x: 'x' }],
  ];
  const calls: [path: string, body?: unknown][] = endpoints.flatMap(([path, body]) => [
    ...[...Object.keys(body), 'other'].flatMap((member) =>
      [`${body[member]}\u0000`, `\ud800${body[member]}`, null, 5, [body[member]], { $ne: '' }].map((value): [string, unknown] => [path, { ...body, [member]: value }]),
    ),
    ...(body.email ? [`${letters}@example.com`, `a@${letters}.com`, `a@${'b.'.repeat(200)}com`] : []).map((long): [string, unknown] => [path, { ...body, email: long }]),
    ...['null', '5', '"x"', '[]', '{', '\u0000', '['.repeat(30_000)].map((text): [string, unknown] => [path, text]),
  ]);
  for (const query of ['token=%00', `token=${letters}`, 'token=x&token=y', `token=${token}`, 'callbackURL=%00']) {
    calls.push([`/verify-email?${query}`], [`/get-session?${query}`], [`/reset-password?${query}`, { newPassword: password }]);
  }
  const wrong: string[] = [];
  for (const [path, body] of calls) {
    const { status } = await callAuth(path, body, { cookie });
    const isFine = status < 500 && (status >= 400 || path.startsWith('/get-session'));
    if (!isFine) {
      wrong.push(`${status} ${path} ${JSON.stringify(body)}`.slice(0, 120));
    }
  }
  expect(wrong).toEqual([]);
  // Nothing of it counted, ended the session, or changed the password.
  expect((await callAuth('/api-token', undefined, { cookie })).status).toBe(200);
  expect((await callAuth('/sign-in/email', { email, password })).status).toBe(200);
  // A browser is told by the page that a link is spent.
  expect((await callAuth(`/verify-email?token=${token}&callbackURL=%2Flogin`)).headers.get('location')).toBe('/login?error=INVALID_TOKEN');
});

test('whatever a client says of itself, its cookies are small', async () => {
  const { email, password } = await newUser();
  const response = await callAuth('/sign-in/email', { email, password }, { 'user-agent': 'x'.repeat(7_000) });
  expect(response.status).toBe(200);
  expect(response.headers.getSetCookie().join('').length).toBeLessThan(4_096);
});

test('a password has at most 128 characters, and the same one is not new', async () => {
  const { email, password, cookie } = await newUser();
  const long = 'ä'.repeat(129);
  const other = cookieOf(await callAuth('/sign-in/email', { email, password }));
  expect(await told(await callAuth('/sign-up/email', { ...newAccount(), password: long }))).toEqual([400, 'PASSWORD_TOO_LONG']);
  expect(await told(await callAuth('/reset-password', { token: 'x', newPassword: long }))).toEqual([400, 'PASSWORD_TOO_LONG']);
  expect(await told(await callAuth('/change-password', { currentPassword: password, newPassword: long }, { cookie }))).toEqual([400, 'PASSWORD_TOO_LONG']);
  const same = { currentPassword: password, newPassword: password, revokeOtherSessions: true };
  expect(await told(await callAuth('/change-password', same, { cookie }))).toEqual([400, 'SAME_PASSWORD']);
  expect((await callAuth('/api-token', undefined, { cookie: other })).status).toBe(200);
});

test('only JSON is a body for Better Auth', async () => {
  const { email, password } = await newUser();
  for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x']) {
    const response = await callAuth('/sign-in/email', String(new URLSearchParams({ email, password })), { 'content-type': type });
    expect([type, ...(await told(response))]).toEqual([type, 415, 'UNSUPPORTED_MEDIA_TYPE']);
  }
});
