import type { ComponentProps } from 'react';

interface Props extends Omit<ComponentProps<'button'>, 'children'> {
  label: string;
  /** The path of a 24 × 24 line icon. */
  icon: string;
}

/** An icon button with an accessible name. */
export function IconButton({ label, icon, ...button }: Props) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className="grid size-10 place-items-center rounded-lg text-quiet transition-colors hover:bg-wash hover:text-ink"
      {...button}
    >
      <svg
        viewBox="0 0 24 24"
        className="size-5"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.75"
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
      >
        <path d={icon} />
      </svg>
    </button>
  );
}
