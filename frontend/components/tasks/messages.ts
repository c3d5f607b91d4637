import { ApiError } from '@/lib/api-error';
import { Store } from '@/lib/store';

/** A message that the user can close. */
export interface Message {
  id: number;
  text: string;
}

interface MessagesState {
  failures: Message[];
  /** A success that is not visible on the page. */
  news: Message | null;
  /** A success, for screen readers. */
  announcement: string;
}

/** Messages about the user's actions. */
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
    // The page is about to be replaced by the sign-in page.
    if (status !== 401) {
      this.set({ failures: [...this.state().failures, { id: ++this.#last, text: `${what}. ${detail}` }] });
    }
  }

  close({ id }: Message) {
    const { failures, news } = this.state();
    this.set({ failures: failures.filter((failure) => failure.id !== id), news: news?.id === id ? null : news });
  }
}
