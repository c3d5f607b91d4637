import { createHash, randomUUID } from 'node:crypto';
import type { BetterAuthPlugin, GenericEndpointContext } from 'better-auth';
import { APIError, createAuthMiddleware, getAuthoritativeSessionFromCtx } from 'better-auth/api';
import { eq } from 'drizzle-orm';
import { rateLimit } from '@/db/schema';
import { addressHash, countAttempt } from '@/lib/attempts';
import { query } from '@/lib/database-error';
import { db } from '@/lib/db';

const SIGN_IN = '/sign-in/email';
const SIGN_UP = '/sign-up/email';
const CHANGE_PASSWORD = '/change-password';
/** The limit of wrong passwords for an account. */
const LIMIT = { max: 10, seconds: 10 * 60 };
const YEAR_SECONDS = 365 * 24 * 60 * 60;

/**
 * Better Auth plugin: limits wrong passwords per account, from any number of addresses. A browser that has signed in to
 * the account before has its own count, so that nobody's guesses lock the owner out.
 */
export const accountLimit = () =>
  ({
    id: 'account-limit',
    hooks: {
      before: [
        {
          matcher: ({ path }) => path === SIGN_IN || path === CHANGE_PASSWORD,
          handler: createAuthMiddleware(async (ctx) => {
            const email: unknown = ctx.path === SIGN_IN ? ctx.body?.email : (await getAuthoritativeSessionFromCtx(ctx))?.user.email;
            if (typeof email === 'string') {
              await countPassword(ctx, email);
            }
          }),
        },
      ],
      after: [
        {
          matcher: ({ path }) => path === SIGN_IN || path === SIGN_UP || path === CHANGE_PASSWORD,
          handler: createAuthMiddleware(async (ctx) => {
            const email = ctx.context.newSession?.user.email;
            if (!email) {
              return;
            }
            await forgetPasswords(ctx, email);
            const { name, attributes } = ctx.context.createAuthCookie('known_account', { maxAge: YEAR_SECONDS });
            await ctx.setSignedCookie(name, `${accountOf(ctx, email)}.${randomUUID()}`, ctx.context.secret, attributes);
          }),
        },
      ],
    },
    // Matches no path. Better Auth deletes counts older than the longest window that it knows.
    rateLimit: [{ pathMatcher: () => false, window: LIMIT.seconds, max: LIMIT.max }],
  }) satisfies BetterAuthPlugin;

/** Counts a password before it is checked; fails after too many wrong ones. */
export async function countPassword(ctx: GenericEndpointContext, email: string) {
  const seconds = await countAttempt(await keyOf(ctx, email), LIMIT);
  if (seconds) {
    const headers = { 'Retry-After': String(seconds), 'X-Retry-After': String(seconds) };
    throw new APIError('TOO_MANY_REQUESTS', { code: 'TOO_MANY_ATTEMPTS', message: 'Too many wrong passwords. Please try again later.' }, headers);
  }
}

/** Resets the count, after a right password. */
export async function forgetPasswords(ctx: GenericEndpointContext, email: string) {
  const key = await keyOf(ctx, email);
  await query(() => db.delete(rateLimit).where(eq(rateLimit.key, key)));
}

const accountOf = (ctx: GenericEndpointContext, email: string) => addressHash(ctx.context.secret, 'account-limit', email);

/** The key of the count: the account, or the browser that the account knows. */
async function keyOf(ctx: GenericEndpointContext, email: string): Promise<string> {
  const account = accountOf(ctx, email);
  const known = await ctx.getSignedCookie(ctx.context.createAuthCookie('known_account').name, ctx.context.secret);
  return known && known.startsWith(`${account}.`) ? `browser|${createHash('sha256').update(known).digest('base64url')}` : `account|${account}`;
}
