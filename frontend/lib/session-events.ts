// Tabs of one browser share a session and its tasks: each must learn of the others' changes. The time of the last change
// is stored, not sent: a message is lost on a tab that does not listen yet.
type Event = 'session' | 'tasks';

const POLL_MS = 2_000;

const keyOf = (event: Event) => `changed:${event}`;

/** The last change that this page knows, by event. */
const known = new Map<Event, string | null>();

function stored(event: Event): string | null {
  try {
    return localStorage.getItem(keyOf(event));
  } catch {
    // The browser denies access to the storage, and so to cookies: nobody is signed in.
    return null;
  }
}

function announce(event: Event) {
  // Unique, also within a millisecond.
  const now = String(Date.now() + Math.random());
  known.set(event, now);
  try {
    localStorage.setItem(keyOf(event), now);
  } catch {}
}

/** `happened` returns whether the change is dealt with; if not, it is called again. */
function on(event: Event, happened: () => boolean | Promise<boolean>): () => void {
  if (!known.has(event)) {
    const last = stored(event);
    // The document may be older than a change since its navigation began.
    known.set(event, Number(last) > performance.timeOrigin ? null : last);
  }
  let busy = false;
  const check = async () => {
    const last = stored(event);
    if (busy || last === known.get(event)) {
      return;
    }
    busy = true;
    if (await happened()) {
      known.set(event, last);
    }
    busy = false;
  };
  void check();
  const timer = setInterval(() => void check(), POLL_MS);
  const tell = () => void check();
  window.addEventListener('storage', tell);
  return () => {
    clearInterval(timer);
    window.removeEventListener('storage', tell);
  };
}

let leaving = false;

/** Whether this page ended the session, or began one: then it decides itself where to go. */
export const isLeaving = () => leaving;

/** Tells the other tabs that somebody signed in or out. */
export function announceSessionChange() {
  leaving = true;
  announce('session');
}

/** Calls back when another tab reports a change; returns a function that unsubscribes. */
export const onSessionChange = (changed: () => Promise<boolean>) => on('session', changed);

/** Tells the other tabs that a task was changed. */
export const announceTaskChange = () => announce('tasks');

export const onTaskChange = (changed: () => void) =>
  on('tasks', () => {
    changed();
    return true;
  });
