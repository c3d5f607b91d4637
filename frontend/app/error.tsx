'use client';

/** Shown if a page cannot be rendered, for example because the database does not answer. */
export default function ErrorPage() {
  return (
    <main className="mx-auto flex min-h-dvh max-w-md flex-col items-center justify-center gap-3 px-5 text-center">
      <h1 className="font-serif text-2xl font-semibold">Something went wrong</h1>
      <p className="text-quiet">It is not your fault. Please try again in a moment.</p>
      <button type="button" className="button-primary mt-3" onClick={() => window.location.reload()}>
        Try again
      </button>
    </main>
  );
}
