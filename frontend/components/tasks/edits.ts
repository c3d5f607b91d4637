import type { TaskChanges } from '@/components/tasks/task-changes';
import { isSameText, type TaskText, toStored, toText } from '@/components/tasks/task-text';
import type { VersionedTask } from '@/lib/api-client';
import { ApiError } from '@/lib/api-error';
import type { Kept } from '@/lib/kept';
import { Store } from '@/lib/store';

/** A task that is being edited. */
export interface Edit {
  /** The task as the user saw it when the edit began. */
  base: VersionedTask;
  text: TaskText;
  /** A save is pending. */
  saving: boolean;
  /** The newer version, if somebody else changed the task meanwhile. */
  newer: VersionedTask | null;
  failure: ApiError | null;
}

interface EditsState {
  edits: Edit[];
}

export const isChanged = ({ base, text }: Edit) => !isSameText(toStored(text), toStored(toText(base)));

/**
 * The open editors; their text survives changes of lists and filters, and page loads. A newer text is never overwritten
 * without asking.
 */
export class Edits extends Store<EditsState> {
  constructor(
    private readonly changes: TaskChanges,
    private readonly kept: Kept,
  ) {
    super({ edits: [] });
  }

  restore() {
    const edits = this.kept.read<Pick<Edit, 'base' | 'text'>[]>('edits', []);
    this.set({ edits: edits.map((edit) => ({ ...edit, saving: false, newer: null, failure: null })) });
    edits.forEach(({ base }) => void this.#meet(base));
  }

  /** The number of edits with unsaved text. */
  get unsaved() {
    return this.state().edits.filter(isChanged).length;
  }

  open(task: VersionedTask) {
    if (!this.#find(task.id)) {
      this.#keep([...this.state().edits, { base: task, text: toText(task), saving: false, newer: null, failure: null }]);
      void this.#meet(task);
    }
  }

  close(taskId: number) {
    this.#keep(this.state().edits.filter(({ base }) => base.id !== taskId));
  }

  write(taskId: number, text: TaskText) {
    this.#change(taskId, { text });
  }

  /** Continues from the newer version. */
  takeNewer({ base, newer }: Edit) {
    if (newer) {
      this.#change(base.id, { base: newer, text: toText(newer), newer: null });
    }
  }

  /** Saves, also over the newer version if the user has seen it; returns whether it was saved. */
  async save({ base, text, newer }: Edit): Promise<boolean> {
    const over = newer ?? base;
    const change = toStored(text);
    if (!change.title) {
      const errors = [{ field: 'title', message: 'must not be blank' }];
      this.#change(base.id, { failure: new ApiError(0, 'invalid_request', 'A task needs a title.', errors) });
      return false;
    }
    if (isSameText(change, over)) {
      this.close(base.id);
      return true;
    }
    this.#change(base.id, { saving: true, newer: null, failure: null });
    const outcome = await this.changes.save(over, change);
    if (outcome.saved) {
      this.close(base.id);
    } else if (outcome.newer) {
      this.#change(base.id, { saving: false, newer: outcome.newer });
    } else {
      this.#change(base.id, { saving: false, failure: outcome.failure });
    }
    return outcome.saved;
  }

  /** Fetches the current version. If this fails, saving will ask again. */
  async #meet(seen: VersionedTask) {
    const now = await this.changes.fetch(seen.id).catch(() => null);
    const edit = this.#find(seen.id);
    if (!now || !edit || edit.saving) {
      return;
    }
    if (isSameText(toStored(edit.text), now) && isChanged(edit)) {
      // An earlier save succeeded, but its answer got lost.
      this.close(now.id);
    } else if (isSameText(now, seen)) {
      this.#change(now.id, { base: now });
    } else if (isChanged(edit)) {
      this.#change(now.id, { newer: now });
    } else {
      this.#change(now.id, { base: now, text: toText(now) });
    }
  }

  #find(taskId: number) {
    return this.state().edits.find(({ base }) => base.id === taskId);
  }

  #change(taskId: number, change: Partial<Edit>) {
    this.#keep(this.state().edits.map((edit) => (edit.base.id === taskId ? { ...edit, ...change } : edit)));
  }

  #keep(edits: Edit[]) {
    this.kept.write('edits', edits.filter(isChanged).map(({ base, text }) => ({ base, text })));
    this.set({ edits });
  }
}
