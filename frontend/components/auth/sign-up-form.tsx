'use client';

import { AuthForm } from '@/components/auth/auth-form';
import { TextField } from '@/components/auth/text-field';
import { authClient } from '@/lib/auth-client';

async function signUp(fields: FormData) {
  const { error } = await authClient.signUp.email({
    name: String(fields.get('name')),
    email: String(fields.get('email')),
    password: String(fields.get('password')),
  });
  return error;
}

export function SignUpForm() {
  return (
    <AuthForm label="Create account" pendingLabel="Creating your account …" submit={signUp}>
      <TextField label="Name" name="name" autoComplete="name" />
      <TextField label="Email" name="email" type="email" autoComplete="email" />
      <TextField
        label="Password"
        name="password"
        type="password"
        autoComplete="new-password"
        minLength={8}
        maxLength={128}
        hint="At least 8 characters."
      />
    </AuthForm>
  );
}
