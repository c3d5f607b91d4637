-- Copies the tutorial's table `task` into `tasks`, as their owner. Run it as often as you like while both backends run:
-- a task that nobody changed through the functions becomes what it is in `task`, or is deleted if it was deleted there;
-- one that was changed or deleted through the functions stays so. See docs/coming-from-fastapi.md.
BEGIN;
-- In which time zone the backend wrote times that have none: datetime.utcnow() is UTC, datetime.now() is the server's.
SET LOCAL timezone = 'UTC';
-- What was copied, and the version that it then had in `tasks`.
CREATE TABLE IF NOT EXISTS copied_tasks (
    user_id text COLLATE "C",
    id      bigint,
    version bigint NOT NULL,
    PRIMARY KEY (user_id, id)
);
LOCK TABLE copied_tasks; -- for one copy at a time
-- For this transaction, since an owner who is no superuser otherwise sees one user's tasks. The functions never do.
ALTER TABLE tasks NO FORCE ROW LEVEL SECURITY;

CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS
SELECT
    user_id::text COLLATE "C" AS user_id,
    id::bigint AS id,
    coalesce(nullif(regexp_replace(left(regexp_replace(title, '^\s+', ''), 200), '\s+$', ''), ''), '(no title)') AS title,
    left(description, 1000) AS description,
    coalesce(completed, false) AS completed,
    coalesce(created_at::timestamptz, now()) AS created_at,
    coalesce(updated_at::timestamptz, created_at::timestamptz, now()) AS updated_at
FROM task
WHERE user_id::text <> ''; -- a task of nobody can be read by nobody
CREATE UNIQUE INDEX ON incoming (user_id, id);
ANALYZE incoming;

DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM incoming) THEN
        RAISE EXCEPTION 'the table task has no task of a user: nothing is copied, and nothing is deleted';
    END IF;
END $$;

-- Changed in `task`, and not through the functions.
WITH changed AS (
    UPDATE tasks SET
        title = incoming.title,
        description = incoming.description,
        completed = incoming.completed,
        updated_at = incoming.updated_at,
        version = tasks.version + 1
    FROM incoming JOIN copied_tasks USING (user_id, id)
    WHERE (tasks.user_id, tasks.id, tasks.version) = (incoming.user_id, incoming.id, copied_tasks.version)
      AND (tasks.title, tasks.description, tasks.completed)
          IS DISTINCT FROM (incoming.title, incoming.description, incoming.completed)
    RETURNING tasks.user_id, tasks.id, tasks.version
)
UPDATE copied_tasks SET version = changed.version
FROM changed
WHERE (copied_tasks.user_id, copied_tasks.id) = (changed.user_id, changed.id);

-- Deleted from `task`, and not changed through the functions.
DELETE FROM tasks USING copied_tasks
WHERE (tasks.user_id, tasks.id, tasks.version) = (copied_tasks.user_id, copied_tasks.id, copied_tasks.version)
  AND NOT EXISTS (SELECT FROM incoming WHERE (incoming.user_id, incoming.id) = (tasks.user_id, tasks.id));

-- New in `task`. What was copied once is not copied again, so a task deleted through the functions stays deleted.
WITH new AS (
    INSERT INTO copied_tasks (user_id, id, version)
    SELECT user_id, id, 1 FROM incoming
    ON CONFLICT DO NOTHING
    RETURNING user_id, id
)
INSERT INTO tasks (user_id, id, title, description, completed, created_at, updated_at)
SELECT user_id, id, title, description, completed, created_at, updated_at
FROM incoming JOIN new USING (user_id, id);

-- Ids of the functions' tasks begin a million later, so that FastAPI's new ones never meet them.
SELECT setval('tasks_id_seq', greatest((SELECT last_value FROM tasks_id_seq), (SELECT max(id) + 1000000 FROM incoming)));

ALTER TABLE tasks FORCE ROW LEVEL SECURITY;

-- Columns of `task` that `tasks` does not have.
SELECT attname AS "not copied" FROM pg_attribute
WHERE attrelid = 'task'::regclass AND attnum > 0 AND NOT attisdropped AND attname <> ALL (
    '{id, number, user_id, title, description, completed, created_at, updated_at}'
)
ORDER BY attnum;
COMMIT;
