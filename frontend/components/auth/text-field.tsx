import { type ComponentProps, type ReactNode, useId } from 'react';

interface Props extends ComponentProps<'input'> {
  label: string;
  hint?: string;
  /** A button at the end of the input. */
  action?: ReactNode;
}

/** A labelled input with an optional hint. */
export function TextField({ label, hint, action, ...input }: Props) {
  const id = useId();
  return (
    <div>
      <label htmlFor={id} className="mb-1.5 block text-sm font-medium">
        {label}
      </label>
      <div className="relative">
        <input id={id} className={`field ${action ? 'pr-18' : ''}`} required aria-describedby={hint ? `${id}-hint` : undefined} {...input} />
        {action}
      </div>
      {hint && (
        <p id={`${id}-hint`} className="mt-1.5 text-sm text-quiet">
          {hint}
        </p>
      )}
    </div>
  );
}
