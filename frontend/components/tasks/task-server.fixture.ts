import type { ApiClient, NewTask, Task, TaskChange, TaskPage, VersionedTask } from '@/lib/api-client';
import { ApiError } from '@/lib/api-error';

/** A fake API for one user that follows the contract, for tests of the browser's code. */
export class TaskServer {
  readonly tasks = new Map<number, VersionedTask>();
  readonly calls: string[] = [];
  /** Errors of calls, by the call's name. */
  readonly failing = new Map<string, ApiError>();
  /** Awaited before a call is executed, and again before its answer. */
  travel: () => Promise<void> = async () => {};
  clock = 0;
  readonly #keys = new Map<string, VersionedTask>();
  #lastId = 0;

  get api() {
    return this as unknown as ApiClient;
  }

  /** A list, newest first. */
  list(completed?: boolean) {
    return [...this.tasks.values()]
      .filter((task) => completed === undefined || task.completed === completed)
      .sort((one, other) => other.id - one.id);
  }

  /** Creates or changes a task without a call. */
  put(change: Partial<Task> & { id?: number }): VersionedTask {
    const now = this.#time();
    const id = change.id ?? ++this.#lastId;
    const before = this.tasks.get(id) ?? { id, user_id: 'u', title: `Task ${id}`, description: null, completed: false, created_at: now };
    const task = { ...before, ...change, id, updated_at: now, etag: `"${this.clock}"` };
    this.tasks.set(id, task);
    return task;
  }

  timeAt: (time: number) => Date | null = () => null;

  getTaskPage = (_user: string, query: string | { completed?: boolean; limit?: number }): Promise<TaskPage> =>
    this.#answer('list', () => {
      const { completed, limit, after } = typeof query === 'string' ? (JSON.parse(query) as Record<string, number>) : { ...query, after: undefined };
      const tasks = this.list(completed as boolean | undefined).filter(({ id }) => after === undefined || id < after);
      const page = tasks.slice(0, limit);
      const next = tasks.length > page.length ? JSON.stringify({ completed, limit, after: page.at(-1)?.id }) : null;
      return { tasks: page, next };
    });

  getTask = (_user: string, id: number) => this.#answer(`get ${id}`, () => this.#find(id));

  createTask = (_user: string, task: NewTask, { idempotencyKey = '' } = {}) =>
    this.#answer(`create ${task.title}`, () => {
      const made = this.#keys.get(idempotencyKey) ?? this.put({ title: task.title, description: task.description ?? null });
      this.#keys.set(idempotencyKey, made);
      return made;
    });

  updateTask = (_user: string, id: number, change: TaskChange, { ifMatch = null as string | null } = {}) =>
    this.#answer(`update ${id}`, () => this.put({ ...change, id: this.#find(id, ifMatch).id }));

  toggleTaskCompletion = (_user: string, id: number, completed: boolean) =>
    this.#answer(`complete ${id}`, () => this.put({ completed, id: this.#find(id).id }));

  deleteTask = (_user: string, id: number, { ifMatch = null as string | null } = {}) =>
    this.#answer(`delete ${id}`, () => {
      const task = this.#find(id, ifMatch);
      this.tasks.delete(id);
      return task;
    });

  clearTasks = (_user: string, { until = '' }) =>
    this.#answer(`clear ${until}`, () => {
      const gone = this.list(true).filter(({ updated_at }) => updated_at <= until);
      gone.forEach(({ id }) => this.tasks.delete(id));
      return { deleted: gone.length, more: false };
    });

  async #answer<Answer>(call: string, make: () => Answer): Promise<Answer> {
    await this.travel();
    this.calls.push(call);
    const failure = this.failing.get(call.split(' ')[0] ?? '');
    // The call may have been executed.
    const answer = failure && failure.status < 500 ? null : settle(make);
    await this.travel();
    if (failure) {
      throw failure;
    }
    return answer?.() as Answer;
  }

  #find(id: number, ifMatch: string | null = null): VersionedTask {
    const task = this.tasks.get(id);
    if (!task) {
      throw new ApiError(404, 'task_not_found', 'There is no such task.');
    }
    if (ifMatch && ifMatch !== task.etag) {
      throw new ApiError(412, 'stale_etag', 'It was changed.');
    }
    return { ...task };
  }

  #time() {
    this.clock += 1;
    return `2026-11-23T08:15:00.${String(this.clock).padStart(6, '0')}Z`;
  }
}

/** Executes now, answers later. */
function settle<Answer>(make: () => Answer): () => Answer {
  try {
    const answer = make();
    return () => answer;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

/** An in-memory `sessionStorage`. */
export class MemoryStorage {
  getItem = (key: string) => (this as unknown as Record<string, string>)[key] ?? null;
  setItem(key: string, value: string) {
    Object.assign(this, { [key]: value });
  }
  removeItem(key: string) {
    delete (this as unknown as Record<string, string>)[key];
  }
}
