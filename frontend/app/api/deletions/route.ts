import { deleteLeft, type LeftDeletions } from '@/components/tasks/left-deletions';
import { auth, storedSession } from '@/lib/auth';
import { watch } from '@/lib/database-error';
import { isOwnOrigin } from '@/lib/env';
import { log } from '@/lib/log';
import { serverApi } from '@/lib/server-api';

const answer = (status: number, headers = {}) => new Response(null, { status, headers: { 'Cache-Control': 'no-store', ...headers } });

/** Deletes what waited for an undo when its page closed, as the user of the session. */
export async function POST(request: Request): Promise<Response> {
  const { headers } = request;
  // A browser names the page's origin, so no other site can use the session.
  if (!isOwnOrigin(headers.get('Origin'))) {
    return answer(403);
  }
  const { result: session, error, failure } = await watch(() => storedSession(headers));
  if (failure || error) {
    log('error', 'A request failed', failure ?? error);
    return answer(503, { 'Retry-After': '5' });
  }
  if (!session) {
    return answer(401);
  }
  const left = leftOf(await request.json().catch(() => null));
  if (!left) {
    return answer(422);
  }
  await deleteLeft(serverApi(() => auth.api.getApiToken({ headers, query: { disableRefresh: true } })), session.user.id, left);
  return answer(204);
}

/** The API checks the values, and whose they are; null if this is nothing that a page sends. */
function leftOf(body: LeftDeletions | null): LeftDeletions | null {
  const isList = (value: unknown, fits: (item: unknown) => boolean) => Array.isArray(value) && value.every(fits);
  const isTask = (task: unknown) => Number.isSafeInteger((task as { id?: unknown } | null)?.id);
  const { deletions, clearing } = body ?? {};
  const fits = isList(deletions, isTask) && (clearing === null || (typeof clearing?.until === 'string' && isList(clearing.also, Number.isSafeInteger)));
  return fits ? body : null;
}
