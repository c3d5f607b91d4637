// Tabs of one browser share a session and its tasks: each must learn of the others' changes.
type Event = 'session' | 'tasks';

let channel: BroadcastChannel | undefined;

/** One per page: a channel does not receive its own messages, but a second one on the page would. */
const shared = () => (channel ??= new BroadcastChannel('session'));

function on(event: Event, happened: () => void): () => void {
  const channel = shared();
  const listener = ({ data }: MessageEvent<Event>) => data === event && happened();
  channel.addEventListener('message', listener);
  return () => channel.removeEventListener('message', listener);
}

/** Tells the other tabs that somebody signed in or out. */
export const announceSessionChange = () => shared().postMessage('session' satisfies Event);

/** Calls back when another tab reports a change; returns a function that unsubscribes. */
export const onSessionChange = (changed: () => void) => on('session', changed);

/** Tells the other tabs that a task was changed. */
export const announceTaskChange = () => shared().postMessage('tasks' satisfies Event);

export const onTaskChange = (changed: () => void) => on('tasks', changed);
