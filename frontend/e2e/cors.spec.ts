import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, setting, sign, test } from './app';

const TEMPLATE = readFileSync('../template.yaml', 'utf8');

/** A rule of the template's `CorsConfiguration`. */
const rule = (name: string) => TEMPLATE.match(new RegExp(`^ {10}${name}: \\[?([^\\]#\\n]*)`, 'm'))?.[1]?.trim() ?? '';

async function serve(host: string, listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://${host}:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

/** The functions behind the template's rules, which API Gateway applies instead of the functions' own CORS headers. */
const gateway = (origin: string) =>
  serve('127.0.0.1', async (request, response) => {
    const allowed = request.headers.origin === origin;
    const headers: Record<string, string> = {};
    if (allowed) {
      headers['access-control-allow-origin'] = origin;
      headers['access-control-expose-headers'] = rule('ExposeHeaders');
      if (rule('AllowCredentials') === 'true') {
        headers['access-control-allow-credentials'] = 'true';
      }
    }
    if (request.method === 'OPTIONS') {
      headers['access-control-allow-methods'] = rule('AllowMethods');
      headers['access-control-allow-headers'] = rule('AllowHeaders');
      response.writeHead(204, allowed ? headers : {}).end();
      return;
    }
    const body = await text(request);
    const { authorization = '', 'content-type': type = '' } = request.headers;
    const sent = { authorization, 'content-type': type };
    const answer = await fetch(setting('API_URL') + request.url, { method: request.method, headers: sent, body: body || undefined });
    const kept = [...answer.headers].filter(([name]) => !/^(access-control-|content-length$|transfer-encoding$|connection$)/.test(name));
    response.writeHead(answer.status, { ...Object.fromEntries(kept), ...headers }).end(await answer.text());
  });

/** What the tutorial's client does, in the browser; some clients of that tutorial also send their cookies. */
async function useEveryMethod({ api, token, user, credentials }: { api: string; token: string; user: string; credentials?: RequestCredentials }) {
  const request = async (path: string, options: RequestInit = {}) => {
    const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` };
    const response = await fetch(`${api}/api/${user}/tasks${path}`, { credentials, ...options, headers });
    return { etag: response.headers.get('ETag'), body: await response.json() };
  };
  const { etag, body: task } = await request('', { method: 'POST', body: JSON.stringify({ title: 'Buy milk' }) });
  const path = `/${task.id}`;
  const updated = await request(path, { method: 'PUT', body: JSON.stringify({ title: 'Buy oat milk' }) });
  const patched = await request(path, { method: 'PATCH', body: JSON.stringify({ description: 'Two litres' }) });
  const toggled = await request(`${path}/complete`, { method: 'PATCH' });
  const listed = await request('');
  const deleted = await request(path, { method: 'DELETE' });
  return [etag, updated.body.title, patched.body.description, toggled.body.completed, listed.body.length, deleted.body.id === task.id];
}

// The address that other tests send is no header that the template allows.
test.use({ extraHTTPHeaders: {} });

test("browsers may use a stage's API, with credentials and without", async ({ page }) => {
  const app = await serve('localhost', (_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html><link rel="icon" href="data:,">'));
  const { url: api, close } = await gateway(app.url);
  await page.goto(app.url);
  for (const credentials of [undefined, 'include'] as const) {
    const user = `cors-${credentials}-${Date.now()}`;
    const iat = Math.floor(Date.now() / 1_000);
    const token = sign({ sub: user, iat, exp: iat + 600, iss: setting('JWT_ISSUER'), aud: setting('JWT_AUDIENCE') });
    const seen = await page.evaluate(useEveryMethod, { api, token, user, credentials });
    expect(seen, `credentials: ${credentials}`).toEqual(['"1"', 'Buy oat milk', 'Two litres', true, 1, true]);
  }
  app.close();
  close();
});
