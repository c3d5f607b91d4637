import { BlockList, isIP } from 'node:net';

/** The header with the client's address for Better Auth; the route overwrites what a client sent. */
export const ADDRESS_HEADER = 'x-client-address';

/** The trusted source of the client's address. */
export interface AddressSource {
  /** A header that the platform sets, or overwrites, on each request. */
  header?: string;
  /** The proxies whose `X-Forwarded-For` is trusted. */
  proxies: BlockList;
}

/** Parses addresses and networks such as `127.0.0.1, 10.0.0.0/16`; fails at the first invalid one. */
export function parseProxies(list: string): BlockList {
  const proxies = new BlockList();
  for (const entry of list.split(',').map((text) => text.trim()).filter(Boolean)) {
    const [address = '', bits, ...rest] = entry.split('/');
    const family = familyOf(address);
    const longest = family === 'ipv4' ? 32 : 128;
    if (!isIP(address) || rest.length > 0 || (bits !== undefined && !(/^\d+$/.test(bits) && Number(bits) <= longest))) {
      throw new Error(`"${entry}" is neither an address nor a network such as 10.0.0.0/16`);
    }
    proxies.addSubnet(address, Number(bits ?? longest), family);
  }
  return proxies;
}

/**
 * The client's address: the platform's header, else the socket's address. If that is a trusted proxy, the last address
 * in `X-Forwarded-For` that is not one: each proxy appends its client's address, and the rest may be forged.
 */
export function clientAddress(headers: Headers, socket: string | undefined, { header, proxies }: AddressSource): string | undefined {
  if (header) {
    return addressIn(headers.get(header)?.split(',').at(-1));
  }
  const nearest = addressIn(socket);
  if (!nearest || !isTrusted(nearest, proxies)) {
    return nearest;
  }
  for (const hop of (headers.get('X-Forwarded-For') ?? '').split(',').reverse()) {
    const address = addressIn(hop);
    if (!address) {
      return nearest;
    }
    if (!isTrusted(address, proxies)) {
      return address;
    }
  }
  return nearest;
}

const familyOf = (address: string) => (isIP(address) === 4 ? 'ipv4' : 'ipv6');

function addressIn(text: string | undefined): string | undefined {
  const address = text?.trim();
  return address && isIP(address) ? address : undefined;
}

function isTrusted(address: string, proxies: BlockList): boolean {
  return proxies.check(address, familyOf(address));
}
