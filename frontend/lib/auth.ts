import 'server-only';
import { betterAuth } from 'better-auth';
import { drizzleAdapter } from 'better-auth/adapters/drizzle';
import { nextCookies } from 'better-auth/next-js';
import { account, rateLimit, session, user, verification } from '@/db/schema';
import { apiToken } from '@/lib/api-token';
import { db } from '@/lib/db';
import { env } from '@/lib/env';

// By the URL rather than NODE_ENV: a production build on http://localhost could not keep a session otherwise.
const secure = env.baseURL.startsWith('https://');

export const auth = betterAuth({
  database: drizzleAdapter(db, { provider: 'pg', schema: { user, session, account, verification, rateLimit } }),
  emailAndPassword: { enabled: true, requireEmailVerification: false },
  session: {
    expiresIn: 60 * 60 * 24 * 7,
    updateAge: 60 * 60 * 24,
    cookieCache: { enabled: true, maxAge: 60 * 5 },
  },
  // BETTER_AUTH_SECRETS, which Better Auth reads by itself, comes before it.
  secret: env.secret,
  baseURL: env.baseURL,
  rateLimit: { storage: 'database' },
  advanced: {
    useSecureCookies: secure,
    cookiePrefix: 'better-auth',
    defaultCookieAttributes: { sameSite: 'lax', httpOnly: true, secure, path: '/' },
  },
  trustedOrigins: env.appURL ? [env.appURL] : [],
  telemetry: { enabled: false },
  plugins: [
    apiToken({ issuer: env.jwtIssuer, audience: env.jwtAudience }),
    // Last, so that it sees the cookies of every other plugin.
    nextCookies(),
  ],
});
