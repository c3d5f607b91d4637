'use client';

import { type ReactNode, useRef, useState } from 'react';
import { loadPage } from '@/lib/load-page';
import { announceSessionChange } from '@/lib/session-events';
import { useHydrated } from '@/lib/use-hydrated';

interface Props {
  label: string;
  pendingLabel: string;
  /** Gives what went wrong, or null. */
  submit: (fields: FormData) => Promise<{ message?: string } | null>;
  children: ReactNode;
}

/** A form that ends with somebody signed in. */
export function AuthForm({ label, pendingLabel, submit, children }: Props) {
  const [pending, setPending] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const form = useRef<HTMLFormElement>(null);
  const hydrated = useHydrated();

  async function send(fields: FormData) {
    setPending(true);
    setFailure(null);
    const error = await submit(fields).catch(() => ({ message: 'The server cannot be reached. Check your connection.' }));
    if (error) {
      setPending(false);
      setFailure(error.message ?? 'That did not work. Please try again.');
      form.current?.querySelector('input')?.focus();
    } else {
      announceSessionChange();
      loadPage('/');
    }
  }

  return (
    <form
      ref={form}
      // Never a GET, which would put the password into the URL.
      method="post"
      className="flex flex-col gap-5"
      onSubmit={(event) => {
        event.preventDefault();
        void send(new FormData(event.currentTarget));
      }}
    >
      {children}
      <div role="alert" className={failure ? 'rounded-lg bg-danger-wash px-3 py-2.5 text-sm text-danger' : 'hidden'}>
        {failure}
      </div>
      <button type="submit" className="button-primary min-h-11" disabled={pending || !hydrated}>
        {pending ? pendingLabel : label}
      </button>
    </form>
  );
}
