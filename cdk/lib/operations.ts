/** The operations, each a Lambda function of that binary name and the one route that calls it. */
export const operations = [
  { name: 'list-tasks', route: 'GET /api/{user_id}/tasks', description: "A page of the user's tasks." },
  { name: 'create-task', route: 'POST /api/{user_id}/tasks', description: 'A new task.' },
  { name: 'get-task', route: 'GET /api/{user_id}/tasks/{task_id}', description: 'One task.' },
  { name: 'update-task', route: 'PUT /api/{user_id}/tasks/{task_id}', description: 'Changes a task.' },
  { name: 'delete-task', route: 'DELETE /api/{user_id}/tasks/{task_id}', description: 'Deletes a task.' },
  {
    name: 'complete-task',
    route: 'PATCH /api/{user_id}/tasks/{task_id}/complete',
    description: 'Completes, reopens or toggles a task.',
  },
] as const;

export type Operation = (typeof operations)[number];
