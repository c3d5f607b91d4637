import { createAuthClient } from 'better-auth/react';
import { apiTokenClient } from '@/lib/api-token-client';
import { ATTEMPT_MS } from '@/lib/time-limit';

/** The development server compiles at the first request. */
const timeout = process.env.NODE_ENV === 'development' ? 60_000 : ATTEMPT_MS;

export const authClient = createAuthClient({ fetchOptions: { timeout }, plugins: [apiTokenClient()] });
