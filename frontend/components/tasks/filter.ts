import type { Task } from '@/lib/api-client';

export type Filter = 'all' | 'open' | 'done';

const COMPLETED: Record<Filter, boolean | undefined> = { all: undefined, open: false, done: true };

const PAGE_SIZE = 20;

/** The query of the first page. */
export const firstQuery = (filter: Filter) => ({ completed: COMPLETED[filter], limit: PAGE_SIZE });

export const matches = ({ completed }: Pick<Task, 'completed'>, filter: Filter) =>
  COMPLETED[filter] === undefined || COMPLETED[filter] === completed;

/** The filter in a URL. */
export const filterOf = (name: string | string[] | null | undefined): Filter =>
  name === 'open' || name === 'done' ? name : 'all';

export const pathOf = (filter: Filter) => (filter === 'all' ? '/' : `/?show=${filter}`);
