'use client';

import { type ReactNode, useRef, useState } from 'react';
import { type Failure, wordsOf } from '@/components/auth/words';
import { useHydrated } from '@/lib/use-hydrated';
import { inWords, useWait } from '@/lib/use-wait';

interface Props {
  label: string;
  pendingLabel: string;
  /** Returns the error, or null. */
  submit: (fields: FormData) => Promise<Failure | null>;
  /** Called after a success; returns `true` if it leaves the page. */
  onDone?: (fields: FormData) => boolean;
  /** The message after a success. */
  doneText?: string;
  /** For actions that cannot be undone. */
  danger?: boolean;
  /** Whose password the form is about, for password managers. */
  username?: string;
  children: ReactNode;
}

const UNREACHABLE: Failure = { message: 'The server cannot be reached. Check your connection.' };
const LATE: Failure = { message: 'The server did not answer in time. Please try again.' };

const failureOf = (cause: unknown) => (cause instanceof DOMException && cause.name === 'AbortError' ? LATE : UNREACHABLE);

/** A form for Better Auth. It shows the error and, after too many attempts, a countdown to the next one. */
export function AuthForm({ label, pendingLabel, submit, onDone, doneText, danger = false, username, children }: Props) {
  const [pending, setPending] = useState(false);
  const [done, setDone] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  // Announced once: screen readers do not read the button's countdown.
  const [tooMany, setTooMany] = useState('');
  const [left, wait] = useWait();
  const form = useRef<HTMLFormElement>(null);
  const hydrated = useHydrated();
  const said = left > 0 ? tooMany : failure;

  async function send(fields: FormData) {
    setPending(true);
    setDone(false);
    setFailure(null);
    const error = await submit(fields).catch(failureOf);
    if (!error) {
      setDone(true);
      setPending(onDone?.(fields) ?? false);
      return;
    }
    setPending(false);
    if (error.retryAfter) {
      wait(error.retryAfter);
      setTooMany(`Too many attempts. Try again in ${inWords(error.retryAfter)}.`);
    } else {
      const { message, fields } = wordsOf(error);
      setFailure(message);
      const wrong = fields.map((name) => `[name=${name}]`).find((field) => form.current?.querySelector(field));
      form.current?.querySelector<HTMLElement>(wrong ?? 'input:not([hidden])')?.focus();
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
      {username && <input type="text" name="username" autoComplete="username" value={username} readOnly hidden />}
      {children}
      <div role="alert" className={said ? 'rounded-lg border border-transparent bg-danger-wash px-3 py-2.5 text-sm text-danger' : 'hidden'}>
        {said}
      </div>
      {doneText && (
        <p role="status" className={done ? 'arrive rounded-lg border border-transparent bg-wash px-3 py-2.5 text-sm' : 'hidden'}>
          {done && doneText}
        </p>
      )}
      <button type="submit" className={`${danger ? 'button-danger' : 'button-primary'} min-h-11`} disabled={pending || left > 0 || !hydrated}>
        {left > 0 ? `Wait ${inWords(left)}` : pending ? pendingLabel : label}
      </button>
    </form>
  );
}
