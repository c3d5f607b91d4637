'use client';

import Link from 'next/link';
import { useEffect, useRef, useState } from 'react';
import { AuthForm } from '@/components/auth/auth-form';
import { PasswordField } from '@/components/auth/password-field';
import { authClient } from '@/lib/auth-client';
import { loadPage } from '@/lib/load-page';
import { announceSessionChange } from '@/lib/session-events';

/** Sets a new password with the token from a mail. */
export function ResetPasswordForm() {
  const token = useRef('');
  const [spent, setSpent] = useState(false);

  useEffect(() => {
    const read = () => {
      if (window.location.hash) {
        token.current = window.location.hash.slice(1);
        // Keeps the token out of the address bar and the history.
        window.history.replaceState(null, '', window.location.pathname);
        setSpent(false);
      }
    };
    read();
    window.addEventListener('hashchange', read);
    return () => window.removeEventListener('hashchange', read);
  }, []);

  async function reset(fields: FormData) {
    const { error } = await authClient.resetPassword({ newPassword: String(fields.get('password')), token: token.current });
    setSpent(error?.code === 'INVALID_TOKEN');
    return error;
  }

  function leave() {
    announceSessionChange();
    loadPage('/login?reset');
    return true;
  }

  if (spent) {
    return (
      <div role="alert" className="flex flex-col gap-4">
        <p>This link is no longer valid: it was used already, or is older than an hour.</p>
        <Link href="/forgot-password" className="button-primary min-h-11">
          Send me a new one
        </Link>
      </div>
    );
  }
  return (
    <AuthForm label="Set password" pendingLabel="Setting your password …" submit={reset} onDone={leave}>
      <PasswordField label="New password" isNew />
    </AuthForm>
  );
}
