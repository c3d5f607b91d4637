import type { Metadata } from 'next';
import { AuthPage } from '@/components/auth/auth-page';
import { redirectSignedIn } from '@/components/auth/redirect-signed-in';
import { SignUpForm } from '@/components/auth/sign-up-form';
import { env } from '@/lib/env';

export const metadata: Metadata = { title: 'Create an account' };

export default async function SignUpPage() {
  await redirectSignedIn();
  return (
    <AuthPage
      title="Create an account"
      intro="One place for what there is to do."
      other={{ question: 'Already have one?', href: '/login', label: 'Sign in' }}
    >
      <SignUpForm verification={env.requireVerification} />
    </AuthPage>
  );
}
