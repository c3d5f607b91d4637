import 'server-only';
import { env } from '@/lib/env';
import { type Mail, sendLater } from '@/lib/mail';
import { mayMail } from '@/lib/mail-limit';

// No mail contains a name: somebody who signs up with another person's address could choose its text.

/**
 * The link of a forgotten password. Its token is behind the `#`, which browsers do not send, so it is in no log and no
 * Referer.
 */
export function mailPasswordReset(to: string, token: string, request?: Request) {
  return send(request, {
    to,
    subject: 'Choose a new password',
    text: `Hello,

somebody, hopefully you, asked for a new password for your account at ${env.baseURL}.
Choose it here, within an hour:

${env.baseURL}/reset-password#${token}

If it was not you, there is nothing to do: your password stays as it is.
`,
  });
}

/** The link that confirms an address; the client cannot choose where it leads. */
export function mailVerification(to: string, token: string, request?: Request) {
  return send(request, {
    to,
    subject: 'Confirm your address',
    text: `Hello,

somebody, hopefully you, made an account at ${env.baseURL} with this address.
Confirm it here, within an hour:

${env.baseURL}/api/auth/verify-email?token=${token}&callbackURL=${encodeURIComponent('/login?verified')}

If it was not you, there is nothing to do: without this link nobody can sign in to that account.
`,
  });
}

/**
 * The mail to an account's owner when somebody signs up with its address; that person learns nothing of the account.
 */
export function mailExistingAccount(to: string, request?: Request) {
  return send(request, {
    to,
    subject: 'You have an account already',
    text: `Hello,

somebody, hopefully you, tried to make an account at ${env.baseURL} with this address, and there is one already.
Sign in to it: ${env.baseURL}/login
Or choose a new password: ${env.baseURL}/forgot-password

If it was not you, there is nothing to do.
`,
  });
}

/** Sends a mail that a request caused, unless its address got too many. */
async function send(request: Request | undefined, mail: Mail) {
  if (await mayMail(mail.to, request)) {
    sendLater(mail);
  }
}
