import createClient from 'openapi-fetch';
import { ApiError } from '@/lib/api-error';
import { type Surroundings, Transport } from '@/lib/api-transport';
import type { components, operations, paths } from '@/lib/api-types';

type Schemas = components['schemas'];
export type Task = Schemas['Task'];
export type NewTask = Schemas['NewTask'];
export type Cleared = Schemas['Cleared'];
export type TaskChange = Schemas['TaskChange'];
/** A task with its version; a list contains no versions. */
export type VersionedTask = Task & { etag: string | null };
/** A page of a list, newest first, and the path of the next page. */
export interface TaskPage {
  tasks: Task[];
  next: string | null;
}

type ListQuery = NonNullable<operations['listTasks']['parameters']['query']>;
/** Which tasks to delete; those that changed after `until` stay. */
type ClearQuery = { completed: boolean; until?: string };
interface CallOptions {
  signal?: AbortSignal;
}
interface WriteOptions extends CallOptions {
  /** Fails with `stale_etag` unless the task has this version. */
  ifMatch?: string | null;
}
interface CreateOptions extends CallOptions {
  /** Sending the same task with the same key again returns the first one. */
  idempotencyKey?: string;
}

const ACCOUNT = '/api/{user_id}';
const TASKS = '/api/{user_id}/tasks';
const TASK = '/api/{user_id}/tasks/{task_id}';

/** The task API for the signed-in user. Every call ends within 15 seconds; failures are `ApiError`s. */
export class ApiClient {
  readonly #transport: Transport;
  readonly #client: ReturnType<typeof createClient<paths>>;
  /** How many ms the API's clock is ahead of this one, at least; it has whole seconds. */
  #clockOffset: number | null = null;

  constructor(on: Surroundings) {
    this.#transport = new Transport(on);
    this.#client = createClient<paths>({ baseUrl: on.baseURL, credentials: 'omit' });
    this.#client.use({
      onRequest: async ({ request, schemaPath }) => {
        const response = await this.#transport.send(request, isRepeatable(request, schemaPath));
        const date = Date.parse(response.headers.get('Date') ?? '');
        this.#clockOffset = Number.isNaN(date) ? this.#clockOffset : date - Date.now();
        return response;
      },
    });
  }

  async getTasks(userId: string, query: ListQuery = {}, options: CallOptions = {}): Promise<Task[]> {
    return (await this.getTaskPage(userId, query, options)).tasks;
  }

  /** A page, by its query or by the `next` of the page before. */
  async getTaskPage(userId: string, query: ListQuery | string = {}, options: CallOptions = {}): Promise<TaskPage> {
    const params = { path: { user_id: userId }, query: typeof query === 'string' ? queryOf(query) : query };
    const { data, response } = await this.#client.GET(TASKS, { params, ...options });
    return { tasks: answerOf(data), next: nextPage(response.headers.get('Link')) };
  }

  async getTask(userId: string, taskId: number, options: CallOptions = {}): Promise<VersionedTask> {
    return versioned(await this.#client.GET(TASK, { params: taskParams(userId, taskId), ...options }));
  }

  async createTask(userId: string, task: NewTask, options: CreateOptions = {}): Promise<VersionedTask> {
    const { idempotencyKey = crypto.randomUUID(), ...rest } = options;
    const params = { path: { user_id: userId }, header: { 'Idempotency-Key': idempotencyKey } };
    return versioned(await this.#client.POST(TASKS, { params, body: task, ...rest }));
  }

  async updateTask(
    userId: string,
    taskId: number,
    change: TaskChange,
    { ifMatch, ...options }: WriteOptions = {},
  ): Promise<VersionedTask> {
    const params = writeParams(userId, taskId, ifMatch);
    return versioned(await this.#client.PUT(TASK, { params, body: change, ...options }));
  }

  /** Returns the deleted task. */
  async deleteTask(userId: string, taskId: number, { ifMatch, ...options }: WriteOptions = {}): Promise<Task> {
    const params = writeParams(userId, taskId, ifMatch);
    return answerOf((await this.#client.DELETE(TASK, { params, ...options })).data);
  }

  /** Deletes all that the user has, up to 10,000 items; repeat it while `more` is true. */
  async eraseAccount(userId: string, options: CallOptions & { keepalive?: boolean } = {}): Promise<Cleared> {
    return answerOf((await this.#client.DELETE(ACCOUNT, { params: { path: { user_id: userId } }, ...options })).data);
  }

  /** Deletes up to 10,000 tasks; repeat it while `more` is true. */
  async clearTasks(userId: string, query: ClearQuery, options: CallOptions = {}): Promise<Cleared> {
    const params = { path: { user_id: userId }, query };
    return answerOf((await this.#client.DELETE(TASKS, { params, ...options })).data);
  }

  /** Completes or reopens the task. Without `completed` it toggles, which is not safe to repeat. */
  async toggleTaskCompletion(
    userId: string,
    taskId: number,
    completed?: boolean,
    { ifMatch, ...options }: WriteOptions = {},
  ): Promise<VersionedTask> {
    const params = writeParams(userId, taskId, ifMatch);
    const body = completed === undefined ? undefined : { completed };
    return versioned(await this.#client.PATCH(`${TASK}/complete`, { params, body, ...options }));
  }

  /** The API's time, or a little earlier, at this clock's `time`; null before the first answer. */
  timeAt(time: number): Date | null {
    return this.#clockOffset === null ? null : new Date(time + this.#clockOffset);
  }

  /** Call this when the user signs out. */
  forgetToken() {
    this.#transport.forgetToken();
  }
}

/** Whether a request is safe to repeat. A repeated delete would be a 404. */
function isRepeatable(request: Request, path: string): boolean {
  switch (request.method) {
    case 'DELETE':
      return path !== TASK;
    case 'PATCH':
      return request.headers.has('Content-Type');
    default:
      return true;
  }
}

const taskParams = (userId: string, taskId: number) => ({ path: { user_id: userId, task_id: taskId } });

const writeParams = (userId: string, taskId: number, ifMatch?: string | null) => ({
  ...taskParams(userId, taskId),
  header: ifMatch ? { 'If-Match': ifMatch } : undefined,
});

/** The query of a path; the API's base URL stays, so that no link can send the token elsewhere. */
const queryOf = (path: string) => Object.fromEntries(new URLSearchParams(path.split('?')[1]));

/** The path in `Link: <path>; rel="next"`. */
function nextPage(link: string | null): string | null {
  return link?.match(/<(\/[^>]*)>\s*;\s*rel="?next"?/)?.[1] ?? null;
}

function versioned({ data, response }: { data?: Task; response: Response }): VersionedTask {
  return { ...answerOf(data), etag: response.headers.get('ETag') };
}

/** A success without a body does not come from the API. */
function answerOf<Data>(data: Data | undefined): Data {
  if (data === undefined) {
    throw new ApiError(0, 'unexpected', 'The server sent an empty answer.');
  }
  return data;
}
