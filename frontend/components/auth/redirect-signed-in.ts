import { headers } from 'next/headers';
import { redirect } from 'next/navigation';
import { storedSession } from '@/lib/auth';

/**
 * Redirects signed-in users to where they wanted to go. Reads the session from the database, since a cached one may have
 * ended elsewhere.
 */
export async function redirectSignedIn(to = '/') {
  if (await storedSession(await headers())) {
    redirect(to);
  }
}
