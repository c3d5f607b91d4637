import { createHash, createHmac, randomUUID } from 'node:crypto';
import type { BetterAuthPlugin } from 'better-auth';
import { APIError, createAuthMiddleware } from 'better-auth/api';
import { eq, sql } from 'drizzle-orm';
import { rateLimit } from '@/db/schema';
import { query } from '@/lib/database-error';
import { db } from '@/lib/db';

const SIGN_IN = '/sign-in/email';
const SIGN_UP = '/sign-up/email';
/** The limit of failed sign-ins to an account … */
const MAX = 10;
/** … in this many seconds. */
const WINDOW = 10 * 60;
const YEAR_SECONDS = 365 * 24 * 60 * 60;

/**
 * Better Auth plugin: limits failed sign-ins per account, from any number of addresses. A browser that has signed in to
 * the account before has its own count, so that nobody's guesses lock the owner out.
 */
export const accountLimit = () =>
  ({
    id: 'account-limit',
    hooks: {
      before: [
        {
          matcher: ({ path }) => path === SIGN_IN,
          handler: createAuthMiddleware(async (ctx) => {
            const key = await keyOf(ctx);
            const seconds = key && (await count(key));
            if (seconds) {
              const headers = { 'Retry-After': String(seconds), 'X-Retry-After': String(seconds) };
              const message = 'Too many attempts to sign in to this account. Please try again later.';
              throw new APIError('TOO_MANY_REQUESTS', { code: 'TOO_MANY_ATTEMPTS', message }, headers);
            }
          }),
        },
      ],
      after: [
        {
          matcher: ({ path }) => path === SIGN_IN || path === SIGN_UP,
          handler: createAuthMiddleware(async (ctx) => {
            const key = await keyOf(ctx);
            if (!key || !ctx.context.newSession) {
              return;
            }
            await query(() => db.delete(rateLimit).where(eq(rateLimit.key, key)));
            const { name, attributes } = ctx.context.createAuthCookie('known_account', { maxAge: YEAR_SECONDS });
            await ctx.setSignedCookie(name, `${accountOf(ctx)}.${randomUUID()}`, ctx.context.secret, attributes);
          }),
        },
      ],
    },
    // Matches no path. Better Auth deletes counts older than the longest window that it knows.
    rateLimit: [{ pathMatcher: () => false, window: WINDOW, max: MAX }],
  }) satisfies BetterAuthPlugin;

type Context = Parameters<Parameters<typeof createAuthMiddleware>[0]>[0];

/** A keyed hash of the requested account, which may not exist; it reveals no address to a reader of the database. */
function accountOf(ctx: Context): string | undefined {
  const email: unknown = ctx.body?.email;
  return typeof email === 'string'
    ? createHmac('sha256', ctx.context.secret).update(`account-limit:${email.toLowerCase()}`).digest('base64url')
    : undefined;
}

/** The key of the count: the account, or the browser that the account knows. */
async function keyOf(ctx: Context): Promise<string | undefined> {
  const account = accountOf(ctx);
  const known = await ctx.getSignedCookie(ctx.context.createAuthCookie('known_account').name, ctx.context.secret);
  return account && known && known.startsWith(`${account}.`)
    ? `browser|${createHash('sha256').update(known).digest('base64url')}`
    : account && `account|${account}`;
}

/**
 * Counts an attempt in one statement, so that concurrent guesses do not pass together; returns the seconds to wait, or
 * 0.
 */
async function count(key: string): Promise<number> {
  const now = Date.now();
  const ended = sql`${rateLimit.lastRequest} <= ${now - WINDOW * 1000}`;
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
  return row && row.count > MAX ? Math.max(1, Math.ceil((row.lastRequest - now) / 1000) + WINDOW) : 0;
}
