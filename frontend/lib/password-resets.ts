import { and, eq, like } from 'drizzle-orm';
import { verification } from '@/db/schema';
import { query } from '@/lib/database-error';
import { db } from '@/lib/db';

/** Invalidates every password reset link that was mailed to a user. */
export async function forgetResets(userId: string) {
  const theirs = and(like(verification.identifier, 'reset-password:%'), eq(verification.value, userId));
  await query(() => db.delete(verification).where(theirs));
}
