import type { Metadata } from 'next';
import Link from 'next/link';
import { AuthPage } from '@/components/auth/auth-page';
import { SignInForm } from '@/components/auth/sign-in-form';
import { redirectSignedIn } from '@/components/auth/redirect-signed-in';
import { mailIsOffered } from '@/lib/mail';

export const metadata: Metadata = { title: 'Sign in' };

/** What led here, as the first of these in the address says. */
const INTROS = {
  error: 'That link is not valid any more. Sign in, and we send you a new one.',
  verified: 'Your address is confirmed. Sign in to see your tasks.',
  reset: 'Your new password is set. Sign in with it.',
  everywhere: 'You are signed out everywhere.',
  deleted: 'Your account is deleted, and everything in it.',
  ended: 'Your session has ended. Sign in again to go on.',
};

export default async function LoginPage({ searchParams }: PageProps<'/login'>) {
  const query = await searchParams;
  const reason = Object.entries(INTROS).find(([name]) => name in query);
  // Whoever the API sent here stays, or a token that it refuses would send them back and forth.
  if (!('ended' in query)) {
    await redirectSignedIn();
  }
  return (
    <AuthPage
      title={'deleted' in query ? 'Goodbye' : 'Welcome back'}
      intro={reason?.[1] ?? 'Sign in to see your tasks.'}
      other={{ question: 'New here?', href: '/signup', label: 'Create an account' }}
    >
      <SignInForm />
      {mailIsOffered && (
        <Link href="/forgot-password" className="mt-5 block text-center text-sm text-accent underline underline-offset-4">
          Forgot your password?
        </Link>
      )}
    </AuthPage>
  );
}
