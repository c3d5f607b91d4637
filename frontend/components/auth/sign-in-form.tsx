'use client';

import { AuthForm } from '@/components/auth/auth-form';
import { TextField } from '@/components/auth/text-field';
import { authClient } from '@/lib/auth-client';

async function signIn(fields: FormData) {
  const { error } = await authClient.signIn.email({
    email: String(fields.get('email')),
    password: String(fields.get('password')),
  });
  return error;
}

export function SignInForm() {
  return (
    <AuthForm label="Sign in" pendingLabel="Signing in …" submit={signIn}>
      <TextField label="Email" name="email" type="email" autoComplete="email" />
      <TextField label="Password" name="password" type="password" autoComplete="current-password" />
    </AuthForm>
  );
}
