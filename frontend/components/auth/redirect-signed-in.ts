import { headers } from 'next/headers';
import { redirect } from 'next/navigation';
import { auth } from '@/lib/auth';

/** Sends the signed-in to their tasks; asks the database, for a cached session may have ended elsewhere. */
export async function redirectSignedIn() {
  const query = { disableCookieCache: true, disableRefresh: true };
  if (await auth.api.getSession({ headers: await headers(), query })) {
    redirect('/');
  }
}
