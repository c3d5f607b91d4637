'use client';

import { AuthForm } from '@/components/auth/auth-form';
import { enter } from '@/components/auth/enter';
import { PasswordField } from '@/components/auth/password-field';
import { TextField } from '@/components/auth/text-field';
import { authClient } from '@/lib/auth-client';

async function signIn(fields: FormData) {
  const { error } = await authClient.signIn.email({
    email: String(fields.get('email')),
    password: String(fields.get('password')),
  });
  return error?.code === 'EMAIL_NOT_VERIFIED'
    ? { message: 'Your address is not confirmed yet. We have sent you a new link: open it, then sign in.' }
    : error;
}

/** Leads to a path of the app. */
export function SignInForm({ to }: { to: string }) {
  return (
    <AuthForm label="Sign in" pendingLabel="Signing in …" submit={signIn} onDone={() => enter(to)}>
      <TextField label="Email" name="email" type="email" autoComplete="username" />
      <PasswordField />
    </AuthForm>
  );
}
