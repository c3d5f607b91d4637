import { createHash, createHmac, randomUUID } from 'node:crypto';
import type { BetterAuthPlugin } from 'better-auth';
import { APIError, createAuthMiddleware } from 'better-auth/api';
import { eq, sql } from 'drizzle-orm';
import { rateLimit } from '@/db/schema';
import { query } from '@/lib/database-error';
import { db } from '@/lib/db';

const SIGN_IN = '/sign-in/email';
const SIGN_UP = '/sign-up/email';
/** So many failed sign-ins of an account are let through… */
const MAX = 10;
/** …in so many seconds. */
const WINDOW = 10 * 60;
const YEAR_SECONDS = 365 * 24 * 60 * 60;

/**
 * Better Auth plugin: limits the sign-ins that fail for each account, from however many addresses they come. A browser that
 * has signed in to the account before is counted by itself, so that nobody's guesses keep the owner out of it.
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
    // For no path: Better Auth deletes what is older than the longest window it knows of.
    rateLimit: [{ pathMatcher: () => false, window: WINDOW, max: MAX }],
  }) satisfies BetterAuthPlugin;

type Context = Parameters<Parameters<typeof createAuthMiddleware>[0]>[0];

/** The account that somebody wants, whether there is one or not, as nobody can read it who has only the database. */
function accountOf(ctx: Context): string | undefined {
  const email: unknown = ctx.body?.email;
  return typeof email === 'string'
    ? createHmac('sha256', ctx.context.secret).update(`account-limit:${email.toLowerCase()}`).digest('base64url')
    : undefined;
}

/** What the attempts are counted under: the account, or the browser that is known to it. */
async function keyOf(ctx: Context): Promise<string | undefined> {
  const account = accountOf(ctx);
  const known = await ctx.getSignedCookie(ctx.context.createAuthCookie('known_account').name, ctx.context.secret);
  return account && known && known.startsWith(`${account}.`)
    ? `browser|${createHash('sha256').update(known).digest('base64url')}`
    : account && `account|${account}`;
}

/** Counts one more in one statement, so that simultaneous guesses do not pass together; gives the seconds to wait if it is too many. */
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
          // Where the window began: attempts that are refused do not prolong it.
          lastRequest: sql`CASE WHEN ${ended} THEN ${now} ELSE ${rateLimit.lastRequest} END`,
        },
      })
      .returning(),
  );
  return row && row.count > MAX ? Math.max(1, Math.ceil((row.lastRequest - now) / 1000) + WINDOW) : 0;
}
