import Link from 'next/link';
import type { ReactNode } from 'react';
import { Logo } from '@/components/logo';

interface Props {
  title: string;
  intro: string;
  other: { question: string; href: '/login' | '/signup'; label: string };
  children: ReactNode;
}

/** The frame of the pages for signed-out users. */
export function AuthPage({ title, intro, other, children }: Props) {
  return (
    <main className="mx-auto flex min-h-dvh w-full max-w-md flex-col justify-center gap-8 px-5 py-10">
      <Logo />
      <div className="rounded-2xl border border-line bg-card p-6 shadow-sm sm:p-8">
        <h1 className="font-serif text-3xl font-semibold tracking-tight">{title}</h1>
        <p className="mt-2 mb-7 text-quiet">{intro}</p>
        {children}
      </div>
      <p className="text-center text-sm text-quiet">
        {other.question}{' '}
        <Link href={other.href} className="font-medium text-accent underline underline-offset-4">
          {other.label}
        </Link>
      </p>
    </main>
  );
}
