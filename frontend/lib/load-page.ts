/** Goes to another page by a full load, so that nothing the app remembers of one user reaches the next. */
export function loadPage(path: string) {
  window.location.assign(path);
}
