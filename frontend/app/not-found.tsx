import type { Metadata } from 'next';
import Link from 'next/link';

export const metadata: Metadata = { title: 'No such page' };

export default function NotFound() {
  return (
    <main className="mx-auto flex min-h-dvh max-w-md flex-col items-center justify-center gap-3 px-5 text-center">
      <h1 className="font-serif text-2xl font-semibold">There is no such page</h1>
      <Link href="/" className="button-primary mt-3">
        To your tasks
      </Link>
    </main>
  );
}
