import { type RefObject, useRef, useState } from 'react';
import type { NewTask } from '@/lib/api';
import { useHydrated } from '@/lib/use-hydrated';

interface Props {
  field: RefObject<HTMLInputElement | null>;
  onAdd: (task: NewTask) => void;
}

/** The form for a new task; its description opens with the first letter of the title. */
export function AddTask({ field, onAdd }: Props) {
  const [title, setTitle] = useState('');
  const [description, setDescription] = useState('');
  const form = useRef<HTMLFormElement>(null);
  const hydrated = useHydrated();

  function add() {
    if (title.trim()) {
      onAdd({ title: title.trim(), description: description.trim() || null });
      setTitle('');
      setDescription('');
    }
    field.current?.focus();
  }

  return (
    <form
      ref={form}
      aria-label="Add a task"
      className="rounded-2xl border border-line bg-card p-2 shadow-sm focus-within:border-accent"
      onSubmit={(event) => {
        event.preventDefault();
        add();
      }}
    >
      <div className="flex items-center gap-2">
        <input
          ref={field}
          aria-label="New task"
          placeholder="What is there to do?"
          autoComplete="off"
          enterKeyHint="done"
          className="min-w-0 flex-1 bg-transparent px-3 py-2 text-lg outline-none placeholder:text-quiet"
          readOnly={!hydrated}
          value={title}
          onChange={(event) => setTitle(event.target.value)}
        />
        <button type="submit" className="button-primary shrink-0" disabled={!hydrated}>
          Add
        </button>
      </div>
      {(title || description) && (
        <textarea
          aria-label="Description of the new task"
          placeholder="Details, if it needs any"
          rows={2}
          className="mt-1 block w-full resize-none border-t border-line bg-transparent px-3 pt-3 pb-2 outline-none placeholder:text-quiet field-sizing-content max-h-48"
          value={description}
          onChange={(event) => setDescription(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) {
              form.current?.requestSubmit();
            }
          }}
        />
      )}
    </form>
  );
}
