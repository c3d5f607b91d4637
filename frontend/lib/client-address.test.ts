import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { getIP } from 'better-auth/api';
import { ADDRESS_HEADER, addressChain } from '@/lib/client-address';

/** The address for which Better Auth counts a request. */
const of = (socket: string | undefined, forwarded: string | undefined, trustedProxies: string[] = [], clientIpHeader?: string, value?: string) => {
  const headers = new Headers(forwarded === undefined ? {} : { 'X-Forwarded-For': forwarded });
  if (clientIpHeader && value !== undefined) {
    headers.set(clientIpHeader, value);
  }
  headers.set(ADDRESS_HEADER, addressChain(headers, socket, { clientIpHeader, trustedProxies }));
  return getIP(headers, { advanced: { ipAddress: { ipAddressHeaders: [ADDRESS_HEADER], trustedProxies } } });
};

describe('the address of a client', () => {
  it('is the socket’s, whatever a client writes, where no proxy is trusted', () => {
    assert.equal(of('203.0.113.9', '198.51.100.1'), '203.0.113.9');
    assert.equal(of('203.0.113.9', undefined), '203.0.113.9');
    assert.equal(of(undefined, '198.51.100.1'), null);
  });

  it('is what the last trusted proxy heard from', () => {
    const proxies = ['10.0.0.0/16', '127.0.0.1', '2001:db8::/32'];
    assert.equal(of('10.0.3.4', '198.51.100.1', proxies), '198.51.100.1');
    assert.equal(of('::ffff:10.0.3.4', 'forged, 198.51.100.1', proxies), '198.51.100.1');
    assert.equal(of('127.0.0.1', '1.1.1.1, 198.51.100.1, 10.0.3.4', proxies), '198.51.100.1');
    // Clients have whole IPv6 networks.
    assert.equal(of('2001:db8::5', '2a00::1', proxies), '2a00:0000:0000:0000:0000:0000:0000:0000');
    // Not through the proxy.
    assert.equal(of('203.0.113.9', '198.51.100.1', proxies), '203.0.113.9');
    assert.equal(of(undefined, '198.51.100.1', proxies), null);
  });

  it('is never beyond what is no address, or a proxy itself', () => {
    for (const forwarded of ['198.51.100.1, unknown', '10.0.9.9', '']) {
      assert.equal(of('10.0.3.4', forwarded, ['10.0.0.0/16']), null, forwarded);
    }
  });

  it('is what the platform’s header says, and nothing else', () => {
    assert.equal(of('127.0.0.1', '1.1.1.1', [], 'cf-connecting-ip', '198.51.100.1'), '198.51.100.1');
    assert.equal(of('127.0.0.1', '1.1.1.1', [], 'x-vercel-forwarded-for', '1.1.1.1, 198.51.100.1'), '198.51.100.1');
    assert.equal(of('127.0.0.1', '1.1.1.1', [], 'cf-connecting-ip'), null);
    assert.equal(of('127.0.0.1', '1.1.1.1', [], 'cf-connecting-ip', 'x'), null);
  });
});
