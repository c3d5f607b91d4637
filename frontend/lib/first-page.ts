import 'server-only';
import { headers } from 'next/headers';
import { type Filter, firstQuery } from '@/components/tasks/filter';
import { ApiClient, type TaskPage } from '@/lib/api-client';
import { ApiError } from '@/lib/api-error';
import { API_URL } from '@/lib/api-url';
import { auth } from '@/lib/auth';
import { CallWatch } from '@/lib/call-watch';
import { within } from '@/lib/time-limit';

const PATIENCE_MS = 2_000;

/**
 * The first page of a list, to send with the document; null if it does not arrive in time, so that the browser fetches
 * it.
 */
export async function firstPage(userId: string, filter: Filter): Promise<TaskPage | null> {
  const request = await headers();
  const api = new ApiClient({
    baseURL: API_URL,
    // The token stays on the server; the browser gets only the tasks. A page cannot set the cookie of a refreshed
    // session.
    issueToken: () => auth.api.getApiToken({ headers: request, query: { disableRefresh: true } }),
    onSignedOut: () => {},
    fetch,
    diagnose: async () => ApiError.because('unreachable'),
    watch: new CallWatch(),
    random: Math.random,
  });
  const ended = new AbortController().signal;
  return within(PATIENCE_MS, ended, (signal) => api.getTaskPage(userId, firstQuery(filter), { signal })).catch(() => null);
}
