import type { ReactNode } from 'react';
import { useSyncExternalStore } from 'react';
import type { TaskModel } from '@/components/tasks/task-model';

interface Props {
  model: TaskModel;
  onUndo: () => void;
  onShowOpen: () => void;
  /** Called when a notice that had the focus is gone. */
  onClosed: () => void;
}

const WARNING = 'border-danger bg-danger-wash text-danger';

/**
 * Notices: what can be undone, what the user must decide, what failed. They come early in the page, for keyboard users,
 * and never cover the list.
 */
export function Notices({ model: { deletions, messages }, onUndo, onShowOpen, onClosed }: Props) {
  const { failures, news } = useSyncExternalStore(messages.subscribe, messages.state, messages.state);
  const { deletions: deleted, clearing, changed } = useSyncExternalStore(deletions.subscribe, deletions.state, deletions.state);
  const waiting = deleted.filter(({ state }) => state === 'waiting').map(({ task }) => task);
  const what = [
    waiting.length === 1 ? `“${waiting[0]?.title}” deleted` : waiting.length > 1 ? `${waiting.length} deleted` : '',
    clearing?.state === 'waiting' ? 'Completed tasks cleared' : '',
  ]
    .filter(Boolean)
    .join(' · ');

  function closing(close: () => void) {
    close();
    onClosed();
  }

  if (!what && !news && failures.length + changed.length === 0) {
    return null;
  }
  return (
    // Limits their height, so that the list stays visible; the margin keeps focus rings complete.
    <section aria-label="Notifications" className="-m-1 flex max-h-[45dvh] flex-col gap-2 overflow-y-auto p-1">
      {what && (
        <Notice tone="border-transparent bg-ink text-paper forced-colors:border-[CanvasText] forced-colors:bg-[Canvas] forced-colors:text-[CanvasText]" onHold={() => deletions.pause()} onRelease={() => deletions.resume()}>
          <p className="min-w-0 flex-1 truncate">{what}</p>
          <button type="button" className="button px-3 underline underline-offset-4" aria-keyshortcuts="Control+Z" onClick={onUndo}>
            Undo
          </button>
        </Notice>
      )}
      {changed.map((task) => (
        <Notice key={task.id} tone={WARNING}>
          <p role="alert" className="min-w-0 flex-1 basis-60 wrap-anywhere">
            A task that you deleted was changed elsewhere, and is still here: “{task.title}”
            {task.description && ` (${task.description.slice(0, 80)})`}
          </p>
          <button type="button" className="button px-3" onClick={() => closing(() => deletions.keepChanged(task))}>
            Keep it
          </button>
          <button type="button" className="button px-3 underline underline-offset-4" onClick={() => closing(() => void deletions.deleteChanged(task))}>
            Delete it
          </button>
        </Notice>
      ))}
      {news && (
        <Notice tone="border-line bg-card">
          <p className="min-w-0 flex-1 wrap-anywhere">{news.text}</p>
          <button
            type="button"
            className="button-plain px-3 text-accent"
            onClick={() =>
              closing(() => {
                messages.close(news);
                onShowOpen();
              })
            }
          >
            Show
          </button>
          <button type="button" className="button-plain px-3" onClick={() => closing(() => messages.close(news))}>
            Close
          </button>
        </Notice>
      )}
      {failures.map((failure) => (
        <Notice key={failure.id} tone={WARNING}>
          <p role="alert" className="min-w-0 flex-1 wrap-anywhere">
            {failure.text}
          </p>
          <button type="button" className="button px-3" onClick={() => closing(() => messages.close(failure))}>
            Dismiss
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
  children: ReactNode;
}

function Notice({ tone, onHold, onRelease, children }: NoticeProps) {
  return (
    <div
      className={`arrive flex w-full flex-wrap items-center gap-x-1 rounded-xl border py-1 pr-1 pl-4 text-sm shadow-sm ${tone}`}
      onPointerEnter={onHold}
      onPointerLeave={onRelease}
      onFocus={onHold}
      onBlur={onRelease}
    >
      {children}
    </div>
  );
}
