import { ApiError } from '@/lib/api-error';
import type { components } from '@/lib/api-types';
import { API_URL } from '@/lib/api-url';

type Cleared = components['schemas']['Cleared'];

const CALL_MS = 10_000;

/**
 * Erases all that the API keeps of a user, call by call, and tells how many tasks each call erased. Safe to repeat: a call that
 * fails in the middle leaves what it did.
 */
export async function eraseTasks(userId: string, token: () => Promise<string>, onErased: (tasks: number) => void) {
  for (let more = true; more; ) {
    const cleared = await clear(userId, await token());
    onErased(cleared.deleted);
    more = cleared.more;
  }
}

async function clear(userId: string, token: string): Promise<Cleared> {
  try {
    const response = await fetch(`${API_URL}/api/${encodeURIComponent(userId)}/tasks?all=true`, {
      method: 'DELETE',
      headers: { Authorization: `Bearer ${token}` },
      credentials: 'omit',
      // The last one outlives a page that is closed.
      keepalive: true,
      signal: AbortSignal.timeout(CALL_MS),
    });
    if (!response.ok) {
      throw await ApiError.from(response);
    }
    return await response.json();
  } catch (cause) {
    const isLate = cause instanceof DOMException && cause.name === 'TimeoutError';
    throw isLate ? new ApiError(0, 'unreachable', 'The task service does not answer in time.') : ApiError.of(cause);
  }
}
