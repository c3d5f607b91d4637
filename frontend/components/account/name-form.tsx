'use client';

import { failureOf } from '@/components/account/session-ended';
import { AuthForm } from '@/components/auth/auth-form';
import { TextField } from '@/components/auth/text-field';
import { authClient } from '@/lib/auth-client';

async function rename(fields: FormData) {
  const { error } = await authClient.updateUser({ name: String(fields.get('name')) });
  return failureOf(error);
}

export function NameForm({ name }: { name: string }) {
  return (
    <AuthForm label="Save name" pendingLabel="Saving …" submit={rename} doneText="Your name is saved.">
      <TextField label="Name" name="name" autoComplete="name" dir="auto" defaultValue={name} />
    </AuthForm>
  );
}
