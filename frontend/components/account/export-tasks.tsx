'use client';

import { useState } from 'react';
import { ApiError } from '@/lib/api-error';
import { readAllTasks, saveJson } from '@/lib/export-tasks';
import { useHydrated } from '@/lib/use-hydrated';

type State = { step: 'idle' } | { step: 'reading' | 'done'; tasks: number } | { step: 'failed'; reason: string };

export function ExportTasks({ userId }: { userId: string }) {
  const [state, setState] = useState<State>({ step: 'idle' });
  const hydrated = useHydrated();

  async function save() {
    setState({ step: 'reading', tasks: 0 });
    try {
      const tasks = await readAllTasks(userId, (read) => setState({ step: 'reading', tasks: read }));
      saveJson(`tasks-${new Date().toISOString().slice(0, 10)}.json`, tasks);
      setState({ step: 'done', tasks: tasks.length });
    } catch (error) {
      setState({ step: 'failed', reason: ApiError.of(error).detail });
    }
  }

  return (
    <div className="flex flex-col gap-4">
      <p role="status" className={state.step === 'reading' || state.step === 'done' ? 'text-sm' : 'hidden'}>
        {state.step === 'reading' && `Reading: ${count(state.tasks)} so far …`}
        {state.step === 'done' && `${count(state.tasks)} exported.`}
      </p>
      {state.step === 'failed' && (
        <p role="alert" className="rounded-lg border border-transparent bg-danger-wash px-3 py-2.5 text-sm text-danger">
          Nothing was exported. {state.reason}
        </p>
      )}
      <button type="button" className="button-primary min-h-11" disabled={state.step === 'reading' || !hydrated} onClick={() => void save()}>
        {state.step === 'reading' ? 'Exporting …' : 'Export tasks'}
      </button>
    </div>
  );
}

const count = (tasks: number) => `${tasks.toLocaleString('en')} ${tasks === 1 ? 'task' : 'tasks'}`;
