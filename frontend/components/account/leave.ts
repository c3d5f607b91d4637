import { api } from '@/lib/api';
import { loadPage } from '@/lib/load-page';
import { announceSessionChange } from '@/lib/session-events';

/** Leaves an account on purpose: nothing that this tab keeps of its user stays. */
export function leave(reason: 'everywhere' | 'deleted') {
  api.forgetToken();
  try {
    sessionStorage.clear();
  } catch {
    // A browser may refuse the storage; then nothing is kept.
  }
  announceSessionChange();
  loadPage(`/login?${reason}`);
}
