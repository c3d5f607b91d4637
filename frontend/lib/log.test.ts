import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DrizzleQueryError } from 'drizzle-orm/errors';
import pg from 'pg';
import { DatabaseError, quiet, watch } from '@/lib/database-error';
import { kindOf, words } from '@/lib/log';

const TOKEN = 'kZ3vQ8sT1mB5xN7cL2wR9yH4jF6dG0pA';

/** Drizzle's error for an insert that PostgreSQL refused. */
function refused(code: string) {
  const cause = Object.assign(new pg.DatabaseError(`duplicate key ${TOKEN}`, 1, 'error'), { code, detail: `Key (token)=(${TOKEN})` });
  return new DrizzleQueryError('insert into "session" values ($1)', [TOKEN], cause);
}

describe('the log', () => {
  it('keeps the words of a message, and nothing that it quotes', () => {
    for (const value of [TOKEN, 'jane@example.com', 'https://evil.example/x?token=1', '10.0.0.1', 'user-17', `"${TOKEN}"`]) {
      assert.equal(words(`Invalid origin: ${value}\nat line`), 'Invalid origin: … at line');
    }
    assert.equal(words("The user's BETTER_AUTH_SECRET (the current one) is short."), "The user's BETTER_AUTH_SECRET (the current one) is short.");
  });

  it('names an error and its code, not its message', () => {
    assert.equal(kindOf(refused('23505')), 'Error (23505)');
    assert.equal(kindOf(Object.assign(new Error(TOKEN), { code: 'ECONNREFUSED' })), 'Error (ECONNREFUSED)');
    assert.equal(kindOf(new TypeError(TOKEN)), 'TypeError');
    assert.equal(kindOf(Object.assign(new Error('x'), { name: TOKEN, code: 'jane@example.com' })), '…');
  });
});

describe('a failure of the database', () => {
  const failing = (error: Error) => quiet({ id: 'test', create: () => Promise.reject(error) });

  it('holds nothing but its code', async () => {
    for (const [error, code] of [
      [refused('57P01'), '57P01'],
      [new DrizzleQueryError('q', [TOKEN], Object.assign(new AggregateError([], TOKEN), { code: 'ECONNREFUSED' })), 'ECONNREFUSED'],
      [new DrizzleQueryError('q', [TOKEN], new Error('timeout exceeded when trying to connect')), 'TIMEOUT'],
      [new DrizzleQueryError('q', [TOKEN], new Error('Connection terminated unexpectedly')), 'CONNECTION_LOST'],
      [new DrizzleQueryError('q', [TOKEN], new Error(TOKEN)), 'UNKNOWN'],
    ] as const) {
      const failure = await failing(error).create().catch((caught: unknown) => caught);
      assert.ok(failure instanceof DatabaseError);
      assert.deepEqual({ code: failure.code, cause: failure.cause, message: failure.message }, { code, cause: undefined, message: `The database failed: ${code}` });
      assert.ok(!`${failure.stack}${JSON.stringify({ ...failure })}`.includes(TOKEN));
    }
  });

  it('is known of a request that swallowed it, unless the database refused a value', async () => {
    const swallowed = async (error: Error) => (await watch(() => failing(error).create().catch(() => null))).failure?.code;
    assert.equal(await swallowed(refused('57P01')), '57P01');
    for (const code of ['23505', '22021', '54000']) {
      assert.equal(await swallowed(refused(code)), undefined);
    }
    assert.deepEqual(await watch(() => Promise.resolve(1)), { result: 1 });
  });
});
