import type { Metadata } from 'next';
import { notFound } from 'next/navigation';
import { AuthPage } from '@/components/auth/auth-page';
import { ResetPasswordForm } from '@/components/auth/reset-password-form';
import { mailIsOffered } from '@/lib/mail';

export const metadata: Metadata = { title: 'New password' };

export default function ResetPasswordPage() {
  if (!mailIsOffered) {
    notFound();
  }
  return (
    <AuthPage
      title="New password"
      intro="This signs out every browser that is signed in to your account."
      other={{ question: 'Remember the old one?', href: '/login', label: 'Sign in' }}
    >
      <ResetPasswordForm />
    </AuthPage>
  );
}
