'use client';

import { useRef, useState } from 'react';
import { leave } from '@/components/account/leave';
import { AuthForm, type Failure } from '@/components/auth/auth-form';
import { PasswordField } from '@/components/auth/password-field';
import type { IssuedToken } from '@/lib/access-token';
import { api, apiWith } from '@/lib/api';
import { ApiError } from '@/lib/api-error';
import { authClient } from '@/lib/auth-client';
import { eraseTasks } from '@/lib/erase-tasks';
import { announceSessionChange } from '@/lib/session-events';

type Step = 'idle' | 'erasing' | 'removing' | 'erasing again' | 'not erased again';

const post = <T,>(step: 'prepare' | 'finish', password: string) =>
  authClient.$fetch<T>(`/delete-account/${step}`, { method: 'POST', body: { password } });

/** Deletes the account, step by step. If a step fails, the page says what is deleted, and the same button continues. */
export function DeleteAccount({ userId }: { userId: string }) {
  const [step, setStep] = useState<Step>('idle');
  const [erased, setErased] = useState(0);
  /** After the user is removed, the API with the user's last token. */
  const client = useRef(api);
  const isGone = step === 'erasing again' || step === 'not erased again';

  const erase = () => eraseTasks(client.current, userId, (tasks) => setErased((before) => before + tasks));

  async function remove(fields: FormData): Promise<Failure | null> {
    const failure = await removeUser(String(fields.get('password')));
    setStep((now) => (failure ? 'idle' : now));
    return failure;
  }

  async function removeUser(password: string): Promise<Failure | null> {
    const { error } = await post('prepare', password);
    if (error) {
      return said(error);
    }
    setStep('erasing');
    try {
      await erase();
    } catch (cause) {
      return { message: `${ApiError.of(cause).detail} Your account is still there: try again to continue.` };
    }
    setStep('removing');
    const finished = await post<IssuedToken>('finish', password);
    if (finished.error) {
      return said(finished.error);
    }
    const issued = finished.data;
    client.current = apiWith(async () => issued, () => {});
    announceSessionChange();
    return null;
  }

  /** Erases what another browser wrote between the first erasure and the removal of the user. */
  async function eraseAgain() {
    setStep('erasing again');
    try {
      await erase();
      leave('deleted');
    } catch {
      setStep('not erased again');
    }
  }

  return (
    <div className="flex flex-col gap-5">
      <p role="status" className={step !== 'idle' || erased > 0 ? 'rounded-lg border border-transparent bg-wash px-3 py-2.5 text-sm' : 'hidden'}>
        {erased > 0 && `${erased.toLocaleString('en')} ${erased === 1 ? 'task is' : 'tasks are'} deleted. `}
        {step === 'erasing' && 'Erasing your tasks …'}
        {step === 'removing' && 'Removing your account …'}
        {isGone && 'Your account is deleted.'}
      </p>
      {isGone ? (
        step === 'not erased again' && (
          <div role="alert" className="flex flex-col gap-4">
            <p>The task service does not answer. If another of your browsers added a task in the last few minutes, it may still be stored.</p>
            <button type="button" className="button-danger min-h-11" onClick={() => void eraseAgain()}>
              Erase it, too
            </button>
          </div>
        )
      ) : (
        <AuthForm
          danger
          label="Delete my account"
          pendingLabel="Deleting …"
          submit={remove}
          onDone={() => {
            void eraseAgain();
            return true;
          }}
        >
          <PasswordField />
        </AuthForm>
      )}
    </div>
  );
}

/** A 401 may also mean that the user was removed and the answer got lost. */
const said = (error: Failure & { status: number }): Failure =>
  error.status === 401 ? { message: 'You are signed out. If that was not you, your account may be deleted already: sign in to see.' } : error;
