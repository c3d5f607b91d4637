import 'server-only';
import { headers } from 'next/headers';
import { type Filter, firstQuery } from '@/components/tasks/filter';
import type { TaskPage } from '@/lib/api-client';
import { auth } from '@/lib/auth';
import { serverApi } from '@/lib/server-api';
import { within } from '@/lib/time-limit';

const PATIENCE_MS = 2_000;

/**
 * The first page of a list, to send with the document; null if it does not arrive in time, so that the browser fetches
 * it.
 */
export async function firstPage(userId: string, filter: Filter): Promise<TaskPage | null> {
  const request = await headers();
  // The token stays on the server; the browser gets only the tasks. A page cannot set the cookie of a refreshed session.
  const api = serverApi(() => auth.api.getApiToken({ headers: request, query: { disableRefresh: true } }));
  const ended = new AbortController().signal;
  return within(PATIENCE_MS, ended, (signal) => api.getTaskPage(userId, firstQuery(filter), { signal })).catch(() => null);
}
