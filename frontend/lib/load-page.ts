/** Goes to another page with a full load, so that no state of one user reaches the next. */
export function loadPage(path: string) {
  window.location.assign(path);
}
