import 'server-only';

/** Better Auth falls back to this published value outside production; a token signed with it is anybody's. */
const PUBLISHED_DEFAULT = 'better-auth-secret-12345678901234567890';
const SECRET_BYTES = 32;

const read = (name: string) => process.env[name] || undefined;

const baseURL = read('BETTER_AUTH_URL') ?? 'http://localhost:3000';

/** The server's settings, with the defaults of local use. */
export const env = {
  databaseURL: read('DATABASE_URL'),
  secret: read('BETTER_AUTH_SECRET'),
  baseURL,
  appURL: read('NEXT_PUBLIC_APP_URL'),
  jwtIssuer: read('JWT_ISSUER') ?? baseURL,
  jwtAudience: read('JWT_AUDIENCE') ?? 'task-api',
};

/** What the current secret is called, and its value: the first of `BETTER_AUTH_SECRETS` signs where there are several. */
function signingSecret(): [name: string, value: string | undefined] {
  const rotating = read('BETTER_AUTH_SECRETS');
  return rotating
    ? ['the first secret of BETTER_AUTH_SECRETS', rotating.split(',')[0]?.split(':').slice(1).join(':').trim()]
    : ['BETTER_AUTH_SECRET', env.secret];
}

/** Ends the process, and names every fault, where the settings are not good enough to answer a single request. */
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
  }
  for (const [url, value] of [['BETTER_AUTH_URL', env.baseURL], ['NEXT_PUBLIC_APP_URL', env.appURL]] as const) {
    if (value && !URL.canParse(value)) {
      found.push(`${url} is not a URL`);
    }
  }
  return found;
}
