'use client';

import { leave } from '@/components/account/leave';
import { AuthForm } from '@/components/auth/auth-form';
import { authClient } from '@/lib/auth-client';

async function signOutEverywhere() {
  const { error } = await authClient.revokeSessions();
  if (!error) {
    // It has no session any more, but cookies that look like one.
    await authClient.signOut();
  }
  return error;
}

export function SignOutEverywhere() {
  return (
    <AuthForm
      label="Sign out everywhere"
      pendingLabel="Signing out …"
      submit={signOutEverywhere}
      onDone={() => {
        leave('everywhere');
        return true;
      }}
    >
      {null}
    </AuthForm>
  );
}
