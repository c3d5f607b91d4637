import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import pg from 'pg';
import { setting } from './app';
import { asOwner, type Login, newLogin } from './database';

const TABLES = ['user', 'session', 'account', 'verification', 'rate_limit'].map((name) => `"${name}"`);

let login: Login;
let client: pg.Client;

test.beforeAll(async () => {
  login = await newLogin();
  client = new pg.Client(login.url);
  await client.connect();
  // The API's migrations created these tables; if they were missing, the test would prove nothing.
  await asOwner((owner) => owner.query('SELECT FROM tasks, idempotency_keys, refinery_schema_history, drizzle.__drizzle_migrations LIMIT 0'));
});

test.afterAll(async () => {
  await client.end();
  await login.drop();
});

/** The server's error for a statement; `null` if it succeeds. */
async function refusal(statement: string): Promise<string | null> {
  await client.query('BEGIN');
  try {
    await client.query(statement);
    return null;
  } catch (error) {
    return (error as pg.DatabaseError).code ?? String(error);
  } finally {
    await client.query('ROLLBACK');
  }
}

test('the app’s login reads and writes the five tables of Better Auth', async () => {
  for (const table of TABLES) {
    for (const statement of [`SELECT * FROM ${table}`, `INSERT INTO ${table} SELECT * FROM ${table} LIMIT 0`, `DELETE FROM ${table} WHERE false`]) {
      expect(await refusal(statement), statement).toBeNull();
    }
  }
  expect(await refusal('UPDATE "user" SET name = name WHERE false')).toBeNull();
});

test('the app’s login may do nothing else', async () => {
  const owner = new URL(setting('DATABASE_OWNER_URL')).username;
  const foreign = ['tasks', 'idempotency_keys', 'refinery_schema_history', 'drizzle.__drizzle_migrations'];
  const statements = [
    ...foreign.flatMap((table) => [
      `SELECT FROM ${table}`,
      `INSERT INTO ${table} SELECT * FROM ${table} LIMIT 0`,
      `INSERT INTO ${table} DEFAULT VALUES`,
      `DELETE FROM ${table} WHERE false`,
      `TRUNCATE ${table}`,
      `LOCK TABLE ${table}`,
      `COPY ${table} TO STDOUT`,
      `DROP TABLE ${table}`,
    ]),
    "UPDATE tasks SET title = 'x' WHERE false",
    "SELECT nextval('tasks_id_seq')",
    "SELECT setval('tasks_id_seq', 1)",
    // The schema of its own tables and of others.
    ...TABLES.flatMap((table) => [
      `TRUNCATE ${table}`,
      `DROP TABLE ${table}`,
      `ALTER TABLE ${table} ADD COLUMN x text`,
      `ALTER TABLE ${table} DISABLE TRIGGER ALL`,
      `CREATE INDEX ON ${table} (id)`,
      `CREATE RULE r AS ON INSERT TO ${table} DO INSTEAD NOTHING`,
      `CREATE POLICY p ON ${table}`,
    ]),
    'CREATE TRIGGER t BEFORE INSERT ON session EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    'CREATE TABLE public.mine (id int)',
    'CREATE VIEW public.mine AS SELECT * FROM "user"',
    'CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS $$SELECT 1$$',
    'CREATE TYPE public.mine AS (id int)',
    'CREATE SEQUENCE public.mine',
    'CREATE SCHEMA mine',
    'CREATE EXTENSION pgcrypto',
    'CREATE PUBLICATION mine FOR ALL TABLES',
    'CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION mine()',
    'ALTER SCHEMA public RENAME TO mine',
    `ALTER DATABASE ${new URL(login.url).pathname.slice(1)} SET row_security = off`,
    // Roles.
    'SET ROLE api_request',
    `SET ROLE "${owner}"`,
    `SET SESSION AUTHORIZATION "${owner}"`,
    'CREATE ROLE mine',
    'DROP ROLE api_request',
    'ALTER ROLE better_auth LOGIN',
    `ALTER ROLE "${owner}" PASSWORD 'x'`,
    `ALTER ROLE ${login.name} SUPERUSER`,
    `ALTER ROLE ${login.name} BYPASSRLS`,
    `ALTER ROLE ${login.name} VALID UNTIL 'infinity'`,
    `GRANT api_request TO ${login.name}`,
    `GRANT "${owner}" TO ${login.name}`,
    `GRANT better_auth TO "${owner}"`,
    `REVOKE better_auth FROM ${login.name}`,
    'SELECT FROM pg_authid',
    'SELECT FROM pg_shadow',
    // The server's files, programs, and the sessions of others.
    "COPY \"user\" TO PROGRAM 'true'",
    "COPY \"user\" FROM PROGRAM 'true'",
    "COPY \"user\" TO '/tmp/mine'",
    "COPY \"user\" FROM '/etc/hostname'",
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT pg_ls_dir('.')",
    "SELECT lo_import('/etc/hostname')",
    "SELECT lo_export(0, '/tmp/mine')",
    'SELECT pg_reload_conf()',
    'SELECT pg_promote()',
    "SELECT pg_create_physical_replication_slot('mine')",
    `SELECT pg_terminate_backend(${await backendOfOwner()})`,
  ];
  const wrong: string[] = [];
  for (const statement of statements) {
    const code = await refusal(statement);
    if (code !== '42501') {
      wrong.push(`${statement}: ${code ?? 'it runs'}`);
    }
  }
  await keeper?.end();
  expect(wrong).toEqual([]);
  // Outside of a transaction, which alone would be a reason to refuse it.
  await expect(client.query('ALTER SYSTEM SET fsync = off')).rejects.toMatchObject({ code: '42501' });
});

let keeper: pg.Client | undefined;

/** An open session of the owner. */
async function backendOfOwner(): Promise<number> {
  keeper = new pg.Client(setting('DATABASE_OWNER_URL'));
  await keeper.connect();
  return (await keeper.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;
}

test('a grant on its own tables gives nobody anything', async () => {
  // PostgreSQL only warns about a grant without grant option.
  await client.query(`GRANT SELECT ON "user" TO api_request`).catch((error: pg.DatabaseError) => expect(error.code).toBe('42501'));
  const { rows } = await asOwner((owner) => owner.query(`SELECT has_table_privilege('api_request', '"user"', 'SELECT') AS may`));
  expect(rows).toEqual([{ may: false }]);
});

test('a migration whose lock the app’s login holds says so', async () => {
  const [, lock] = /LOCK = ([\d_]+)/.exec(readFileSync('db/migrate.mjs', 'utf8')) ?? [];
  await client.query('SELECT pg_advisory_lock($1)', [lock?.replaceAll('_', '')]);
  const migration = spawn('node', ['db/migrate.mjs'], { env: { ...process.env, DATABASE_URL: setting('DATABASE_OWNER_URL') } });
  let said = '';
  migration.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  const [code] = await once(migration, 'close');
  await client.query('SELECT pg_advisory_unlock_all()');
  expect([code, said]).toEqual([1, expect.stringContaining('another session holds the lock of the migrations')]);
});
