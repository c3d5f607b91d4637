import type { ReactNode, Ref } from 'react';

/** The column of the task page. */
export function Frame({ ref, children }: { ref?: Ref<HTMLDivElement>; children: ReactNode }) {
  return (
    <div ref={ref} className="mx-auto flex min-h-dvh max-w-2xl flex-col px-4 pb-16 sm:px-6">
      {children}
    </div>
  );
}
