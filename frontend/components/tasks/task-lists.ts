import { focusManager, type InfiniteData, notifyManager, QueryClient } from '@tanstack/react-query';
import { type Filter, firstQuery, matches } from '@/components/tasks/filter';
import type { ApiClient, Task, TaskPage, VersionedTask } from '@/lib/api-client';

// Within the task of a click: by default a timer follows, and a checkbox looks unclicked until then.
notifyManager.setScheduler(queueMicrotask);

/** A page of a list; `floor` is the lowest id that it covers. */
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

/** A list with a task added or updated, or removed if it does not match the filter. */
function placed(data: Pages, task: Task, filter: Filter): Pages {
  const others = without(data, task.id);
  // An older task comes with a page that is not loaded yet.
  const at = matches(task, filter) ? others.pages.findIndex(({ floor }) => floor <= task.id) : -1;
  const pages = others.pages.map((page, index) =>
    index === at ? { ...page, tasks: [...page.tasks, task].sort((one, other) => other.id - one.id) } : page,
  );
  return at < 0 ? others : { ...others, pages };
}

/** The loaded lists, one for each filter, updated with later answers about single tasks. */
export class TaskLists {
  readonly client = new QueryClient({ defaultOptions: { queries: { retry: false, networkMode: 'always' } } });
  /** The last known state of a task (null if it is deleted), and a logical time, since clocks are unreliable. */
  readonly #facts = new Map<number, { task: VersionedTask | null; at: number }>();
  #now = 0;
  /** The logical time at which the fetch of a list began. */
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
        // Facts that are newer than the fetch are applied to its result.
        const began = this.#began.get(query.queryHash) ?? this.#now;
        const filter = query.queryKey[1] as Filter;
        const news = [...this.#facts].filter(([, { at }]) => at > began);
        news.forEach(([id, { task }]) => this.#update(filter, id, task));
      }
    });
  }

  /** Calls back after a list has changed. */
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

  /** Sets the first page of a list, which the server sent with the document. */
  start(filter: Filter, page: TaskPage) {
    this.client.setQueryData<Pages>(this.#key(filter), { pages: [listPage(page)], pageParams: [null] });
  }

  /** The current logical time, for `learn`. */
  mark() {
    return this.#now;
  }

  /** Applies an answer about one task. For a read, `began` is its start: it is ignored if something newer is known. */
  learn(task: VersionedTask, began = Infinity) {
    if ((this.#facts.get(task.id)?.at ?? 0) > began) {
      return;
    }
    this.#facts.set(task.id, { task, at: ++this.#now });
    FILTERS.forEach((filter) => this.#update(filter, task.id, task));
  }

  /** Removes a deleted task. */
  forget(taskId: number) {
    this.#facts.set(taskId, { task: null, at: ++this.#now });
    FILTERS.forEach((filter) => this.#update(filter, taskId, null));
  }

  /** Removes the completed tasks that have not changed since this time. */
  forgetCompleted(until: string) {
    this.#loaded()
      .filter(({ completed, updated_at }) => completed && updated_at <= until)
      .forEach(({ id }) => this.forget(id));
  }

  /** The time of the last change of a completed task, as far as this page knows. */
  lastCompletion(): string {
    const known: Task[] = [...this.#facts.values()].flatMap(({ task }) => task ?? []);
    const completed = [...known, ...this.#loaded()].filter((task) => task.completed);
    return completed.map(({ updated_at }) => updated_at).sort().at(-1) ?? '';
  }

  #loaded() {
    return FILTERS.flatMap((filter) => this.loaded(filter)?.tasks ?? []);
  }

  /** A task with its version, if an answer about exactly this state contained one. */
  versioned(task: Task): VersionedTask {
    const known = this.#facts.get(task.id)?.task;
    return { ...task, etag: known?.updated_at === task.updated_at ? known.etag : null };
  }

  /** The loaded tasks of a list, and whether these are all. */
  loaded(filter: Filter): { tasks: Task[]; complete: boolean } | undefined {
    const data = this.client.getQueryData<Pages>(this.#key(filter));
    return data && { tasks: data.pages.flatMap(({ tasks }) => tasks), complete: data.pages.at(-1)?.next === null };
  }

  /** Fetches the shown list again, and the others when they are shown. */
  refresh() {
    // A hidden page refetches when it is shown.
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
