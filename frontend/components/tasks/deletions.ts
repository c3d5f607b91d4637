import { isGone, scopeOf, sameText, type TaskChanges, TextChanged } from '@/components/tasks/task-changes';
import type { TaskLists } from '@/components/tasks/task-lists';
import type { Messages } from '@/components/tasks/messages';
import type { ApiClient, Task, VersionedTask } from '@/lib/api-client';
import { ApiError } from '@/lib/api-error';
import type { Kept } from '@/lib/kept';
import { Store } from '@/lib/store';

/** A task that the user deleted, as they saw it; with the version that they saw, where that is known. */
export interface Deletion {
  task: VersionedTask;
  /** Which action of the user it is. */
  nr: number;
  /** It waits for an undo, it is on its way, or a page that went away has sent it. */
  state: 'waiting' | 'sending' | 'sent';
}

/** All completed tasks, but those that changed after the user said so. */
export interface Clearing {
  /** When that was, by our clock. */
  pressed: number;
  /** When the last of those changed that the user saw, by the API's. */
  until: string;
  /** Tasks of which the user had changed something that was still on its way. */
  also: number[];
  nr: number;
  state: 'waiting' | 'sending';
}

export interface DeletionsState {
  deletions: Deletion[];
  clearing: Clearing | null;
  /** Tasks that somebody else changed before they were deleted: to be decided by the user. */
  changed: VersionedTask[];
}

export const UNDO_MS = 10_000;

/** Deletions: each can be taken back for a while, and none deletes what its user has not seen. */
export class Deletions extends Store<DeletionsState> {
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly api: ApiClient,
    private readonly userId: string,
    private readonly lists: TaskLists,
    private readonly changes: TaskChanges,
    private readonly messages: Messages,
    private readonly kept: Kept,
  ) {
    super({ deletions: [], clearing: null, changed: [] });
  }

  /** Takes up what an earlier page left, for which there is time to undo again. */
  restore() {
    const deletions = this.kept.read<Deletion[]>('deletions', []);
    const clearing = this.kept.read<Clearing | null>('clearing', null);
    this.set({ deletions, clearing });
    deletions.filter(({ state }) => state === 'sent').forEach((deletion) => void this.#delete(deletion));
    this.resume();
  }

  /** How many actions wait for an undo. */
  get waiting() {
    const { deletions, clearing } = this.state();
    return deletions.filter(isWaiting).length + (clearing && isWaiting(clearing) ? 1 : 0);
  }

  delete(task: VersionedTask) {
    this.#keep([...this.state().deletions, { task, nr: this.#next(), state: 'waiting' }]);
    this.messages.announce(`Deleted “${task.title}”`);
    this.resume();
    if (!task.etag) {
      void this.#findVersion(task);
    }
    // For a page that goes away before the time is over.
    this.api.prepare();
  }

  /** Deletes the completed tasks: those of now, of which `shown` are some; the changes of `also` are still on their way. */
  clear(shown: Task[], also: number[]) {
    const until = latest(shown.map(({ updated_at }) => updated_at));
    this.#keepClearing({ pressed: Date.now(), until, also, nr: this.#next(), state: 'waiting' });
    this.messages.announce('Cleared the completed tasks');
    this.resume();
    // Its answer tells the API's time, for which there is some time yet.
    void this.lists.refresh();
  }

  /** Takes the last action back; gives the task that is there again, if it is one. */
  undoLast(): Task | undefined {
    const { deletions, clearing } = this.state();
    const last = deletions.findLast(isWaiting);
    if (clearing && isWaiting(clearing) && clearing.nr > (last?.nr ?? 0)) {
      this.#keepClearing(null);
      this.messages.announce('Restored the completed tasks');
      this.resume();
      return undefined;
    }
    if (last) {
      this.#keep(deletions.filter((other) => other !== last));
      this.messages.announce(`Restored “${last.task.title}”`);
    }
    this.resume();
    return last?.task;
  }

  /** Takes everything back that waits. */
  undo() {
    while (this.waiting > 0) {
      this.undoLast();
    }
  }

  /** The time for an undo stands still while the user is at it. */
  pause() {
    clearTimeout(this.#timer);
  }

  /** It begins anew. */
  resume() {
    this.pause();
    if (this.waiting > 0) {
      this.#timer = setTimeout(() => void this.flush(), UNDO_MS);
    }
  }

  /** Sends everything that waits. */
  flush(): Promise<unknown> {
    this.pause();
    const { deletions, clearing } = this.state();
    const sent = deletions.filter(isWaiting).map((deletion) => this.#delete(deletion));
    return Promise.all(clearing && isWaiting(clearing) ? [...sent, this.#clear(clearing)] : sent);
  }

  /** Sends, from a page that goes away, what deletes nothing unseen; the rest is for the next page. */
  leave() {
    this.pause();
    if (!this.api.isReady) {
      return;
    }
    const { deletions, clearing } = this.state();
    const known = deletions.filter((deletion) => isWaiting(deletion) && deletion.task.etag);
    known.forEach(({ task: { id, etag } }) => {
      this.api.deleteTask(this.userId, id, { ifMatch: etag, keepalive: true }).catch(() => {});
    });
    this.#keep(deletions.map((deletion) => (known.includes(deletion) ? { ...deletion, state: 'sent' } : deletion)));
    if (clearing && isWaiting(clearing)) {
      const query = { completed: true, until: this.#untilOf(clearing) };
      this.api.clearTasks(this.userId, query, { keepalive: true }).catch(() => {});
      this.#keepClearing(null);
    }
  }

  /** Keeps a task that was changed elsewhere. */
  keepChanged({ id }: Task) {
    this.set({ changed: this.state().changed.filter((task) => task.id !== id) });
  }

  /** Deletes it all the same, as it is now. */
  deleteChanged(task: VersionedTask) {
    this.keepChanged(task);
    const deletion: Deletion = { task, nr: this.#next(), state: 'sending' };
    this.#keep([...this.state().deletions, deletion]);
    return this.#delete(deletion);
  }

  async #delete(deletion: Deletion) {
    const { task } = deletion;
    this.#replace(task.id, { ...deletion, state: 'sending' });
    try {
      const remove = (ifMatch: string | null) => this.api.deleteTask(this.userId, task.id, { ifMatch });
      await this.changes.inOrder(scopeOf(task.id), { taskId: task.id, change: {} }, () =>
        this.changes.against(task, remove),
      );
      this.lists.forget(task.id);
    } catch (error) {
      if (ApiError.of(error).status === 401) {
        // For the page after the next sign-in.
        this.#replace(task.id, { ...deletion, state: 'waiting' });
        return;
      }
      if (isGone(error)) {
        this.lists.forget(task.id);
      } else if (error instanceof TextChanged) {
        this.set({ changed: [...this.state().changed, error.newer] });
      } else {
        this.messages.fail(`“${task.title}” could not be deleted`, error);
      }
    }
    this.#replace(task.id, null);
  }

  async #clear(clearing: Clearing) {
    this.#keepClearing({ ...clearing, state: 'sending' });
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
      this.messages.announce(`${deleted} completed tasks deleted`);
    } catch (error) {
      this.messages.fail('The completed tasks could not be cleared', error);
    } finally {
      this.#keepClearing(null);
      void this.lists.refresh();
    }
  }

  /** When the user said so, by the API's clock, which tells whole seconds: what they saw had changed before. */
  #untilOf({ pressed, until, also }: Clearing): string {
    const then = this.api.timeAt(pressed)?.toISOString().replace('Z', '000Z') ?? '';
    const done = also.map((id) => this.lists.find(id)).filter((task) => task?.completed);
    return latest([then, until, ...done.map((task) => task?.updated_at ?? '')]);
  }

  /** The version of what the user saw, should the task still be like that. */
  async #findVersion(task: VersionedTask) {
    const now = await this.changes.fetch(task.id).catch(() => null);
    const deletion = this.state().deletions.find((other) => other.task === task);
    if (now && deletion && isWaiting(deletion) && sameText(now, task)) {
      this.#replace(task.id, { ...deletion, task: now });
    }
  }

  #next() {
    const { deletions, clearing } = this.state();
    return Math.max(0, clearing?.nr ?? 0, ...deletions.map(({ nr }) => nr)) + 1;
  }

  #replace(taskId: number, deletion: Deletion | null) {
    this.#keep(this.state().deletions.flatMap((other) => (other.task.id === taskId ? (deletion ?? []) : other)));
  }

  #keep(deletions: Deletion[]) {
    this.kept.write('deletions', deletions.map((deletion) => (deletion.state === 'sending' ? { ...deletion, state: 'sent' } : deletion)));
    this.set({ deletions });
  }

  #keepClearing(clearing: Clearing | null) {
    this.kept.write('clearing', clearing && { ...clearing, state: 'waiting' });
    this.set({ clearing });
  }
}

const isWaiting = ({ state }: { state: string }) => state === 'waiting';

const latest = (times: string[]) => times.sort().at(-1) ?? '';

/** Whether the user has deleted it already. */
export const isDeleted = ({ deletions, clearing }: DeletionsState, { id, completed, updated_at }: Task) =>
  deletions.some(({ task }) => task.id === id) ||
  (clearing !== null && completed && (updated_at <= clearing.until || clearing.also.includes(id)));
