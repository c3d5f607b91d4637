import { setting } from './app';

/**
 * `cargo lambda watch` starts a function at its first request, which on a busy machine takes longer than the app waits.
 */
export default async function warmUp() {
  const calls = [['GET', ''], ['POST', ''], ['DELETE', ''], ['GET', '/1'], ['PUT', '/1'], ['DELETE', '/1'], ['PATCH', '/1/complete']];
  await Promise.all(calls.map(([method, path]) => fetch(`${setting('API_URL')}/api/nobody/tasks${path}`, { method })));
}
