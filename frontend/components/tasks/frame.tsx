import type { ReactNode, Ref } from 'react';

/** The column that holds a page of tasks. */
export function Frame({ ref, children }: { ref?: Ref<HTMLDivElement>; children: ReactNode }) {
  return (
    <div ref={ref} className="mx-auto flex min-h-dvh max-w-2xl flex-col px-4 pb-16 sm:px-6">
      {children}
    </div>
  );
}
