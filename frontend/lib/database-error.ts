import { AsyncLocalStorage } from 'node:async_hooks';
import { codeOf } from '@/lib/log';

/**
 * A query that failed, with nothing of it but the code. Drizzle's own error quotes the query's parameters, and PostgreSQL's
 * the row that it refused: whoever logs one of those logs tokens, hashes and addresses.
 */
export class DatabaseError extends Error {
  override name = 'DatabaseError';

  constructor(readonly code: string) {
    super(`The database failed: ${code}`);
  }

  /** Whether a constraint refused a row, as it does to the later of two equal sign-ups: the database itself works. */
  get isConflict(): boolean {
    return this.code.startsWith('23');
  }
}

const watched = new AsyncLocalStorage<{ failure?: DatabaseError }>();

/** Runs a request; also gives the failure of the database that it met, which Better Auth may have taken for an empty answer. */
export function watch<T>(request: () => Promise<T>): Promise<{ result?: T; error?: unknown; failure?: DatabaseError }> {
  const state: { failure?: DatabaseError } = {};
  return watched.run(state, () =>
    request().then(
      (result) => ({ result, ...state }),
      (error: unknown) => ({ error, ...state }),
    ),
  );
}

/** Runs a query; fails with a `DatabaseError` alone. */
export async function query<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const failure = error instanceof DatabaseError ? error : new DatabaseError(codeOf(error) ?? withoutCode(error));
    const state = watched.getStore();
    if (state && !failure.isConflict) {
      state.failure = failure;
    }
    throw failure;
  }
}

/** What `pg` throws without a code, told apart by its fixed texts. */
function withoutCode(error: unknown): string {
  const { message } = error instanceof Error && error.cause instanceof Error ? error.cause : (error as Error);
  return /timeout/i.test(message) ? 'TIMEOUT' : /connection/i.test(message) ? 'CONNECTION_LOST' : 'UNKNOWN';
}

/** Makes every query of an adapter of Better Auth fail with a `DatabaseError` alone. */
export function quiet<A extends object>(adapter: A): A {
  for (const [name, method] of Object.entries(adapter)) {
    // A transaction hands on an adapter, and what fails in it may be no query.
    if (typeof method === 'function' && name !== 'transaction') {
      Object.assign(adapter, { [name]: (...input: unknown[]) => query(() => Promise.resolve(method(...input))) });
    }
  }
  return adapter;
}
