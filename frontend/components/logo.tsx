/** The app's name and logo. */
export function Logo() {
  return (
    <span className="flex items-center gap-2.5 font-serif text-xl font-semibold tracking-tight">
      <svg viewBox="0 0 32 32" className="size-7" aria-hidden="true">
        <rect width="32" height="32" rx="8" className="fill-accent" />
        <path
          d="m9 16.5 5 5 9.5-10.5"
          fill="none"
          strokeWidth="3"
          strokeLinecap="round"
          strokeLinejoin="round"
          className="stroke-on-accent"
        />
      </svg>
      Tasks
    </span>
  );
}
