import { focusManager, type InfiniteData, notifyManager, QueryClient } from '@tanstack/react-query';
import { type Filter, firstQuery, matches } from '@/components/tasks/filter';
import type { ApiClient, Task, TaskPage, VersionedTask } from '@/lib/api-client';

/** A page of a list, and how far down it reaches: to this id. */
interface ListPage extends TaskPage {
  floor: number;
}
export type Pages = InfiniteData<ListPage, string | null>;

const FILTERS: Filter[] = ['all', 'open', 'done'];

const listPage = (page: TaskPage): ListPage => ({ ...page, floor: (page.next !== null && page.tasks.at(-1)?.id) || 0 });

const without = (data: Pages, taskId: number): Pages => ({
  ...data,
  pages: data.pages.map((page) =>
    page.tasks.some(({ id }) => id === taskId) ? { ...page, tasks: page.tasks.filter(({ id }) => id !== taskId) } : page,
  ),
});

/** A list with a task in its place, or without it, where it does not belong to the list. */
function placed(data: Pages, task: Task, filter: Filter): Pages {
  const others = without(data, task.id);
  // An older one comes with a page that is not loaded yet.
  const at = matches(task, filter) ? others.pages.findIndex(({ floor }) => floor <= task.id) : -1;
  const pages = others.pages.map((page, index) =>
    index === at ? { ...page, tasks: [...page.tasks, task].sort((one, other) => other.id - one.id) } : page,
  );
  return at < 0 ? others : { ...others, pages };
}

/** The lists that the server gave, one for each filter, with what its other answers say of single tasks. */
export class TaskLists {
  readonly client = new QueryClient({ defaultOptions: { queries: { retry: false, networkMode: 'always' } } });
  /** What was learnt of a task, null where it is gone, and when: counted, because clocks go wrong. */
  readonly #facts = new Map<number, { task: VersionedTask | null; at: number }>();
  #now = 0;
  /** When the fetch of a list began. */
  readonly #began = new Map<string, number>();

  constructor(
    private readonly api: ApiClient,
    private readonly userId: string,
  ) {
    this.client.getQueryCache().subscribe((event) => {
      if (event.type !== 'updated') {
        return;
      }
      const { action, query } = event;
      if (action.type === 'fetch') {
        this.#began.set(query.queryHash, this.#now);
      } else if (action.type === 'success' && !action.manual) {
        // A fetch does not know what was learnt while it was on its way.
        const began = this.#began.get(query.queryHash) ?? this.#now;
        const filter = query.queryKey[1] as Filter;
        const news = [...this.#facts].filter(([, { at }]) => at > began);
        news.forEach(([id, { task }]) => this.#update(filter, id, task));
      }
    });
  }

  /** Calls back when a list has changed. */
  readonly subscribe = (changed: () => void) => this.client.getQueryCache().subscribe(notifyManager.batchCalls(changed));

  options(filter: Filter) {
    return {
      queryKey: this.#key(filter),
      queryFn: async ({ pageParam, signal }: { pageParam: string | null; signal: AbortSignal }) =>
        listPage(
          await this.api.getTaskPage(this.userId, pageParam ?? firstQuery(filter), { signal }),
        ),
      initialPageParam: null as string | null,
      getNextPageParam: (page: ListPage) => page.next,
      // The first page comes with the document.
      refetchOnMount: false,
      refetchOnWindowFocus: 'always' as const,
      refetchOnReconnect: 'always' as const,
    };
  }

  /** The first page of a list, which the server sent with the document. */
  start(filter: Filter, page: TaskPage) {
    this.client.setQueryData<Pages>(this.#key(filter), { pages: [listPage(page)], pageParams: [null] });
  }

  /** Marks a moment, for `learn`. */
  mark() {
    return this.#now;
  }

  /** Takes up the answer to a call for one task; to one that only read, unless more was learnt since it `began`. */
  learn(task: VersionedTask, began = Infinity) {
    if ((this.#facts.get(task.id)?.at ?? 0) > began) {
      return;
    }
    this.#facts.set(task.id, { task, at: ++this.#now });
    FILTERS.forEach((filter) => this.#update(filter, task.id, task));
  }

  /** Forgets a task that is no more. */
  forget(taskId: number) {
    this.#facts.set(taskId, { task: null, at: ++this.#now });
    FILTERS.forEach((filter) => this.#update(filter, taskId, null));
  }

  /** Forgets the completed ones that did not change after this time. */
  forgetCompleted(until: string) {
    FILTERS.flatMap((filter) => this.loaded(filter)?.tasks ?? [])
      .filter(({ completed, updated_at }) => completed && updated_at <= until)
      .forEach(({ id }) => this.forget(id));
  }

  /** A task of a list with its version, where an answer for this very state of it gave one. */
  versioned(task: Task): VersionedTask {
    const known = this.#facts.get(task.id)?.task;
    return { ...task, etag: known?.updated_at === task.updated_at ? known.etag : null };
  }

  /** What the lists hold of a task. */
  find(taskId: number): Task | undefined {
    return FILTERS.flatMap((filter) => this.loaded(filter)?.tasks ?? []).find(({ id }) => id === taskId);
  }

  /** What is loaded of a list, and whether that is all of it. */
  loaded(filter: Filter): { tasks: Task[]; complete: boolean } | undefined {
    const data = this.client.getQueryData<Pages>(this.#key(filter));
    return data && { tasks: data.pages.flatMap(({ tasks }) => tasks), complete: data.pages.at(-1)?.next === null };
  }

  /** Reads again what is shown, and the others once they are. */
  refresh() {
    // A hidden page reads them when it is looked at.
    const refetchType = focusManager.isFocused() ? 'active' : 'none';
    return this.client.invalidateQueries({ queryKey: ['tasks'], refetchType });
  }

  #update(filter: Filter, taskId: number, task: Task | null) {
    this.client.setQueryData<Pages>(this.#key(filter), (data) =>
      data && (task ? placed(data, task, filter) : without(data, taskId)),
    );
  }

  readonly #key = (filter: Filter) => ['tasks', filter] as const;
}
