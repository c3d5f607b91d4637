-- A create may set it.
GRANT INSERT (completed) ON tasks TO task_api;
