import type { Task, VersionedTask } from '@/lib/api-client';
import type { Kept } from '@/lib/kept';
import { Store } from '@/lib/store';

/** A task that the user deleted, as they saw it, with the version if it is known. */
export interface Deletion {
  task: VersionedTask;
  /** The number of the user's action, for the order of undos. */
  nr: number;
  /** Can be undone; is being sent; or was sent by an earlier page, which may not have got the answer. */
  state: 'waiting' | 'sending' | 'sent';
}

/** Deletes all completed tasks, except those that changed after the user's click. */
export interface Clearing {
  /** The time of the click, by the browser's clock; null if `until` has it. */
  pressed: number | null;
  /** The time of the click by the API's clock; until an answer has told that, of the last known completion. */
  until: string;
  /** Tasks with a pending change at the time of the click. */
  also: number[];
  nr: number;
  state: Deletion['state'];
}

export interface DeletionsState {
  deletions: Deletion[];
  clearing: Clearing | null;
  /** Tasks that somebody else changed before they were deleted: the user decides. */
  changed: VersionedTask[];
}

/** Tasks that the user deleted but the server still has. They survive a page load. */
export class DeletedTasks extends Store<DeletionsState> {
  constructor(private readonly kept: Kept) {
    super({ deletions: [], clearing: null, changed: [] });
  }

  /** Reads what an earlier page stored. */
  restore() {
    this.set({ deletions: this.kept.read<Deletion[]>('deletions', []), clearing: this.kept.read<Clearing | null>('clearing', null) });
  }

  /** The deletions that can be undone. */
  get waiting(): Deletion[] {
    return this.state().deletions.filter(isWaiting);
  }

  /** The clearing, if it can be undone. */
  get waitingClearing(): Clearing | null {
    const { clearing } = this.state();
    return clearing && isWaiting(clearing) ? clearing : null;
  }

  add(task: VersionedTask, state: Deletion['state']): Deletion {
    const deletion = { task, nr: this.#next(), state };
    this.keep([...this.state().deletions, deletion]);
    return deletion;
  }

  /** Replaces or removes a task's deletion. */
  replace(taskId: number, deletion: Deletion | null) {
    this.keep(this.state().deletions.flatMap((other) => (other.task.id === taskId ? (deletion ?? []) : other)));
  }

  keep(deletions: Deletion[]) {
    this.kept.write('deletions', deletions.map(stored));
    this.set({ deletions });
  }

  clear(what: Pick<Clearing, 'pressed' | 'until' | 'also'>) {
    this.keepClearing({ ...what, nr: this.#next(), state: 'waiting' });
  }

  keepClearing(clearing: Clearing | null) {
    this.kept.write('clearing', clearing && stored(clearing));
    this.set({ clearing });
  }

  /** Asks the user whether to delete a task that was changed elsewhere. */
  ask(newer: VersionedTask) {
    this.set({ changed: [...this.state().changed, newer] });
  }

  answered(taskId: number) {
    this.set({ changed: this.state().changed.filter(({ id }) => id !== taskId) });
  }

  #next() {
    const { deletions, clearing } = this.state();
    return Math.max(0, clearing?.nr ?? 0, ...deletions.map(({ nr }) => nr)) + 1;
  }
}

/** For the next page, which does not get this page's answers. */
const stored = <Sent extends { state: Deletion['state'] }>(what: Sent): Sent => (what.state === 'sending' ? { ...what, state: 'sent' } : what);

export const isWaiting = ({ state }: { state: string }) => state === 'waiting';

/** Whether the user has deleted it. */
export const isDeleted = ({ deletions, clearing }: DeletionsState, { id, completed, updated_at }: Task) =>
  deletions.some(({ task }) => task.id === id) ||
  (clearing !== null && completed && (updated_at <= clearing.until || clearing.also.includes(id)));
