import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { loginPath, returnPath } from '@/lib/return-path';

const ORIGIN = 'https://app.example';
const parts = ['/', '\\', '.', '..', '%2e', '%2F', '%5c', ';', ':', '?', '#', '@', '\t', '\n', ' ', '\0', 'https:', 'HTTPS:', 'javascript:', 'evil.test', 'account', '［', '：', '／'];

it('a return path never leaves the app, however it is spelt', () => {
  fc.assert(
    fc.property(fc.oneof(fc.array(fc.constantFrom(...parts)).map((some) => some.join('')), fc.webUrl(), fc.string()), (to) => {
      const path = returnPath(to);
      assert.match(path, /^\/(?![\\/])/);
      // In an address bar, in `Location`, and after a second reading.
      assert.equal(new URL(path, `${ORIGIN}/login`).origin, ORIGIN);
      assert.equal(returnPath(path), path);
    }),
    { numRuns: 20_000 },
  );
});

it('a path of the app is kept through the sign-in page', () => {
  for (const path of ['/account', '/?show=done', '/a%20b?c=%26&d=é#e'.normalize()]) {
    const { searchParams } = new URL(loginPath(path, true), ORIGIN);
    assert.equal(returnPath(searchParams.get('to')), new URL(path, ORIGIN).href.slice(ORIGIN.length));
    assert(searchParams.has('ended'));
  }
  assert.equal(loginPath('/', false), '/login');
});

it('anything else is the task page', () => {
  for (const to of [undefined, null, '', ['/account', '/account'], 'account', 'https://evil.test', '//evil.test', '/\\evil.test', '/\t/evil.test', '/..//evil.test', '/.//evil.test', '/%2e%2e//evil.test']) {
    assert.equal(returnPath(to), '/', String(to));
  }
});
