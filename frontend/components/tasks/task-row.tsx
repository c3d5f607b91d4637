import { useId, useRef, useState } from 'react';
import { IconButton } from '@/components/tasks/icon-button';
import { TaskEditor } from '@/components/tasks/task-editor';
import type { TaskStore } from '@/components/tasks/task-store';
import type { VersionedTask } from '@/lib/api';

const PENCIL = 'M4 20h4L19 9a2.8 2.8 0 0 0-4-4L4 16zM13.5 6.5l4 4';
const BIN = 'M4 7h16M10 11v6M14 11v6M6 7l1 13h10l1-13M9 7V4h6v3';
const CHECK = 'm5 12.5 5 5 9-10.5';

interface Props {
  task: VersionedTask;
  store: TaskStore;
  onComplete: (completed: boolean) => void;
  onDelete: () => void;
}

/** A task of the list, or the form that edits it. */
export function TaskRow({ task, store, onComplete, onDelete }: Props) {
  const titleId = useId();
  const [editing, setEditing] = useState(false);
  const [saving, setSaving] = useState(false);
  const row = useRef<HTMLLIElement>(null);

  function focus(selector: string) {
    // After React has drawn the row again.
    requestAnimationFrame(() => row.current?.querySelector<HTMLElement>(selector)?.focus());
  }

  return (
    <li
      ref={row}
      data-task={task.id}
      className="arrive rounded-xl border border-line bg-card transition-shadow hover:shadow-sm"
    >
      {editing && (
        <div hidden={saving}>
          <TaskEditor
            task={task}
            store={store}
            onSaving={() => {
              setSaving(true);
              focus('[data-edit]');
            }}
            onRefused={() => {
              setSaving(false);
              // Whoever went on elsewhere meanwhile is left there.
              if (row.current?.contains(document.activeElement)) {
                focus('form input');
              }
            }}
            onSaved={() => {
              setEditing(false);
              setSaving(false);
            }}
            onCancel={() => {
              setEditing(false);
              focus('[data-edit]');
            }}
          />
        </div>
      )}
      {(!editing || saving) && (
        <div className="flex items-start gap-1 py-1.5 pr-2 pl-3">
          <span className="relative grid size-10 shrink-0 place-items-center">
            <input
              type="checkbox"
              aria-labelledby={titleId}
              className="peer size-6 cursor-pointer appearance-none rounded-full border-2 border-edge transition-colors checked:border-accent checked:bg-accent hover:border-accent"
              checked={task.completed}
              onChange={(event) => onComplete(event.target.checked)}
            />
            <svg
              viewBox="0 0 24 24"
              className="pointer-events-none absolute size-4 fill-none stroke-on-accent stroke-3 opacity-0 peer-checked:opacity-100"
              aria-hidden="true"
            >
              <path d={CHECK} strokeLinecap="round" strokeLinejoin="round" />
            </svg>
          </span>
          <div className="min-w-0 flex-1 py-2" onDoubleClick={() => setEditing(true)}>
            <p
              id={titleId}
              className={`leading-6 wrap-anywhere ${task.completed ? 'text-quiet line-through decoration-edge' : ''}`}
            >
              {task.title}
            </p>
            {task.description && (
              <p className="mt-0.5 text-sm leading-5 wrap-anywhere whitespace-pre-line text-quiet">{task.description}</p>
            )}
          </div>
          <div className="flex shrink-0">
            <IconButton label={`Edit ${task.title}`} icon={PENCIL} data-edit onClick={() => setEditing(true)} />
            <IconButton label={`Delete ${task.title}`} icon={BIN} onClick={onDelete} />
          </div>
        </div>
      )}
    </li>
  );
}
