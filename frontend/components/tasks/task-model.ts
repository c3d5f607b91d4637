import { focusManager } from '@tanstack/react-query';
import { Deletions } from '@/components/tasks/deletions';
import { Drafts } from '@/components/tasks/drafts';
import { Edits } from '@/components/tasks/edits';
import { type Filter, matches } from '@/components/tasks/filter';
import { leaveToServer } from '@/components/tasks/left-deletions';
import { Messages } from '@/components/tasks/messages';
import { TaskChanges } from '@/components/tasks/task-changes';
import { TaskLists } from '@/components/tasks/task-lists';
import { isEmpty } from '@/components/tasks/task-text';
import type { ApiClient, TaskPage } from '@/lib/api-client';
import { keptOf } from '@/lib/kept';
import { announceTaskChange, onTaskChange } from '@/lib/session-events';

/** The state and actions of one user's page. */
export class TaskModel {
  #filter: Filter;
  readonly messages = new Messages();
  readonly kept;
  readonly lists;
  readonly changes;
  readonly drafts;
  readonly edits;
  readonly deletions;
  #restored = false;
  #ending: ReturnType<typeof setTimeout> | undefined;

  constructor(
    api: ApiClient,
    userId: string,
    filter: Filter,
    firstPage: TaskPage | null,
    leaveBehind = leaveToServer,
  ) {
    this.#filter = filter;
    this.kept = keptOf(userId);
    this.lists = new TaskLists(api, userId);
    if (firstPage) {
      this.lists.start(filter, firstPage);
    }
    this.changes = new TaskChanges(api, userId, this.lists, this.messages, announceTaskChange);
    const both = [this.lists, this.changes, this.messages, this.kept] as const;
    this.drafts = new Drafts(api, userId, ...both, (task) => {
      if (!matches(task, this.#filter)) {
        this.messages.tell(`Added “${task.title}” to your open tasks.`);
      }
    });
    this.edits = new Edits(this.changes, this.kept);
    this.deletions = new Deletions(api, userId, ...both, leaveBehind);
  }

  /** Sets the shown list. */
  show(filter: Filter) {
    this.#filter = filter;
  }

  /** Subscribes to the browser's events; returns a function that unsubscribes. */
  start(): () => void {
    clearTimeout(this.#ending);
    this.kept.open();
    if (!this.#restored) {
      this.#restored = true;
      this.drafts.restore();
      this.edits.restore();
      this.deletions.restore();
    }
    const leave = () => this.deletions.leave();
    window.addEventListener('pagehide', leave);
    focusManager.setEventListener((focus) => {
      const focused = () => focus();
      window.addEventListener('focus', focused);
      document.addEventListener('visibilitychange', focused);
      return () => {
        window.removeEventListener('focus', focused);
        document.removeEventListener('visibilitychange', focused);
      };
    });
    const stop = onTaskChange(() => void this.lists.refresh());
    return () => {
      // Delayed, since React's strict mode unmounts and remounts.
      this.#ending = setTimeout(() => {
        this.deletions.leave();
        // The next page continues with the stored state.
        this.kept.close();
      });
      stop();
      window.removeEventListener('pagehide', leave);
    };
  }

  /** Sends everything that waits, for at most this time; returns the number of changes that are still unsaved. */
  async settle(ms: number): Promise<number> {
    const end = Date.now() + ms;
    void this.deletions.flush();
    while (this.changes.pending > 0 && Date.now() < end) {
      await new Promise((done) => setTimeout(done, 50));
    }
    const { form, drafts } = this.drafts.state();
    const { deletions, clearing } = this.deletions.state();
    const written = (isEmpty(form) ? 0 : 1) + drafts.length + this.edits.unsaved;
    return written + deletions.length + (clearing ? 1 : 0) + this.changes.completing;
  }
}
