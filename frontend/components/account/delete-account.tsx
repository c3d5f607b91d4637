'use client';

import { useRef, useState } from 'react';
import { leave } from '@/components/account/leave';
import { AuthForm } from '@/components/auth/auth-form';
import { PasswordField } from '@/components/auth/password-field';
import type { Failure } from '@/components/auth/words';
import type { IssuedToken } from '@/lib/access-token';
import { apiWith } from '@/lib/api';
import { authClient } from '@/lib/auth-client';
import { eraseAccount } from '@/lib/erase-account';
import { announceSessionChange } from '@/lib/session-events';

type State = 'idle' | 'erasing' | 'gone' | 'not erased again';

/** A step's answer: the number of erased tasks, and the removed user's last token if something may be left of theirs. */
interface Step {
  deleted: number;
  more: boolean;
  last?: IssuedToken | null;
}

/** In each step the server calls the API, with limits of its own. */
const STEP_MS = 60_000;

const post = (body: object) => authClient.$fetch<Step>('/delete-account', { method: 'POST', body, timeout: STEP_MS });

/** Deletes the account, step by step. If a step fails, the page says what is deleted, and the same button continues. */
export function DeleteAccount({ userId, email }: { userId: string; email: string }) {
  const [state, setState] = useState<State>('idle');
  const [erased, setErased] = useState(0);
  const last = useRef<IssuedToken | null>(null);
  const isGone = state === 'gone' || state === 'not erased again';

  async function remove(fields: FormData): Promise<Failure | null> {
    let body: object = { password: String(fields.get('password')) };
    try {
      for (;;) {
        const { data, error } = await post(body);
        if (error) {
          return said(error);
        }
        setErased((before) => before + data.deleted);
        if (!data.more) {
          last.current = data.last ?? null;
          return null;
        }
        setState('erasing');
        body = {};
      }
    } finally {
      setState('idle');
    }
  }

  function done() {
    if (last.current) {
      announceSessionChange();
      setState('not erased again');
    } else {
      setState('gone');
      leave('deleted');
    }
    return true;
  }

  /** Erases what another browser wrote before the user was removed, if the server could not. */
  async function eraseAgain() {
    setState('gone');
    try {
      await eraseAccount(apiWith(async () => last.current as IssuedToken, () => {}), userId);
      leave('deleted');
    } catch {
      setState('not erased again');
    }
  }

  return (
    <div className="flex flex-col gap-5">
      <p role="status" className={state !== 'idle' || erased > 0 ? 'rounded-lg border border-transparent bg-wash px-3 py-2.5 text-sm' : 'hidden'}>
        {erased > 0 && `${erased.toLocaleString('en')} ${erased === 1 ? 'task is' : 'tasks are'} deleted. `}
        {state === 'erasing' && 'Erasing your tasks …'}
        {isGone && 'Your account is deleted.'}
      </p>
      {isGone ? (
        state === 'not erased again' && (
          <div role="alert" className="flex flex-col gap-4">
            <p>The task service does not answer. If another of your browsers added a task in the last few minutes, it may still be stored.</p>
            <button type="button" className="button-danger min-h-11" onClick={() => void eraseAgain()}>
              Erase it, too
            </button>
          </div>
        )
      ) : (
        <AuthForm danger label="Delete my account" username={email} pendingLabel="Deleting …" submit={remove} onDone={done}>
          <PasswordField />
        </AuthForm>
      )}
    </div>
  );
}

function said(error: Failure & { status: number }): Failure {
  if (error.status === 401) {
    // The user may have been removed, and the answer lost.
    return { message: 'You are signed out. If that was not you, your account may be deleted already: sign in to see.' };
  }
  return error.code === 'TASKS_NOT_ERASED' ? { message: `${error.message} Your account is still there: try again to continue.` } : error;
}
