/** Only its parser is used. */
const BASE = 'http://app.invalid';

/** Where a sign-in leads: the path from a query, as a browser reads it, if it stays in this app; else the task page. */
export function returnPath(to: unknown): string {
  if (typeof to !== 'string' || !to.startsWith('/')) {
    return '/';
  }
  const pathOf = (text: string) => (URL.canParse(text, BASE) ? new URL(text, BASE) : null);
  const url = pathOf(to);
  const path = url && url.pathname + url.search + url.hash;
  // Dots may have hidden slashes, so the result is read, too.
  return path && url.origin === BASE && pathOf(path)?.origin === BASE && !path.startsWith('//') ? path : '/';
}

/** The sign-in page that leads back to this path; `ended` says that a session has ended. */
export function loginPath(from: string, ended: boolean): string {
  const query = [ended ? 'ended' : '', from === '/' ? '' : `to=${encodeURIComponent(from)}`].filter(Boolean).join('&');
  return query ? `/login?${query}` : '/login';
}
