import type { Metadata } from 'next';
import Link from 'next/link';
import { AuthPage } from '@/components/auth/auth-page';
import { SignInForm } from '@/components/auth/sign-in-form';
import { redirectSignedIn } from '@/components/auth/redirect-signed-in';
import { mailIsOffered } from '@/lib/mail';
import { returnPath } from '@/lib/return-path';

export const metadata: Metadata = { title: 'Sign in' };

/** Messages for the reasons to be on this page; the first one in the query is shown. */
const INTROS = {
  error: 'That link is no longer valid. Sign in to get a new one.',
  verified: 'Your address is confirmed. Sign in to see your tasks.',
  reset: 'Your new password is set. Sign in with it.',
  everywhere: 'You are signed out everywhere.',
  deleted: 'Your account and all its data have been deleted.',
  ended: 'Your session has ended: after a week without use, or by a sign-out or a new password in another tab or browser. Sign in again to continue.',
};

export default async function LoginPage({ searchParams }: PageProps<'/login'>) {
  const query = await searchParams;
  const to = returnPath(query.to);
  const reason = Object.entries(INTROS).find(([name]) => name in query);
  // A user whose token the API refused stays here; otherwise the pages would redirect back and forth.
  if (!('ended' in query)) {
    await redirectSignedIn(to);
  }
  return (
    <AuthPage
      title={'deleted' in query ? 'Goodbye' : 'Welcome back'}
      intro={reason?.[1] ?? 'Sign in to see your tasks.'}
      other={{ question: 'New here?', href: '/signup', label: 'Create an account' }}
    >
      <SignInForm to={to} />
      {mailIsOffered && (
        <Link href="/forgot-password" className="mt-5 block text-center text-sm text-accent underline underline-offset-4">
          Forgot your password?
        </Link>
      )}
    </AuthPage>
  );
}
