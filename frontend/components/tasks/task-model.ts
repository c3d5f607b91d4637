import { focusManager } from '@tanstack/react-query';
import { Deletions } from '@/components/tasks/deletions';
import { Drafts } from '@/components/tasks/drafts';
import { Edits } from '@/components/tasks/edits';
import { type Filter, matches } from '@/components/tasks/filter';
import { Messages } from '@/components/tasks/messages';
import { TaskChanges } from '@/components/tasks/task-changes';
import { TaskLists } from '@/components/tasks/task-lists';
import type { ApiClient, TaskPage } from '@/lib/api-client';
import { keptOf } from '@/lib/kept';
import { announceTaskChange, onSessionChange, onTaskChange } from '@/lib/session-events';

/** All that the page of one user knows and does. */
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
    private readonly api: ApiClient,
    userId: string,
    filter: Filter,
    firstPage: TaskPage | null,
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
    this.deletions = new Deletions(api, userId, ...both);
  }

  /** Says which list is shown. */
  show(filter: Filter) {
    this.#filter = filter;
  }

  /** Begins to listen to the browser; gives the way to stop. */
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
    // A page that the browser kept for its back button may show what its user has signed out of.
    const reloadKept = (event: PageTransitionEvent) => event.persisted && window.location.reload();
    window.addEventListener('pagehide', leave);
    window.addEventListener('pageshow', reloadKept);
    focusManager.setEventListener((focus) => {
      const focused = () => focus();
      window.addEventListener('focus', focused);
      document.addEventListener('visibilitychange', focused);
      return () => {
        window.removeEventListener('focus', focused);
        document.removeEventListener('visibilitychange', focused);
      };
    });
    const stops = [
      onTaskChange(() => void this.lists.refresh()),
      onSessionChange(() => {
        this.api.forgetToken();
        window.location.reload();
      }),
    ];
    return () => {
      // Not at once: React's strict mode only pretends.
      this.#ending = setTimeout(() => {
        this.deletions.leave();
        // The page that comes next finds what is kept, and goes on with it.
        this.kept.close();
      });
      stops.forEach((stop) => stop());
      window.removeEventListener('pagehide', leave);
      window.removeEventListener('pageshow', reloadKept);
    };
  }

  /** Sends what waits, for as long as this; gives how much the server does not have then. */
  async settle(ms: number): Promise<number> {
    const end = Date.now() + ms;
    void this.deletions.flush();
    while (this.changes.pending > 0 && Date.now() < end) {
      await new Promise((done) => setTimeout(done, 50));
    }
    const { form, drafts } = this.drafts.state();
    const { deletions, clearing } = this.deletions.state();
    const written = (form.title || form.description ? 1 : 0) + drafts.length + this.edits.unsaved;
    return written + deletions.length + (clearing ? 1 : 0) + this.changes.completing;
  }
}
