'use client';

import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { AddTask } from '@/components/tasks/add-task';
import { DraftRow } from '@/components/tasks/draft-row';
import { EmptyList } from '@/components/tasks/empty-list';
import { FilterBar } from '@/components/tasks/filter-bar';
import { LoadFailure } from '@/components/tasks/load-failure';
import { Notices } from '@/components/tasks/notices';
import { ServiceStatus } from '@/components/tasks/service-status';
import { TaskRow } from '@/components/tasks/task-row';
import { type Filter, shownTasks, TaskStore } from '@/components/tasks/task-store';
import { TopBar } from '@/components/tasks/top-bar';
import { api, type VersionedTask } from '@/lib/api';
import { onSessionChange } from '@/lib/session-events';

interface Props {
  user: { id: string; name: string; email: string };
}

/** The signed-in user's page. */
export function TaskBoard({ user }: Props) {
  const [store] = useState(() => new TaskStore(api, user.id));
  const state = useSyncExternalStore(store.subscribe, store.state, store.state);
  const addField = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const tasks = shownTasks(state);
  const empty = tasks.length === 0 && state.drafts.length === 0;

  useEffect(() => {
    void store.load();
    const flush = () => void store.flush();
    const flushHidden = () => document.visibilityState === 'hidden' && flush();
    // A page that the browser kept for its back button may show what its user has signed out of.
    const reloadKept = (event: PageTransitionEvent) => event.persisted && window.location.reload();
    const reload = () => {
      api.forgetToken();
      window.location.reload();
    };
    window.addEventListener('pagehide', flush);
    window.addEventListener('pageshow', reloadKept);
    // On a phone it can be the last that a page hears.
    document.addEventListener('visibilitychange', flushHidden);
    const stop = onSessionChange(reload);
    return () => {
      flush();
      stop();
      window.removeEventListener('pagehide', flush);
      window.removeEventListener('pageshow', reloadKept);
      document.removeEventListener('visibilitychange', flushHidden);
    };
  }, [store]);

  // All that was loaded has left the filter, but more of it is on the server.
  const drained = empty && !state.loading && state.next !== null;
  useEffect(() => {
    if (drained) {
      void store.loadMore();
    }
  }, [store, drained]);

  /** Keeps the keyboard's place when a row leaves the list: the next row, else the one before, else the field above. */
  const focusNeighbour = useCallback((task: VersionedTask) => {
    const row = list.current?.querySelector(`[data-task="${task.id}"]`);
    if (!row?.contains(document.activeElement)) {
      return;
    }
    const neighbour = row.nextElementSibling ?? row.previousElementSibling;
    (neighbour?.querySelector<HTMLElement>('input, button') ?? addField.current)?.focus();
  }, []);

  function complete(task: VersionedTask, completed: boolean) {
    if (state.filter !== 'all') {
      focusNeighbour(task);
    }
    void store.complete(task, completed);
  }

  function remove(task: VersionedTask) {
    focusNeighbour(task);
    store.delete(task);
  }

  function undo(task: VersionedTask) {
    store.undo(task);
    // After React has drawn the row again.
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>(`[data-task="${task.id}"] input`)?.focus());
  }

  function show(filter: Filter) {
    void store.show(filter);
  }

  return (
    <div className="mx-auto flex min-h-dvh max-w-2xl flex-col px-4 pb-32 sm:px-6">
      <TopBar user={user} beforeSignOut={() => store.flush()} />
      <main className="mt-6 flex flex-col gap-5 sm:mt-10">
        <h1 className="sr-only">Your tasks</h1>
        <ServiceStatus />
        <AddTask field={addField} onAdd={(task) => void store.add(task)} />
        <FilterBar filter={state.filter} onChange={show} />
        {state.loadFailure ? (
          <LoadFailure failure={state.loadFailure} onRetry={() => void store.load()} />
        ) : (
          <>
            <ul ref={list} aria-label="Tasks" aria-busy={state.loading} className="flex flex-col gap-2">
              {state.drafts.map((draft) => (
                <DraftRow
                  key={draft.key}
                  draft={draft}
                  onRetry={() => void store.retry(draft)}
                  onAmend={(task) => void store.amend(draft, task)}
                  onDiscard={() => {
                    store.discard(draft);
                    addField.current?.focus();
                  }}
                />
              ))}
              {tasks.map((task) => (
                <TaskRow
                  key={task.id}
                  task={task}
                  store={store}
                  onComplete={(completed) => complete(task, completed)}
                  onDelete={() => remove(task)}
                />
              ))}
            </ul>
            {empty && <EmptyList filter={state.filter} loading={state.loading || drained} />}
            {state.next && !empty && (
              <button
                type="button"
                className="button-plain self-center"
                disabled={state.loadingMore}
                onClick={() => void store.loadMore()}
              >
                {state.loadingMore ? 'Loading …' : 'Load more'}
              </button>
            )}
          </>
        )}
      </main>
      <p role="status" className="sr-only">
        {state.announcement}
      </p>
      <Notices state={state} store={store} onUndo={undo} />
    </div>
  );
}
