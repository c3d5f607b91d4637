import { AsyncLocalStorage } from 'node:async_hooks';
import { codeOf } from '@/lib/log';

/**
 * A failed query, reduced to its code. Drizzle's error quotes the query's parameters, and PostgreSQL's the refused row,
 * so logging one could log tokens, hashes and addresses.
 */
export class DatabaseError extends Error {
  override name = 'DatabaseError';

  constructor(readonly code: string) {
    super(`The database failed: ${code}`);
  }

  /**
   * Whether the database refused a value (SQLSTATE classes 22, 23 and 54), such as a second row for an address: the
   * database itself works.
   */
  get isRefusal(): boolean {
    return /^(22|23|54)/.test(this.code);
  }
}

const watched = new AsyncLocalStorage<{ failure?: DatabaseError }>();

/** Runs a request; also returns its database failure, which Better Auth may have treated as an empty result. */
export function watch<T>(request: () => Promise<T>): Promise<{ result?: T; error?: unknown; failure?: DatabaseError }> {
  const state: { failure?: DatabaseError } = {};
  return watched.run(state, () =>
    request().then(
      (result) => ({ result, ...state }),
      (error: unknown) => ({ error, ...state }),
    ),
  );
}

/** Runs a query; fails only with a `DatabaseError`. */
export async function query<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const failure = error instanceof DatabaseError ? error : new DatabaseError(codeOf(error) ?? withoutCode(error));
    const state = watched.getStore();
    if (state && !failure.isRefusal) {
      state.failure = failure;
    }
    throw failure;
  }
}

/** The errors that `pg` throws without a code, identified by their fixed messages. */
function withoutCode(error: unknown): string {
  const { message } = error instanceof Error && error.cause instanceof Error ? error.cause : (error as Error);
  return /timeout/i.test(message) ? 'TIMEOUT' : /connection/i.test(message) ? 'CONNECTION_LOST' : 'UNKNOWN';
}

/** Makes every query of a Better Auth adapter fail only with a `DatabaseError`. */
export function quiet<A extends object>(adapter: A): A {
  for (const [name, method] of Object.entries(adapter)) {
    // A transaction passes on an adapter, and other code in it may fail, too.
    if (typeof method === 'function' && name !== 'transaction') {
      Object.assign(adapter, { [name]: (...input: unknown[]) => query(() => Promise.resolve(method(...input))) });
    }
  }
  return adapter;
}
