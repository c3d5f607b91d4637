import { api } from '@/lib/api';
import { loadPage } from '@/lib/load-page';
import { announceSessionChange } from '@/lib/session-events';

/** Leaves an account deliberately: removes everything that this tab stores for its user. */
export function leave(reason: 'everywhere' | 'deleted') {
  api.forgetToken();
  try {
    sessionStorage.clear();
  } catch {
    // The browser may deny access to the storage; then nothing is stored.
  }
  announceSessionChange();
  loadPage(`/login?${reason}`);
}
