import { type RefObject, useEffectEvent, useId, useLayoutEffect, useRef } from 'react';
import { LengthHint } from '@/components/tasks/length-hint';
import { isEmpty, LIMITS, type TaskText, tooLong } from '@/components/tasks/task-text';
import { isComposing } from '@/components/tasks/use-keys';
import { useHydrated } from '@/lib/use-hydrated';

interface Props {
  field: RefObject<HTMLInputElement | null>;
  text: TaskText;
  onChange: (text: TaskText) => void;
  /** A title that was typed before hydration. */
  onTypedEarly: (title: string) => void;
  onAdd: () => void;
}

/** The form for a new task; the description field appears with the first letter of the title. */
export function AddTask({ field, text, onChange, onTypedEarly, onAdd }: Props) {
  const id = useId();
  const form = useRef<HTMLFormElement>(null);
  const hydrated = useHydrated();
  const { title, description } = text;
  const long = tooLong(text);
  const details = useRef<HTMLTextAreaElement>(null);

  const looked = useRef(false);
  const typedEarly = useEffectEvent(() => {
    const typed = field.current?.value;
    if (typed && typed !== title && !looked.current) {
      onTypedEarly(typed);
    }
    looked.current = true;
  });
  useLayoutEffect(() => typedEarly(), []);

  function add() {
    if (title.trim() && !long) {
      onAdd();
    }
    (long === 'description' ? details : field).current?.focus();
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
          dir="auto"
          aria-label="New task"
          placeholder="What is there to do?"
          autoComplete="off"
          enterKeyHint="done"
          className="min-w-0 flex-1 bg-transparent px-3 py-2 text-lg outline-none placeholder:text-quiet"
          value={title}
          aria-invalid={long === 'title'}
          aria-describedby={`${id}-title`}
          onChange={(event) => onChange({ ...text, title: event.target.value })}
        />
        <button type="submit" className="button-primary shrink-0" disabled={!hydrated}>
          Add
        </button>
      </div>
      <LengthHint id={`${id}-title`} text={title} max={LIMITS.title} />
      {!isEmpty(text) && (
        <>
          <textarea
            ref={details}
            dir="auto"
            aria-label="Description of the new task"
            placeholder="Details (optional)"
            rows={2}
            className="mt-1 block max-h-48 w-full resize-none border-t border-line bg-transparent px-3 pt-3 pb-2 outline-none field-sizing-content placeholder:text-quiet"
            value={description}
            aria-invalid={long === 'description'}
            aria-describedby={`${id}-description`}
            onChange={(event) => onChange({ ...text, description: event.target.value })}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && (event.metaKey || event.ctrlKey) && !isComposing(event.nativeEvent)) {
                form.current?.requestSubmit();
              }
            }}
          />
          <LengthHint id={`${id}-description`} text={description} max={LIMITS.description} />
        </>
      )}
    </form>
  );
}
