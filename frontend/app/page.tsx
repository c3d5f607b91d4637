import type { Metadata } from 'next';
import { headers } from 'next/headers';
import { redirect } from 'next/navigation';
import { Suspense } from 'react';
import { Loading } from '@/components/tasks/empty-list';
import { filterOf } from '@/components/tasks/filter';
import { Frame } from '@/components/tasks/frame';
import { TaskBoard } from '@/components/tasks/task-board';
import { auth } from '@/lib/auth';
import { firstPage } from '@/lib/first-page';

export const metadata: Metadata = { title: { absolute: 'Your tasks' } };

export default async function TasksPage({ searchParams }: PageProps<'/'>) {
  // A page cannot set the cookie of a refreshed session; the token endpoint refreshes it.
  const session = await auth.api.getSession({ headers: await headers(), query: { disableRefresh: true } });
  if (!session) {
    redirect('/login');
  }
  const { id, name, email } = session.user;
  const { show } = await searchParams;
  return (
    <Suspense
      fallback={
        <Frame>
          <Loading />
        </Frame>
      }
    >
      <TasksOf user={{ id, name, email }} show={show} />
    </Suspense>
  );
}

interface Props {
  user: { id: string; name: string; email: string };
  show: string | string[] | undefined;
}

async function TasksOf({ user, show }: Props) {
  return <TaskBoard user={user} firstPage={await firstPage(user.id, filterOf(show))} />;
}
