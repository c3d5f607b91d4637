import 'server-only';
import { betterAuth, type BetterAuthOptions } from 'better-auth';
import { drizzleAdapter } from 'better-auth/adapters/drizzle';
import { nextCookies } from 'better-auth/next-js';
import { account, rateLimit, session, user, verification } from '@/db/schema';
import { accountLimit } from '@/lib/account-limit';
import { mailExistingAccount, mailPasswordReset, mailVerification } from '@/lib/account-mails';
import { apiToken } from '@/lib/api-token';
import { quiet } from '@/lib/database-error';
import { db } from '@/lib/db';
import { deleteAccount } from '@/lib/delete-account';
import { env } from '@/lib/env';
import { log } from '@/lib/log';
import { mailIsOffered } from '@/lib/mail';
import { forgetResets } from '@/lib/password-resets';

/** The header with the client's address for Better Auth; the route overwrites what a client sent. */
export const ADDRESS_HEADER = 'x-client-address';

const adapter = drizzleAdapter(db, { provider: 'pg', schema: { user, session, account, verification, rateLimit } });

// By the URL rather than NODE_ENV: a production build on http://localhost could not keep a session otherwise.
const secure = env.baseURL.startsWith('https://');
const tokenNames = { issuer: env.jwtIssuer, audience: env.jwtAudience };
const requireEmailVerification = env.requireVerification;

export const auth = betterAuth({
  database: (options: BetterAuthOptions) => quiet(adapter(options)),
  emailAndPassword: {
    enabled: true,
    requireEmailVerification,
    revokeSessionsOnPasswordReset: true,
    ...(mailIsOffered && {
      sendResetPassword: async ({ user, token }) => mailPasswordReset(user.email, token),
      onPasswordReset: ({ user }) => forgetResets(user.id),
    }),
    onExistingUserSignUp: async ({ user }) => mailExistingAccount(user.email),
  },
  ...(requireEmailVerification && {
    emailVerification: {
      sendOnSignUp: true,
      sendOnSignIn: true,
      sendVerificationEmail: async ({ user, token }) => mailVerification(user.email, token),
    },
  }),
  session: {
    expiresIn: 60 * 60 * 24 * 7,
    updateAge: 60 * 60 * 24,
    cookieCache: { enabled: true, maxAge: 60 * 5 },
  },
  // BETTER_AUTH_SECRETS, which Better Auth reads itself, has priority.
  secret: env.secret,
  baseURL: env.baseURL,
  rateLimit: { storage: 'database' },
  logger: { log: (level, message, ...details) => log(level, String(message), message, ...details) },
  // Errors go to the route, which logs them safely; the router would print them unchanged.
  onAPIError: { throw: true },
  advanced: {
    ipAddress: { ipAddressHeaders: [ADDRESS_HEADER] },
    useSecureCookies: secure,
    cookiePrefix: 'better-auth',
    defaultCookieAttributes: { sameSite: 'lax', httpOnly: true, secure, path: '/' },
  },
  trustedOrigins: env.appURL ? [env.appURL] : [],
  telemetry: { enabled: false },
  plugins: [
    accountLimit(),
    apiToken(tokenNames),
    deleteAccount(tokenNames),
    // Last, so that it sees the cookies of every other plugin.
    nextCookies(),
  ],
});
