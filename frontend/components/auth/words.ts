/** Better Auth's error; after too many attempts, also the seconds to wait. Without a code, the message is ours. */
export interface Failure {
  code?: string;
  message?: string;
  retryAfter?: number;
}

interface Words {
  message: string;
  /** The names that the wrong field may have, in any of the forms. */
  fields: string[];
}

const CURRENT_PASSWORD = ['current', 'password'];
const NEW_PASSWORD = ['new', 'password'];

const INVALID_EMAIL: Words = { message: 'This is not an email address.', fields: ['email'] };
const TAKEN: Words = { message: 'This address already has an account.', fields: ['email'] };

const WORDS: Record<string, Words> = {
  INVALID_EMAIL,
  '[body.email]': INVALID_EMAIL,
  INVALID_EMAIL_OR_PASSWORD: { message: 'Invalid email or password.', fields: ['password'] },
  INVALID_PASSWORD: { message: 'Invalid password.', fields: CURRENT_PASSWORD },
  PASSWORD_TOO_SHORT: { message: 'The new password is too short.', fields: NEW_PASSWORD },
  USER_ALREADY_EXISTS: TAKEN,
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL: TAKEN,
};

/** Codes of our own server, whose messages are for people, with the names that the wrong field may have. */
const OURS: Record<string, string[]> = {
  '': [],
  DATABASE_UNAVAILABLE: [],
  INVALID_INPUT: [],
  INVALID_NAME: ['name'],
  PASSWORD_TOO_LONG: NEW_PASSWORD,
  SAME_PASSWORD: NEW_PASSWORD,
};

/** What a form says of an error, and where it may be. No text of a library is shown. */
export function wordsOf({ code = '', message = '' }: Failure): Words {
  // Better Auth names the field of a malformed body only in its message.
  const known = WORDS[code] ?? WORDS[/^\[body\.\w+\]/.exec(message)?.[0] ?? ''];
  const fields = message ? OURS[code] : undefined;
  return known ?? (fields ? { message, fields } : { message: 'That did not work. Please try again.', fields: [] });
}
