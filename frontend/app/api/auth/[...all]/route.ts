import { ADDRESS_HEADER, auth } from '@/lib/auth';
import { clientAddress } from '@/lib/client-address';
import { watch } from '@/lib/database-error';
import { addressSource, env } from '@/lib/env';
import { evenTime } from '@/lib/even-time';
import { log } from '@/lib/log';
import { socketAddress } from '@/lib/socket-address';

const BASE = '/api/auth';
/**
 * The endpoints of Better Auth that the app uses. Those with a parameter, which check a mail's link in advance or serve
 * other account providers, are left out.
 */
const endpoints = new Set(
  Object.values(auth.api).flatMap(({ path, options }) =>
    path && !path.includes(':') ? [options.method].flat().map((method) => `${method} ${BASE}${path}`) : [],
  ),
);
const source = addressSource();
/**
 * The endpoints whose duration must not tell whether an address has an account. A sign-up tells it anyway unless
 * addresses must be confirmed.
 */
const EVEN = new Set(['sign-in/email', 'request-password-reset', 'send-verification-email', ...(env.requireVerification ? ['sign-up/email'] : [])]);

async function answer(request: Request): Promise<Response> {
  // Checked before Better Auth, whose rate limiter writes a row for each new path.
  const { pathname } = new URL(request.url);
  if (!endpoints.has(`${request.method} ${pathname}`)) {
    return failure(404, 'NOT_FOUND', 'There is no such endpoint.');
  }
  const headers = new Headers(request.headers);
  headers.delete(ADDRESS_HEADER);
  const address = clientAddress(headers, socketAddress(), source);
  if (address) {
    headers.set(ADDRESS_HEADER, address);
  }
  const handle = () => watch(() => auth.handler(new Request(request, { headers })));
  const { result, error, failure: database } = await (EVEN.has(pathname.slice(BASE.length + 1)) ? evenTime(handle, isTelling) : handle());
  if (database) {
    log('error', 'A request failed', database);
    return failure(503, 'DATABASE_UNAVAILABLE', 'The database does not answer. Please try again in a moment.', { 'Retry-After': '5' });
  }
  if (result) {
    return result.status === 429 ? tooMany(result) : result;
  }
  log('error', 'A request failed', error);
  return failure(500, 'INTERNAL_SERVER_ERROR', 'Something went wrong.');
}

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
