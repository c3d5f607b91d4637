import { setTimeout as sleep } from 'node:timers/promises';

/** Longer than any of these answers takes, unless the database is far away. */
const STEP_MS = 1_000;

/** Returns a result after a whole number of seconds, so that its duration does not reveal its case. */
export async function evenTime<T>(work: () => Promise<T>, isTelling: (result: T) => boolean): Promise<T> {
  const start = performance.now();
  const result = await work();
  if (isTelling(result)) {
    const taken = performance.now() - start;
    await sleep(Math.ceil(taken / STEP_MS) * STEP_MS - taken);
  }
  return result;
}
