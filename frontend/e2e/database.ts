import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import pg from 'pg';
import { setting } from './app';

/** Runs statements as the owner of the tables. */
export async function asOwner<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(setting('DATABASE_OWNER_URL'));
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Inserts many tasks of a user, the last one the newest. */
export const addTasks = (userId: string, count: number, title = 'Task') =>
  asOwner((owner) =>
    owner.query("INSERT INTO tasks (user_id, title) SELECT $1, $3 || ' ' || n FROM generate_series(1, $2::int) n ORDER BY n", [userId, count, title]),
  );

export interface Login {
  name: string;
  url: string;
  drop(): Promise<void>;
}

/** A login like the app's, which a test may change. */
export async function newLogin(): Promise<Login> {
  const name = `better_auth_test_${randomBytes(6).toString('hex')}`;
  const password = randomBytes(12).toString('hex');
  await asOwner((owner) => owner.query(`CREATE ROLE ${name} LOGIN INHERIT PASSWORD '${password}' IN ROLE better_auth`));
  const url = new URL(setting('DATABASE_OWNER_URL'));
  url.username = name;
  url.password = password;
  const drop = () =>
    asOwner(async (owner) => {
      await owner.query(`DROP OWNED BY ${name}`);
      await owner.query(`DROP ROLE ${name}`);
    });
  return { name, url: url.href, drop };
}

/** How connections behave: they work, are refused and cut, or never get an answer. */
export type Weather = 'fair' | 'cut' | 'held';

/** A proxy between an app and its database that can fail. */
export class DatabaseProxy {
  readonly #server: Server;
  readonly #target: URL;
  readonly #sockets = new Set<Socket>();
  #weather: Weather = 'fair';
  /** The delay of each message, in either direction. */
  delayMs = 0;

  constructor(target: string) {
    this.#target = new URL(target);
    this.#server = createServer((client) => this.#join(client));
  }

  /** Listens; returns the URL of the database through this proxy. */
  async start(): Promise<string> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    const address = this.#server.address();
    const url = new URL(this.#target);
    url.hostname = '127.0.0.1';
    url.port = String(typeof address === 'object' && address?.port);
    return url.href;
  }

  set weather(weather: Weather) {
    this.#weather = weather;
    for (const socket of this.#sockets) {
      if (weather === 'cut') {
        socket.destroy();
      } else if (weather === 'held') {
        socket.pause();
      } else {
        socket.resume();
      }
    }
  }

  /** Ends every connection; new ones work. */
  cutAll() {
    this.#sockets.forEach((socket) => socket.destroy());
  }

  stop() {
    this.#server.close();
    this.cutAll();
  }

  #join(client: Socket) {
    if (this.#weather === 'cut') {
      client.destroy();
      return;
    }
    const { hostname, port } = this.#target;
    const server = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 5432) });
    for (const [from, to] of [[client, server], [server, client]] as const) {
      this.#sockets.add(from);
      from.on('data', (data) => (this.delayMs > 0 ? setTimeout(() => to.write(data), this.delayMs) : to.write(data)));
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      if (this.#weather === 'held') {
        from.pause();
      }
    }
  }
}
