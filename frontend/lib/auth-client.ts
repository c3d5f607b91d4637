import { createAuthClient } from 'better-auth/react';
import { apiTokenClient } from '@/lib/api-token-client';

export const authClient = createAuthClient({ plugins: [apiTokenClient()] });
