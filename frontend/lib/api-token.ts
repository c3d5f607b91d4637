import type { BetterAuthPlugin } from 'better-auth';
import { APIError, createAuthEndpoint, getAuthoritativeSessionFromCtx } from 'better-auth/api';
import { SignJWT } from 'jose';

const PATH = '/api-token';
const LIFETIME_SECONDS = 10 * 60;

/** The token's `iss` and `aud`. */
export interface TokenNames {
  issuer: string;
  audience: string;
}

/** Signs a token for the user with this id. */
export async function signApiToken(secret: string, userId: string, { issuer, audience }: TokenNames) {
  const issuedAt = Math.floor(Date.now() / 1000);
  const expiresAt = issuedAt + LIFETIME_SECONDS;
  // No e-mail address: Better Auth's verification links are JWTs with this key that identify the user by it.
  const token = await new SignJWT()
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(userId)
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt(issuedAt)
    .setExpirationTime(expiresAt)
    .sign(new TextEncoder().encode(secret));
  return { token, expiresAt: new Date(expiresAt * 1000) };
}

/**
 * Better Auth plugin: `GET /api-token` returns a bearer token for another service that knows the secret, as `{ token,
 * expiresAt }`. The token is an HS256 JWT, signed with the raw bytes of the current secret.
 */
export const apiToken = (names: TokenNames) =>
  ({
    id: 'api-token',
    endpoints: {
      getApiToken: createAuthEndpoint(PATH, { method: 'GET', requireHeaders: true }, async (ctx) => {
        // From the database, so a signed-out browser's cookie cache gets no token; and not in a middleware, which would
        // lose the first of an extended session's two cookies.
        const session = await getAuthoritativeSessionFromCtx(ctx);
        if (!session) {
          throw new APIError('UNAUTHORIZED', { code: 'UNAUTHORIZED', message: 'Unauthorized' });
        }
        const issued = await signApiToken(ctx.context.secret, session.user.id, names);
        ctx.setHeader('Cache-Control', 'no-store');
        return ctx.json(issued);
      }),
    },
    // A short window: Better Auth restarts it with each request, so a longer one would eventually refuse an active tab.
    rateLimit: [{ pathMatcher: (path) => path === PATH, window: 10, max: 30 }],
  }) satisfies BetterAuthPlugin;
