import { AccessToken, type IssuedToken } from '@/lib/access-token';
import { ApiError } from '@/lib/api-error';
import type { components, operations } from '@/lib/api-types';
import { API_URL } from '@/lib/api-url';
import { authClient } from '@/lib/auth-client';
import { loadPage } from '@/lib/load-page';

type Schemas = components['schemas'];
export type Task = Schemas['Task'];
export type NewTask = Schemas['NewTask'];
export type TaskChange = Pick<Partial<Task>, 'title' | 'description' | 'completed'>;
/** A task and the version it was read at; a list gives no versions. */
export type VersionedTask = Task & { etag: string | null };
/** A page of a list, newest first, and the path of the next one. */
export interface TaskPage {
  tasks: Task[];
  next: string | null;
}

type ListQuery = Omit<NonNullable<operations['listTasks']['parameters']['query']>, 'completed'> & {
  completed?: boolean;
};
interface CallOptions {
  signal?: AbortSignal;
}
interface WriteOptions extends CallOptions {
  /** Only where the task still is at this version, else `stale_etag`. */
  ifMatch?: string | null;
  /** Lets the call outlive the page. */
  keepalive?: boolean;
}
interface CreateOptions extends CallOptions {
  /** The same key and the same task, sent again, give the first one instead of a second. */
  idempotencyKey?: string;
}

interface Call extends WriteOptions {
  method: string;
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
  /** Whether sending it twice does no more than sending it once. */
  repeatable: boolean;
}

/** What the client needs of its surroundings. */
export interface Surroundings {
  baseURL: string;
  /** A new token for the signed-in user; fails with `signed_out` where nobody is. */
  issueToken: () => Promise<IssuedToken>;
  onSignedOut: () => void;
  fetch: typeof fetch;
  now: () => number;
  sleep: (ms: number) => Promise<void>;
}

const RETRIES = 2;
const LONGEST_WAIT_MS = 10_000;
const DEFAULT_WAIT_MS = 1_000;

/** The task API, as the signed-in user. */
export class ApiClient {
  readonly #token: AccessToken;

  constructor(private readonly on: Surroundings) {
    this.#token = new AccessToken(on.issueToken, on.now);
  }

  async getTasks(userId: string, query: ListQuery = {}, options: CallOptions = {}): Promise<Task[]> {
    return (await this.getTaskPage(userId, query, options)).tasks;
  }

  /** A page by its query, or by the `next` of the page before. */
  async getTaskPage(userId: string, query: ListQuery | string = {}, options: CallOptions = {}): Promise<TaskPage> {
    const path = typeof query === 'string' ? query : `${tasksPath(userId)}${queryText(query)}`;
    const response = await this.#send({ method: 'GET', path, repeatable: true, ...options });
    return { tasks: await response.json(), next: nextPage(response.headers.get('Link')) };
  }

  async getTask(userId: string, taskId: number, options: CallOptions = {}): Promise<VersionedTask> {
    return versioned(await this.#send({ method: 'GET', path: taskPath(userId, taskId), repeatable: true, ...options }));
  }

  async createTask(userId: string, task: NewTask, options: CreateOptions = {}): Promise<VersionedTask> {
    const { idempotencyKey = crypto.randomUUID(), signal } = options;
    const headers = { 'Idempotency-Key': idempotencyKey };
    const path = tasksPath(userId);
    return versioned(await this.#send({ method: 'POST', path, body: task, headers, repeatable: true, signal }));
  }

  async updateTask(
    userId: string,
    taskId: number,
    change: TaskChange,
    options: WriteOptions = {},
  ): Promise<VersionedTask> {
    const path = taskPath(userId, taskId);
    return versioned(await this.#send({ method: 'PUT', path, body: change, repeatable: true, ...options }));
  }

  /** Gives the task as it was. */
  async deleteTask(userId: string, taskId: number, options: WriteOptions = {}): Promise<Task> {
    const path = taskPath(userId, taskId);
    const response = await this.#send({ method: 'DELETE', path, repeatable: false, ...options });
    return response.json();
  }

  /** Sets whether the task is done; toggles it, which no retry may repeat, where `completed` is not given. */
  async toggleTaskCompletion(
    userId: string,
    taskId: number,
    completed?: boolean,
    options: WriteOptions = {},
  ): Promise<VersionedTask> {
    const call = { method: 'PATCH', path: `${taskPath(userId, taskId)}/complete`, ...options };
    return versioned(
      await this.#send(
        completed === undefined ? { ...call, repeatable: false } : { ...call, body: { completed }, repeatable: true },
      ),
    );
  }

  /** To be called when the user signs out. */
  forgetToken() {
    this.#token.forget();
  }

  async #send(call: Call): Promise<Response> {
    let renewed = false;
    let retries = 0;
    for (;;) {
      const token = await this.#bearer();
      const response = await this.#fetch(call, token);
      if (response.ok) {
        return response;
      }
      const error = await ApiError.from(response);
      if (response.status === 401) {
        this.#token.forget(token);
        if (renewed) {
          this.on.onSignedOut();
          throw error;
        }
        renewed = true;
      } else {
        const wait = retryAfter(response.headers.get('Retry-After'), this.on.now());
        if (response.status !== 503 || !call.repeatable || retries >= RETRIES || wait > LONGEST_WAIT_MS) {
          throw error;
        }
        retries += 1;
        await this.on.sleep(wait);
        call.signal?.throwIfAborted();
      }
    }
  }

  async #bearer(): Promise<string> {
    try {
      return await this.#token.get();
    } catch (cause) {
      const error = ApiError.of(cause);
      if (error.code === 'signed_out') {
        this.on.onSignedOut();
      }
      throw error;
    }
  }

  async #fetch(call: Call, token: string): Promise<Response> {
    const { method, path, body, ifMatch, signal, keepalive } = call;
    const headers = new Headers({ ...call.headers, Authorization: `Bearer ${token}` });
    if (body !== undefined) {
      headers.set('Content-Type', 'application/json');
    }
    if (ifMatch) {
      headers.set('If-Match', ifMatch);
    }
    try {
      return await this.on.fetch(`${this.on.baseURL}${path}`, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        cache: 'no-store',
        credentials: 'omit',
        signal,
        keepalive,
      });
    } catch (cause) {
      signal?.throwIfAborted();
      throw ApiError.of(cause);
    }
  }
}

const tasksPath = (userId: string) => `/api/${encodeURIComponent(userId)}/tasks`;
const taskPath = (userId: string, taskId: number) => `${tasksPath(userId)}/${taskId}`;

function queryText(query: ListQuery): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return given.length > 0 ? `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : '';
}

/** The path in `Link: <path>; rel="next"`; it is appended to the API's base, so no link leads the token elsewhere. */
function nextPage(link: string | null): string | null {
  return link?.match(/<(\/[^>]*)>\s*;\s*rel="?next"?/)?.[1] ?? null;
}

async function versioned(response: Response): Promise<VersionedTask> {
  const task: Task = await response.json();
  return { ...task, etag: response.headers.get('ETag') };
}

/** `Retry-After` in milliseconds from now: it is a number of seconds or a date. */
function retryAfter(value: string | null, now: number): number {
  if (!value) {
    return DEFAULT_WAIT_MS;
  }
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - now;
  return Number.isNaN(ms) ? DEFAULT_WAIT_MS : Math.max(ms, 0);
}

async function issueToken(): Promise<IssuedToken> {
  const { data, error } = await authClient.apiToken();
  if (data) {
    return data;
  }
  throw error.status === 401
    ? new ApiError(401, 'signed_out', 'Your session has ended.')
    : new ApiError(error.status, 'unexpected', error.message ?? 'Signing in to the task service failed.');
}

export const api = new ApiClient({
  baseURL: API_URL,
  issueToken,
  onSignedOut: () => loadPage('/login?ended'),
  fetch: (...request) => fetch(...request),
  now: () => Date.now(),
  sleep: (ms) => new Promise((done) => setTimeout(done, ms)),
});
