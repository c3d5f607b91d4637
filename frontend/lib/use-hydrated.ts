import { useSyncExternalStore } from 'react';

const never = () => () => {};

/** Whether React has hydrated the page; text typed into a controlled field before that would be lost. */
export function useHydrated(): boolean {
  return useSyncExternalStore(
    never,
    () => true,
    () => false,
  );
}
