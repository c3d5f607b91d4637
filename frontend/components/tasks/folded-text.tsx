import { useState } from 'react';

/** A longer text would fill the screen. */
const LONG = { characters: 280, lines: 5 };

/** A description; a long one is folded. */
export function FoldedText({ text, about }: { text: string; about: string }) {
  const [open, setOpen] = useState(false);
  const long = text.length > LONG.characters || text.split('\n').length > LONG.lines;
  return (
    <>
      <p
        dir="auto"
        className={`mt-0.5 text-sm leading-5 wrap-anywhere whitespace-pre-line text-quiet ${long && !open ? 'line-clamp-4' : ''}`}
      >
        {text}
      </p>
      {long && (
        <button
          type="button"
          aria-expanded={open}
          aria-label={`${open ? 'Less' : 'More'} of ${about}`}
          className="mt-0.5 min-h-8 text-sm font-medium text-accent underline underline-offset-4"
          onClick={() => setOpen(!open)}
        >
          {open ? 'Less' : 'More'}
        </button>
      )}
    </>
  );
}
