import { ADDRESS_HEADER, auth } from '@/lib/auth';
import { clientAddress } from '@/lib/client-address';
import { watch } from '@/lib/database-error';
import { addressSource } from '@/lib/env';
import { log } from '@/lib/log';
import { socketAddress } from '@/lib/socket-address';

const BASE = '/api/auth';
/** What Better Auth answers. Those with a parameter are for mails and other services' accounts, which the app does not use. */
const endpoints = new Set(
  Object.values(auth.api).flatMap(({ path, options }) =>
    path && !path.includes(':') ? [options.method].flat().map((method) => `${method} ${BASE}${path}`) : [],
  ),
);
const source = addressSource();

async function answer(request: Request): Promise<Response> {
  // Before Better Auth, whose rate limiter writes a row for each path that it has not seen.
  if (!endpoints.has(`${request.method} ${new URL(request.url).pathname}`)) {
    return failure(404, 'NOT_FOUND', 'There is no such endpoint.');
  }
  const headers = new Headers(request.headers);
  headers.delete(ADDRESS_HEADER);
  const address = clientAddress(headers, socketAddress(), source);
  if (address) {
    headers.set(ADDRESS_HEADER, address);
  }
  const { result, error, failure: database } = await watch(() => auth.handler(new Request(request, { headers })));
  if (database) {
    log('error', 'A request failed', database);
    return failure(503, 'DATABASE_UNAVAILABLE', 'The database does not answer. Please try again in a moment.', { 'Retry-After': '5' });
  }
  if (result) {
    return result;
  }
  log('error', 'A request failed', error);
  return failure(500, 'INTERNAL_SERVER_ERROR', 'Something went wrong.');
}

/** A failure as Better Auth's clients read it. */
function failure(status: number, code: string, message: string, headers: Record<string, string> = {}): Response {
  return Response.json({ code, message }, { status, headers: { 'Cache-Control': 'no-store', ...headers } });
}

export { answer as GET, answer as POST };
