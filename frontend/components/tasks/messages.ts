import { ApiError } from '@/lib/api-error';
import { Store } from '@/lib/store';

/** Something to read, and to close. */
export interface Message {
  id: number;
  text: string;
}

interface MessagesState {
  failures: Message[];
  /** What went right where one would not see it. */
  news: Message | null;
  /** What went right, for a screen reader. */
  announcement: string;
}

/** What the user is told of what they did. */
export class Messages extends Store<MessagesState> {
  #last = 0;

  constructor() {
    super({ failures: [], news: null, announcement: '' });
  }

  announce(announcement: string) {
    this.set({ announcement });
  }

  tell(text: string) {
    this.set({ news: { id: ++this.#last, text } });
  }

  fail(what: string, cause: unknown) {
    const { status, detail } = ApiError.of(cause);
    // The page is about to make way for the one to sign in.
    if (status !== 401) {
      this.set({ failures: [...this.state().failures, { id: ++this.#last, text: `${what}. ${detail}` }] });
    }
  }

  close({ id }: Message) {
    const { failures, news } = this.state();
    this.set({ failures: failures.filter((failure) => failure.id !== id), news: news?.id === id ? null : news });
  }
}
