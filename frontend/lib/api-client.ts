import createClient from 'openapi-fetch';
import { ApiError } from '@/lib/api-error';
import { type Surroundings, Transport } from '@/lib/api-transport';
import type { components, operations, paths } from '@/lib/api-types';

type Schemas = components['schemas'];
export type Task = Schemas['Task'];
export type NewTask = Schemas['NewTask'];
export type Cleared = Schemas['Cleared'];
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
/** Which tasks to delete, and, by `until`, not those that changed later. */
type ClearQuery = ({ completed: boolean } | { all: true }) & { until?: string };
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

const TASKS = '/api/{user_id}/tasks';
const TASK = '/api/{user_id}/tasks/{task_id}';

/** The task API, as the signed-in user. Every call ends within 15 seconds; what fails is an `ApiError`. */
export class ApiClient {
  readonly #transport: Transport;
  readonly #client: ReturnType<typeof createClient<paths>>;
  /** By how many ms the API's clock is ahead of ours, at the least; it says only whole seconds. */
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

  /** A page by its query, or by the `next` of the page before. */
  async getTaskPage(userId: string, query: ListQuery | string = {}, options: CallOptions = {}): Promise<TaskPage> {
    const params = { path: { user_id: userId }, query: typeof query === 'string' ? queryOf(query) : textOf(query) };
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
    // The document wants one of the three, which TypeScript cannot say.
    const body = change as Schemas['TaskChange'];
    return versioned(await this.#client.PUT(TASK, { params, body, ...options }));
  }

  /** Gives the task as it was. */
  async deleteTask(userId: string, taskId: number, { ifMatch, ...options }: WriteOptions = {}): Promise<Task> {
    const params = writeParams(userId, taskId, ifMatch);
    return answerOf((await this.#client.DELETE(TASK, { params, ...options })).data);
  }

  /** Deletes up to 10,000 tasks; to be repeated while `more` is true. */
  async clearTasks(userId: string, { until, ...which }: ClearQuery, options: CallOptions & { keepalive?: boolean } = {}): Promise<Cleared> {
    const query = 'all' in which ? ({ all: 'true', until } as const) : ({ ...textOf(which), until } as const);
    const params = { path: { user_id: userId }, query };
    return answerOf((await this.#client.DELETE(TASKS, { params, ...options })).data);
  }

  /** Sets whether the task is done; toggles it, which no retry may repeat, where `completed` is not given. */
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

  /** What the API's clock shows, or a little less, when ours shows `time`; null before its first answer. */
  timeAt(time: number): Date | null {
    return this.#clockOffset === null ? null : new Date(time + this.#clockOffset);
  }

  /** Whether a call would be sent at once, as a page that is going away needs it. */
  get isReady() {
    return this.#transport.hasToken;
  }

  /** Gets a token for the calls to come. */
  prepare() {
    this.#transport.prepare();
  }

  /** To be called when the user signs out. */
  forgetToken() {
    this.#transport.forgetToken();
  }
}

/** Whether sending it twice does no more than sending it once. A second delete of one task says that there is none. */
function isRepeatable(request: Request, path: string): boolean {
  switch (request.method) {
    case 'DELETE':
      return path === TASKS;
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

const textOf = <Query extends { completed?: boolean }>({ completed, ...query }: Query) => ({
  completed: completed === undefined ? undefined : completed ? ('true' as const) : ('false' as const),
  ...query,
});

/** The query of a path, for the API's base: so no link leads the token elsewhere. */
const queryOf = (path: string) => Object.fromEntries(new URLSearchParams(path.split('?')[1]));

/** The path in `Link: <path>; rel="next"`. */
function nextPage(link: string | null): string | null {
  return link?.match(/<(\/[^>]*)>\s*;\s*rel="?next"?/)?.[1] ?? null;
}

function versioned({ data, response }: { data?: Task; response: Response }): VersionedTask {
  return { ...answerOf(data), etag: response.headers.get('ETag') };
}

/** A success without what it should hold is no answer of the API's. */
function answerOf<Data>(data: Data | undefined): Data {
  if (data === undefined) {
    throw new ApiError(0, 'unexpected', 'The server sent an empty answer.');
  }
  return data;
}
