import { headers } from 'next/headers';
import { redirect } from 'next/navigation';
import { auth } from '@/lib/auth';

/**
 * Redirects signed-in users to where they wanted to go. Reads the session from the database, since a cached one may have ended
 * elsewhere.
 */
export async function redirectSignedIn(to = '/') {
  const query = { disableCookieCache: true, disableRefresh: true };
  if (await auth.api.getSession({ headers: await headers(), query })) {
    redirect(to);
  }
}
