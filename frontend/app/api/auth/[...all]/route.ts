import { auth } from '@/lib/auth';
import { checked, InputError } from '@/lib/auth-input';
import { ADDRESS_HEADER, addressChain } from '@/lib/client-address';
import { DatabaseError, watch } from '@/lib/database-error';
import { env, isOwnOrigin } from '@/lib/env';
import { evenTime } from '@/lib/even-time';
import { log } from '@/lib/log';
import { socketAddress } from '@/lib/socket-address';

const BASE = '/api/auth/';
/** The endpoints that answer: what the app calls, and nothing else of Better Auth. */
const ENDPOINTS = new Set([
  'POST sign-up/email',
  'POST sign-in/email',
  'POST sign-out',
  'GET get-session',
  'POST update-user',
  'POST change-password',
  'POST revoke-sessions',
  'POST request-password-reset',
  'POST reset-password',
  'POST send-verification-email',
  'GET verify-email',
  'GET ok',
  'GET api-token',
  'POST delete-account',
]);
const MAX_USER_AGENT = 256;
/**
 * The endpoints whose duration must not tell whether an address has an account. A sign-up tells it anyway unless
 * addresses must be confirmed.
 */
const EVEN = new Set(['sign-in/email', 'request-password-reset', 'send-verification-email', ...(env.requireVerification ? ['sign-up/email'] : [])]);

async function answer(request: Request): Promise<Response> {
  // Checked before Better Auth, whose rate limiter writes a row for each new path.
  const { pathname } = new URL(request.url);
  const endpoint = pathname.slice(BASE.length);
  if (!ENDPOINTS.has(`${request.method} ${endpoint}`)) {
    return failure(404, 'NOT_FOUND', 'There is no such endpoint.');
  }
  const headers = new Headers(request.headers);
  headers.set(ADDRESS_HEADER, addressChain(headers, socketAddress(), env));
  const cookie = headers.get('Cookie');
  if (cookie) {
    headers.set('Cookie', withoutCache(cookie));
  }
  // A session stores it, also in its cookies.
  headers.set('User-Agent', headers.get('User-Agent')?.slice(0, MAX_USER_AGENT) ?? '');
  const input = await checked(request, headers).catch((error: unknown) => error);
  if (!(input instanceof Request)) {
    return refusal(input);
  }
  const handle = () => watch(() => auth.handler(input));
  const { result, error, failure: database } = await (EVEN.has(endpoint) ? evenTime(handle, isTelling) : handle());
  if (database) {
    log('error', 'A request failed', database);
    return failure(503, 'DATABASE_UNAVAILABLE', 'The database does not answer. Please try again in a moment.', { 'Retry-After': '5' });
  }
  if (result) {
    const location = result.headers.get('Location');
    if (location !== null && !staysHere(location)) {
      return failure(403, 'INVALID_CALLBACK_URL', 'The link leads to another site.');
    }
    return result.status === 429 ? tooMany(result) : result;
  }
  return refusal(error);
}

/** The answer to what failed before Better Auth could answer. */
function refusal(error: unknown): Response {
  if (error instanceof InputError) {
    return failure(error.status, error.code, error.message);
  }
  log('error', 'A request failed', error);
  return error instanceof DatabaseError
    ? failure(400, 'INVALID_INPUT', 'The database cannot store this.')
    : failure(500, 'INTERNAL_SERVER_ERROR', 'Something went wrong.');
}

/** Whether a browser that follows this `Location` stays with the app, also after others have written it in another way. */
function staysHere(location: string): boolean {
  if (!URL.canParse(location, env.baseURL)) {
    return false;
  }
  const { origin, pathname } = new URL(location, env.baseURL);
  return isOwnOrigin(origin) && !pathname.startsWith('//');
}

/** The cookies without the cached session: it may show a page, but an endpoint reads the session from the database. */
const withoutCache = (cookie: string) => cookie.split(';').filter((part) => !part.split('=', 1)[0]?.includes('session_data')).join(';');

/**
 * Whether an answer may depend on an account. A successful sign-in hides nothing, and a rate limit depends only on the
 * request.
 */
const isTelling = ({ result }: { result?: Response }) => result !== undefined && result.status !== 429 && !result.headers.has('Set-Cookie');

/**
 * Better Auth sends the wait only in its own header; this also sets the standard one, and the member that its client
 * reads.
 */
function tooMany(refusal: Response): Response {
  const seconds = refusal.headers.get('X-Retry-After') ?? '10';
  const headers = { 'Retry-After': seconds, 'X-Retry-After': seconds };
  return failure(429, 'TOO_MANY_ATTEMPTS', 'Too many attempts. Please try again later.', headers, { retryAfter: Number(seconds) });
}

/** A failure in the format of Better Auth's clients. */
function failure(status: number, code: string, message: string, headers: Record<string, string> = {}, more: object = {}): Response {
  return Response.json({ code, message, ...more }, { status, headers: { 'Cache-Control': 'no-store', ...headers } });
}

export { answer as GET, answer as POST };
