import type { Failure } from '@/components/auth/auth-form';
import { loadPage } from '@/lib/load-page';

/** What went wrong with a form of the account; whoever is not signed in any more goes to sign in. */
export function failureOf(error: (Failure & { status: number }) | null): Failure | null {
  if (error?.status !== 401) {
    return error;
  }
  loadPage('/login?ended');
  return { message: 'Your session has ended.' };
}
