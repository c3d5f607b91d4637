/** A user's data that survives a page load: in this tab, until they sign out of it. */
export class Kept {
  #open = true;

  constructor(
    private readonly userId: string,
    private readonly storage: () => Storage,
  ) {}

  read<Value>(section: string, fallback: Value): Value {
    try {
      const text = this.storage().getItem(this.#key(section));
      return text ? (JSON.parse(text) as Value) : fallback;
    } catch {
      // The browser may deny access to the storage; then nothing is stored.
      return fallback;
    }
  }

  /** Stores a value; null and an empty list remove it. */
  write(section: string, value: object | null) {
    if (!this.#open) {
      return;
    }
    try {
      if (value === null || (Array.isArray(value) && value.length === 0)) {
        this.storage().removeItem(this.#key(section));
      } else {
        this.storage().setItem(this.#key(section), JSON.stringify(value));
      }
    } catch {}
  }

  open() {
    this.#open = true;
  }

  /** Ignores all later writes. */
  close() {
    this.#open = false;
  }

  /** Call this when the user signs out. */
  clear() {
    this.close();
    try {
      const storage = this.storage();
      Object.keys(storage)
        .filter((key) => key.startsWith(this.#key('')))
        .forEach((key) => storage.removeItem(key));
    } catch {}
  }

  readonly #key = (section: string) => `tasks:${this.userId}:${section}`;
}

export const keptOf = (userId: string) => new Kept(userId, () => sessionStorage);
