import { useRef } from 'react';
import type { Draft, Drafts } from '@/components/tasks/drafts';
import { FoldedText } from '@/components/tasks/folded-text';
import { TaskFields } from '@/components/tasks/task-fields';
import { isSameText, toStored, toText } from '@/components/tasks/task-text';
import { faultText } from '@/lib/api-error';
import { useFocusWhenDrawn } from '@/lib/use-focus-when-drawn';

interface Props {
  draft: Draft;
  drafts: Drafts;
  onDiscard: () => void;
}

/** A new task that is not stored yet; if the server refuses it, its text can be corrected here. */
export function DraftRow({ draft, drafts, onDiscard }: Props) {
  const { input, failure, mending } = draft;
  const row = useRef<HTMLLIElement>(null);
  const focus = useFocusWhenDrawn(row);
  const text = toText(input);
  const faults = failure?.errors.map(faultText).join(' ');

  return (
    <li
      ref={row}
      aria-busy={!failure}
      className={`arrive rounded-xl border bg-card ${failure ? 'border-danger' : 'border-line'} ${mending ? '' : 'px-4 py-3'}`}
    >
      {mending ? (
        <TaskFields
          label={`Edit ${input.title}`}
          text={mending}
          changed={!isSameText(mending, text)}
          failure={failure}
          onChange={(text) => drafts.mend(draft, text)}
          onSave={() => {
            const input = toStored(mending);
            if (input.title) {
              void drafts.amend(draft, input);
            }
          }}
          onCancel={() => {
            drafts.mend(draft, null);
            focus('[data-mend]');
          }}
        />
      ) : (
        <>
          <div className={`flex items-start gap-3 ${failure ? '' : 'opacity-70'}`}>
            <span className="mt-0.5 ml-1 size-6 shrink-0 rounded-full border-2 border-dashed border-edge" aria-hidden="true" />
            <div className="min-w-0 flex-1">
              <p dir="auto" className="leading-7 wrap-anywhere">
                {input.title}
              </p>
              {input.description && <FoldedText text={input.description} about={input.title} />}
            </div>
          </div>
          {failure && (
            <div role="alert" className="mt-2 ml-10">
              <p className="text-sm text-danger">Not saved. {faults || failure.detail}</p>
              <div className="mt-1 -ml-3 flex flex-wrap gap-1">
                {failure.status !== 422 && (
                  <button type="button" className="button-plain px-3 text-accent" onClick={() => void drafts.retry(draft)}>
                    Try again
                  </button>
                )}
                <button
                  type="button"
                  data-mend
                  className="button-plain px-3"
                  onClick={() => {
                    drafts.mend(draft, text);
                    focus('form input');
                  }}
                >
                  Edit
                </button>
                <button type="button" className="button-plain px-3" onClick={onDiscard}>
                  Discard
                </button>
              </div>
            </div>
          )}
        </>
      )}
    </li>
  );
}
