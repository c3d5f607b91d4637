import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { LengthHint } from '@/components/tasks/length-hint';
import { LIMITS, type TaskText, tooLong } from '@/components/tasks/task-text';
import { isComposing } from '@/components/tasks/use-keys';
import { type ApiError, faultText } from '@/lib/api-error';

interface Props {
  label: string;
  text: TaskText;
  /** Whether closing would lose text. */
  changed: boolean;
  failure: Pick<ApiError, 'detail' | 'errors'> | null;
  onChange: (text: TaskText) => void;
  onSave: () => void;
  onCancel: () => void;
  /** A notice above the buttons. */
  children?: ReactNode;
}

/** The form for a task's text: Enter saves; Escape closes, unless text would be lost. */
export function TaskFields({ label, text, changed, failure, onChange, onSave, onCancel, children }: Props) {
  const id = useId();
  const title = useRef<HTMLInputElement>(null);
  const description = useRef<HTMLTextAreaElement>(null);
  const keep = useRef<HTMLButtonElement>(null);
  const [asking, setAsking] = useState(false);
  const faultOf = (field: string) => failure?.errors.find((error) => error.field === field)?.message;
  const titleFault = faultOf('title');
  const descriptionFault = faultOf('description');
  const long = tooLong(text);

  useEffect(() => {
    if (asking) {
      keep.current?.focus();
    }
  }, [asking]);

  function leave() {
    if (changed) {
      setAsking(true);
    } else {
      onCancel();
    }
  }

  function save() {
    if (long) {
      (long === 'title' ? title : description).current?.focus();
    } else {
      onSave();
    }
  }

  function goOn() {
    setAsking(false);
    title.current?.focus();
  }

  return (
    <form
      aria-label={label}
      className="flex flex-col gap-3 p-3"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
      onKeyDown={(event) => {
        if (isComposing(event.nativeEvent)) {
          return;
        }
        if (event.key === 'Escape') {
          event.stopPropagation();
          if (asking) {
            goOn();
          } else {
            leave();
          }
        } else if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) {
          event.preventDefault();
          save();
        }
      }}
    >
      <div>
        <label htmlFor={`${id}-title`} className="mb-1 block text-sm font-medium">
          Title
        </label>
        <input
          ref={title}
          id={`${id}-title`}
          dir="auto"
          className="field"
          required
          autoComplete="off"
          value={text.title}
          aria-invalid={titleFault !== undefined || long === 'title'}
          aria-describedby={`${id}-title-left${titleFault ? ` ${id}-title-fault` : ''}`}
          onChange={(event) => onChange({ ...text, title: event.target.value })}
        />
        <LengthHint id={`${id}-title-left`} text={text.title} max={LIMITS.title} />
        {titleFault && <FieldFault id={`${id}-title-fault`} field="title" message={titleFault} />}
      </div>
      <div>
        <label htmlFor={`${id}-description`} className="mb-1 block text-sm font-medium">
          Description
        </label>
        <textarea
          ref={description}
          id={`${id}-description`}
          dir="auto"
          className="field field-sizing-content max-h-80 min-h-20 resize-none"
          value={text.description}
          aria-invalid={descriptionFault !== undefined || long === 'description'}
          aria-describedby={`${id}-description-left${descriptionFault ? ` ${id}-description-fault` : ''}`}
          onChange={(event) => onChange({ ...text, description: event.target.value })}
        />
        <LengthHint id={`${id}-description-left`} text={text.description} max={LIMITS.description} />
        {descriptionFault && <FieldFault id={`${id}-description-fault`} field="description" message={descriptionFault} />}
      </div>
      {failure && !titleFault && !descriptionFault && (
        <p role="alert" className="rounded-lg border border-transparent bg-danger-wash px-3 py-2.5 text-sm text-danger">
          {failure.detail}
        </p>
      )}
      {children}
      {asking ? (
        // Keys, or React would turn “Keep editing” into “Save” during the click, which would submit the form.
        <div key="asking" role="alertdialog" aria-label="Discard the changes?" className="flex flex-wrap items-center justify-end gap-2">
          <p className="mr-auto text-sm font-medium">Discard your changes?</p>
          <button ref={keep} type="button" className="button-plain" onClick={goOn}>
            Keep editing
          </button>
          <button type="button" className="button text-danger hover:bg-danger-wash" onClick={onCancel}>
            Discard changes
          </button>
        </div>
      ) : (
        <div key="editing" className="flex justify-end gap-2">
          <button type="button" className="button-plain" onClick={leave}>
            Cancel
          </button>
          <button type="submit" className="button-primary">
            Save
          </button>
        </div>
      )}
    </form>
  );
}

function FieldFault({ id, field, message }: { id: string; field: string; message: string }) {
  return (
    <p id={id} role="alert" className="mt-1.5 text-sm text-danger">
      {faultText({ field, message })}
    </p>
  );
}
