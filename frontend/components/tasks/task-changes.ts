import type { TaskLists } from '@/components/tasks/task-lists';
import { isSameText, type StoredText } from '@/components/tasks/task-text';
import type { Messages } from '@/components/tasks/messages';
import type { ApiClient, Task, TaskChange, VersionedTask } from '@/lib/api-client';
import { ApiError } from '@/lib/api-error';

/** A pending change, which is applied to the shown lists. */
export interface PendingChange {
  taskId?: number;
  change: TaskChange;
}

/** The result of an edit. */
export type SaveOutcome = { saved: true } | { saved: false; failure: ApiError; newer?: VersionedTask };

/** A task as the user saw it. */
export type SeenTask = Pick<VersionedTask, 'id' | 'etag' | 'title' | 'description'>;

/** The task's text differs from the one that the user saw. */
export class TextChanged extends Error {
  constructor(readonly newer: VersionedTask) {
    super();
  }
}

export const isGone = (error: unknown) => error instanceof ApiError && error.code === 'task_not_found';
const isStale = (error: unknown) => error instanceof ApiError && error.code === 'stale_etag';

/** Attempts, in case somebody else keeps changing the task. */
const TRIES = 3;
export const CHANGES = ['change'];

/**
 * Writes only over the text that the user saw, else fails with `TextChanged`. Uses the version of `seen`; if that is
 * unknown or stale, the current one, if its text is the same.
 */
export async function against<Answer>(
  seen: SeenTask,
  fetch: (taskId: number) => Promise<VersionedTask>,
  write: (etag: string | null) => Promise<Answer>,
): Promise<Answer> {
  let { etag } = seen;
  for (let tries = 1; ; tries += 1) {
    if (!etag) {
      const now = await fetch(seen.id);
      if (!isSameText(now, seen)) {
        throw new TextChanged(now);
      }
      etag = now.etag;
    }
    try {
      return await write(etag);
    } catch (error) {
      if (!isStale(error) || tries === TRIES) {
        throw error;
      }
      etag = null;
    }
  }
}

/** Changes of tasks: those of one task run in order, and each is shown until the server has answered. */
export class TaskChanges {
  constructor(
    private readonly api: ApiClient,
    private readonly userId: string,
    private readonly lists: TaskLists,
    private readonly messages: Messages,
    /** Tells the user's other tabs. */
    private readonly announce: () => void,
  ) {}

  /** Runs `send` after all earlier calls in this scope, since concurrent calls could arrive in either order. */
  async inOrder<Answer>(scope: string, variables: PendingChange, send: () => Promise<Answer>): Promise<Answer> {
    const { client } = this.lists;
    const mutation = client.getMutationCache().build(client, {
      mutationKey: CHANGES,
      scope: { id: scope },
      networkMode: 'always',
      mutationFn: send,
    });
    const answer = await mutation.execute(variables);
    this.announce();
    return answer;
  }

  /** The number of pending calls. */
  get pending() {
    return this.lists.client.isMutating({ mutationKey: CHANGES });
  }

  /** How many of them complete or reopen a task. */
  get completing() {
    const isCompletion = ({ state }: { state: { variables?: unknown } }) =>
      (state.variables as PendingChange).change.completed !== undefined;
    return this.lists.client.isMutating({ mutationKey: CHANGES, predicate: isCompletion });
  }

  async complete({ id, title }: Task, completed: boolean) {
    try {
      await this.#change(id, { completed }, () => this.api.toggleTaskCompletion(this.userId, id, completed));
      this.messages.announce(completed ? `Completed “${title}”` : `Reopened “${title}”`);
    } catch (error) {
      if (isGone(error)) {
        this.lists.forget(id);
      }
      this.messages.fail(`“${title}” could not be ${completed ? 'completed' : 'reopened'}`, error);
    }
  }

  /** Saves an edit of `base`. If somebody has changed the text, nothing is saved and the newer task is returned. */
  async save(base: VersionedTask, text: StoredText): Promise<SaveOutcome> {
    try {
      await this.#change(base.id, text, () =>
        this.against(base, (ifMatch) => this.api.updateTask(this.userId, base.id, text, { ifMatch })),
      );
    } catch (error) {
      // An earlier attempt succeeded, but its answer got lost.
      if (!(error instanceof TextChanged && isSameText(error.newer, text))) {
        return error instanceof TextChanged
          ? { saved: false, failure: new ApiError(412, 'stale_etag', 'It was changed elsewhere.'), newer: error.newer }
          : { saved: false, failure: ApiError.of(error) };
      }
    }
    this.messages.announce(`Saved “${text.title}”`);
    return { saved: true };
  }

  /** The current task with its version. */
  async fetch(taskId: number): Promise<VersionedTask> {
    const began = this.lists.mark();
    const task = await this.api.getTask(this.userId, taskId);
    this.lists.learn(task, began);
    return task;
  }

  against<Answer>(seen: VersionedTask, write: (etag: string | null) => Promise<Answer>): Promise<Answer> {
    return against(seen, (id) => this.fetch(id), write);
  }

  async #change(taskId: number, change: TaskChange, send: () => Promise<VersionedTask>) {
    await this.inOrder(scopeOf(taskId), { taskId, change }, async () => this.lists.learn(await send()));
  }
}

export const scopeOf = (taskId: number) => `task ${taskId}`;

/** Later than any time of the API. */
const PENDING = 'pending';

/** The lists with all pending changes applied, which are later than all others. */
export const withChanges = (tasks: Task[], changes: PendingChange[]): Task[] =>
  tasks.map((task) =>
    changes.reduce(
      (shown, { taskId, change }) =>
        taskId === task.id ? { ...shown, ...change, updated_at: change.completed === undefined ? shown.updated_at : PENDING } : shown,
      task,
    ),
  );
