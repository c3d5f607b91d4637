import { useEffect } from 'react';
import { api } from '@/lib/api';
import { authClient } from '@/lib/auth-client';
import { loadPage } from '@/lib/load-page';
import { loginPath } from '@/lib/return-path';
import { isLeaving, onSessionChange } from '@/lib/session-events';

/**
 * Leaves the page once its user is no longer signed in: asks the server after a change in another tab, and when the page
 * is looked at, since another browser may have ended the session.
 */
export function useSignedIn(userId: string) {
  useEffect(() => {
    let asking = false;
    /** Returns whether the server has answered. */
    async function check(): Promise<boolean> {
      if (asking || isLeaving()) {
        return isLeaving();
      }
      asking = true;
      const { data, error } = await authClient
        .getSession({ query: { disableCookieCache: true } })
        .catch((cause: unknown) => ({ data: null, error: cause }));
      asking = false;
      if (error || isLeaving()) {
        return isLeaving();
      }
      if (!data) {
        api.forgetToken();
        loadPage(loginPath(window.location.pathname + window.location.search, true));
      } else if (data.user.id !== userId) {
        api.forgetToken();
        window.location.reload();
      }
      return true;
    }
    const look = () => void (document.visibilityState === 'visible' && check());
    // A page restored by the back button may show a user who has signed out.
    const reloadKept = (event: PageTransitionEvent) => event.persisted && window.location.reload();
    const stop = onSessionChange(check);
    window.addEventListener('focus', look);
    document.addEventListener('visibilitychange', look);
    window.addEventListener('pageshow', reloadKept);
    return () => {
      stop();
      window.removeEventListener('focus', look);
      document.removeEventListener('visibilitychange', look);
      window.removeEventListener('pageshow', reloadKept);
    };
  }, [userId]);
}
