import type { VersionedTask } from '@/lib/api-client';

interface Props {
  newer: VersionedTask;
  onTakeNewer: () => void;
}

/** Says that the task was changed elsewhere; the user's text stays in the form. */
export function Conflict({ newer, onTakeNewer }: Props) {
  return (
    <div role="alert" className="rounded-lg border border-line bg-wash px-3.5 py-3 text-sm">
      <p className="font-medium">This task was changed elsewhere while you were editing it.</p>
      <p className="mt-1 text-quiet">Your text is still above. Save it over the newer version, or take the newer one:</p>
      <blockquote className="mt-2.5 border-l-2 border-accent pl-3">
        <p dir="auto" className="font-medium wrap-anywhere">
          {newer.title}
        </p>
        {newer.description && <p dir="auto" className="mt-0.5 wrap-anywhere whitespace-pre-line">{newer.description}</p>}
      </blockquote>
      <button type="button" className="button-plain mt-2 -ml-2 px-2 text-accent" onClick={onTakeNewer}>
        Use the newer version
      </button>
    </div>
  );
}
