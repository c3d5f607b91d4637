import type { Clearing } from '@/components/tasks/deleted-tasks';
import { against, isGone, type SeenTask } from '@/components/tasks/task-changes';
import type { ApiClient } from '@/lib/api-client';

export type ClearingTime = Pick<Clearing, 'until' | 'also'>;

/** What waits for an undo when its page closes. */
export interface LeftDeletions {
  deletions: SeenTask[];
  clearing: ClearingTime | null;
}

/** Leaves them to the app's server: a closing page has no time to get a token, or to look at a task. */
export function leaveToServer(left: LeftDeletions) {
  const request = { method: 'POST', keepalive: true, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(left) };
  fetch('/api/deletions', request).catch(() => {});
}

/** Deletes them, as the page would have; what fails is left to the next page. */
export async function deleteLeft(api: ApiClient, userId: string, { deletions, clearing }: LeftDeletions) {
  const remove = (seen: SeenTask) =>
    against(seen, (id) => api.getTask(userId, id), (ifMatch) => api.deleteTask(userId, seen.id, { ifMatch }));
  for (const seen of deletions) {
    await remove(seen).catch(() => {});
  }
  if (clearing) {
    await clearCompleted(api, userId, clearing).catch(() => {});
  }
}

/** Deletes the tasks that were completed by then, and those whose completion was pending; returns their number. */
export async function clearCompleted(
  api: ApiClient,
  userId: string,
  { until, also }: ClearingTime,
  remove = (id: number) => deleteIfCompleted(api, userId, id),
): Promise<number> {
  let deleted = 0;
  for (const id of also) {
    deleted += (await remove(id)) ? 1 : 0;
  }
  for (let more = true; more; ) {
    const answer = await api.clearTasks(userId, { completed: true, until });
    deleted += answer.deleted;
    more = answer.more;
  }
  return deleted;
}

export async function deleteIfCompleted(api: ApiClient, userId: string, taskId: number): Promise<boolean> {
  try {
    const { completed, etag } = await api.getTask(userId, taskId);
    if (completed) {
      await api.deleteTask(userId, taskId, { ifMatch: etag });
    }
    return completed;
  } catch (error) {
    if (isGone(error)) {
      return false;
    }
    throw error;
  }
}
