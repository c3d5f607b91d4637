import type { ApiClient } from '@/lib/api-client';

/**
 * Erases all of a user's data in the API, and reports the number of tasks after each call. Safe to repeat after a
 * failure.
 */
export async function eraseTasks(api: ApiClient, userId: string, onErased: (tasks: number) => void) {
  for (let more = true; more; ) {
    // The last call continues if the page is closed.
    const cleared = await api.clearTasks(userId, { all: true }, { keepalive: true });
    onErased(cleared.deleted);
    more = cleared.more;
  }
}
