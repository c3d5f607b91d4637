'use client';

import { leave } from '@/components/account/leave';
import { AuthForm } from '@/components/auth/auth-form';
import { authClient } from '@/lib/auth-client';

async function signOutEverywhere() {
  const { error } = await authClient.revokeSessions();
  // Where nobody is signed in any more, all is done but for the cookies.
  if (error && error.status !== 401) {
    return error;
  }
  // This browser has no session any more, but cookies that look like one.
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
