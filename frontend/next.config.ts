import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { NextConfig } from 'next';

// One place for the settings of both sides; what the process was given already wins over the file.
const envFile = resolve(process.cwd(), '../.env');
if (existsSync(envFile)) {
  process.loadEnvFile?.(envFile);
}

const config: NextConfig = {
  poweredByHeader: false,
  // The development server's list of requests would show the tokens of links.
  logging: { incomingRequests: { ignore: [/^\/api\/auth\//] } },
  turbopack: { root: process.cwd() },
  // The app is small. What is kept from a run that was stopped in the middle has made every page of a later run reload itself for ever.
  experimental: { turbopackFileSystemCacheForDev: false },
  // The Content-Security-Policy has a nonce of its own in each answer: proxy.ts sets it.
  headers: async () => [
    {
      source: '/:path*',
      headers: [
        { key: 'X-Content-Type-Options', value: 'nosniff' },
        { key: 'X-Frame-Options', value: 'DENY' },
        { key: 'Referrer-Policy', value: 'strict-origin-when-cross-origin' },
        { key: 'Cross-Origin-Opener-Policy', value: 'same-origin' },
        { key: 'Permissions-Policy', value: 'camera=(), geolocation=(), microphone=()' },
        // Browsers ignore it over plain http, so it does not disturb localhost.
        { key: 'Strict-Transport-Security', value: 'max-age=63072000' },
      ],
    },
    {
      // No page: nothing that such an answer holds is run or shown, whatever a browser takes it for.
      source: '/api/:path*',
      headers: [{ key: 'Content-Security-Policy', value: "default-src 'none'; frame-ancestors 'none'" }],
    },
  ],
};

export default config;
