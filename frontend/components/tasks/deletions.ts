import { type Clearing, DeletedTasks, type Deletion } from '@/components/tasks/deleted-tasks';
import { isGone, scopeOf, type TaskChanges, TextChanged } from '@/components/tasks/task-changes';
import { isSameText } from '@/components/tasks/task-text';
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
  ) {
    this.#deleted = new DeletedTasks(kept);
    ({ state: this.state, subscribe: this.subscribe } = this.#deleted);
  }

  /** Continues the deletions of an earlier page, with a new time for an undo. */
  restore() {
    this.#deleted.restore();
    const sent = this.state().deletions.filter(({ state }) => state === 'sent');
    sent.forEach((deletion) => void this.#delete(deletion));
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
    if (!task.etag) {
      void this.#findVersion(task);
    }
    // Gets a token in advance, for a page that closes before the time is over.
    this.api.prepare();
  }

  /**
   * Deletes all tasks that are completed now; `shown` are some of them, and the changes of `also` are still pending.
   */
  clear(shown: Task[], also: number[]) {
    const until = latest(shown.map(({ updated_at }) => updated_at));
    this.#deleted.clear({ pressed: Date.now(), until, also });
    this.messages.announce('Cleared the completed tasks');
    this.resume();
    // Its answer tells the API's time before the clearing is sent.
    void this.lists.refresh();
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
    const { waiting, waitingClearing } = this.#deleted;
    const sent = waiting.map((deletion) => this.#delete(deletion));
    return Promise.all(waitingClearing ? [...sent, this.#clear(waitingClearing)] : sent);
  }

  /**
   * Sends from a closing page what can be deleted safely, that is, by version or time; the rest waits for the next
   * page.
   */
  leave() {
    this.pause();
    if (!this.api.isReady) {
      return;
    }
    const { waiting, waitingClearing: clearing } = this.#deleted;
    for (const deletion of waiting.filter(({ task }) => task.etag)) {
      const { id, etag } = deletion.task;
      this.api.deleteTask(this.userId, id, { ifMatch: etag, keepalive: true }).catch(() => {});
      this.#deleted.replace(id, { ...deletion, state: 'sent' });
    }
    if (clearing) {
      const query = { completed: true, until: this.#untilOf(clearing) };
      this.api.clearTasks(this.userId, query, { keepalive: true }).catch(() => {});
      this.#deleted.keepClearing(null);
    }
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
      const clear = async () => {
        const until = this.#untilOf(clearing);
        let deleted = 0;
        for (;;) {
          const answer = await this.api.clearTasks(this.userId, { completed: true, until });
          deleted += answer.deleted;
          if (!answer.more) {
            this.lists.forgetCompleted(until);
            return deleted;
          }
        }
      };
      const deleted = await this.changes.inOrder('clear', { change: {} }, clear);
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
   * The time of the click by the API's clock, which has whole seconds, but not before the last change that the user
   * saw.
   */
  #untilOf({ pressed, until, also }: Clearing): string {
    const then = this.api.timeAt(pressed)?.toISOString().replace('Z', '000Z') ?? '';
    const done = also.map((id) => this.lists.find(id)).filter((task) => task?.completed);
    return latest([then, until, ...done.map((task) => task?.updated_at ?? '')]);
  }

  /** Finds the task's version, if its text is still the one that the user saw. */
  async #findVersion(task: VersionedTask) {
    const now = await this.changes.fetch(task.id).catch(() => null);
    const deletion = this.#deleted.waiting.find((other) => other.task === task);
    if (now && deletion && isSameText(now, task)) {
      this.#deleted.replace(task.id, { ...deletion, task: now });
    }
  }
}

const latest = (times: string[]) => times.sort().at(-1) ?? '';
