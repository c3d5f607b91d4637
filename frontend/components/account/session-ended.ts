import type { Failure } from '@/components/auth/words';
import { loadPage } from '@/lib/load-page';
import { loginPath } from '@/lib/return-path';

/** The error of an account form; without a session, goes to the sign-in page. */
export function failureOf(error: (Failure & { status: number }) | null): Failure | null {
  if (error?.status !== 401) {
    return error;
  }
  loadPage(loginPath('/account', true));
  return { message: 'Your session has ended.' };
}
