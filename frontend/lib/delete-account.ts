import type { BetterAuthPlugin, GenericEndpointContext } from 'better-auth';
import { APIError, createAuthEndpoint, sensitiveSessionMiddleware } from 'better-auth/api';
import { deleteSessionCookie } from 'better-auth/cookies';
import { and, eq, ne, sql } from 'drizzle-orm';
import { session, user, verification } from '@/db/schema';
import { signApiToken, type TokenNames } from '@/lib/api-token';
import { query } from '@/lib/database-error';
import { db } from '@/lib/db';

const PATH = '/delete-account';
const options = { method: 'POST' as const, requireHeaders: true, use: [sensitiveSessionMiddleware] };

/**
 * Better Auth plugin: the server's part of an account's deletion; the page erases the tasks through the API. Both steps
 * require the password. Better Auth's own deletion takes several statements, and a failure between them would leave a
 * user who cannot sign in.
 */
export const deleteAccount = (names: TokenNames) =>
  ({
    id: 'delete-account',
    endpoints: {
      /** Before the tasks are erased: ends every other session, so that none adds tasks. */
      prepareAccountDeletion: createAuthEndpoint(`${PATH}/prepare`, options, async (ctx) => {
        const current = ctx.context.session;
        await checkPassword(ctx, current.user.id);
        const others = and(eq(session.userId, current.user.id), ne(session.id, current.session.id));
        await query(() => db.delete(session).where(others));
        return ctx.json({ status: true });
      }),
      /** After the tasks are erased: removes the user, and returns a token to erase what was written meanwhile. */
      finishAccountDeletion: createAuthEndpoint(`${PATH}/finish`, options, async (ctx) => {
        const { id } = ctx.context.session.user;
        await checkPassword(ctx, id);
        const issued = await signApiToken(ctx.context.secret, id, names);
        await query(() => db.execute(removal(id)));
        deleteSessionCookie(ctx);
        ctx.setHeader('Cache-Control', 'no-store');
        return ctx.json(issued);
      }),
    },
    // The same limit as for a change of password.
    rateLimit: [{ pathMatcher: (path) => path.startsWith(`${PATH}/`), window: 10, max: 3 }],
  }) satisfies BetterAuthPlugin;

/**
 * Removes a user, and by foreign keys their sessions and password, in one statement, so atomically. The lock timeout is
 * shorter than the app's own, or the server might remove the user after the app reported a failure.
 */
const removal = (id: string) => sql`
  WITH patience AS (SELECT set_config('lock_timeout', '5s', true) AS is_set),
    links AS (DELETE FROM ${verification} WHERE ${verification.value} = ${id})
  DELETE FROM ${user} WHERE ${user.id} = ${id} AND (SELECT is_set FROM patience) IS NOT NULL`;

async function checkPassword(ctx: GenericEndpointContext, userId: string) {
  if (typeof ctx.body?.password !== 'string') {
    throw new APIError('BAD_REQUEST', { code: 'INVALID_PASSWORD', message: 'Invalid password' });
  }
  await ctx.context.password.checkPassword(userId, ctx);
}
