import { useSyncExternalStore } from 'react';
import { type DeletionsState, isDeleted } from '@/components/tasks/deleted-tasks';
import { type PendingChange, withChanges } from '@/components/tasks/task-changes';
import type { TaskLists } from '@/components/tasks/task-lists';

/** The number of open tasks as text: `20+` if not all are loaded, empty if it is unknown. */
export function useOpenCount(lists: TaskLists, changes: PendingChange[], deleted: DeletionsState): string {
  function count() {
    const known = [lists.loaded('open'), lists.loaded('all')].filter((list) => list !== undefined);
    const list = known.find(({ complete }) => complete) ?? known[0];
    if (!list) {
      return '';
    }
    const open = withChanges(list.tasks, changes).filter((task) => !task.completed && !isDeleted(deleted, task)).length;
    return `${open}${list.complete ? '' : '+'}`;
  }
  return useSyncExternalStore(lists.subscribe, count, count);
}
