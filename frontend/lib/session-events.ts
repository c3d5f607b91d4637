// The tabs of one browser share its session and its tasks: what one of them does to these concerns the others.
type Event = 'session' | 'tasks';

let channel: BroadcastChannel | undefined;

/** One for the page, because a channel does not hear itself but would hear another one of the same page. */
const shared = () => (channel ??= new BroadcastChannel('session'));

function on(event: Event, happened: () => void): () => void {
  const channel = shared();
  const listener = ({ data }: MessageEvent<Event>) => data === event && happened();
  channel.addEventListener('message', listener);
  return () => channel.removeEventListener('message', listener);
}

/** Tells the other tabs that somebody signed in or out. */
export const announceSessionChange = () => shared().postMessage('session' satisfies Event);

/** Calls back when another tab announced a change; gives the way to stop. */
export const onSessionChange = (changed: () => void) => on('session', changed);

/** Tells the other tabs that a task was changed. */
export const announceTaskChange = () => shared().postMessage('tasks' satisfies Event);

export const onTaskChange = (changed: () => void) => on('tasks', changed);
