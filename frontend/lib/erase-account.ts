import type { ApiClient } from '@/lib/api-client';

/** Erases all of a user's data in the API. Safe to repeat after a failure. */
export async function eraseAccount(api: ApiClient, userId: string) {
  for (let more = true; more; ) {
    // In a browser, the last call continues if the page is closed.
    ({ more } = await api.eraseAccount(userId, { keepalive: true }));
  }
}
