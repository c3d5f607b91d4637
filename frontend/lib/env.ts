import 'server-only';
import { findInvalidTrustedProxies } from '@better-auth/core/utils/ip';
import { connection } from '@/db/connection.mjs';
import { ADDRESS_HEADER } from '@/lib/client-address';
import { isSender, smtpOptions } from '@/lib/smtp';

/** Better Auth's published default outside production; with it, anybody can sign tokens. */
const PUBLISHED_DEFAULT = 'better-auth-secret-12345678901234567890';
const SECRET_BYTES = 32;

const read = (name: string) => process.env[name] || undefined;

const baseURL = read('BETTER_AUTH_URL') ?? 'http://localhost:3000';

/** The server's settings, with defaults for local use. */
export const env = {
  databaseURL: read('DATABASE_URL'),
  secret: read('BETTER_AUTH_SECRET'),
  baseURL,
  appURL: read('NEXT_PUBLIC_APP_URL'),
  jwtIssuer: read('JWT_ISSUER') ?? baseURL,
  jwtAudience: read('JWT_AUDIENCE') ?? 'task-api',
  clientIpHeader: read('CLIENT_IP_HEADER'),
  trustedProxies: (read('TRUSTED_PROXIES') ?? '').split(',').map((text) => text.trim()).filter(Boolean),
  smtpURL: read('SMTP_URL'),
  mailFrom: read('MAIL_FROM'),
  /** Whether an account can be used only after its address is confirmed. */
  requireVerification: read('REQUIRE_EMAIL_VERIFICATION') === 'true',
};

/** Whether this is the origin of `BETTER_AUTH_URL` or of `NEXT_PUBLIC_APP_URL`. */
export const isOwnOrigin = (origin: string | null) => [env.baseURL, env.appURL].some((url) => url && new URL(url).origin === origin);

/** The name and value of the current secret: the first of `BETTER_AUTH_SECRETS` signs, if there are several. */
export function signingSecret(): [name: string, value: string | undefined] {
  const rotating = read('BETTER_AUTH_SECRETS');
  return rotating
    ? ['the first secret of BETTER_AUTH_SECRETS', rotating.split(',')[0]?.split(':').slice(1).join(':').trim()]
    : ['BETTER_AUTH_SECRET', env.secret];
}

/** Ends the process with a list of all errors if the settings are missing or unsafe. */
export function requireSettings() {
  const found = faults();
  if (found.length > 0) {
    console.error(`The app cannot start:\n${found.map((fault) => `  - ${fault}`).join('\n')}`);
    process.exit(1);
  }
}

function faults(): string[] {
  const found: string[] = [];
  const [name, secret] = signingSecret();
  if (!secret) {
    found.push(`${name} is not set (make one with: openssl rand -base64 32)`);
  } else if (secret === PUBLISHED_DEFAULT) {
    found.push(`${name} is Better Auth's published default, which everybody knows`);
  } else if (new TextEncoder().encode(secret).length < SECRET_BYTES) {
    found.push(`${name} is shorter than ${SECRET_BYTES} bytes`);
  }
  if (!env.databaseURL) {
    found.push('DATABASE_URL is not set (postgres://user:password@host/database)');
  } else {
    found.push(...failure(() => connection(env.databaseURL ?? '')));
  }
  for (const [name, value] of [['BETTER_AUTH_URL', env.baseURL], ['NEXT_PUBLIC_APP_URL', env.appURL]] as const) {
    if (!value) {
      continue;
    }
    if (!URL.canParse(value)) {
      found.push(`${name} is not a URL`);
    } else if (process.env.NODE_ENV === 'production' && !isSafe(new URL(value))) {
      found.push(`${name} must begin with https:// unless it is on this machine: passwords and sessions would be readable on their way`);
    }
  }
  if (env.clientIpHeader && env.trustedProxies.length > 0) {
    found.push('CLIENT_IP_HEADER and TRUSTED_PROXIES are both set: set only the one for your host');
  }
  if (env.clientIpHeader && !/^[\w-]+$/.test(env.clientIpHeader)) {
    found.push('CLIENT_IP_HEADER is not the name of a header');
  }
  if (env.clientIpHeader?.toLowerCase() === ADDRESS_HEADER) {
    found.push(`CLIENT_IP_HEADER cannot be ${ADDRESS_HEADER}: the app overwrites it`);
  }
  // Better Auth would ignore them.
  for (const entry of findInvalidTrustedProxies(env.trustedProxies)) {
    found.push(`TRUSTED_PROXIES: "${entry}" is neither an address nor a network such as 10.0.0.0/16`);
  }
  found.push(...mailFaults());
  return found;
}

function mailFaults(): string[] {
  const found: string[] = [];
  const { smtpURL, mailFrom } = env;
  if (smtpURL) {
    found.push(...failure(() => smtpOptions(smtpURL)));
  }
  if (Boolean(smtpURL) !== Boolean(mailFrom)) {
    found.push(`${smtpURL ? 'MAIL_FROM' : 'SMTP_URL'} is not set: mails need both SMTP_URL and MAIL_FROM`);
  }
  if (mailFrom && !isSender(mailFrom)) {
    found.push('MAIL_FROM is not an address such as tasks@app.example or Tasks <tasks@app.example>');
  }
  if (!['true', 'false', undefined].includes(read('REQUIRE_EMAIL_VERIFICATION'))) {
    found.push('REQUIRE_EMAIL_VERIFICATION is neither true nor false');
  }
  if (env.requireVerification && !smtpURL && process.env.NODE_ENV === 'production') {
    found.push('REQUIRE_EMAIL_VERIFICATION needs SMTP_URL and MAIL_FROM: nobody could confirm an address');
  }
  return found;
}

/** The error message of an attempt, if it fails. */
function failure(attempt: () => unknown): string[] {
  try {
    attempt();
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** Whether traffic between a browser and this URL cannot be intercepted. */
const isSafe = ({ protocol, hostname }: URL) =>
  protocol === 'https:' || (protocol === 'http:' && /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname));
