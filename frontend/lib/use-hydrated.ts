import { useSyncExternalStore } from 'react';

const never = () => () => {};

/** Whether React has taken over the page; what is typed into a controlled field before that would be lost. */
export function useHydrated(): boolean {
  return useSyncExternalStore(
    never,
    () => true,
    () => false,
  );
}
