import 'server-only';
import { ApiClient } from '@/lib/api-client';
import { ApiError } from '@/lib/api-error';
import type { Surroundings } from '@/lib/api-transport';
import { API_URL } from '@/lib/api-url';
import { CallWatch } from '@/lib/call-watch';

/** The task API, called by the app's server as the user of these tokens. */
export const serverApi = (issueToken: Surroundings['issueToken']) =>
  new ApiClient({
    baseURL: API_URL,
    issueToken,
    onSignedOut: () => {},
    fetch,
    diagnose: async () => ApiError.because('unreachable'),
    watch: new CallWatch(),
    random: Math.random,
  });
