import { type ReactNode, useEffect, useId, useRef } from 'react';
import { type ApiError, faultText } from '@/lib/api-error';

/** The text of a task, as the user writes it. */
export interface TaskText {
  title: string;
  description: string;
}

interface Props {
  label: string;
  text: TaskText;
  failure: ApiError | null;
  onChange: (text: TaskText) => void;
  onSave: () => void;
  onCancel: () => void;
  /** What to know before saving. */
  children?: ReactNode;
}

/** The form for the text of a task: Enter saves, Escape leaves. */
export function TaskFields({ label, text, failure, onChange, onSave, onCancel, children }: Props) {
  const id = useId();
  const title = useRef<HTMLInputElement>(null);
  const fault = (field: string) => failure?.errors.find((error) => error.field === field)?.message;
  const titleFault = fault('title');
  const descriptionFault = fault('description');

  useEffect(() => title.current?.focus(), []);

  return (
    <form
      aria-label={label}
      className="flex flex-col gap-3 p-3"
      onSubmit={(event) => {
        event.preventDefault();
        onSave();
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape') {
          onCancel();
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
          className="field"
          required
          autoComplete="off"
          value={text.title}
          aria-invalid={titleFault !== undefined}
          aria-describedby={titleFault && `${id}-title-fault`}
          onChange={(event) => onChange({ ...text, title: event.target.value })}
        />
        {titleFault && <FieldFault id={`${id}-title-fault`} field="title" message={titleFault} />}
      </div>
      <div>
        <label htmlFor={`${id}-description`} className="mb-1 block text-sm font-medium">
          Description
        </label>
        <textarea
          id={`${id}-description`}
          className="field field-sizing-content max-h-80 min-h-20 resize-none"
          value={text.description}
          aria-invalid={descriptionFault !== undefined}
          aria-describedby={descriptionFault && `${id}-description-fault`}
          onChange={(event) => onChange({ ...text, description: event.target.value })}
        />
        {descriptionFault && <FieldFault id={`${id}-description-fault`} field="description" message={descriptionFault} />}
      </div>
      {children}
      {failure && !titleFault && !descriptionFault && (
        <p role="alert" className="rounded-lg bg-danger-wash px-3 py-2.5 text-sm text-danger">
          {failure.detail}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <button type="button" className="button-plain" onClick={onCancel}>
          Cancel
        </button>
        <button type="submit" className="button-primary">
          Save
        </button>
      </div>
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
