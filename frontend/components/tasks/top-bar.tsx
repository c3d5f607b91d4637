'use client';

import Link from 'next/link';
import { useState } from 'react';
import { Logo } from '@/components/logo';
import { api } from '@/lib/api';
import { authClient } from '@/lib/auth-client';
import { loadPage } from '@/lib/load-page';
import { announceSessionChange } from '@/lib/session-events';

interface Props {
  user: { name: string; email: string };
  beforeSignOut: () => Promise<unknown>;
}

export function TopBar({ user, beforeSignOut }: Props) {
  const [leaving, setLeaving] = useState(false);
  const [failed, setFailed] = useState(false);

  async function signOut() {
    setLeaving(true);
    setFailed(false);
    await beforeSignOut();
    const { error } = await authClient.signOut().catch((cause: unknown) => ({ error: cause }));
    if (error) {
      setLeaving(false);
      setFailed(true);
    } else {
      api.forgetToken();
      announceSessionChange();
      loadPage('/login');
    }
  }

  return (
    <header className="flex items-center justify-between gap-4 pt-5">
      <Logo />
      <div className="flex min-w-0 items-center gap-1">
        {failed ? (
          <span role="alert" className="text-sm text-danger">
            Signing out failed. Try again.
          </span>
        ) : (
          <Link
            href="/account"
            prefetch={false}
            className="truncate rounded-lg px-3 py-2.5 text-sm text-quiet hover:bg-wash hover:text-ink"
            title={`Your account: ${user.email}`}
          >
            {user.name}
          </Link>
        )}
        <button type="button" className="button-plain shrink-0 px-3" disabled={leaving} onClick={() => void signOut()}>
          {leaving ? 'Signing out …' : 'Sign out'}
        </button>
      </div>
    </header>
  );
}
