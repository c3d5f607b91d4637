import { setting } from './app';

/**
 * `cargo lambda watch` starts a function at its first request, which on a busy machine takes longer than the app waits.
 * One after the other: of functions that start at once, it may lose one.
 */
export default async function warmUp() {
  const calls = [['GET', ''], ['POST', ''], ['DELETE', ''], ['GET', '/1'], ['PUT', '/1'], ['DELETE', '/1'], ['PATCH', '/1/complete']];
  for (const [method, path] of calls) {
    await fetch(`${setting('API_URL')}/api/nobody/tasks${path}`, { method, signal: AbortSignal.timeout(60_000) });
  }
}
