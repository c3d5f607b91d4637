import { setTimeout as sleep } from 'node:timers/promises';

/** More than what is done for any of these answers, unless the database is far away. */
const STEP_MS = 1_000;

/** Gives a result after a whole number of seconds, so that its time does not tell which of its cases it was. */
export async function evenTime<T>(work: () => Promise<T>, isTelling: (result: T) => boolean): Promise<T> {
  const start = performance.now();
  const result = await work();
  if (isTelling(result)) {
    const taken = performance.now() - start;
    await sleep(Math.ceil(taken / STEP_MS) * STEP_MS - taken);
  }
  return result;
}
