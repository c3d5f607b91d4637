import { pool } from './database.mjs';

const COLUMNS = 'id, user_id, title, description, completed, created_at, updated_at';

export async function list(user, { completed = null, limit, offset }) {
  const text = `SELECT ${COLUMNS} FROM tasks
    WHERE user_id = $1 AND ($2::boolean IS NULL OR completed = $2)
    ORDER BY id DESC LIMIT $3 OFFSET $4`;
  const { rows } = await query('list', text, [user, completed, limit, offset]);
  return rows;
}

export const create = (user, { title, description }) =>
  one('create', `INSERT INTO tasks (user_id, title, description) VALUES ($1, $2, $3) RETURNING ${COLUMNS}`, [
    user,
    title,
    description,
  ]);

export const update = (user, id, { title, description, completed }) =>
  one(
    'update',
    `UPDATE tasks SET
       title = coalesce($3, title),
       description = CASE WHEN $4 THEN $5 ELSE description END,
       completed = coalesce($6, completed),
       version = version + 1,
       updated_at = now()
     WHERE user_id = $1 AND id = $2 RETURNING ${COLUMNS}`,
    [user, id, title, description !== undefined, description, completed],
  );

/** Sets `completed`; without it, toggles. */
export const complete = (user, id, completed) =>
  one(
    'complete',
    `UPDATE tasks SET completed = coalesce($3, NOT completed), version = version + 1, updated_at = now()
     WHERE user_id = $1 AND id = $2 RETURNING ${COLUMNS}`,
    [user, id, completed],
  );

export const remove = (user, id) =>
  one('remove', `DELETE FROM tasks WHERE user_id = $1 AND id = $2 RETURNING ${COLUMNS}`, [user, id]);

async function one(name, text, values) {
  const { rows } = await query(name, text, values);
  return rows[0];
}

/** Prepared once per connection, under this name. */
const query = (name, text, values) => pool.query({ name, text, values });
