'use client';

import { DeleteAccount } from '@/components/account/delete-account';
import { ExportTasks } from '@/components/account/export-tasks';
import { NameForm } from '@/components/account/name-form';
import { PasswordForm } from '@/components/account/password-form';
import { Section } from '@/components/account/section';
import { SignOutEverywhere } from '@/components/account/sign-out-everywhere';
import { useSignedIn } from '@/lib/use-signed-in';

interface Props {
  user: { id: string; name: string; email: string };
}

export function AccountSections({ user }: Props) {
  useSignedIn(user.id);

  return (
    <>
      <Section title="Name">
        <NameForm name={user.name} />
      </Section>
      <Section title="Password" intro="A new password signs out every other browser.">
        <PasswordForm email={user.email} />
      </Section>
      <Section title="Sessions" intro="Lost a device, or left one signed in? This ends every session, here and elsewhere. A browser that is open elsewhere may keep working for up to ten minutes.">
        <SignOutEverywhere />
      </Section>
      <Section title="Export" intro="All your tasks as a JSON file.">
        <ExportTasks userId={user.id} />
      </Section>
      <Section
        danger
        title="Delete account"
        intro="Erases all your tasks, then your account. It cannot be undone: export your tasks first if you want to keep them. Every other browser is signed out at once."
      >
        <DeleteAccount userId={user.id} email={user.email} />
      </Section>
    </>
  );
}
