import { getSessionCookie } from 'better-auth/cookies';
import { headers } from 'next/headers';
import { redirect } from 'next/navigation';
import { loginPath } from '@/lib/return-path';

/** Redirects to the sign-in, and from there back to this path. With a cookie of a session, that session has ended. */
export async function redirectSignedOut(from: string): Promise<never> {
  return redirect(loginPath(from, getSessionCookie(await headers()) !== null));
}
