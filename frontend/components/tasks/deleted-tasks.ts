import type { Task, VersionedTask } from '@/lib/api-client';
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

/** What the user has deleted and the server still has. It outlives the page. */
export class DeletedTasks extends Store<DeletionsState> {
  constructor(private readonly kept: Kept) {
    super({ deletions: [], clearing: null, changed: [] });
  }

  /** Takes up what an earlier page left. */
  restore() {
    this.set({ deletions: this.kept.read<Deletion[]>('deletions', []), clearing: this.kept.read<Clearing | null>('clearing', null) });
  }

  /** The deletions that can be taken back. */
  get waiting(): Deletion[] {
    return this.state().deletions.filter(isWaiting);
  }

  /** The clearing, if it can be taken back. */
  get waitingClearing(): Clearing | null {
    const { clearing } = this.state();
    return clearing && isWaiting(clearing) ? clearing : null;
  }

  add(task: VersionedTask, state: Deletion['state']): Deletion {
    const deletion = { task, nr: this.#next(), state };
    this.keep([...this.state().deletions, deletion]);
    return deletion;
  }

  /** Puts another deletion in the place of a task's, or none. */
  replace(taskId: number, deletion: Deletion | null) {
    this.keep(this.state().deletions.flatMap((other) => (other.task.id === taskId ? (deletion ?? []) : other)));
  }

  keep(deletions: Deletion[]) {
    this.kept.write('deletions', deletions.map((deletion) => (deletion.state === 'sending' ? { ...deletion, state: 'sent' } : deletion)));
    this.set({ deletions });
  }

  clear(what: Pick<Clearing, 'pressed' | 'until' | 'also'>) {
    this.keepClearing({ ...what, nr: this.#next(), state: 'waiting' });
  }

  keepClearing(clearing: Clearing | null) {
    this.kept.write('clearing', clearing && { ...clearing, state: 'waiting' });
    this.set({ clearing });
  }

  /** Leaves it to the user whether a task that was changed elsewhere is deleted. */
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

export const isWaiting = ({ state }: { state: string }) => state === 'waiting';

/** Whether the user has deleted it already. */
export const isDeleted = ({ deletions, clearing }: DeletionsState, { id, completed, updated_at }: Task) =>
  deletions.some(({ task }) => task.id === id) ||
  (clearing !== null && completed && (updated_at <= clearing.until || clearing.also.includes(id)));
