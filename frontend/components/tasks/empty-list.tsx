import type { Filter } from '@/components/tasks/task-store';

const WORDS: Record<Filter, [title: string, hint: string]> = {
  all: ['Nothing to do yet', 'Write your first task above and press Enter.'],
  open: ['All done', 'There is no open task. Enjoy it.'],
  done: ['Nothing done yet', 'What you complete shows up here.'],
};

export function EmptyList({ filter, loading }: { filter: Filter; loading: boolean }) {
  if (loading) {
    return <p className="py-16 text-center text-quiet">Loading your tasks …</p>;
  }
  const [title, hint] = WORDS[filter];
  return (
    <div className="rounded-2xl border border-dashed border-line px-6 py-16 text-center">
      <p className="font-serif text-xl font-semibold">{title}</p>
      <p className="mt-1.5 text-quiet">{hint}</p>
    </div>
  );
}
