// Migrates Better Auth's tables; safe to run repeatedly and concurrently.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';
import { connection } from './connection.mjs';

/** An arbitrary number, the same in every run. */
const LOCK = 6_023_110_542;

const envFile = fileURLToPath(new URL('../../.env', import.meta.url));
if (existsSync(envFile)) {
  process.loadEnvFile?.(envFile);
}
const url = process.env.DATABASE_URL;
if (!url) {
  console.error('DATABASE_URL is not set (postgres://user:password@host/database)');
  process.exit(1);
}

const guard = new pg.Client(connection(url));
const client = new pg.Client(connection(url));
// Hides the migrator's `IF NOT EXISTS` notices.
client.on('notice', () => {});
try {
  await guard.connect();
  await client.connect();
  // A transaction's lock on its own connection: a session's lock would not survive a pooler in transaction mode.
  await guard.query('BEGIN');
  // Anybody who may connect can hold this lock, so fail with a message instead of waiting forever.
  await guard.query("SET LOCAL lock_timeout = '20s'");
  await guard.query('SELECT pg_catalog.pg_advisory_xact_lock($1::bigint)', [LOCK]);
  await migrate(drizzle(client), { migrationsFolder: fileURLToPath(new URL('../drizzle', import.meta.url)) });
  await guard.query('COMMIT');
  console.log('The tables of Better Auth are up to date.');
} catch (error) {
  console.error(`Cannot migrate: ${reason(error)}`);
  process.exitCode = 1;
} finally {
  await Promise.allSettled([guard.end(), client.end()]);
}

function reason(/** @type {unknown} */ error) {
  if (error instanceof pg.DatabaseError && error.code === '55P03') {
    return `another session holds the lock of the migrations: SELECT pid FROM pg_locks WHERE locktype = 'advisory' names it`;
  }
  return error instanceof Error ? error.message : String(error);
}
