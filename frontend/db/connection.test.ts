import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import pg from 'pg';
import { connection } from './connection.mjs';

const NEON = 'postgresql://u:p@ep-cool.aws.neon.tech/app';

/** The TLS options that `pg` would use. */
const tls = (url: string) => new pg.Client(connection(url)).ssl;

describe('TLS to the database', () => {
  it('is required, and verified, for a server that is not local', () => {
    const urls = [NEON, ...['prefer', 'require', 'verify-ca', 'verify-full'].map((mode) => `${NEON}?sslmode=${mode}`)];
    for (const url of [...urls, 'postgres://u:p@db/app', 'postgres://u:p@10.0.0.7/app', 'postgres://u:p@localhost/app?host=db.example']) {
      // `{}` verifies chain and name; only `rejectUnauthorized: false` would not.
      assert.deepEqual(tls(url), {}, url);
    }
  });

  it('is left out where the URL says so, or the server is local', () => {
    const local = ['localhost', '127.0.0.1:5433', '[::1]', '%2Fvar%2Frun'].map((host) => `postgres://u:p@${host}/app`);
    for (const url of [...local, `${NEON}?sslmode=disable`]) {
      assert.equal(tls(url), false, url);
    }
  });

  it('is never half: what does not verify is refused in one line, which quotes nothing', () => {
    const refused = ['sslmode=no-verify', 'sslmode=allow', 'sslmode=', 'sslmode=Require', 'ssl=0', 'ssl=no-verify', 'uselibpqcompat=true&sslmode=require'];
    for (const url of [...refused.map((query) => `postgres://u:hunter2@db.example/app?${query}`), 'postgres://u:hunter2@db:x/app', 'hunter2']) {
      assert.throws(
        () => connection(url),
        (error: Error) => /^DATABASE_URL[^\n]+$/.test(error.message) && !JSON.stringify({ ...error, message: error.message }).includes('hunter2'),
        url,
      );
    }
  });

  it('is that of the URL without the space around it', () => {
    assert.deepEqual(connection(` ${NEON}\n`), connection(NEON));
  });

  it('is not weakened by PGSSLMODE', () => {
    process.env.PGSSLMODE = 'no-verify';
    assert.deepEqual(tls(NEON), {});
    delete process.env.PGSSLMODE;
  });
});
