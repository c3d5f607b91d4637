import { useEffectEvent, useId, useLayoutEffect, useRef } from 'react';
import type { Edit } from '@/components/tasks/edits';
import { FoldedText } from '@/components/tasks/folded-text';
import { IconButton } from '@/components/tasks/icon-button';
import { TaskEditor } from '@/components/tasks/task-editor';
import type { TaskModel } from '@/components/tasks/task-model';
import type { Task } from '@/lib/api-client';
import { useFocusWhenDrawn } from '@/lib/use-focus-when-drawn';

const PENCIL = 'M4 20h4L19 9a2.8 2.8 0 0 0-4-4L4 16zM13.5 6.5l4 4';
const BIN = 'M4 7h16M10 11v6M14 11v6M6 7l1 13h10l1-13M9 7V4h6v3';
const CHECK = 'm5 12.5 5 5 9-10.5';

interface Props {
  task: Task;
  edit: Edit | undefined;
  model: TaskModel;
  onComplete: (completed: boolean) => void;
  onDelete: () => void;
}

/** A task in the list, or its editor. */
export function TaskRow({ task, edit, model, onComplete, onDelete }: Props) {
  const titleId = useId();
  const row = useRef<HTMLLIElement>(null);
  const focus = useFocusWhenDrawn(row);
  const box = useRef<HTMLInputElement>(null);
  const clickedEarly = useEffectEvent(() => {
    if (box.current && box.current.checked !== task.completed) {
      onComplete(box.current.checked);
    }
  });
  // A click before hydration, which React has not seen.
  useLayoutEffect(() => clickedEarly(), []);
  const editing = edit && !edit.saving;

  function open() {
    model.edits.open(model.lists.versioned(task));
    focus('form input');
  }

  async function save(edit: Edit) {
    let elsewhere = false;
    const look = ({ target }: FocusEvent) => (elsewhere ||= !row.current?.contains(target as Node));
    document.addEventListener('focusin', look);
    focus('[data-edit]');
    const saved = await model.edits.save(edit);
    document.removeEventListener('focusin', look);
    // If the user has moved the focus elsewhere, it stays there.
    if (!saved && !elsewhere) {
      focus('form input');
    }
  }

  return (
    <li
      ref={row}
      data-task={task.id}
      className="arrive scroll-mt-16 rounded-xl border border-line bg-card transition-shadow hover:shadow-sm"
    >
      {editing ? (
        <TaskEditor
          edit={edit}
          model={model}
          onSave={() => void save(edit)}
          onCancel={() => {
            model.edits.close(task.id);
            focus('[data-edit]');
          }}
        />
      ) : (
        <div className="flex items-start gap-1 py-1.5 pr-2 pl-3">
          <span className="relative grid size-10 shrink-0 place-items-center">
            <input
              ref={box}
              type="checkbox"
              // Or a browser would restore it after a reload, perhaps on another task.
              autoComplete="off"
              aria-labelledby={titleId}
              className="peer size-6 cursor-pointer appearance-none rounded-full border-2 border-edge transition-colors checked:border-accent checked:bg-accent hover:border-accent forced-colors:appearance-auto"
              checked={task.completed}
              onChange={(event) => onComplete(event.target.checked)}
            />
            <svg
              viewBox="0 0 24 24"
              className="pointer-events-none absolute size-4 fill-none stroke-on-accent stroke-3 opacity-0 peer-checked:opacity-100 forced-colors:hidden"
              aria-hidden="true"
            >
              <path d={CHECK} strokeLinecap="round" strokeLinejoin="round" />
            </svg>
          </span>
          <div className="min-w-0 flex-1 py-2" onDoubleClick={open}>
            <p
              id={titleId}
              dir="auto"
              className={`leading-6 wrap-anywhere ${task.completed ? 'text-quiet line-through decoration-edge' : ''}`}
            >
              {task.title}
            </p>
            {task.description && <FoldedText text={task.description} about={task.title} />}
          </div>
          <div className="flex shrink-0">
            <IconButton label={`Edit ${task.title}`} icon={PENCIL} data-edit onClick={open} />
            <IconButton label={`Delete ${task.title}`} icon={BIN} onClick={onDelete} />
          </div>
        </div>
      )}
    </li>
  );
}
