/** The header from which Better Auth reads the client's address; the route overwrites what a client sent. */
export const ADDRESS_HEADER = 'x-client-address';

/** What may know the client's address, if not the socket. */
export interface AddressSource {
  /** A header that the platform sets, or overwrites, on each request. */
  clientIpHeader?: string;
  /** The addresses and networks whose `X-Forwarded-For` is trusted. */
  trustedProxies: string[];
}

/**
 * The addresses of which Better Auth takes the last one that is no trusted proxy: each proxy appends its client's
 * address to `X-Forwarded-For`, and the rest may be forged.
 */
export function addressChain(headers: Headers, socket: string | undefined, { clientIpHeader, trustedProxies }: AddressSource): string {
  if (clientIpHeader) {
    return headers.get(clientIpHeader)?.split(',').at(-1) ?? '';
  }
  return socket && trustedProxies.length > 0 ? `${headers.get('X-Forwarded-For') ?? ''},${socket}` : (socket ?? '');
}
