// The task API with Hono: `handler` for Lambda.
import { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';
import { HTTPException } from 'hono/http-exception';
import { jwtVerify } from 'jose';

import './settings.mjs';
import * as tasks from './tasks.mjs';

const secret = new TextEncoder().encode(process.env.BETTER_AUTH_SECRET);
const claims = {
  algorithms: ['HS256'],
  requiredClaims: ['sub', 'exp'],
  issuer: process.env.JWT_ISSUER,
  audience: process.env.JWT_AUDIENCE,
  clockTolerance: 30,
};

const app = new Hono().basePath('/api/:user_id/tasks');

app.use(async (c, next) => {
  const [, token] = /^Bearer (.+)$/.exec(c.req.header('Authorization') ?? '') ?? [];
  if (!token) fail(401, 'Missing or invalid authorization header');
  const { payload } = await jwtVerify(token, secret, claims).catch((error) =>
    fail(401, `Invalid token: ${error.message}`),
  );
  if (c.req.param('user_id') !== payload.sub) fail(403, 'Not authorized to access these tasks');
  c.set('user', payload.sub);
  await next();
});

app.get('/', async (c) => c.json(await tasks.list(user(c), page(c))));

app.post('/', async (c) => {
  const task = await body(c);
  if (task.title === undefined) fail(422, 'title is missing');
  return c.json(await tasks.create(user(c), task), 201);
});

app.put('/:task_id{[0-9]+}', async (c) => found(c, await tasks.update(user(c), id(c), await body(c))));

app.delete('/:task_id{[0-9]+}', async (c) => found(c, await tasks.remove(user(c), id(c))));

app.patch('/:task_id{[0-9]+}/complete', async (c) => {
  const { completed } = (await c.req.text()) ? await body(c) : {};
  return found(c, await tasks.complete(user(c), id(c), completed));
});

app.notFound((c) => c.json({ detail: 'Not Found' }, 404));

app.onError((error, c) => {
  if (error instanceof HTTPException) return c.json({ detail: error.message }, error.status);
  console.error(error);
  return c.json({ detail: 'Internal Server Error' }, 500);
});

const user = (c) => c.get('user');
const id = (c) => c.req.param('task_id');

function page(c) {
  const { completed, limit = '50', offset = '0' } = c.req.query();
  if (![undefined, 'true', 'false', '1', '0'].includes(completed)) fail(422, 'completed must be true or false');
  if (!/^\d+$/.test(limit) || limit < 1 || limit > 100) fail(422, 'limit must be 1 to 100');
  if (!/^\d+$/.test(offset)) fail(422, 'offset must be 0 or more');
  return { completed, limit, offset };
}

async function body(c) {
  const members = await c.req.json().catch(() => fail(422, 'The body must be JSON'));
  const { title, description, completed } = Object(members);
  if (title !== undefined && !isText(title, 1, 200)) fail(422, 'title must have 1 to 200 characters');
  if (description != null && !isText(description, 0, 1000)) fail(422, 'description must have up to 1000 characters');
  if (![undefined, true, false].includes(completed)) fail(422, 'completed must be true or false');
  return { title, description, completed };
}

const isText = (value, min, max) => typeof value === 'string' && value.length >= min && value.length <= max;

function found(c, task) {
  return task ? c.json(task) : fail(404, 'Task not found');
}

function fail(status, message) {
  throw new HTTPException(status, { message });
}

export const handler = handle(app);
