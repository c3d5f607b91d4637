import { ApiError } from '@/lib/api-error';

/** The time limit of one request, to the API or to the app. */
export const ATTEMPT_MS = 10_000;

/** Does `work`, for at most `ms`, and not after `outer` was aborted. */
export async function within<T>(ms: number, outer: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(ApiError.because('timeout')), ms);
  const signal = AbortSignal.any([outer, limit.signal]);
  try {
    signal.throwIfAborted();
    return await Promise.race([work(signal), aborted(signal)]);
  } finally {
    clearTimeout(timer);
  }
}

/** A pause that ends early if `signal` is aborted. */
export async function sleep(ms: number, signal: AbortSignal) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await Promise.race([new Promise((done) => (timer = setTimeout(done, ms))), aborted(signal)]);
  } finally {
    clearTimeout(timer);
  }
}

const aborted = (signal: AbortSignal) =>
  new Promise<never>((_, fail) => signal.addEventListener('abort', () => fail(signal.reason), { once: true }));
