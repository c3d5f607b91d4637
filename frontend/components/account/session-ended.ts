import type { Failure } from '@/components/auth/auth-form';
import { loadPage } from '@/lib/load-page';

/** The error of an account form; without a session, goes to the sign-in page. */
export function failureOf(error: (Failure & { status: number }) | null): Failure | null {
  if (error?.status !== 401) {
    return error;
  }
  loadPage('/login?ended');
  return { message: 'Your session has ended.' };
}
