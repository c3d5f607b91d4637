import { loadPage } from '@/lib/load-page';
import { announceSessionChange } from '@/lib/session-events';

/** Goes to the task page after a sign-in. */
export function enter(): boolean {
  announceSessionChange();
  loadPage('/');
  return true;
}
