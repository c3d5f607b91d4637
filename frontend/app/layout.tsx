import type { Metadata, Viewport } from 'next';
import type { ReactNode } from 'react';
import './globals.css';

export const metadata: Metadata = {
  title: { default: 'Tasks', template: '%s · Tasks' },
  description: 'A calm list of what there is to do.',
};

export const viewport: Viewport = {
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#faf8f4' },
    { media: '(prefers-color-scheme: dark)', color: '#161512' },
  ],
};

// A page rendered at build time could not contain the nonce of its Content-Security-Policy.
export const dynamic = 'force-dynamic';

export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <noscript>
          <p className="bg-danger-wash px-4 py-3 text-center text-sm text-danger">This app needs JavaScript, which is turned off in this browser.</p>
        </noscript>
        {children}
      </body>
    </html>
  );
}
