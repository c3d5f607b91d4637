import type { ReactNode } from 'react';

/** Says that something was done, where it was. */
export function Saved({ shown, children }: { shown: boolean; children: ReactNode }) {
  return (
    <p role="status" className={shown ? 'arrive rounded-lg border border-transparent bg-wash px-3 py-2.5 text-sm' : 'hidden'}>
      {shown && children}
    </p>
  );
}
