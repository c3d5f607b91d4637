import { loadPage } from '@/lib/load-page';
import { announceSessionChange } from '@/lib/session-events';

/** Takes who has just signed in to their tasks. */
export function enter(): boolean {
  announceSessionChange();
  loadPage('/');
  return true;
}
