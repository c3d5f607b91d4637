import { Conflict } from '@/components/tasks/conflict';
import { type Edit, isChanged } from '@/components/tasks/edits';
import { TaskFields } from '@/components/tasks/task-fields';
import { toStored } from '@/components/tasks/task-text';
import type { TaskModel } from '@/components/tasks/task-model';

interface Props {
  edit: Edit;
  model: TaskModel;
  onSave: () => void;
  onCancel: () => void;
}

/** Edits a task in place. */
export function TaskEditor({ edit, model: { edits, drafts, lists }, onSave, onCancel }: Props) {
  const { base, text, newer, failure } = edit;

  /** Turns the edit of a deleted task into a new task. */
  function addInstead() {
    lists.forget(base.id);
    edits.close(base.id);
    void drafts.add(toStored(text));
  }

  return (
    <TaskFields
      label={`Edit ${base.title}`}
      text={text}
      changed={isChanged(edit)}
      failure={failure}
      onChange={(text) => edits.write(base.id, text)}
      onSave={onSave}
      onCancel={onCancel}
    >
      {failure?.code === 'task_not_found' && (
        <button type="button" className="button-plain self-start px-3 text-accent" onClick={addInstead}>
          Add it as a new task
        </button>
      )}
      {newer && <Conflict newer={newer} onTakeNewer={() => edits.takeNewer(edit)} />}
    </TaskFields>
  );
}
