import type { Metadata } from 'next';
import { notFound } from 'next/navigation';
import { AuthPage } from '@/components/auth/auth-page';
import { ForgotPasswordForm } from '@/components/auth/forgot-password-form';
import { mailIsOffered } from '@/lib/mail';

export const metadata: Metadata = { title: 'Forgotten password' };

export default function ForgotPasswordPage() {
  if (!mailIsOffered) {
    notFound();
  }
  return (
    <AuthPage
      title="Forgotten password"
      intro="We will send you a link to choose a new one."
      other={{ question: 'Remember it after all?', href: '/login', label: 'Sign in' }}
    >
      <ForgotPasswordForm />
    </AuthPage>
  );
}
