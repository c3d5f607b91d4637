import { type Clearing, DeletedTasks, type Deletion } from '@/components/tasks/deleted-tasks';
import { clearCompleted, deleteIfCompleted, type LeftDeletions } from '@/components/tasks/left-deletions';
import { isGone, scopeOf, type TaskChanges, TextChanged } from '@/components/tasks/task-changes';
import type { TaskLists } from '@/components/tasks/task-lists';
import type { Messages } from '@/components/tasks/messages';
import type { ApiClient, Task, VersionedTask } from '@/lib/api-client';
import { ApiError } from '@/lib/api-error';
import type { Kept } from '@/lib/kept';

export const UNDO_MS = 10_000;

/** Deletions: each can be undone for a while, and none deletes a text that the user has not seen. */
export class Deletions {
  readonly #deleted: DeletedTasks;
  readonly state;
  readonly subscribe;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly api: ApiClient,
    private readonly userId: string,
    private readonly lists: TaskLists,
    private readonly changes: TaskChanges,
    private readonly messages: Messages,
    kept: Kept,
    /** Sends what waits from a closing page. */
    private readonly leaveBehind: (left: LeftDeletions) => void,
  ) {
    this.#deleted = new DeletedTasks(kept);
    ({ state: this.state, subscribe: this.subscribe } = this.#deleted);
    lists.subscribe(() => this.#timeClearing());
  }

  /** Continues the deletions of an earlier page, with a new time for an undo. */
  restore() {
    this.#deleted.restore();
    const { deletions, clearing } = this.state();
    deletions.filter(({ state }) => state === 'sent').forEach((deletion) => void this.#delete(deletion));
    if (clearing?.state === 'sent') {
      void this.#clear(clearing);
    }
    this.resume();
  }

  /** The number of actions that can be undone. */
  get waiting() {
    return this.#deleted.waiting.length + (this.#deleted.waitingClearing ? 1 : 0);
  }

  delete(task: VersionedTask) {
    this.#deleted.add(task, 'waiting');
    this.messages.announce(`Deleted “${task.title}”`);
    this.resume();
  }

  /** Deletes all tasks that are completed now, loaded or not; the changes of `also` are still pending. */
  clear(also: number[]) {
    this.#deleted.clear({ pressed: Date.now(), until: this.lists.lastCompletion(), also });
    this.messages.announce('Cleared the completed tasks');
    this.resume();
    this.#timeClearing();
    if (this.#deleted.waitingClearing?.pressed !== null) {
      // The first answer of the API tells its time.
      void this.lists.refresh();
    }
  }

  /** Undoes the last action; returns the restored task, if the action was a deletion. */
  undoLast(): Task | undefined {
    const last = this.#deleted.waiting.at(-1);
    const clearing = this.#deleted.waitingClearing;
    if (clearing && clearing.nr > (last?.nr ?? 0)) {
      this.#deleted.keepClearing(null);
      this.messages.announce('Restored the completed tasks');
      this.resume();
      return undefined;
    }
    if (last) {
      this.#deleted.replace(last.task.id, null);
      this.messages.announce(`Restored “${last.task.title}”`);
    }
    this.resume();
    return last?.task;
  }

  /** Undoes all waiting actions. */
  undo() {
    while (this.waiting > 0) {
      this.undoLast();
    }
  }

  /** Stops the time for an undo while the user is interacting. */
  pause() {
    clearTimeout(this.#timer);
  }

  /** Restarts the time for an undo. */
  resume() {
    this.pause();
    if (this.waiting > 0) {
      this.#timer = setTimeout(() => void this.flush(), UNDO_MS);
    }
  }

  /** Sends everything that waits. */
  flush(): Promise<unknown> {
    this.pause();
    this.#timeClearing();
    const { waiting, waitingClearing } = this.#deleted;
    const sent = waiting.map((deletion) => this.#delete(deletion));
    return Promise.all(waitingClearing ? [...sent, this.#clear(waitingClearing)] : sent);
  }

  /** Sends everything from a closing page; a next page of this tab sends it again, in case that failed. */
  leave() {
    this.pause();
    this.#timeClearing();
    const { deletions, clearing } = this.state();
    if (deletions.length === 0 && !clearing) {
      return;
    }
    this.leaveBehind({
      deletions: deletions.map(({ task: { id, etag, title, description } }) => ({ id, etag, title, description })),
      clearing: clearing && { until: clearing.until, also: clearing.also },
    });
    this.#deleted.keep(deletions.map((deletion) => ({ ...deletion, state: 'sent' })));
    this.#deleted.keepClearing(clearing && { ...clearing, state: 'sent' });
  }

  /** Keeps a task that was changed elsewhere. */
  keepChanged({ id }: Task) {
    this.#deleted.answered(id);
  }

  /** Deletes its current version. */
  deleteChanged(task: VersionedTask) {
    this.keepChanged(task);
    return this.#delete(this.#deleted.add(task, 'sending'));
  }

  async #delete(deletion: Deletion) {
    const { task } = deletion;
    this.#deleted.replace(task.id, { ...deletion, state: 'sending' });
    try {
      const remove = (ifMatch: string | null) => this.api.deleteTask(this.userId, task.id, { ifMatch });
      await this.changes.inOrder(scopeOf(task.id), { taskId: task.id, change: {} }, () =>
        this.changes.against(task, remove),
      );
      this.lists.forget(task.id);
    } catch (error) {
      if (ApiError.of(error).status === 401) {
        // For the page after the next sign-in.
        this.#deleted.replace(task.id, { ...deletion, state: 'waiting' });
        return;
      }
      if (isGone(error)) {
        this.lists.forget(task.id);
      } else if (error instanceof TextChanged) {
        this.#deleted.ask(error.newer);
      } else {
        this.messages.fail(`“${task.title}” could not be deleted`, error);
      }
    }
    this.#deleted.replace(task.id, null);
  }

  async #clear(clearing: Clearing) {
    this.#deleted.keepClearing({ ...clearing, state: 'sending' });
    try {
      const remove = (taskId: number) =>
        this.changes.inOrder(scopeOf(taskId), { taskId, change: {} }, async () => {
          const deleted = await deleteIfCompleted(this.api, this.userId, taskId);
          if (deleted) {
            this.lists.forget(taskId);
          }
          return deleted;
        });
      const clear = () => clearCompleted(this.api, this.userId, clearing, remove);
      const deleted = await this.changes.inOrder('clear', { change: {} }, clear);
      this.lists.forgetCompleted(clearing.until);
      this.messages.announce(`${deleted} completed ${deleted === 1 ? 'task' : 'tasks'} deleted`);
    } catch (error) {
      if (ApiError.of(error).status === 401) {
        // For the page after the next sign-in.
        this.#deleted.keepClearing(clearing);
        return;
      }
      this.messages.fail('The completed tasks could not be cleared', error);
    }
    this.#deleted.keepClearing(null);
    void this.lists.refresh();
  }

  /**
   * Sets the time of the click by the API's clock, if that is known; it has whole seconds. From then on, the same tasks
   * are hidden and deleted.
   */
  #timeClearing() {
    const clearing = this.#deleted.waitingClearing;
    if (!clearing || clearing.pressed === null) {
      return;
    }
    const then = this.api.timeAt(clearing.pressed)?.toISOString().replace('Z', '000Z');
    if (then) {
      this.#deleted.keepClearing({ ...clearing, pressed: null, until: then > clearing.until ? then : clearing.until });
    }
  }
}
