-- A second lock. Each request runs as this role, whoever has logged in: it sees and touches the rows
-- of one user, whom the transaction names, and may do what the six operations need.
DO $$
BEGIN
    -- Roles are the server's: another database of it may have made this one.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'task_api') THEN
        CREATE ROLE task_api NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- At this very moment.
END $$;

-- So that the functions also run with the owner's own URL. Who did not make the role, and may not
-- grant it, logs in as somebody to whom it is granted.
DO $$
BEGIN
    GRANT task_api TO CURRENT_USER;
EXCEPTION WHEN insufficient_privilege THEN
    NULL;
END $$;

-- Before PostgreSQL 15 everybody may make tables.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

DO $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO task_api', current_schema());
END $$;

GRANT SELECT, DELETE,
    INSERT (id, user_id, title, description, created_at, updated_at),
    UPDATE (title, description, completed, version, updated_at)
    ON tasks TO task_api;
GRANT SELECT,
    INSERT (user_id, key, request_hash, task_id),
    UPDATE (key)
    ON idempotency_keys TO task_api;
GRANT USAGE ON SEQUENCE tasks_id_seq TO task_api;

ALTER TABLE tasks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY of_the_named_user ON tasks
    USING (user_id = current_setting('task_api.user_id', true));

-- Not forced: the owner deletes old keys.
ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_the_named_user ON idempotency_keys
    USING (user_id = current_setting('task_api.user_id', true));
