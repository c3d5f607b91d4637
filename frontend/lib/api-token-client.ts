import type { BetterAuthClientPlugin } from 'better-auth';
import type { apiToken } from '@/lib/api-token';

/** Better Auth client plugin: `authClient.apiToken()`. In a file of its own, so that no browser loads what signs. */
export const apiTokenClient = () =>
  ({
    id: 'api-token',
    $InferServerPlugin: {} as ReturnType<typeof apiToken>,
    pathMethods: { '/api-token': 'GET' },
  }) satisfies BetterAuthClientPlugin;
