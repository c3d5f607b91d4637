'use client';

import { AuthForm } from '@/components/auth/auth-form';
import { Sent, useSentTo } from '@/components/auth/sent';
import { TextField } from '@/components/auth/text-field';
import { authClient } from '@/lib/auth-client';

async function ask(fields: FormData) {
  const { error } = await authClient.requestPasswordReset({ email: String(fields.get('email')) });
  return error;
}

export function ForgotPasswordForm() {
  const [address, sent] = useSentTo();

  if (address) {
    return (
      <Sent>
        If <strong className="font-medium">{address}</strong> has an account, a mail with a link to choose a new password is on its way. The link is
        good for an hour.
      </Sent>
    );
  }
  return (
    <AuthForm label="Send me a link" pendingLabel="Sending …" submit={ask} onDone={sent}>
      <TextField label="Email" name="email" type="email" autoComplete="email" />
    </AuthForm>
  );
}
