'use client';

import { QueryClientProvider } from '@tanstack/react-query';
import { useSearchParams } from 'next/navigation';
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { AddTask } from '@/components/tasks/add-task';
import { type Filter, filterOf, pathOf } from '@/components/tasks/filter';
import { FilterBar } from '@/components/tasks/filter-bar';
import { Frame } from '@/components/tasks/frame';
import { KeyHelp } from '@/components/tasks/key-help';
import { Notices } from '@/components/tasks/notices';
import { ServiceStatus } from '@/components/tasks/service-status';
import { TaskList, usePendingChanges } from '@/components/tasks/task-list';
import { TaskModel } from '@/components/tasks/task-model';
import { TopBar } from '@/components/tasks/top-bar';
import { useKeys } from '@/components/tasks/use-keys';
import { useOpenCount } from '@/components/tasks/use-open-count';
import { api } from '@/lib/api';
import type { TaskPage } from '@/lib/api-client';
import { useFocusWhenDrawn } from '@/lib/use-focus-when-drawn';
import { useSignedIn } from '@/lib/use-signed-in';

interface Props {
  user: { id: string; name: string; email: string };
  /** The first page of the URL's list, if the server got it in time. */
  firstPage: TaskPage | null;
}

/** The page of the signed-in user. */
export function TaskBoard({ user, firstPage }: Props) {
  const filter = filterOf(useSearchParams().get('show'));
  const [model] = useState(() => new TaskModel(api, user.id, filter, firstPage));
  return (
    <QueryClientProvider client={model.lists.client}>
      <Board user={user} model={model} filter={filter} />
    </QueryClientProvider>
  );
}

interface BoardProps {
  user: Props['user'];
  model: TaskModel;
  filter: Filter;
}

function Board({ user, model, filter }: BoardProps) {
  const { drafts, deletions, messages } = model;
  const { form } = useSyncExternalStore(drafts.subscribe, drafts.state, drafts.state);
  const { announcement } = useSyncExternalStore(messages.subscribe, messages.state, messages.state);
  const deleted = useSyncExternalStore(deletions.subscribe, deletions.state, deletions.state);
  const open = useOpenCount(model.lists, usePendingChanges(), deleted);
  const addField = useRef<HTMLInputElement>(null);
  const help = useRef<HTMLDialogElement>(null);
  const board = useRef<HTMLDivElement>(null);
  const focus = useFocusWhenDrawn(board);

  useSignedIn(user.id);
  useEffect(() => model.start(), [model]);
  useEffect(() => model.show(filter), [model, filter]);
  useKeys({
    n: () => addField.current?.focus(),
    '?': () => help.current?.showModal(),
    undo: () => {
      const waits = deletions.waiting > 0;
      const task = deletions.undoLast();
      if (task) {
        focus(`[data-task="${task.id}"] input`);
      }
      return waits;
    },
  });

  function undo() {
    const task = deletions.state().deletions.findLast(({ state }) => state === 'waiting')?.task;
    deletions.undo();
    focus(task ? `[data-task="${task.id}"] input` : 'h1');
  }

  function show(shown: Filter) {
    if (shown !== filter) {
      window.history.pushState(null, '', pathOf(shown));
    }
  }

  return (
    <Frame ref={board}>
      <TopBar user={user} model={model} onHelp={() => help.current?.showModal()} />
      <main className="flex flex-col">
        <h1 tabIndex={-1} className="sr-only">
          Your tasks
        </h1>
        {/* Its space is reserved, so that the list does not move under the pointer between deletions. */}
        <div className="pointer-events-none sticky top-0 z-10 -mx-2 flex min-h-[4.25rem] flex-col justify-center gap-2 px-2 py-2 *:pointer-events-auto has-[section]:bg-paper">
          <ServiceStatus />
          <Notices model={model} onUndo={undo} onShowOpen={() => show('open')} onClosed={() => focus('h1')} />
        </div>
        <div className="flex flex-col gap-5">
          <AddTask field={addField} text={form} onChange={(text) => drafts.write(text)} onTypedEarly={(title) => drafts.typeEarly(title)} onAdd={() => void drafts.addForm()} />
          <FilterBar filter={filter} open={open} onChange={show} />
          <TaskList model={model} filter={filter} addField={addField} />
        </div>
      </main>
      <p role="status" className="sr-only">
        {announcement}
      </p>
      <KeyHelp dialog={help} />
    </Frame>
  );
}
