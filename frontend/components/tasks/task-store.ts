import type { ApiClient, NewTask, TaskChange, VersionedTask } from '@/lib/api';
import { ApiError } from '@/lib/api-error';

export type Filter = 'all' | 'open' | 'done';

/** A new task on its way to the server, or refused by it. */
export interface Draft {
  /** Its idempotency key. */
  key: string;
  input: NewTask;
  failure: ApiError | null;
}

/** A deleted task; until it is being sent, the user can take it back. */
export interface Deletion {
  task: VersionedTask;
  sending: boolean;
}

/** What became of an edit. */
export type SaveOutcome = { saved: true } | { saved: false; failure: ApiError; newer?: VersionedTask };

export interface TasksState {
  filter: Filter;
  loading: boolean;
  loadFailure: ApiError | null;
  loadingMore: boolean;
  /** What the server last said. */
  tasks: VersionedTask[];
  next: string | null;
  /** What the user did and the server has not confirmed yet, to be laid over `tasks`. */
  drafts: Draft[];
  changes: { taskId: number; change: TaskChange }[];
  deletions: Deletion[];
  /** What went wrong, for all to see. */
  problem: string | null;
  /** What went right, for a screen reader. */
  announcement: string;
}

const PAGE_SIZE = 20;
export const UNDO_MS = 5_000;

const START: TasksState = {
  filter: 'all',
  loading: true,
  loadFailure: null,
  loadingMore: false,
  tasks: [],
  next: null,
  drafts: [],
  changes: [],
  deletions: [],
  problem: null,
  announcement: '',
};

const COMPLETED: Record<Filter, boolean | undefined> = { all: undefined, open: false, done: true };

/** The tasks as the user means them to be: the server's, with what is on its way, and only those of the filter. */
export function shownTasks({ filter, tasks, changes, deletions }: TasksState): VersionedTask[] {
  const completed = COMPLETED[filter];
  return tasks
    .filter(({ id }) => !deletions.some(({ task }) => task.id === id))
    .map((task) => changes.reduce((shown, { taskId, change }) => (taskId === task.id ? { ...shown, ...change } : shown), task))
    .filter((task) => completed === undefined || task.completed === completed);
}

/** One user's tasks in the browser: shows each action at once, sends it, and takes it back where the server refuses. */
export class TaskStore {
  #state = START;
  readonly #listeners = new Set<() => void>();
  /** The last call of each task, because two at once could arrive in either order. */
  readonly #queues = new Map<number, Promise<unknown>>();
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>();
  #load = 0;
  /** Tasks created while a list was on its way, which may not have them. */
  #createdSinceLoad: VersionedTask[] = [];

  constructor(
    private readonly api: ApiClient,
    private readonly userId: string,
  ) {}

  readonly state = () => this.#state;

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  show(filter: Filter) {
    this.#set({ filter });
    return this.load();
  }

  async load() {
    const load = ++this.#load;
    this.#createdSinceLoad = [];
    this.#set({ loading: true, loadFailure: null, loadingMore: false, next: null });
    try {
      const query = { completed: COMPLETED[this.#state.filter], limit: PAGE_SIZE };
      const page = await this.api.getTaskPage(this.userId, query);
      if (load === this.#load) {
        const known = new Map(this.#state.tasks.map((task) => [task.id, task]));
        const tasks = page.tasks.map((task) => newest(task, known.get(task.id)));
        const created = this.#createdSinceLoad.filter(({ id }) => !tasks.some((task) => task.id === id));
        this.#set({ loading: false, tasks: [...created, ...tasks], next: page.next });
      }
    } catch (error) {
      if (load === this.#load) {
        this.#set({ loading: false, loadFailure: ApiError.of(error) });
      }
    }
  }

  async loadMore() {
    const { next, loadingMore } = this.#state;
    if (!next || loadingMore) {
      return;
    }
    const load = this.#load;
    this.#set({ loadingMore: true, problem: null });
    try {
      const page = await this.api.getTaskPage(this.userId, next);
      if (load === this.#load) {
        const { tasks } = this.#state;
        const more = page.tasks.filter(({ id }) => !tasks.some((task) => task.id === id));
        this.#set({
          loadingMore: false,
          tasks: [...tasks, ...more.map((task) => ({ ...task, etag: null }))],
          next: page.next,
          announcement: `${more.length} more tasks loaded`,
        });
      }
    } catch (error) {
      if (load === this.#load) {
        this.#set({ loadingMore: false });
        this.#report('More tasks could not be loaded', error);
      }
    }
  }

  add(input: NewTask) {
    return this.#create({ key: crypto.randomUUID(), input, failure: null });
  }

  /** Sends a refused draft again: the same key, because the first try may have arrived after all. */
  retry(draft: Draft) {
    this.discard(draft);
    return this.#create({ ...draft, failure: null });
  }

  /** Sends a refused draft with another text, which needs another key. */
  amend(draft: Draft, input: NewTask) {
    this.discard(draft);
    return this.add(input);
  }

  /** Adds the edit of a task that was deleted meanwhile as a new one. */
  addInstead(gone: VersionedTask, input: NewTask) {
    this.#forget(gone.id);
    return this.add(input);
  }

  discard({ key }: Draft) {
    this.#set({ drafts: this.#state.drafts.filter((draft) => draft.key !== key) });
  }

  async complete(task: VersionedTask, completed: boolean) {
    try {
      await this.#change(task.id, { completed }, () => this.api.toggleTaskCompletion(this.userId, task.id, completed));
      this.#set({ announcement: completed ? `Completed “${task.title}”` : `Reopened “${task.title}”` });
    } catch (error) {
      this.#forgetIfGone(task.id, error);
      this.#report(`“${task.title}” could not be ${completed ? 'completed' : 'reopened'}`, error);
    }
  }

  /** Saves an edit of `base`; where somebody changed the text meanwhile, nothing is saved and the newer task is given. */
  async save(base: VersionedTask, change: TaskChange): Promise<SaveOutcome> {
    const update = (ifMatch: string | null) => this.api.updateTask(this.userId, base.id, change, { ifMatch });
    try {
      await this.#change(base.id, change, async () => {
        try {
          return await update(base.etag);
        } catch (error) {
          const newer = isStale(error) ? await this.fetch(base.id) : null;
          // Only its completion changed, which an edit of the text does not touch.
          if (newer && newer.title === base.title && newer.description === base.description) {
            return update(newer.etag);
          }
          throw error;
        }
      });
      this.#set({ announcement: `Saved “${change.title ?? base.title}”` });
      return { saved: true };
    } catch (error) {
      const failure = ApiError.of(error);
      const newer = isStale(error) ? this.#state.tasks.find(({ id }) => id === base.id) : undefined;
      return { saved: false, failure, newer };
    }
  }

  /** The task as it is now, with its version. */
  async fetch(taskId: number): Promise<VersionedTask> {
    const task = await this.api.getTask(this.userId, taskId);
    this.#replace(task);
    return task;
  }

  delete(task: VersionedTask) {
    const deletions = [...this.#state.deletions, { task, sending: false }];
    this.#set({ deletions, announcement: `Deleted “${task.title}”` });
    this.resumeUndo(task.id);
  }

  undo(task: VersionedTask) {
    this.pauseUndo(task.id);
    const deletions = this.#state.deletions.filter((deletion) => deletion.task.id !== task.id);
    this.#set({ deletions, announcement: `Restored “${task.title}”` });
  }

  /** The time for an undo stands still while the user is at it. */
  pauseUndo(taskId: number) {
    clearTimeout(this.#timers.get(taskId));
    this.#timers.delete(taskId);
  }

  resumeUndo(taskId: number) {
    this.pauseUndo(taskId);
    const deletion = this.#state.deletions.find(({ task }) => task.id === taskId);
    if (deletion && !deletion.sending) {
      this.#timers.set(taskId, setTimeout(() => this.#send(deletion, false), UNDO_MS));
    }
  }

  /** Sends every deletion that waits for an undo, in calls that outlive the page. */
  flush() {
    const waiting = this.#state.deletions.filter(({ sending }) => !sending);
    return Promise.all(waiting.map((deletion) => this.#send(deletion, true)));
  }

  dismissProblem() {
    this.#set({ problem: null });
  }

  async #create(draft: Draft) {
    this.#set({ drafts: [draft, ...this.#state.drafts], problem: null });
    try {
      const task = await this.api.createTask(this.userId, draft.input, { idempotencyKey: draft.key });
      this.discard(draft);
      this.#createdSinceLoad.unshift(task);
      const others = this.#state.tasks.filter(({ id }) => id !== task.id);
      this.#set({ tasks: [task, ...others], announcement: `Added “${task.title}”` });
    } catch (error) {
      const failure = ApiError.of(error);
      this.#set({ drafts: this.#state.drafts.map((other) => (other.key === draft.key ? { ...draft, failure } : other)) });
    }
  }

  /** Shows the change until the server answered. */
  async #change(taskId: number, change: TaskChange, send: () => Promise<VersionedTask>) {
    const shown = { taskId, change };
    this.#set({ changes: [...this.#state.changes, shown], problem: null });
    try {
      this.#replace(await this.#inOrder(taskId, send));
    } finally {
      this.#set({ changes: this.#state.changes.filter((other) => other !== shown) });
    }
  }

  async #send(deletion: Deletion, keepalive: boolean) {
    const { id, title } = deletion.task;
    this.pauseUndo(id);
    const deletions = this.#state.deletions.map((other) => (other === deletion ? { ...deletion, sending: true } : other));
    this.#set({ deletions });
    const send = () => {
      // The version that our own earlier calls led to is as good as the one the user saw.
      const ifMatch = this.#state.tasks.find((task) => task.id === id)?.etag;
      return this.api.deleteTask(this.userId, id, { ifMatch, keepalive });
    };
    try {
      // A page that goes away does not live to see its queue's end.
      await (keepalive ? send() : this.#inOrder(id, send));
      this.#forget(id);
    } catch (error) {
      if (!this.#forgetIfGone(id, error)) {
        this.#report(`“${title}” could not be deleted`, error);
        if (isStale(error)) {
          await this.fetch(id).catch(() => {});
        }
      }
    } finally {
      this.#set({ deletions: this.#state.deletions.filter(({ task }) => task.id !== id) });
    }
  }

  #inOrder<Answer>(taskId: number, send: () => Promise<Answer>): Promise<Answer> {
    const before = this.#queues.get(taskId) ?? Promise.resolve();
    const answer = before.then(send, send);
    this.#queues.set(taskId, answer);
    return answer;
  }

  #replace(task: VersionedTask) {
    this.#set({ tasks: this.#state.tasks.map((other) => (other.id === task.id ? task : other)) });
  }

  #forget(taskId: number) {
    this.#set({ tasks: this.#state.tasks.filter(({ id }) => id !== taskId) });
  }

  #forgetIfGone(taskId: number, error: unknown): boolean {
    const gone = error instanceof ApiError && error.code === 'task_not_found';
    if (gone) {
      this.#forget(taskId);
    }
    return gone;
  }

  #report(what: string, error: unknown) {
    const failure = ApiError.of(error);
    // The page is about to make way for the one to sign in.
    if (failure.status !== 401) {
      this.#set({ problem: `${what}. ${failure.detail}` });
    }
  }

  #set(change: Partial<TasksState>) {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) {
      listener();
    }
  }
}

const isStale = (error: unknown) => error instanceof ApiError && error.code === 'stale_etag';

/** A list asked for before a change can arrive after it. */
function newest(listed: Omit<VersionedTask, 'etag'>, known: VersionedTask | undefined): VersionedTask {
  return known && known.updated_at >= listed.updated_at ? known : { ...listed, etag: null };
}
