import type { BetterAuthClientPlugin } from 'better-auth';
import type { apiToken } from '@/lib/api-token';

/** Better Auth client plugin: `authClient.apiToken()`. A separate file, so that no browser loads the signing code. */
export const apiTokenClient = () =>
  ({
    id: 'api-token',
    $InferServerPlugin: {} as ReturnType<typeof apiToken>,
    pathMethods: { '/api-token': 'GET' },
  }) satisfies BetterAuthClientPlugin;
