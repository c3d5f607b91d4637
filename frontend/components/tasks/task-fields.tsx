import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { LengthHint } from '@/components/tasks/length-hint';
import { LIMITS, type TaskText } from '@/components/tasks/task-text';
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
  const keep = useRef<HTMLButtonElement>(null);
  const [asking, setAsking] = useState(false);
  const faultOf = (field: string) => failure?.errors.find((error) => error.field === field)?.message;
  const titleFault = faultOf('title');
  const descriptionFault = faultOf('description');

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
        onSave();
      }}
      onKeyDown={(event) => {
        // During the composition of a character, Escape and Enter belong to the input method.
        if (event.nativeEvent.isComposing) {
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
          onSave();
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
          aria-invalid={titleFault !== undefined}
          aria-describedby={titleFault && `${id}-title-fault`}
          onChange={(event) => onChange({ ...text, title: event.target.value })}
        />
        <LengthHint text={text.title.trim()} max={LIMITS.title} />
        {titleFault && <FieldFault id={`${id}-title-fault`} field="title" message={titleFault} />}
      </div>
      <div>
        <label htmlFor={`${id}-description`} className="mb-1 block text-sm font-medium">
          Description
        </label>
        <textarea
          id={`${id}-description`}
          dir="auto"
          className="field field-sizing-content max-h-80 min-h-20 resize-none"
          value={text.description}
          aria-invalid={descriptionFault !== undefined}
          aria-describedby={descriptionFault && `${id}-description-fault`}
          onChange={(event) => onChange({ ...text, description: event.target.value })}
        />
        <LengthHint text={text.description.trim()} max={LIMITS.description} />
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
