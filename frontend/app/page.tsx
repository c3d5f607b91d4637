import type { Metadata } from 'next';
import { headers } from 'next/headers';
import { Suspense } from 'react';
import { redirectSignedOut } from '@/components/auth/redirect-signed-out';
import { Loading } from '@/components/tasks/empty-list';
import { filterOf, pathOf } from '@/components/tasks/filter';
import { Frame } from '@/components/tasks/frame';
import { TaskBoard } from '@/components/tasks/task-board';
import { auth } from '@/lib/auth';
import { firstPage } from '@/lib/first-page';

export const metadata: Metadata = { title: { absolute: 'Your tasks' } };

export default async function TasksPage({ searchParams }: PageProps<'/'>) {
  const { show } = await searchParams;
  // A page cannot set the cookie of a refreshed session; the token endpoint refreshes it.
  const session = await auth.api.getSession({ headers: await headers(), query: { disableRefresh: true } });
  if (!session) {
    return redirectSignedOut(pathOf(filterOf(show)));
  }
  const { id, name, email } = session.user;
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
