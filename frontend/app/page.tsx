import { headers } from 'next/headers';
import { redirect } from 'next/navigation';
import { TaskBoard } from '@/components/tasks/task-board';
import { auth } from '@/lib/auth';

export default async function TasksPage() {
  // A page cannot set the cookie that a refreshed session needs; the token endpoint refreshes it.
  const session = await auth.api.getSession({ headers: await headers(), query: { disableRefresh: true } });
  if (!session) {
    redirect('/login');
  }
  const { id, name, email } = session.user;
  return <TaskBoard user={{ id, name, email }} />;
}
