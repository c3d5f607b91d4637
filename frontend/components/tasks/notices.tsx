import type { TasksState, TaskStore } from '@/components/tasks/task-store';
import type { VersionedTask } from '@/lib/api';

interface Props {
  state: TasksState;
  store: TaskStore;
  onUndo: (task: VersionedTask) => void;
}

/** What went wrong, and what can be taken back, at the foot of the page. */
export function Notices({ state, store, onUndo }: Props) {
  const waiting = state.deletions.filter(({ sending }) => !sending).map(({ task }) => task);
  return (
    <section
      aria-label="Notifications"
      className="pointer-events-none fixed inset-x-0 bottom-0 flex flex-col items-center gap-2 p-4 pb-[max(1rem,env(safe-area-inset-bottom))]"
    >
      {state.problem && (
        <Notice tone="border border-danger bg-danger-wash text-danger">
          <p role="alert" className="min-w-0 flex-1 wrap-anywhere">
            {state.problem}
          </p>
          <button type="button" className="button px-3" onClick={() => store.dismissProblem()}>
            Dismiss
          </button>
        </Notice>
      )}
      {waiting.map((task) => (
        <Notice key={task.id} tone="bg-ink text-paper" onHold={() => store.pauseUndo(task.id)} onRelease={() => store.resumeUndo(task.id)}>
          <p className="min-w-0 flex-1 truncate">Deleted “{task.title}”</p>
          <button type="button" className="button px-3 underline underline-offset-4" onClick={() => onUndo(task)}>
            Undo
          </button>
        </Notice>
      ))}
    </section>
  );
}

interface NoticeProps {
  tone: string;
  onHold?: () => void;
  onRelease?: () => void;
  children: React.ReactNode;
}

function Notice({ tone, onHold, onRelease, children }: NoticeProps) {
  return (
    <div
      className={`arrive pointer-events-auto flex w-full max-w-md items-center gap-3 rounded-xl py-2 pr-2 pl-4 text-sm shadow-lg ${tone}`}
      onPointerEnter={onHold}
      onPointerLeave={onRelease}
      onFocus={onHold}
      onBlur={onRelease}
    >
      {children}
    </div>
  );
}
