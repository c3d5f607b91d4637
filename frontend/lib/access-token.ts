/** A bearer token and its expiry. */
export interface IssuedToken {
  token: string;
  expiresAt: Date;
}

const REFRESH_BEFORE_END_MS = 60_000;
/** The minimum use of a new token, in case this computer's clock is wrong. */
const SHORTEST_USE_MS = 30_000;

/**
 * The signed-in user's token: stored only in memory, renewed before it expires, and fetched once for concurrent calls.
 */
export class AccessToken {
  #current: { token: string; refreshAt: number } | null = null;
  #pending: Promise<string> | null = null;

  constructor(
    private readonly issue: () => Promise<IssuedToken>,
    private readonly now: () => number,
  ) {}

  get(): Promise<string> {
    if (this.#current && this.now() < this.#current.refreshAt) {
      return Promise.resolve(this.#current.token);
    }
    this.#pending ??= this.#renew();
    return this.#pending;
  }

  /** Forgets the token. With an argument, only if it is that one: another call may have renewed it already. */
  forget(refused?: string) {
    if (refused === undefined) {
      this.#pending = null;
    }
    if (refused === undefined || this.#current?.token === refused) {
      this.#current = null;
    }
  }

  #renew(): Promise<string> {
    const pending = this.issue().then(
      ({ token, expiresAt }) => {
        // Forgotten meanwhile: it may be the token of a user who has signed out.
        if (this.#pending === pending) {
          const refreshAt = Math.max(expiresAt.getTime() - REFRESH_BEFORE_END_MS, this.now() + SHORTEST_USE_MS);
          this.#current = { token, refreshAt };
          this.#pending = null;
        }
        return token;
      },
      (error: unknown) => {
        if (this.#pending === pending) {
          this.#pending = null;
        }
        throw error;
      },
    );
    return pending;
  }
}
