import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clientAddress, parseProxies } from '@/lib/client-address';

const of = (socket: string | undefined, forwarded: string | undefined, proxies = '', header?: string, value?: string) => {
  const headers = new Headers(forwarded === undefined ? {} : { 'X-Forwarded-For': forwarded });
  if (header && value !== undefined) {
    headers.set(header, value);
  }
  return clientAddress(headers, socket, { header, proxies: parseProxies(proxies) });
};

describe('the address of a client', () => {
  it('is the socket’s, whatever a client writes, where no proxy is trusted', () => {
    assert.equal(of('203.0.113.9', '198.51.100.1'), '203.0.113.9');
    assert.equal(of('203.0.113.9', undefined), '203.0.113.9');
    assert.equal(of(undefined, '198.51.100.1'), undefined);
  });

  it('is what the last trusted proxy heard from', () => {
    const proxies = '10.0.0.0/16, 127.0.0.1,2001:db8::/32';
    assert.equal(of('10.0.3.4', '198.51.100.1', proxies), '198.51.100.1');
    assert.equal(of('::ffff:10.0.3.4', 'forged, 198.51.100.1', proxies), '198.51.100.1');
    assert.equal(of('127.0.0.1', '1.1.1.1, 198.51.100.1, 10.0.3.4', proxies), '198.51.100.1');
    assert.equal(of('2001:db8::5', '2a00::1', proxies), '2a00::1');
    // Not through the proxy.
    assert.equal(of('203.0.113.9', '198.51.100.1', proxies), '203.0.113.9');
  });

  it('is never beyond what is no address, or a proxy itself', () => {
    assert.equal(of('10.0.3.4', '198.51.100.1, unknown', '10.0.0.0/16'), '10.0.3.4');
    assert.equal(of('10.0.3.4', '10.0.9.9', '10.0.0.0/16'), '10.0.3.4');
    assert.equal(of('10.0.3.4', '', '10.0.0.0/16'), '10.0.3.4');
  });

  it('is what the platform’s header says, and nothing else', () => {
    assert.equal(of('127.0.0.1', '1.1.1.1', '', 'cf-connecting-ip', '198.51.100.1'), '198.51.100.1');
    assert.equal(of('127.0.0.1', '1.1.1.1', '', 'x-vercel-forwarded-for', '1.1.1.1, 198.51.100.1'), '198.51.100.1');
    assert.equal(of('127.0.0.1', '1.1.1.1', '', 'cf-connecting-ip'), undefined);
    assert.equal(of('127.0.0.1', '1.1.1.1', '', 'cf-connecting-ip', 'x'), undefined);
  });

  it('needs a list that can be read', () => {
    for (const list of ['10.0.0.0/33', '10.0.0/16', 'proxy.example', '10.0.0.0/', '::1/129', '10.0.0.0/8/8', '1.2.3.4 5.6.7.8']) {
      assert.throws(() => parseProxies(list), /is neither an address nor a network/, list);
    }
  });
});
