-- Erasing an account deletes its keys, too.
GRANT DELETE ON idempotency_keys TO task_api;
