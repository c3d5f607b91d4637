// The tabs of one browser share its session: what one of them does to it concerns the others.
let channel: BroadcastChannel | undefined;

/** One for the page, because a channel does not hear itself but would hear another one of the same page. */
const shared = () => (channel ??= new BroadcastChannel('session'));

/** Tells the other tabs that somebody signed in or out. */
export function announceSessionChange() {
  shared().postMessage(null);
}

/** Calls back when another tab announced a change; gives the way to stop. */
export function onSessionChange(changed: () => void): () => void {
  const channel = shared();
  channel.addEventListener('message', changed);
  return () => channel.removeEventListener('message', changed);
}
