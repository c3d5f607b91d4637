-- What every resource needs: the role of its requests, and the keys that make a repeated create give
-- the first answer again.

-- A second lock. Each request runs as this role, whoever has logged in: it sees and changes the rows
-- of one user, whom the transaction names, and may do what the operations need.
DO $$
BEGIN
    -- Roles are the server's: another database of it may have made this one.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'api_request') THEN
        CREATE ROLE api_request NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- Created concurrently.
END $$;

-- So that the functions also run with the owner's own URL. Who did not make the role, and may not
-- grant it, logs in as somebody to whom it is granted.
DO $$
BEGIN
    GRANT api_request TO CURRENT_USER;
EXCEPTION WHEN insufficient_privilege THEN
    NULL;
END $$;

-- Before PostgreSQL 15 everybody may make tables.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

DO $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO api_request', current_schema());
END $$;

-- No foreign key: a create repeated after its row was deleted must not bring the row back.
CREATE TABLE idempotency_keys (
    user_id      text COLLATE "C" NOT NULL,
    resource     text COLLATE "C" NOT NULL,
    key          text COLLATE "C" NOT NULL,
    request_hash bytea NOT NULL,
    row_id       bigint NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, resource, key)
);

GRANT SELECT, DELETE,
    INSERT (user_id, resource, key, request_hash, row_id),
    UPDATE (key)
    ON idempotency_keys TO api_request;

-- Not forced: the owner deletes old keys.
ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner_only ON idempotency_keys
    USING (user_id = current_setting('api_request.user_id', true));
