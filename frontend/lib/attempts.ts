import { createHmac, randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { rateLimit } from '@/db/schema';
import { query } from '@/lib/database-error';
import { db } from '@/lib/db';

/** A limit of attempts in a time that begins with the first one. */
export interface Limit {
  max: number;
  seconds: number;
}

/** A keyed hash of an address, which may have no account; it reveals the address to no reader of the database. */
export const addressHash = (secret: string, purpose: string, email: string) =>
  createHmac('sha256', secret).update(`${purpose}:${email.toLowerCase()}`).digest('base64url');

/**
 * Counts an attempt in one statement, so that concurrent ones do not pass together; returns the seconds to wait, or 0.
 */
export async function countAttempt(key: string, { max, seconds }: Limit): Promise<number> {
  const now = Date.now();
  const ended = sql`${rateLimit.lastRequest} <= ${now - seconds * 1000}`;
  const [row] = await query(() =>
    db
      .insert(rateLimit)
      .values({ id: randomUUID(), key, count: 1, lastRequest: now })
      .onConflictDoUpdate({
        target: rateLimit.key,
        set: {
          count: sql`CASE WHEN ${ended} THEN 1 ELSE ${rateLimit.count} + 1 END`,
          // The start of the window: refused attempts do not extend it.
          lastRequest: sql`CASE WHEN ${ended} THEN ${now} ELSE ${rateLimit.lastRequest} END`,
        },
      })
      .returning(),
  );
  return row && row.count > max ? Math.max(1, Math.ceil((row.lastRequest - now) / 1000) + seconds) : 0;
}
