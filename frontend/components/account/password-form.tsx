'use client';

import { useState } from 'react';
import { failureOf } from '@/components/account/session-ended';
import { AuthForm } from '@/components/auth/auth-form';
import { PasswordField } from '@/components/auth/password-field';
import { authClient } from '@/lib/auth-client';

async function change(fields: FormData) {
  const { error } = await authClient.changePassword({
    currentPassword: String(fields.get('current')),
    newPassword: String(fields.get('new')),
  });
  return failureOf(error);
}

export function PasswordForm({ email }: { email: string }) {
  const [changes, setChanges] = useState(0);

  return (
    <AuthForm
      label="Change password"
      username={email}
      pendingLabel="Changing …"
      submit={change}
      doneText="Your password is changed. Every other browser is signed out."
      onDone={() => {
        setChanges(changes + 1);
        return false;
      }}
    >
      {/* A new key after each change empties the fields. */}
      <div key={changes} className="flex flex-col gap-5">
        <PasswordField label="Current password" name="current" />
        <PasswordField label="New password" name="new" isNew />
      </div>
    </AuthForm>
  );
}
