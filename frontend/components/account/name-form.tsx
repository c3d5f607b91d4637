'use client';

import { useState } from 'react';
import { Saved } from '@/components/account/saved';
import { AuthForm } from '@/components/auth/auth-form';
import { TextField } from '@/components/auth/text-field';
import { authClient } from '@/lib/auth-client';

async function rename(fields: FormData) {
  const { error } = await authClient.updateUser({ name: String(fields.get('name')).trim() });
  return error;
}

export function NameForm({ name }: { name: string }) {
  const [saved, setSaved] = useState(0);

  return (
    <AuthForm
      label="Save name"
      pendingLabel="Saving …"
      submit={rename}
      onDone={() => {
        setSaved(saved + 1);
        return false;
      }}
    >
      <TextField label="Name" name="name" autoComplete="name" dir="auto" defaultValue={name} pattern=".*\S.*" />
      <Saved key={saved} shown={saved > 0}>
        Your name is saved.
      </Saved>
    </AuthForm>
  );
}
