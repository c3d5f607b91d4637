import 'server-only';
import { drizzle } from 'drizzle-orm/node-postgres';
import { Pool } from 'pg';
import { connection } from '@/db/connection.mjs';
import * as schema from '@/db/schema';
import { env } from '@/lib/env';

// Few connections an instance: a serverless host starts many instances.
const pool = new Pool({
  ...(env.databaseURL ? connection(env.databaseURL) : {}),
  max: 5,
  idleTimeoutMillis: 10_000,
});
// The pool replaces a connection that the server closed; without a listener the error would end the process.
pool.on('error', (error) => console.warn(`An idle database connection was lost: ${error.message}`));

export const db = drizzle(pool, { schema });
