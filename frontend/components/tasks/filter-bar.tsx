import type { Filter } from '@/components/tasks/filter';

const FILTERS: [Filter, string][] = [
  ['all', 'All'],
  ['open', 'Open'],
  ['done', 'Done'],
];

interface Props {
  filter: Filter;
  /** The number of open tasks, as far as it is known. */
  open: string;
  onChange: (filter: Filter) => void;
}

export function FilterBar({ filter, open, onChange }: Props) {
  return (
    <div role="group" aria-label="Show" className="flex gap-1 self-start rounded-xl bg-wash p-1">
      {FILTERS.map(([value, label]) => (
        <button
          key={value}
          type="button"
          aria-pressed={filter === value}
          className="min-h-9 rounded-lg border border-transparent px-4 text-sm font-medium text-quiet transition-colors hover:text-ink aria-pressed:bg-accent aria-pressed:text-on-accent forced-colors:aria-pressed:bg-[Highlight] forced-colors:aria-pressed:text-[HighlightText] forced-colors:aria-pressed:forced-color-adjust-none"
          onClick={() => onChange(value)}
        >
          {label}
          {value === 'open' && open && <span className="ml-1.5 tabular-nums">{open}</span>}
        </button>
      ))}
    </div>
  );
}
