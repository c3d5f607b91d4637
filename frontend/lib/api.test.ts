import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import type { IssuedToken } from '@/lib/access-token';
import { ApiClient, type Task } from '@/lib/api-client';
import { ApiError, type ErrorCode } from '@/lib/api-error';
import { CallWatch } from '@/lib/call-watch';

const USER = 'user-1';
const TASK: Task = {
  id: 17,
  user_id: USER,
  title: 'Water the plants',
  description: null,
  completed: false,
  created_at: '2026-11-23T08:15:00.123456Z',
  updated_at: '2026-11-23T08:15:00.123456Z',
};
const TOKEN_MS = 600_000;
const START = Date.UTC(2026, 10, 23, 8);

/** The dependencies of a client: answers come in order, and the last one repeats. */
class World {
  answers: ((request: Request) => Response | Promise<Response>)[] = [];
  requests: Request[] = [];
  /** The times of the requests, in ms after the first. */
  times: number[] = [];
  issued = 0;
  left = 0;
  cause: ErrorCode = 'unreachable';
  failed: string[] = [];
  watch = new CallWatch();
  states: string[] = [];
  issueToken = async (): Promise<IssuedToken> => {
    this.issued += 1;
    return { token: `token-${this.issued}`, expiresAt: new Date(Date.now() + TOKEN_MS) };
  };
  client = new ApiClient({
    baseURL: 'https://api.example/stage',
    issueToken: () => this.issueToken(),
    onSignedOut: () => {
      this.left += 1;
    },
    fetch: async (input, init) => {
      const request = new Request(input, init);
      this.requests.push(request);
      this.times.push(Date.now() - START);
      const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
      assert(answer, 'an answer is ready');
      return answer(request);
    },
    diagnose: async (failed) => {
      this.failed.push(failed);
      return new ApiError(0, this.cause, 'No answer.');
    },
    watch: this.watch,
    // The longest pauses: 0.5 s, 1 s, 2 s …
    random: () => 1,
  });

  constructor() {
    this.watch.subscribe(() => this.states.push(this.watch.state().calls));
  }

  get bearers() {
    return this.requests.map((request) => request.headers.get('Authorization'));
  }
}

/** Advances the time until a call ends; returns its result. */
async function after<T>(call: Promise<T>): Promise<T> {
  let ended = false;
  const end = () => {
    ended = true;
  };
  call.then(end, end);
  for (let step = 0; !ended; step += 1) {
    // Real time, for pending promises.
    await new Promise((done) => setImmediate(done));
    if (step % 5 === 0) {
      mock.timers.tick(100);
    }
    assert(Date.now() - START < 60_000, 'a call ends');
  }
  return call;
}

const unanswered = (request: Request) =>
  new Promise<never>((_, fail) => request.signal.addEventListener('abort', () => fail(request.signal.reason)));

const broken = () => {
  throw new TypeError('fetch failed');
};

const json = (body: unknown, headers: Record<string, string> = {}, status = 200) => () =>
  Response.json(body, { status, headers });

const problem = (status: number, code: string, more: object = {}, headers: Record<string, string> = {}) => () =>
  new Response(JSON.stringify({ type: 'about:blank', title: 'No', status, detail: `No: ${code}`, code, ...more }), {
    status,
    headers: { 'Content-Type': 'application/problem+json', ...headers },
  });

const failsWith = (status: number, code: string) => (error: unknown) =>
  error instanceof ApiError && error.status === status && error.code === code;

let world: World;
beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: START });
  world = new World();
  world.answers = [json([TASK])];
});
afterEach(() => mock.timers.reset());

describe('the token', () => {
  it('is sent as a bearer and kept for the next call', async () => {
    await world.client.getTasks(USER);
    await world.client.getTasks(USER);
    assert.deepEqual(world.bearers, ['Bearer token-1', 'Bearer token-1']);
    assert.equal(world.issued, 1);
  });

  it('is asked for once, however many calls wait for it', async () => {
    await Promise.all([1, 2, 3, 4].map(() => world.client.getTasks(USER)));
    assert.equal(world.issued, 1);
  });

  it('is renewed a minute before it ends, and no sooner', async () => {
    await world.client.getTasks(USER);
    mock.timers.tick(TOKEN_MS - 60_001);
    await world.client.getTasks(USER);
    assert.equal(world.issued, 1);
    mock.timers.tick(1);
    await world.client.getTasks(USER);
    assert.deepEqual(world.bearers.at(-1), 'Bearer token-2');
  });

  it('is used for half a minute by a computer whose clock is hours ahead', async () => {
    const issue = world.issueToken;
    world.issueToken = async () => ({ ...(await issue()), expiresAt: new Date(Date.now() - TOKEN_MS) });
    await world.client.getTasks(USER);
    mock.timers.tick(29_999);
    await world.client.getTasks(USER);
    assert.equal(world.issued, 1);
  });

  it('is renewed once on a 401, and the call repeated', async () => {
    world.answers = [problem(401, 'expired_token'), json([TASK])];
    assert.deepEqual(await world.client.getTasks(USER), [TASK]);
    assert.deepEqual(world.bearers, ['Bearer token-1', 'Bearer token-2']);
    assert.equal(world.left, 0);
  });

  it('is renewed once for calls that are refused together', async () => {
    world.answers = [problem(401, 'expired_token'), problem(401, 'expired_token'), json([TASK])];
    await Promise.all([world.client.getTasks(USER), world.client.getTasks(USER)]);
    assert.equal(world.issued, 2);
  });

  it('refused twice leads to the login', async () => {
    world.answers = [problem(401, 'invalid_token')];
    await assert.rejects(world.client.getTasks(USER), failsWith(401, 'invalid_token'));
    assert.equal(world.requests.length, 2);
    assert.equal(world.left, 1);
  });

  it('not given to the signed-out leads to the login without a call', async () => {
    world.issueToken = async () => {
      throw new ApiError(401, 'signed_out', 'Your session has ended.');
    };
    await assert.rejects(world.client.getTasks(USER), failsWith(401, 'signed_out'));
    assert.equal(world.requests.length, 0);
    assert.equal(world.left, 1);
  });

  it('that could not be fetched is asked for again by the next call, and leads nowhere', async () => {
    const issue = world.issueToken;
    world.issueToken = async () => broken();
    await assert.rejects(world.client.getTasks(USER), failsWith(0, 'unreachable'));
    assert.deepEqual(world.failed, ['app']);
    world.issueToken = issue;
    assert.deepEqual(await world.client.getTasks(USER), [TASK]);
    assert.equal(world.left, 0);
  });

  it('forgotten while it is on its way is not kept', async () => {
    const first = world.client.getTasks(USER);
    world.client.forgetToken();
    await first;
    await world.client.getTasks(USER);
    assert.equal(world.issued, 2);
  });
});

describe('the methods', () => {
  it('send what the contract says', async () => {
    world.answers = [json(TASK)];
    await world.client.getTask(USER, 17);
    await world.client.updateTask(USER, 17, { title: 'Water' });
    await world.client.toggleTaskCompletion(USER, 17, true);
    await world.client.toggleTaskCompletion(USER, 17);
    await world.client.deleteTask(USER, 17);
    await world.client.clearTasks(USER, { completed: true, until: '2026-11-23T08:15:00Z' });
    await world.client.eraseAccount(USER);
    const sent = await Promise.all(
      world.requests.map(async (request) => {
        const { pathname, search } = new URL(request.url);
        return [request.method, `${pathname}${search}`, await request.text()];
      }),
    );
    assert.deepEqual(sent, [
      ['GET', '/stage/api/user-1/tasks/17', ''],
      ['PUT', '/stage/api/user-1/tasks/17', '{"title":"Water"}'],
      ['PATCH', '/stage/api/user-1/tasks/17/complete', '{"completed":true}'],
      ['PATCH', '/stage/api/user-1/tasks/17/complete', ''],
      ['DELETE', '/stage/api/user-1/tasks/17', ''],
      ['DELETE', '/stage/api/user-1/tasks?completed=true&until=2026-11-23T08%3A15%3A00Z', ''],
      ['DELETE', '/stage/api/user-1', ''],
    ]);
  });

  it('encode the user id', async () => {
    await world.client.getTasks('a/b?c');
    assert.equal(world.requests[0]?.url, 'https://api.example/stage/api/a%2Fb%3Fc/tasks');
  });

  it('follow the pages by their link, under the base of the API', async () => {
    world.answers = [json([TASK], { Link: '</api/user-1/tasks?completed=false&after=abc>; rel="next"' }), json([])];
    const first = await world.client.getTaskPage(USER, { completed: false, limit: 1 });
    assert.equal(first.next, '/api/user-1/tasks?completed=false&after=abc');
    const last = await world.client.getTaskPage(USER, first.next);
    assert.deepEqual(last, { tasks: [], next: null });
    assert.deepEqual(
      world.requests.map(({ url }) => url),
      [
        'https://api.example/stage/api/user-1/tasks?completed=false&limit=1',
        'https://api.example/stage/api/user-1/tasks?completed=false&after=abc',
      ],
    );
  });

  it('follow no link to another host', async () => {
    world.answers = [json([TASK], { Link: '<https://elsewhere.example/>; rel="next"' })];
    assert.equal((await world.client.getTaskPage(USER)).next, null);
  });

  it('give the version of a task, and write against it', async () => {
    world.answers = [json(TASK, { ETag: '"3"' })];
    const { etag } = await world.client.getTask(USER, 17);
    assert.equal(etag, '"3"');
    await world.client.updateTask(USER, 17, { title: 'x' }, { ifMatch: etag });
    assert.equal(world.requests[1]?.headers.get('If-Match'), '"3"');
  });

  it('give each create a key of its own, or the one it had before', async () => {
    world.answers = [json(TASK, {}, 201)];
    await world.client.createTask(USER, { title: 'a' });
    await world.client.createTask(USER, { title: 'a' });
    await world.client.createTask(USER, { title: 'a' }, { idempotencyKey: 'mine' });
    const keys = world.requests.map((request) => request.headers.get('Idempotency-Key'));
    assert.match(keys[0] ?? '', /^[0-9a-f-]{36}$/);
    assert.notEqual(keys[0], keys[1]);
    assert.equal(keys[2], 'mine');
  });
});

describe('a failure', () => {
  it('has the code, the detail and every fault of the problem', async () => {
    const errors = [{ field: 'title', message: 'must not be blank' }];
    world.answers = [problem(422, 'invalid_request', { errors })];
    await assert.rejects(world.client.createTask(USER, { title: '' }), (error) => {
      assert(error instanceof ApiError);
      assert.deepEqual(
        [error.status, error.code, error.detail, error.errors],
        [422, 'invalid_request', 'No: invalid_request', errors],
      );
      return true;
    });
  });

  it('that is not the API’s keeps its status', async () => {
    world.answers = [() => new Response('<h1>Bad gateway</h1>', { status: 502 })];
    await assert.rejects(world.client.getTasks(USER), failsWith(502, 'unexpected'));
  });

  it('without an answer has the cause that was found', async () => {
    world.answers = [broken];
    for (const cause of ['offline', 'unreachable', 'unreadable'] as const) {
      world.cause = cause;
      await assert.rejects(world.client.deleteTask(USER, 17), failsWith(0, cause));
    }
    assert.deepEqual(world.failed, ['api', 'api', 'api']);
  });

  it('stays what it is where the caller gave up', async () => {
    const stop = new AbortController();
    stop.abort();
    world.answers = [broken];
    await assert.rejects(world.client.getTasks(USER, {}, { signal: stop.signal }), { name: 'AbortError' });
  });
});

const busy = (after: string, status = 503) =>
  status === 503
    ? problem(503, 'database_unavailable', {}, { 'Retry-After': after })
    : json({ message: 'Too Many Requests' }, after ? { 'Retry-After': after } : {}, status);

describe('a 503', () => {
  it('is waited out, as long as it says', async () => {
    world.answers = [busy('2'), busy('3'), json([TASK])];
    assert.deepEqual(await after(world.client.getTasks(USER)), [TASK]);
    assert.deepEqual(world.times, [0, 2_000, 5_000]);
  });

  it('is waited out until a date', async () => {
    world.answers = [busy(new Date(START + 4_000).toUTCString()), json([TASK])];
    await after(world.client.getTasks(USER));
    assert.deepEqual(world.times, [0, 4_000]);
  });

  it('that lasts longer than the call may is a failure at once', async () => {
    world.answers = [busy('15')];
    await assert.rejects(world.client.getTasks(USER), failsWith(503, 'database_unavailable'));
    assert.equal(world.requests.length, 1);
  });

  it('is asked less and less often, and is a failure before 15 s are over', async () => {
    world.answers = [busy('0')];
    await assert.rejects(after(world.client.getTasks(USER)), failsWith(503, 'database_unavailable'));
    assert.deepEqual(world.times, [0, 500, 1_500, 3_500, 7_500]);
  });

  it('repeats a create under the same key', async () => {
    world.answers = [busy('1'), json(TASK, {}, 201)];
    await after(world.client.createTask(USER, { title: 'a' }));
    const keys = world.requests.map((request) => request.headers.get('Idempotency-Key'));
    assert.equal(keys[0], keys[1]);
    assert.deepEqual(await Promise.all(world.requests.map((request) => request.json())), [{ title: 'a' }, { title: 'a' }]);
  });

  it('repeats a set, and a deletion of many', async () => {
    world.answers = [busy('1'), json(TASK), busy('1'), json({ deleted: 0, more: false })];
    await after(world.client.toggleTaskCompletion(USER, 17, true));
    await after(world.client.clearTasks(USER, { completed: true }));
    assert.equal(world.requests.length, 4);
  });

  it('repeats neither a toggle nor a delete', async () => {
    world.answers = [busy('1')];
    await assert.rejects(world.client.toggleTaskCompletion(USER, 17), failsWith(503, 'database_unavailable'));
    await assert.rejects(world.client.deleteTask(USER, 17), failsWith(503, 'database_unavailable'));
    assert.equal(world.requests.length, 2);
  });

  it('of whoever issues the token is waited out, too', async () => {
    const issue = world.issueToken;
    world.issueToken = async () => {
      world.issueToken = issue;
      throw new ApiError(503, 'unexpected', 'The database is away.', [], 5_000);
    };
    assert.deepEqual(await after(world.client.getTasks(USER)), [TASK]);
    assert.deepEqual(world.times, [5_000]);
  });
});

describe('a 429', () => {
  it('repeats everything, for nothing was done', async () => {
    world.answers = [busy('', 429), json(TASK), busy('1', 429), json(TASK)];
    await after(world.client.toggleTaskCompletion(USER, 17));
    await after(world.client.deleteTask(USER, 17));
    assert.deepEqual(world.times, [0, 500, 500, 1_500]);
  });

  it('that stays is said', async () => {
    world.answers = [busy('', 429)];
    await assert.rejects(after(world.client.deleteTask(USER, 17)), failsWith(429, 'throttled'));
  });

  it('that the browser may not read repeats what is safe', async () => {
    world.cause = 'unreadable';
    world.answers = [broken, json([TASK])];
    assert.deepEqual(await after(world.client.getTasks(USER)), [TASK]);
    world.answers = [broken];
    await assert.rejects(world.client.deleteTask(USER, 17), failsWith(0, 'unreadable'));
    assert.equal(world.requests.length, 3);
  });
});

describe('the time of a call', () => {
  it('is 10 s without an answer', async () => {
    world.answers = [unanswered];
    await assert.rejects(after(world.client.getTasks(USER)), failsWith(0, 'timeout'));
    assert.equal(Date.now() - START, 10_000);
  });

  it('is 10 s for an answer that does not end', async () => {
    const endless = () => new Response(new ReadableStream({ start: (stream) => stream.enqueue(new Uint8Array(1)) }));
    world.answers = [endless];
    await assert.rejects(after(world.client.getTasks(USER)), failsWith(0, 'timeout'));
    assert.equal(Date.now() - START, 10_000);
  });

  it('is 10 s without a token', async () => {
    world.issueToken = () => new Promise(() => {});
    await assert.rejects(after(world.client.getTasks(USER)), failsWith(0, 'timeout'));
    assert.equal(Date.now() - START, 10_000);
  });

  it('is 15 s with all its attempts', async () => {
    world.answers = [busy('8'), unanswered];
    await assert.rejects(after(world.client.getTasks(USER)), failsWith(0, 'timeout'));
    assert.deepEqual(world.times, [0, 8_000]);
    assert.equal(Date.now() - START, 15_000);
  });

  it('is told: it is slow after 3 s, and busy where it waits to try again', async () => {
    world.answers = [unanswered];
    await assert.rejects(after(world.client.getTasks(USER)));
    assert.deepEqual(world.states.splice(0), ['slow', 'fine']);
    world.answers = [busy('5'), json([TASK])];
    await after(world.client.getTasks(USER));
    assert.deepEqual(world.states, ['busy', 'fine']);
  });
});

describe('the clock of the API', () => {
  it('is known from its answers', async () => {
    assert.equal(world.client.timeAt(START), null);
    world.answers = [json([TASK], { Date: new Date(START + 90_000).toUTCString() })];
    await world.client.getTasks(USER);
    mock.timers.tick(5_000);
    assert.equal(world.client.timeAt(Date.now())?.getTime(), START + 95_000);
  });
});
