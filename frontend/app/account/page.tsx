import type { Metadata } from 'next';
import { headers } from 'next/headers';
import Link from 'next/link';
import { AccountSections } from '@/components/account/account-sections';
import { redirectSignedOut } from '@/components/auth/redirect-signed-out';
import { Logo } from '@/components/logo';
import { storedSession } from '@/lib/auth';

export const metadata: Metadata = { title: 'Your account' };

export default async function AccountPage() {
  // From the database: a cached session may have ended elsewhere, or show an old name.
  const session = await storedSession(await headers());
  if (!session) {
    return redirectSignedOut('/account');
  }
  const { id, name, email } = session.user;
  return (
    <div className="mx-auto flex min-h-dvh max-w-2xl flex-col gap-6 px-4 pt-5 pb-16 sm:px-6">
      <header className="flex items-center justify-between gap-4">
        <Logo />
        <Link href="/" prefetch={false} className="button-plain shrink-0 px-3">
          Back to your tasks
        </Link>
      </header>
      <main className="flex flex-col gap-5">
        <h1 className="mt-2 font-serif text-3xl font-semibold tracking-tight">Your account</h1>
        <p className="-mt-3 break-words text-quiet">{email}</p>
        <AccountSections user={{ id, name, email }} />
      </main>
    </div>
  );
}
