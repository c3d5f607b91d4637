import 'server-only';
import { betterAuth, type BetterAuthOptions } from 'better-auth';
import { drizzleAdapter } from 'better-auth/adapters/drizzle';
import { createAuthMiddleware, setShouldSkipSessionRefresh } from 'better-auth/api';
import { nextCookies } from 'better-auth/next-js';
import { account, rateLimit, session, user, verification } from '@/db/schema';
import { accountLimit } from '@/lib/account-limit';
import { mailExistingAccount, mailPasswordReset, mailVerification } from '@/lib/account-mails';
import { apiToken } from '@/lib/api-token';
import { ADDRESS_HEADER } from '@/lib/client-address';
import { quiet } from '@/lib/database-error';
import { db } from '@/lib/db';
import { deleteAccount } from '@/lib/delete-account';
import { env } from '@/lib/env';
import { log } from '@/lib/log';
import { mailIsOffered } from '@/lib/mail';
import { mailLimit } from '@/lib/mail-limit';
import { newPassword } from '@/lib/new-password';
import { forgetResets } from '@/lib/password-resets';

const adapter = drizzleAdapter(db, { provider: 'pg', schema: { user, session, account, verification, rateLimit } });

// By the URL rather than NODE_ENV: a production build on http://localhost could not keep a session otherwise.
const secure = env.baseURL.startsWith('https://');
const tokenNames = { issuer: env.jwtIssuer, audience: env.jwtAudience };
const requireEmailVerification = env.requireVerification;

/**
 * The endpoints that extend a session. The others read it in a middleware, from which Better Auth sends only the last
 * cookie: the row would outlive `session_token`.
 */
const EXTENDING = ['/get-session', '/api-token'];

export const auth = betterAuth({
  database: (options: BetterAuthOptions) => quiet(adapter(options)),
  emailAndPassword: {
    enabled: true,
    requireEmailVerification,
    revokeSessionsOnPasswordReset: true,
    ...(mailIsOffered && {
      sendResetPassword: ({ user, token }, request) => mailPasswordReset(user.email, token, request),
    }),
    onPasswordReset: ({ user }) => forgetResets(user.id),
    onExistingUserSignUp: ({ user }, request) => mailExistingAccount(user.email, request),
  },
  ...(requireEmailVerification && {
    emailVerification: {
      sendOnSignUp: true,
      sendOnSignIn: true,
      sendVerificationEmail: ({ user, token }, request) => mailVerification(user.email, token, request),
    },
  }),
  session: {
    expiresIn: 60 * 60 * 24 * 7,
    updateAge: 60 * 60 * 24,
    cookieCache: { enabled: true, maxAge: 60 * 5 },
  },
  hooks: {
    before: createAuthMiddleware(async (ctx) => {
      if (!EXTENDING.includes(ctx.path)) {
        await setShouldSkipSessionRefresh(true);
      }
      if (ctx.path === '/change-password') {
        return { context: { body: { revokeOtherSessions: true } } };
      }
    }),
  },
  databaseHooks: {
    account: {
      update: {
        // Before the new password is stored: a link must not outlive it if the database fails in between.
        before: async ({ password }, ctx) => {
          if (password && ctx?.context.session) {
            await forgetResets(ctx.context.session.user.id);
          }
        },
      },
    },
  },
  // BETTER_AUTH_SECRETS, which Better Auth reads itself, has priority.
  secret: env.secret,
  baseURL: env.baseURL,
  rateLimit: { storage: 'database' },
  logger: { log: (level, message, ...details) => log(level, String(message), message, ...details) },
  // Errors go to the route, which logs them safely; the router would print them unchanged.
  onAPIError: { throw: true },
  advanced: {
    ipAddress: { ipAddressHeaders: [ADDRESS_HEADER], trustedProxies: env.trustedProxies },
    useSecureCookies: secure,
    cookiePrefix: 'better-auth',
    defaultCookieAttributes: { sameSite: 'lax', httpOnly: true, secure, path: '/' },
  },
  trustedOrigins: env.appURL ? [env.appURL] : [],
  telemetry: { enabled: false },
  plugins: [
    accountLimit(),
    mailLimit(),
    newPassword(),
    apiToken(tokenNames),
    deleteAccount(tokenNames),
    // Last, so that it sees the cookies of every other plugin.
    nextCookies(),
  ],
});

/** The session of a request, if the database still has it; not extended, since a page cannot set the cookie. */
export const storedSession = (headers: Headers) =>
  auth.api.getSession({ headers, query: { disableCookieCache: true, disableRefresh: true } });
