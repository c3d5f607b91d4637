import { useState } from 'react';
import { TaskFields } from '@/components/tasks/task-fields';
import type { Draft } from '@/components/tasks/task-store';
import type { NewTask } from '@/lib/api';
import { faultText } from '@/lib/api-error';

interface Props {
  draft: Draft;
  onRetry: () => void;
  onAmend: (task: NewTask) => void;
  onDiscard: () => void;
}

/** A new task that the server does not have yet; where it refused it, the text stays here. */
export function DraftRow({ draft, onRetry, onAmend, onDiscard }: Props) {
  const { input, failure } = draft;
  const [text, setText] = useState<{ title: string; description: string } | null>(null);
  const faults = failure?.errors.map(faultText).join(' ');

  if (text) {
    return (
      <li className="rounded-xl border border-danger bg-card">
        <TaskFields
          label={`Edit ${input.title}`}
          text={text}
          failure={failure}
          onChange={setText}
          onSave={() => {
            if (text.title.trim()) {
              onAmend({ title: text.title.trim(), description: text.description.trim() || null });
            }
          }}
          onCancel={() => setText(null)}
        />
      </li>
    );
  }
  return (
    <li
      aria-busy={!failure}
      className={`arrive rounded-xl border bg-card px-4 py-3 ${failure ? 'border-danger' : 'border-line opacity-70'}`}
    >
      <div className="flex items-start gap-3">
        <span className="mt-0.5 ml-1 size-6 shrink-0 rounded-full border-2 border-dashed border-edge" aria-hidden="true" />
        <div className="min-w-0 flex-1">
          <p className="leading-7 wrap-anywhere">{input.title}</p>
          {input.description && (
            <p className="text-sm leading-5 wrap-anywhere whitespace-pre-line text-quiet">{input.description}</p>
          )}
        </div>
      </div>
      {failure && (
        <div role="alert" className="mt-2 ml-10">
          <p className="text-sm text-danger">Not saved. {faults || failure.detail}</p>
          <div className="mt-1 -ml-3 flex flex-wrap">
            {failure.status !== 422 && (
              <button type="button" className="button-plain px-3 text-accent" onClick={onRetry}>
                Try again
              </button>
            )}
            <button
              type="button"
              className="button-plain px-3"
              onClick={() => setText({ title: input.title, description: input.description ?? '' })}
            >
              Edit
            </button>
            <button type="button" className="button-plain px-3" onClick={onDiscard}>
              Discard
            </button>
          </div>
        </div>
      )}
    </li>
  );
}
