import type { TaskChanges } from '@/components/tasks/task-changes';
import { isEmpty, NO_TEXT, type TaskText, toStored } from '@/components/tasks/task-text';
import type { TaskLists } from '@/components/tasks/task-lists';
import type { Messages } from '@/components/tasks/messages';
import type { ApiClient, NewTask, VersionedTask } from '@/lib/api-client';
import { ApiError } from '@/lib/api-error';
import type { Kept } from '@/lib/kept';
import { Store } from '@/lib/store';

/** A new task that is being sent, or was refused. */
export interface Draft {
  /** Its idempotency key. */
  key: string;
  input: NewTask;
  failure: Pick<ApiError, 'status' | 'code' | 'detail' | 'errors'> | null;
  /** The text in its correction form, while that is open. */
  mending: TaskText | null;
}

interface DraftsState {
  /** The text in the form for a new task. */
  form: TaskText;
  drafts: Draft[];
}

/** New tasks that are not stored yet: in the form, being sent, or refused. All survive a page load. */
export class Drafts extends Store<DraftsState> {
  constructor(
    private readonly api: ApiClient,
    private readonly userId: string,
    private readonly lists: TaskLists,
    private readonly changes: TaskChanges,
    private readonly messages: Messages,
    private readonly kept: Kept,
    private readonly onAdded: (task: VersionedTask) => void,
  ) {
    super({ form: NO_TEXT, drafts: [] });
  }

  /** Takes a title that was typed before this page could; it comes after what an earlier page stored. */
  typeEarly(title: string) {
    const form = this.kept.read('form', NO_TEXT);
    this.write({ ...form, title: [form.title, title].filter(Boolean).join(' ') });
  }

  /** Reads what an earlier page stored; sent tasks are sent again with the same key. */
  restore() {
    const drafts = this.kept.read<Draft[]>('drafts', []);
    this.set({ form: this.kept.read('form', NO_TEXT), drafts });
    drafts.filter(({ failure }) => !failure).forEach((draft) => void this.#send(draft));
  }

  /** The number of tasks that are not stored yet. */
  get unsent() {
    return this.state().drafts.length;
  }

  write(form: TaskText) {
    this.kept.write('form', isEmpty(form) ? null : form);
    this.set({ form });
  }

  /** Sends the task in the form. */
  addForm() {
    const { form } = this.state();
    this.write(NO_TEXT);
    return this.add(toStored(form));
  }

  add(input: NewTask) {
    const draft = { key: crypto.randomUUID(), input, failure: null, mending: null };
    this.#keep([draft, ...this.state().drafts]);
    return this.#send(draft);
  }

  /** Sends a refused draft again, with the same key, because the first attempt may have arrived. */
  retry(draft: Draft) {
    return this.#send(this.#change(draft, { failure: null }));
  }

  mend(draft: Draft, mending: TaskText | null) {
    this.#change(draft, { mending });
  }

  /** Sends a refused draft with another text, which needs another key. */
  amend(draft: Draft, input: NewTask) {
    const key = crypto.randomUUID();
    return this.#send(this.#change(draft, { key, input, failure: null, mending: null }));
  }

  discard({ key }: Draft) {
    this.#keep(this.state().drafts.filter((draft) => draft.key !== key));
  }

  async #send(draft: Draft) {
    const { key, input } = draft;
    try {
      const create = async () => {
        const task = await this.api.createTask(this.userId, input, { idempotencyKey: key });
        this.lists.learn(task);
        return task;
      };
      // One after the other, so that their order on the server is the user's.
      const task = await this.changes.inOrder('new', { change: {} }, create);
      this.discard(draft);
      this.messages.announce(`Added “${task.title}”`);
      this.onAdded(task);
    } catch (error) {
      const { status, code, detail, errors } = ApiError.of(error);
      // After the next sign-in, it is sent again.
      if (status !== 401) {
        this.#change(draft, { failure: { status, code, detail, errors } });
      }
    }
  }

  #change(draft: Draft, change: Partial<Draft>): Draft {
    const changed = { ...draft, ...change };
    this.#keep(this.state().drafts.map((other) => (other.key === draft.key ? changed : other)));
    return changed;
  }

  #keep(drafts: Draft[]) {
    this.kept.write('drafts', drafts);
    this.set({ drafts });
  }
}
