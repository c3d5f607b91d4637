'use client';

import Link from 'next/link';
import { useState } from 'react';
import { Logo } from '@/components/logo';
import { IconButton } from '@/components/tasks/icon-button';
import type { TaskModel } from '@/components/tasks/task-model';
import { api } from '@/lib/api';
import { authClient } from '@/lib/auth-client';
import { loadPage } from '@/lib/load-page';
import { announceSessionChange } from '@/lib/session-events';

interface Props {
  user: { name: string; email: string };
  model: TaskModel;
  onHelp: () => void;
}

/** How long a sign-out waits for pending changes. */
const SETTLE_MS = 2_000;
const QUESTION = 'M9.2 9a2.8 2.8 0 1 1 4 2.6c-.8.4-1.2 1-1.2 1.9M12 17h.01M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0z';

export function TopBar({ user, model, onHelp }: Props) {
  const [leaving, setLeaving] = useState(false);
  const [failed, setFailed] = useState(false);
  /** The number of changes that would be lost. */
  const [unsent, setUnsent] = useState(0);

  async function signOut(unsentToo = false) {
    setLeaving(true);
    setFailed(false);
    const left = unsentToo ? 0 : await model.settle(SETTLE_MS);
    setUnsent(left);
    if (left > 0) {
      setLeaving(false);
      return;
    }
    const { error } = await authClient.signOut().catch((cause: unknown) => ({ error: cause }));
    if (error) {
      setLeaving(false);
      setFailed(true);
    } else {
      model.kept.clear();
      api.forgetToken();
      announceSessionChange();
      loadPage('/login');
    }
  }

  return (
    <header className="pt-5">
      <div className="flex items-center justify-between gap-4">
        <Logo />
        <div className="flex min-w-0 items-center gap-1">
          <Link
            href="/account"
            prefetch={false}
            dir="auto"
            className="truncate rounded-lg px-3 py-2.5 text-sm text-quiet hover:bg-wash hover:text-ink"
            aria-label={`Your account: ${user.name}`}
            title={`Your account: ${user.email}`}
          >
            {user.name}
          </Link>
          <IconButton label="Keys" icon={QUESTION} aria-keyshortcuts="?" onClick={onHelp} />
          <button type="button" className="button-plain shrink-0 px-3" disabled={leaving} onClick={() => void signOut()}>
            {leaving ? 'Signing out …' : 'Sign out'}
          </button>
        </div>
      </div>
      {failed && (
        <p role="alert" className="mt-2 text-right text-sm text-danger">
          Signing out failed. Try again.
        </p>
      )}
      {unsent > 0 && (
        <div role="alert" className="mt-2 flex flex-wrap items-center justify-end gap-2 rounded-lg border border-transparent bg-danger-wash px-3 py-2 text-sm text-danger">
          <p className="mr-auto">
            {unsent === 1 ? 'One change is' : `${unsent} changes are`} not saved and would be lost.
          </p>
          <button type="button" className="button px-3" onClick={() => setUnsent(0)}>
            Stay
          </button>
          <button type="button" className="button px-3 underline underline-offset-4" onClick={() => void signOut(true)}>
            Sign out anyway
          </button>
        </div>
      )}
    </header>
  );
}
