import type { BetterAuthPlugin, GenericEndpointContext } from 'better-auth';
import { APIError, createAuthEndpoint, getAuthoritativeSessionFromCtx } from 'better-auth/api';
import { deleteSessionCookie, expireCookie } from 'better-auth/cookies';
import { and, eq, ne, sql } from 'drizzle-orm';
import { session, user, verification } from '@/db/schema';
import { countPassword, forgetPasswords } from '@/lib/account-limit';
import { ApiError } from '@/lib/api-error';
import { signApiToken, type TokenNames } from '@/lib/api-token';
import { query } from '@/lib/database-error';
import { db } from '@/lib/db';
import { eraseAccount } from '@/lib/erase-account';
import { log } from '@/lib/log';
import { serverApi } from '@/lib/server-api';

const PATH = '/delete-account';
const STEPS_SECONDS = 10 * 60;

/**
 * Better Auth plugin: `POST /delete-account` deletes the account in steps, of which the first one takes the password.
 * Each answers `{ deleted, more }`, with the number of tasks; while there is more, the client repeats it. Better Auth's
 * own deletion takes several statements, and a failure between them would leave a user who cannot sign in.
 */
export const deleteAccount = (names: TokenNames) =>
  ({
    id: 'delete-account',
    endpoints: {
      deleteAccount: createAuthEndpoint(PATH, { method: 'POST', requireHeaders: true }, async (ctx) => {
        const current = await getAuthoritativeSessionFromCtx(ctx);
        if (!current) {
          throw new APIError('UNAUTHORIZED', { code: 'UNAUTHORIZED', message: 'Unauthorized' });
        }
        const isFirst = await permit(ctx, current);
        const { id } = current.user;
        const issued = await signApiToken(ctx.context.secret, id, names);
        const api = serverApi(async () => issued);
        const { deleted, more } = await api.eraseAccount(id).catch(notErased);
        // The first step removes no user if it erased tasks, so that their number is told even if the removal fails.
        if (more || (isFirst && deleted > 0)) {
          return ctx.json({ deleted, more: true });
        }
        await query(() => db.execute(removal(id)));
        deleteSessionCookie(ctx);
        expireCookie(ctx, stepsCookie(ctx));
        ctx.setHeader('Cache-Control', 'no-store');
        // What another browser wrote meanwhile. If that fails, the page tries again with the user's last token.
        const last = await eraseAccount(api, id).then(() => null, () => issued);
        return ctx.json({ deleted, more: false, last });
      }),
    },
    // Steps take longer than this allows them to; the passwords have the account's limit.
    rateLimit: [{ pathMatcher: (path) => path === PATH, window: 10, max: 600 }],
  }) satisfies BetterAuthPlugin;

type Current = NonNullable<Awaited<ReturnType<typeof getAuthoritativeSessionFromCtx>>>;

const stepsCookie = (ctx: GenericEndpointContext) => ctx.context.createAuthCookie('delete_account', { maxAge: STEPS_SECONDS });

/**
 * Checks the password of a first step, then ends every other session and allows this one ten minutes of steps without
 * it. Returns whether this is a first step.
 */
async function permit(ctx: GenericEndpointContext, current: Current): Promise<boolean> {
  const { name, attributes } = stepsCookie(ctx);
  const password: unknown = ctx.body?.password;
  if (password === undefined) {
    const [sessionId, end] = ((await ctx.getSignedCookie(name, ctx.context.secret)) || '').split('.');
    if (sessionId === current.session.id && Date.now() < Number(end)) {
      return false;
    }
  }
  if (typeof password !== 'string') {
    throw new APIError('BAD_REQUEST', { code: 'INVALID_PASSWORD', message: 'Invalid password' });
  }
  const { id, email } = current.user;
  await countPassword(ctx, email);
  await ctx.context.password.checkPassword(id, ctx);
  await forgetPasswords(ctx, email);
  // None of them may add tasks.
  await query(() => db.delete(session).where(and(eq(session.userId, id), ne(session.id, current.session.id))));
  await ctx.setSignedCookie(name, `${current.session.id}.${Date.now() + STEPS_SECONDS * 1000}`, ctx.context.secret, attributes);
  return true;
}

function notErased(cause: unknown): never {
  log('warn', 'The tasks of an account were not erased', cause);
  throw new APIError('SERVICE_UNAVAILABLE', { code: 'TASKS_NOT_ERASED', message: ApiError.of(cause).detail }, { 'Retry-After': '5' });
}

/**
 * Removes a user, and by foreign keys their sessions and password, in one statement, so atomically. The lock timeout is
 * shorter than the app's own, or the server might remove the user after the app reported a failure.
 */
const removal = (id: string) => sql`
  WITH patience AS (SELECT set_config('lock_timeout', '5s', true) AS is_set),
    links AS (DELETE FROM ${verification} WHERE ${verification.value} = ${id})
  DELETE FROM ${user} WHERE ${user.id} = ${id} AND (SELECT is_set FROM patience) IS NOT NULL`;
