import type { Filter } from '@/components/tasks/task-store';

const FILTERS: [Filter, string][] = [
  ['all', 'All'],
  ['open', 'Open'],
  ['done', 'Done'],
];

interface Props {
  filter: Filter;
  onChange: (filter: Filter) => void;
}

export function FilterBar({ filter, onChange }: Props) {
  return (
    <div role="group" aria-label="Show" className="flex gap-1 self-start rounded-xl bg-wash p-1">
      {FILTERS.map(([value, label]) => (
        <button
          key={value}
          type="button"
          aria-pressed={filter === value}
          className="min-h-9 rounded-lg px-4 text-sm font-medium text-quiet transition-colors hover:text-ink aria-pressed:bg-card aria-pressed:text-ink aria-pressed:shadow-sm"
          onClick={() => onChange(value)}
        >
          {label}
        </button>
      ))}
    </div>
  );
}
