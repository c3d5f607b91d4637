import { randomInt } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setting } from './app';
import { DatabaseProxy, type Weather } from './database';
import { startApp } from './own-app';

/** Whether the whole suite runs with a database that fails at random (`npm run test:faults`). */
export const FAULTS = process.env.FAULTS === '1';

/** Before all tests: starts the app on a database that fails at random. Returns a function that stops it. */
export default async function start() {
  const proxy = new DatabaseProxy(setting('DATABASE_URL'));
  const log = join(mkdtempSync(join(tmpdir(), 'app-')), 'log');
  const app = await startApp({ DATABASE_URL: await proxy.start() }, log);
  process.env.APP_URL = app.url;
  process.env.APP_LOG = log;
  let timer: NodeJS.Timeout;
  const change = (weather: Weather) => {
    proxy.weather = weather;
    const next = weather === 'fair' ? (['cut', 'held'] as const)[randomInt(2)] : 'fair';
    timer = setTimeout(() => change(next ?? 'fair'), weather === 'fair' ? randomInt(500, 3_000) : randomInt(50, 1_000));
  };
  change('fair');
  return async () => {
    clearTimeout(timer);
    await app.stop();
    proxy.stop();
  };
}
