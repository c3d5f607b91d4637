import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:net';

export interface OwnApp {
  url: string;
  /** The output so far. */
  log(): string;
  stop(): Promise<void>;
}

/** A test's settings for its own app on this port, in addition to those from `cargo xtask test`. */
function start(port: number, variables: Record<string, string>, how = 'start') {
  const url = `http://localhost:${port}`;
  const env = { ...process.env, BETTER_AUTH_URL: url, NEXT_PUBLIC_APP_URL: url, ...variables };
  const app = spawn('node', ['node_modules/next/dist/bin/next', how, '-H', '127.0.0.1', '-p', String(port)], { env });
  let text = '';
  for (const stream of [app.stdout, app.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  }
  return { app, url, log: () => text };
}

/** Starts another instance of the built app, or its development server; the output also goes to a file. */
export async function startApp(variables: Record<string, string> = {}, file?: string, how?: 'dev'): Promise<OwnApp> {
  const { app, url, log } = start(await freePort(), variables, how);
  if (file) {
    const output = createWriteStream(file);
    app.stdout.pipe(output);
    app.stderr.pipe(output);
  }
  while (!log().includes('Ready in')) {
    if (app.exitCode !== null) {
      throw new Error(`The app did not start:\n${log()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const stop = async () => {
    app.kill();
    await (app.exitCode ?? app.signalCode ?? once(app, 'exit'));
  };
  return { url, log, stop };
}

/** The output of an app that cannot start. */
export async function refusal(variables: Record<string, string>): Promise<string> {
  const { app, log } = start(await freePort(), variables);
  const timer = setTimeout(() => app.kill(), 60_000);
  const [code] = (await once(app, 'exit')) as [number | null];
  clearTimeout(timer);
  if (code !== 1) {
    throw new Error(`The app ended with ${code}:\n${log()}`);
  }
  return log();
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address ? address.port : 0;
}
