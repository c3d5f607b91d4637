import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';

type Addresses = AsyncLocalStorage<string | undefined>;

const ADDRESSES = Symbol.for('task-api.socket-addresses');
/** Global, because the bundles of instrumentation.ts and of a route each have a copy of this module. */
const store = globalThis as { [ADDRESSES]?: Addresses };

/** Makes each request remember its socket's peer: Next.js passes only headers to its routes. */
export function rememberSocketAddresses() {
  const addresses: Addresses = (store[ADDRESSES] ??= new AsyncLocalStorage());
  subscribe('http.server.request.start', (message) => {
    addresses.enterWith((message as { request: IncomingMessage }).request.socket.remoteAddress);
  });
}

/** The peer address of the current request's socket; undefined if the host is not a Node.js HTTP server. */
export const socketAddress = () => store[ADDRESSES]?.getStore();
