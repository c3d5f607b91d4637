import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ApiClient, type Task } from '@/lib/api';
import { ApiError } from '@/lib/api-error';

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

/** The surroundings of a client: answers are given in order, the last one again and again. */
class World {
  now = Date.UTC(2026, 10, 23, 8);
  answers: (() => Response | Promise<Response>)[] = [];
  requests: Request[] = [];
  slept: number[] = [];
  issued = 0;
  left = 0;
  issueToken = async () => {
    this.issued += 1;
    return { token: `token-${this.issued}`, expiresAt: new Date(this.now + TOKEN_MS) };
  };
  client = new ApiClient({
    baseURL: 'https://api.example/stage',
    issueToken: () => this.issueToken(),
    onSignedOut: () => {
      this.left += 1;
    },
    fetch: async (input, init) => {
      this.requests.push(new Request(input, init));
      const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
      assert(answer, 'an answer is ready');
      return answer();
    },
    now: () => this.now,
    sleep: async (ms) => {
      this.slept.push(ms);
      this.now += ms;
    },
  });

  get bearers() {
    return this.requests.map((request) => request.headers.get('Authorization'));
  }
}

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
  world = new World();
  world.answers = [json([TASK])];
});

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
    world.now += TOKEN_MS - 60_001;
    await world.client.getTasks(USER);
    assert.equal(world.issued, 1);
    world.now += 1;
    await world.client.getTasks(USER);
    assert.deepEqual(world.bearers.at(-1), 'Bearer token-2');
  });

  it('is used for half a minute by a computer whose clock is hours ahead', async () => {
    const issue = world.issueToken;
    world.issueToken = async () => ({ ...(await issue()), expiresAt: new Date(world.now - TOKEN_MS) });
    await world.client.getTasks(USER);
    world.now += 29_999;
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
    world.issueToken = async () => {
      throw new TypeError('fetch failed');
    };
    await assert.rejects(world.client.getTasks(USER), failsWith(0, 'unreachable'));
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
    const sent = await Promise.all(
      world.requests.map(async (request) => [request.method, new URL(request.url).pathname, await request.text()]),
    );
    assert.deepEqual(sent, [
      ['GET', '/stage/api/user-1/tasks/17', ''],
      ['PUT', '/stage/api/user-1/tasks/17', '{"title":"Water"}'],
      ['PATCH', '/stage/api/user-1/tasks/17/complete', '{"completed":true}'],
      ['PATCH', '/stage/api/user-1/tasks/17/complete', ''],
      ['DELETE', '/stage/api/user-1/tasks/17', ''],
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

  it('of the network is unreachable', async () => {
    world.answers = [
      () => {
        throw new TypeError('fetch failed');
      },
    ];
    await assert.rejects(world.client.getTasks(USER), failsWith(0, 'unreachable'));
  });

  it('stays what it is where the caller gave up', async () => {
    const stop = new AbortController();
    stop.abort();
    world.answers = [
      () => {
        throw new TypeError('aborted');
      },
    ];
    await assert.rejects(world.client.getTasks(USER, {}, { signal: stop.signal }), { name: 'AbortError' });
  });
});

describe('a 503', () => {
  const busy = (after: string) => problem(503, 'database_unavailable', {}, { 'Retry-After': after });

  it('is waited out, as long as it says', async () => {
    world.answers = [busy('2'), busy('3'), json([TASK])];
    assert.deepEqual(await world.client.getTasks(USER), [TASK]);
    assert.deepEqual(world.slept, [2_000, 3_000]);
  });

  it('is waited out until a date', async () => {
    world.answers = [busy(new Date(world.now + 4_000).toUTCString()), json([TASK])];
    await world.client.getTasks(USER);
    assert.deepEqual(world.slept, [4_000]);
  });

  it('is a failure after two retries', async () => {
    world.answers = [busy('1')];
    await assert.rejects(world.client.getTasks(USER), failsWith(503, 'database_unavailable'));
    assert.equal(world.requests.length, 3);
  });

  it('that lasts long is a failure at once', async () => {
    world.answers = [busy('11')];
    await assert.rejects(world.client.getTasks(USER), failsWith(503, 'database_unavailable'));
    assert.equal(world.requests.length, 1);
  });

  it('repeats a create under the same key', async () => {
    world.answers = [busy('1'), json(TASK, {}, 201)];
    await world.client.createTask(USER, { title: 'a' });
    const keys = world.requests.map((request) => request.headers.get('Idempotency-Key'));
    assert.equal(keys[0], keys[1]);
  });

  it('repeats a set', async () => {
    world.answers = [busy('1'), json(TASK)];
    await world.client.toggleTaskCompletion(USER, 17, true);
    assert.equal(world.requests.length, 2);
  });

  it('repeats neither a toggle nor a delete', async () => {
    world.answers = [busy('1')];
    await assert.rejects(world.client.toggleTaskCompletion(USER, 17), failsWith(503, 'database_unavailable'));
    await assert.rejects(world.client.deleteTask(USER, 17), failsWith(503, 'database_unavailable'));
    assert.equal(world.requests.length, 2);
  });
});
