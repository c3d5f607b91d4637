import type { Filter } from '@/components/tasks/filter';

const WORDS: Record<Filter, [title: string, hint: string]> = {
  all: ['Nothing to do yet', 'Write your first task above and press Enter.'],
  open: ['All done', 'No open tasks. Enjoy!'],
  done: ['Nothing done yet', 'Completed tasks appear here.'],
};

export const Loading = () => <p className="py-16 text-center text-quiet">Loading your tasks …</p>;

export function EmptyList({ filter }: { filter: Filter }) {
  const [title, hint] = WORDS[filter];
  return (
    <div className="rounded-2xl border border-dashed border-line px-6 py-16 text-center">
      <p className="font-serif text-xl font-semibold">{title}</p>
      <p className="mt-1.5 text-quiet">{hint}</p>
    </div>
  );
}
