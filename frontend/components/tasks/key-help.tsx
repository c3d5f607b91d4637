import type { RefObject } from 'react';

const KEYS: [key: string, what: string][] = [
  ['n', 'Write a new task'],
  ['Ctrl Z', 'Undo a deletion'],
  ['Ctrl Enter', 'Save from the description'],
  ['Esc', 'Stop editing'],
  ['?', 'This help'],
];

export function KeyHelp({ dialog }: { dialog: RefObject<HTMLDialogElement | null> }) {
  return (
    <dialog
      ref={dialog}
      aria-labelledby="key-help"
      className="m-auto w-full max-w-sm rounded-2xl border border-line bg-card p-6 text-ink shadow-lg backdrop:bg-black/40"
    >
      <h2 id="key-help" className="font-serif text-xl font-semibold">
        Keys
      </h2>
      <dl className="mt-4 grid grid-cols-[auto_1fr] items-baseline gap-x-4 gap-y-2.5 text-sm">
        {KEYS.map(([key, what]) => (
          <div key={key} className="contents">
            <dt>
              <kbd className="rounded border border-edge px-1.5 py-0.5 font-sans">{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog" className="mt-5 flex justify-end">
        <button type="submit" className="button-primary">
          Close
        </button>
      </form>
    </dialog>
  );
}
