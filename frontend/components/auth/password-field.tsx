'use client';

import { useState } from 'react';
import { TextField } from '@/components/auth/text-field';

interface Props {
  label?: string;
  name?: string;
  /** For a new password instead of the current one. */
  isNew?: boolean;
}

/** A password input with a button that shows the password. */
export function PasswordField({ label = 'Password', name = 'password', isNew = false }: Props) {
  const [shown, setShown] = useState(false);
  // No maxLength, which would cut a pasted password without a word.
  const rules = isNew ? { minLength: 8, hint: '8 to 128 characters.' } : {};
  return (
    <TextField
      label={label}
      name={name}
      type={shown ? 'text' : 'password'}
      autoComplete={isNew ? 'new-password' : 'current-password'}
      autoCapitalize="none"
      spellCheck={false}
      {...rules}
      action={
        <button
          type="button"
          className="button-plain absolute inset-y-1 right-1 min-h-0 px-3"
          onClick={() => setShown(!shown)}
        >
          {shown ? 'Hide' : 'Show'}
          <span className="sr-only"> the {label.toLowerCase()}</span>
        </button>
      }
    />
  );
}
