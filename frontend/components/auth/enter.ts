import { loadPage } from '@/lib/load-page';
import { announceSessionChange } from '@/lib/session-events';

/** Goes to a path of the app after a sign-in. */
export function enter(to = '/'): boolean {
  announceSessionChange();
  loadPage(to);
  return true;
}
