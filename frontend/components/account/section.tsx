import { type ReactNode, useId } from 'react';

interface Props {
  title: string;
  intro?: string;
  danger?: boolean;
  children: ReactNode;
}

/** A section of the account page. */
export function Section({ title, intro, danger = false, children }: Props) {
  const id = useId();
  return (
    <section aria-labelledby={id} className={`rounded-2xl border bg-card p-5 shadow-sm sm:p-7 ${danger ? 'border-danger/40' : 'border-line'}`}>
      <h2 id={id} className="font-serif text-xl font-semibold tracking-tight">
        {title}
      </h2>
      {intro && <p className="mt-1.5 text-quiet">{intro}</p>}
      <div className="mt-5">{children}</div>
    </section>
  );
}
