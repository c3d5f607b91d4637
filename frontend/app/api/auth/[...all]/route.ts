import { ADDRESS_HEADER, auth } from '@/lib/auth';
import { clientAddress } from '@/lib/client-address';
import { watch } from '@/lib/database-error';
import { addressSource, env } from '@/lib/env';
import { evenTime } from '@/lib/even-time';
import { log } from '@/lib/log';
import { socketAddress } from '@/lib/socket-address';

const BASE = '/api/auth';
/** What Better Auth answers. Those with a parameter look at a mail's link in advance, or are for other services' accounts: the app uses neither. */
const endpoints = new Set(
  Object.values(auth.api).flatMap(({ path, options }) =>
    path && !path.includes(':') ? [options.method].flat().map((method) => `${method} ${BASE}${path}`) : [],
  ),
);
const source = addressSource();
/** What must not tell by its time whether an address has an account; a sign-up tells it anyway unless addresses are confirmed. */
const EVEN = new Set(['sign-in/email', 'request-password-reset', 'send-verification-email', ...(env.requireVerification ? ['sign-up/email'] : [])]);

async function answer(request: Request): Promise<Response> {
  // Before Better Auth, whose rate limiter writes a row for each path that it has not seen.
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

/** Whether an answer may depend on an account. A sign-in that succeeds hides nothing, and too many tries are counted by what was sent. */
const isTelling = ({ result }: { result?: Response }) => result !== undefined && result.status !== 429 && !result.headers.has('Set-Cookie');

/** Better Auth says in a header of its own when the next try may come; this says it in the standard one, and where its client reads it. */
function tooMany(refusal: Response): Response {
  const seconds = refusal.headers.get('X-Retry-After') ?? '10';
  const headers = { 'Retry-After': seconds, 'X-Retry-After': seconds };
  return failure(429, 'TOO_MANY_ATTEMPTS', 'Too many attempts. Please try again later.', headers, { retryAfter: Number(seconds) });
}

/** A failure as Better Auth's clients read it. */
function failure(status: number, code: string, message: string, headers: Record<string, string> = {}, more: object = {}): Response {
  return Response.json({ code, message, ...more }, { status, headers: { 'Cache-Control': 'no-store', ...headers } });
}

export { answer as GET, answer as POST };
