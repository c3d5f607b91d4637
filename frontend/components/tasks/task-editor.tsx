import { useEffect, useRef, useState } from 'react';
import { Conflict } from '@/components/tasks/conflict';
import { TaskFields, type TaskText } from '@/components/tasks/task-fields';
import type { TaskStore } from '@/components/tasks/task-store';
import type { VersionedTask } from '@/lib/api';
import { ApiError } from '@/lib/api-error';

interface Props {
  task: VersionedTask;
  store: TaskStore;
  /** A save is on its way; the editor, unseen, keeps the text until it has arrived. */
  onSaving: () => void;
  onSaved: () => void;
  onRefused: () => void;
  onCancel: () => void;
}

const textOf = ({ title, description }: VersionedTask): TaskText => ({ title, description: description ?? '' });
const sameText = (one: TaskText, other: TaskText) =>
  one.title === other.title && one.description === other.description;

/** Edits a task in its place, against the version that the user sees; never over somebody else's newer one unasked. */
export function TaskEditor({ task, store, onSaving, onSaved, onRefused, onCancel }: Props) {
  const [base, setBase] = useState(task);
  const [text, setText] = useState(textOf(task));
  const [newer, setNewer] = useState<VersionedTask | null>(null);
  const [failure, setFailure] = useState<ApiError | null>(null);
  const typed = useRef(text);

  function write(next: TaskText) {
    typed.current = next;
    setText(next);
  }

  /** Takes up the version that is on the server now. */
  function meet(base: VersionedTask, now: VersionedTask) {
    if (sameText(textOf(base), textOf(now))) {
      setBase(now);
    } else if (sameText(typed.current, textOf(base))) {
      setBase(now);
      write(textOf(now));
    } else {
      setNewer(now);
    }
  }

  useEffect(() => {
    let closed = false;
    // A list gives no versions, and may be old. Should this fail, saving will ask again.
    store.fetch(task.id).then(
      (now) => !closed && meet(task, now),
      () => {},
    );
    return () => {
      closed = true;
    };
    // The task as it was when the editor opened: the one whose text the user sees.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);

  async function save(over = base) {
    const title = text.title.trim();
    const description = text.description.trim() || null;
    if (!title) {
      const errors = [{ field: 'title', message: 'must not be blank' }];
      setFailure(new ApiError(0, 'invalid_request', 'A task needs a title.', errors));
      return;
    }
    if (title === over.title && description === over.description) {
      onCancel();
      return;
    }
    setFailure(null);
    setNewer(null);
    onSaving();
    const outcome = await store.save(over, { title, description });
    if (outcome.saved) {
      onSaved();
      return;
    }
    onRefused();
    if (outcome.newer) {
      setNewer(outcome.newer);
    } else {
      setFailure(outcome.failure);
    }
  }

  return (
    <TaskFields
      label={`Edit ${task.title}`}
      text={text}
      failure={failure}
      onChange={write}
      onSave={() => void save(newer ?? base)}
      onCancel={onCancel}
    >
      {failure?.code === 'task_not_found' && (
        <button
          type="button"
          className="button-plain self-start px-3 text-accent"
          onClick={() =>
            void store.addInstead(task, { title: text.title.trim(), description: text.description.trim() || null })
          }
        >
          Add it as a new task
        </button>
      )}
      {newer && (
        <Conflict
          newer={newer}
          onTakeNewer={() => {
            setBase(newer);
            write(textOf(newer));
            setNewer(null);
          }}
        />
      )}
    </TaskFields>
  );
}
