import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';

type Addresses = AsyncLocalStorage<string | undefined>;

const ADDRESSES = Symbol.for('task-api.socket-addresses');
/** Global, because the bundles of instrumentation.ts and of a route have a copy of this module each. */
const store = globalThis as { [ADDRESSES]?: Addresses };

/** From now on, each request remembers who is at the other end of its socket: Next.js tells its routes only what headers say. */
export function rememberSocketAddresses() {
  const addresses: Addresses = (store[ADDRESSES] ??= new AsyncLocalStorage());
  subscribe('http.server.request.start', (message) => {
    addresses.enterWith((message as { request: IncomingMessage }).request.socket.remoteAddress);
  });
}

/** The address at the other end of the present request's socket; none where the host is no HTTP server of Node's. */
export const socketAddress = () => store[ADDRESSES]?.getStore();
