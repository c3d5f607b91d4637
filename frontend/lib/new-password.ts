import type { BetterAuthPlugin } from 'better-auth';
import { APIError, createAuthMiddleware } from 'better-auth/api';

export const SAME_PASSWORD = { code: 'SAME_PASSWORD', message: 'The new password is the same as the current one.' };

/** Better Auth plugin: a link from a mail does not set the password that the account has, which others may know. */
export const newPassword = () =>
  ({
    id: 'new-password',
    hooks: {
      before: [
        {
          matcher: ({ path }) => path === '/reset-password',
          handler: createAuthMiddleware(async ({ body, query, context: { internalAdapter, password } }) => {
            // An invalid link is refused by the endpoint.
            const link = await internalAdapter.findVerificationValue(`reset-password:${body?.token || query?.token}`);
            const account = link && link.expiresAt > new Date() ? await internalAdapter.findCredentialAccount(link.value) : null;
            if (account?.password && (await password.verify({ hash: account.password, password: String(body.newPassword) }))) {
              throw new APIError('BAD_REQUEST', SAME_PASSWORD);
            }
          }),
        },
      ],
    },
  }) satisfies BetterAuthPlugin;
