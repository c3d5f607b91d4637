import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isSender, smtpOptions } from '@/lib/smtp';

describe('the mail server', () => {
  const part = (url: string) => {
    const { host, port, secure, requireTLS, ignoreTLS, auth } = smtpOptions(url);
    return { host, port, secure, requireTLS, ignoreTLS, auth };
  };

  it('is named by a URL, with TLS everywhere but on this machine', () => {
    const remote = { requireTLS: true, ignoreTLS: false };
    const local = { requireTLS: false, ignoreTLS: true };
    assert.deepEqual(part('smtps://u%40x:p%2Fw@smtp.example'), { host: 'smtp.example', port: 465, secure: true, ...remote, auth: { user: 'u@x', pass: 'p/w' } });
    assert.deepEqual(part('smtp://smtp.example/'), { host: 'smtp.example', port: 587, secure: false, ...remote, auth: undefined });
    assert.deepEqual(part('smtp://127.0.0.1:2525'), { host: '127.0.0.1', port: 2525, secure: false, ...local, auth: undefined });
    assert.deepEqual(part('smtp://[::1]:2525'), { host: '::1', port: 2525, secure: false, ...local, auth: undefined });
    assert.equal(part('smtp://127.0.0.1.evil.example').requireTLS, true);
  });

  it('is refused without its password being quoted', () => {
    for (const url of ['smtp.example', 'https://u:marked@smtp.example', 'smtp://', 'smtp://u:marked@smtp.example?tls.rejectUnauthorized=false', 'smtps://u:marked@smtp.example/x']) {
      assert.throws(() => smtpOptions(url), (error: Error) => error.message.startsWith('SMTP_URL') && !error.message.includes('marked'), url);
    }
  });

  it('sends for one address, with a name or without', () => {
    for (const sender of ['tasks@app.example', 'Tasks <tasks@app.example>', 'My Tasks! <a@b>']) {
      assert.ok(isSender(sender), sender);
    }
    for (const none of ['tasks', 'a@b, c@d', 'Tasks <tasks>', 'Tasks <a@b>\r\nBcc: <c@d>', '<a@b>', 'a@b <c@d>']) {
      assert.ok(!isSender(none), none);
    }
  });
});
