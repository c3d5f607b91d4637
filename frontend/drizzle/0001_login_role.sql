-- The app logs in as a member of this role, who reads and writes Better Auth's five tables and nothing else.
DO $$
BEGIN
    -- Roles are the server's: another database of it may have made this one.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'better_auth') THEN
        CREATE ROLE better_auth NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- At this very moment.
END $$;
--> statement-breakpoint
DO $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO better_auth', current_schema());
END $$;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "user", "session", "account", "verification", "rate_limit" TO better_auth;
