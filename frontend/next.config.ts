import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { NextConfig } from 'next';

// The settings of both sides are in one file; variables of the process override it.
const envFile = resolve(process.cwd(), '../.env');
if (existsSync(envFile)) {
  process.loadEnvFile?.(envFile);
}

const development = process.env.NODE_ENV === 'development';
const own = new URL(process.env.BETTER_AUTH_URL || 'http://localhost:3000');
const LOCAL_NAMES = ['localhost', '127.0.0.1', '[::1]'];

const config: NextConfig = {
  poweredByHeader: false,
  // The development server's request log would show the tokens in links.
  logging: { incomingRequests: { ignore: [/^\/api\/auth\//] } },
  turbopack: { root: process.cwd() },
  // No cache on disk: the app is small, and a cache from an interrupted run made every page of a later run reload
  // forever.
  experimental: { turbopackFileSystemCacheForDev: false },
  // Next.js prints another name of this machine, where nobody could sign in: Better Auth accepts only the own origin.
  redirects: async () =>
    LOCAL_NAMES.filter((name) => development && name !== own.hostname && LOCAL_NAMES.includes(own.hostname)).map((name) => ({
      source: '/:path*',
      has: [{ type: 'host', value: name.replace(/[[\]]/g, '\\$&') }],
      destination: `${own.origin}/:path*`,
      permanent: false,
    })),
  // The Content-Security-Policy has a nonce in each answer: proxy.ts sets it.
  headers: async () => [
    {
      source: '/:path*',
      headers: [
        { key: 'X-Content-Type-Options', value: 'nosniff' },
        { key: 'X-Frame-Options', value: 'DENY' },
        { key: 'Referrer-Policy', value: 'strict-origin-when-cross-origin' },
        { key: 'Cross-Origin-Opener-Policy', value: 'same-origin' },
        { key: 'Permissions-Policy', value: 'camera=(), geolocation=(), microphone=()' },
        // Browsers ignore it over plain http, so localhost is unaffected.
        { key: 'Strict-Transport-Security', value: 'max-age=63072000' },
      ],
    },
    {
      // These answers are not pages: nothing in them may be run or rendered, whatever type a browser guesses.
      source: '/api/:path*',
      headers: [{ key: 'Content-Security-Policy', value: "default-src 'none'; frame-ancestors 'none'" }],
    },
  ],
};

export default config;
