'use client';

import { leave } from '@/components/account/leave';
import { AuthForm } from '@/components/auth/auth-form';
import { authClient } from '@/lib/auth-client';

async function signOutEverywhere() {
  const { error } = await authClient.revokeSessions();
  // Without a session, only the cookies are left to remove.
  if (error && error.status !== 401) {
    return error;
  }
  // The session has ended, but its cookies are still there.
  await authClient.signOut();
  return null;
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
