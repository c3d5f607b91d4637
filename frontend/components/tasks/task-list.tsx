import { useInfiniteQuery, useMutationState } from '@tanstack/react-query';
import { type RefObject, useEffect, useRef, useSyncExternalStore } from 'react';
import { isDeleted } from '@/components/tasks/deleted-tasks';
import { DraftRow } from '@/components/tasks/draft-row';
import { isChanged } from '@/components/tasks/edits';
import { EmptyList, Loading } from '@/components/tasks/empty-list';
import { type Filter, matches } from '@/components/tasks/filter';
import { LoadFailure } from '@/components/tasks/load-failure';
import { CHANGES, type PendingChange, withChanges } from '@/components/tasks/task-changes';
import type { TaskModel } from '@/components/tasks/task-model';
import { TaskRow } from '@/components/tasks/task-row';
import type { Task } from '@/lib/api-client';
import { ApiError } from '@/lib/api-error';
import { useFocusWhenDrawn } from '@/lib/use-focus-when-drawn';

interface Props {
  model: TaskModel;
  filter: Filter;
  addField: RefObject<HTMLInputElement | null>;
}

/** Pending changes. */
export const usePendingChanges = () =>
  useMutationState({
    filters: { mutationKey: CHANGES, status: 'pending' },
    select: ({ state }) => state.variables as PendingChange,
  });

/** The tasks of a filter, with all pending changes applied. */
export function TaskList({ model, filter, addField }: Props) {
  const { lists, changes, drafts, edits, deletions } = model;
  const query = useInfiniteQuery(lists.options(filter));
  const pending = usePendingChanges();
  const draftsState = useSyncExternalStore(drafts.subscribe, drafts.state, drafts.state);
  const editsState = useSyncExternalStore(edits.subscribe, edits.state, edits.state);
  const deleted = useSyncExternalStore(deletions.subscribe, deletions.state, deletions.state);
  const list = useRef<HTMLUListElement>(null);
  const focus = useFocusWhenDrawn(list);

  const loaded = query.data?.pages.flatMap(({ tasks }) => tasks) ?? [];
  const shown = withChanges(loaded, pending).filter((task) => matches(task, filter) && !isDeleted(deleted, task));
  // Unsaved text stays, even if its task leaves the list.
  const strays = editsState.edits.filter((edit) => (isChanged(edit) || edit.saving) && !shown.some(({ id }) => id === edit.base.id));
  const rows = [...strays.map(({ base }): Task => base), ...shown];
  const empty = rows.length === 0 && draftsState.drafts.length === 0;
  const done = shown.filter(({ completed }) => completed);

  const failure = query.error && ApiError.of(query.error);
  const failed = failure !== null && !query.isFetching && (query.isLoadingError || failure.code === 'wrong_user');
  const loading = !query.data && !failed;
  const { hasNextPage, isFetching, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = query;

  // All loaded tasks have left the filter, but the server has more.
  const drained = shown.length === 0 && hasNextPage && !isFetchNextPageError;
  useEffect(() => {
    if (drained && !isFetching) {
      void fetchNextPage();
    }
  }, [drained, isFetching, fetchNextPage]);

  /** Moves the focus when a row leaves the list: to the next row, else to the one before, else to the field above. */
  function focusNeighbour(task: Task) {
    const row = list.current?.querySelector(`[data-task="${task.id}"]`);
    if (row?.contains(document.activeElement)) {
      const neighbour = row.nextElementSibling ?? row.previousElementSibling;
      (neighbour?.querySelector<HTMLElement>('input, button') ?? addField.current)?.focus();
    }
  }

  async function loadMore() {
    const last = loaded.at(-1)?.id;
    const { data } = await fetchNextPage();
    const tasks = data?.pages.flatMap(({ tasks }) => tasks) ?? [];
    const first = tasks.find(({ id }) => last === undefined || id < last);
    if (first) {
      model.messages.announce(`${tasks.filter(({ id }) => id <= first.id).length} more tasks loaded`);
      focus(`[data-task="${first.id}"] input`);
    }
  }

  function clear() {
    addField.current?.focus();
    deletions.clear(pending.flatMap(({ taskId }) => taskId ?? []));
  }

  return (
    <>
      <ul ref={list} aria-label="Tasks" aria-busy={isFetching} className="flex flex-col gap-2 empty:hidden">
        {draftsState.drafts.map((draft) => (
          <DraftRow
            key={draft.key}
            draft={draft}
            drafts={drafts}
            onDiscard={() => {
              drafts.discard(draft);
              addField.current?.focus();
            }}
          />
        ))}
        {(failed ? rows.slice(0, strays.length) : rows).map((task) => (
          <TaskRow
            key={task.id}
            task={task}
            edit={editsState.edits.find(({ base }) => base.id === task.id)}
            model={model}
            onComplete={(completed) => {
              if (filter !== 'all') {
                focusNeighbour(task);
              }
              void changes.complete(task, completed);
            }}
            onDelete={() => {
              focusNeighbour(task);
              edits.close(task.id);
              deletions.delete(lists.versioned(task));
            }}
          />
        ))}
      </ul>
      {failed && <LoadFailure failure={failure} onRetry={() => void query.refetch()} />}
      {!failed && query.isError && !isFetchNextPageError && (
        <p role="alert" className="text-center text-sm text-danger">
          This list may be out of date. {failure?.detail}{' '}
          <button type="button" className="button-plain px-3" onClick={() => void query.refetch()}>
            Try again
          </button>
        </p>
      )}
      {loading || (empty && drained) ? <Loading /> : empty && !failed && <EmptyList filter={filter} />}
      {!failed && hasNextPage && shown.length > 0 && (
        <div className="flex flex-col items-center">
          {isFetchNextPageError && (
            <p role="alert" className="text-sm text-danger">
              More tasks could not be loaded. {failure?.detail}
            </p>
          )}
          <button type="button" className="button-plain" aria-disabled={isFetchingNextPage} onClick={() => isFetchingNextPage || void loadMore()}>
            {isFetchingNextPage ? 'Loading …' : 'Load more'}
          </button>
        </div>
      )}
      {done.length > 0 && (
        <button type="button" className="button-plain self-center" onClick={clear}>
          Clear completed
        </button>
      )}
    </>
  );
}
