import type { Metadata } from 'next';
import { AuthPage } from '@/components/auth/auth-page';
import { SignInForm } from '@/components/auth/sign-in-form';
import { redirectSignedIn } from '@/components/auth/redirect-signed-in';

export const metadata: Metadata = { title: 'Sign in' };

export default async function LoginPage({ searchParams }: PageProps<'/login'>) {
  const ended = 'ended' in (await searchParams);
  // Whoever the API sent here stays, or a token that it refuses would send them back and forth.
  if (!ended) {
    await redirectSignedIn();
  }
  return (
    <AuthPage
      title="Welcome back"
      intro={ended ? 'Your session has ended. Sign in again to go on.' : 'Sign in to see your tasks.'}
      other={{ question: 'New here?', href: '/signup', label: 'Create an account' }}
    >
      <SignInForm />
    </AuthPage>
  );
}
