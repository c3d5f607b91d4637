import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { diagnose } from '@/lib/diagnosis';

/** Probes that are answered, refused, or never answered. */
type Network = Record<'api' | 'app', 'answers' | 'refuses' | 'hangs'>;

const find = (failed: 'api' | 'app', network: Network, onLine = true) =>
  diagnose(
    {
      fetch: async (url, init) => {
        assert.equal(init?.mode, 'no-cors');
        const server = network[url === 'https://api.example' ? 'api' : 'app'];
        return server === 'answers' ? new Response() : server === 'refuses' ? Promise.reject(new TypeError()) : new Promise(() => {});
      },
      onLine: () => onLine,
      appURL: '/icon.svg',
      apiURL: 'https://api.example',
    },
    failed,
    new AbortController().signal,
  );

describe('a request without an answer', () => {
  const cases = [
    ['api', { api: 'answers', app: 'answers' }, 'unreadable'],
    ['api', { api: 'refuses', app: 'answers' }, 'unreachable'],
    ['api', { api: 'refuses', app: 'refuses' }, 'offline'],
    ['app', { api: 'answers', app: 'refuses' }, 'unreachable'],
    ['app', { api: 'refuses', app: 'refuses' }, 'offline'],
  ] as const;
  for (const [failed, network, code] of cases) {
    it(`of the ${failed} is ${code} where the API ${network.api} and the app ${network.app}`, async () => {
      assert.equal((await find(failed, network)).code, code);
    });
  }

  it('is offline where the browser says so, without a probe', async () => {
    assert.equal((await find('api', { api: 'answers', app: 'answers' }, false)).code, 'offline');
  });

  it('is known after 3 s where a probe hangs', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const found = find('api', { api: 'hangs', app: 'answers' });
    mock.timers.tick(3_000);
    assert.equal((await found).code, 'unreachable');
    mock.timers.reset();
  });
});
