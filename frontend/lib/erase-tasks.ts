import type { ApiClient } from '@/lib/api-client';

/**
 * Erases all that the API keeps of a user, call by call, and tells how many tasks each call erased. Safe to repeat: a call that
 * fails in the middle leaves what it did.
 */
export async function eraseTasks(api: ApiClient, userId: string, onErased: (tasks: number) => void) {
  for (let more = true; more; ) {
    // The last one outlives a page that is closed.
    const cleared = await api.clearTasks(userId, { all: true }, { keepalive: true });
    onErased(cleared.deleted);
    more = cleared.more;
  }
}
