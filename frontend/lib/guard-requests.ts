import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** The longest body of a request, in bytes. */
export const MAX_BODY = 64 * 1024;
/** How long a client may go on sending while it reads that its body is too long. */
const LINGER_MS = 1_000;
/** For answers that are no pages: nothing in them may be run or rendered, whatever type a browser guesses. */
const NO_PAGE = "default-src 'none'; frame-ancestors 'none'";

/**
 * Guards every request to the Node.js server before Next.js sees it: Next.js reads a body for a page to its end, and
 * answers some requests before next.config.ts or proxy.ts can add a header.
 */
export function guardRequests() {
  subscribe('http.server.request.start', (message) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    // proxy.ts replaces it for pages.
    response.setHeader('Content-Security-Policy', NO_PAGE);
    if (!request.url?.startsWith('/')) {
      // Next.js would redirect to the host in it.
      refuse(request, response, 400);
    } else if (Number(request.headers['content-length'] ?? 0) > MAX_BODY) {
      refuse(request, response, 413);
    } else if (request.headers['transfer-encoding']) {
      countBody(request, response);
    }
  });
}

/** Refuses a body of unknown length as soon as it is too long. */
function countBody(request: IncomingMessage, response: ServerResponse) {
  // An answer that does not wait for the body ends it, too.
  closeAfter(request, response);
  let length = 0;
  const push = request.push.bind(request);
  request.push = (chunk: Buffer | null, encoding) => {
    length += chunk?.length ?? 0;
    if (length <= MAX_BODY) {
      return push(chunk, encoding);
    }
    if (!response.writableEnded) {
      refuse(request, response, 413);
      // Ends the body for whoever reads it; an incomplete request would end the connection at once.
      request.complete = true;
      push(null);
    }
    return true;
  };
}

/** Answers without a body. Next.js leaves a request alone that was answered. */
function refuse(request: IncomingMessage, response: ServerResponse, status: number) {
  closeAfter(request, response);
  if (!response.headersSent) {
    response.statusCode = status;
  }
  response.end();
}

/** Ends the connection after the answer; at once, that could destroy an answer which the client has not read. */
function closeAfter({ socket }: IncomingMessage, response: ServerResponse) {
  response.shouldKeepAlive = false;
  socket.destroySoon = () => {
    socket.end();
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  };
}
