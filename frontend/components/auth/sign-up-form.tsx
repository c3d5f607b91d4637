'use client';

import { AuthForm } from '@/components/auth/auth-form';
import { enter } from '@/components/auth/enter';
import { PasswordField } from '@/components/auth/password-field';
import { Sent, useSentTo } from '@/components/auth/sent';
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

/** With `verification`, a new account can be used only after its address is confirmed. */
export function SignUpForm({ verification }: { verification: boolean }) {
  const [address, sent] = useSentTo();

  if (address) {
    return (
      <Sent>
        A mail to <strong className="font-medium">{address}</strong> is on its way. Open the link in it to confirm your address, then sign in.
      </Sent>
    );
  }
  return (
    <AuthForm label="Create account" pendingLabel="Creating your account …" submit={signUp} onDone={verification ? sent : () => enter()}>
      <TextField label="Name" name="name" autoComplete="name" dir="auto" />
      <TextField label="Email" name="email" type="email" autoComplete="email" />
      <PasswordField isNew />
    </AuthForm>
  );
}
