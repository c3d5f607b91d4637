import 'server-only';
import type { BetterAuthPlugin } from 'better-auth';
import { createAuthMiddleware } from 'better-auth/api';
import { addressHash, countAttempt } from '@/lib/attempts';
import { signingSecret } from '@/lib/env';

const LIMIT = { max: 5, seconds: 60 * 60 };
/** The endpoints that mail only to an account. */
const ASKING = ['/request-password-reset', '/send-verification-email'];

const counted = new WeakMap<Request, boolean>();

/** Better Auth plugin: counts who asks for a mail by the address, so that the counts do not tell which have an account. */
export const mailLimit = () =>
  ({
    id: 'mail-limit',
    hooks: {
      before: [
        {
          matcher: ({ path }) => ASKING.includes(path ?? ''),
          handler: createAuthMiddleware(async (ctx) => {
            const email: unknown = ctx.body?.email;
            if (ctx.request && typeof email === 'string') {
              counted.set(ctx.request, await count(email));
            }
          }),
        },
      ],
    },
    // As in account-limit.ts.
    rateLimit: [{ pathMatcher: () => false, window: LIMIT.seconds, max: LIMIT.max }],
  }) satisfies BetterAuthPlugin;

/** Whether a mail that a request causes may be sent to this address; counts it, unless the request was counted. */
export async function mayMail(email: string, request: Request | undefined): Promise<boolean> {
  return (request && counted.get(request)) ?? (await count(email));
}

async function count(email: string): Promise<boolean> {
  const [, secret = ''] = signingSecret();
  return (await countAttempt(`mail|${addressHash(secret, 'mail-limit', email)}`, LIMIT)) === 0;
}
