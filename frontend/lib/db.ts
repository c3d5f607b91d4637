import 'server-only';
import { drizzle } from 'drizzle-orm/node-postgres';
import { Pool } from 'pg';
import { connection } from '@/db/connection.mjs';
import * as schema from '@/db/schema';
import { env } from '@/lib/env';
import { log } from '@/lib/log';

// Few connections per instance, since a serverless host starts many instances.
const pool = new Pool({
  ...(env.databaseURL ? connection(env.databaseURL) : {}),
  max: 5,
  idleTimeoutMillis: 10_000,
  query_timeout: 10_000,
});
// The pool replaces a closed connection; without a listener the error would end the process.
pool.on('error', (error) => log('warn', 'An idle database connection was lost', error));

export const db = drizzle(pool, { schema });
