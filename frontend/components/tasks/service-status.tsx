import { useSyncExternalStore } from 'react';
import { callWatch } from '@/lib/api';
import type { CallsState } from '@/lib/call-watch';

const WORDS: Record<CallsState, string> = {
  fine: '',
  slow: 'The server takes longer than usual …',
  busy: 'The server is busy. Trying again …',
};

const subscribe = (changed: () => void) => {
  window.addEventListener('online', changed);
  window.addEventListener('offline', changed);
  return () => {
    window.removeEventListener('online', changed);
    window.removeEventListener('offline', changed);
  };
};

/** Says why the user has to wait. */
export function ServiceStatus() {
  const { calls } = useSyncExternalStore(callWatch.subscribe, callWatch.state, callWatch.state);
  const onLine = useSyncExternalStore(
    subscribe,
    () => navigator.onLine,
    () => true,
  );
  const words = onLine ? WORDS[calls] : 'You are offline. Your text is kept.';
  return (
    <p role="status" aria-label="Connection" className={words ? 'rounded-lg border border-transparent bg-wash px-3.5 py-2.5 text-sm' : 'sr-only'}>
      {words}
    </p>
  );
}
