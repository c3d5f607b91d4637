import type { IssuedToken } from '@/lib/access-token';
import { ApiClient } from '@/lib/api-client';
import { ApiError, waitOf } from '@/lib/api-error';
import type { Surroundings } from '@/lib/api-transport';
import { API_URL } from '@/lib/api-url';
import { authClient } from '@/lib/auth-client';
import { CallWatch } from '@/lib/call-watch';
import { diagnose } from '@/lib/diagnosis';
import { loadPage } from '@/lib/load-page';
import { loginPath } from '@/lib/return-path';

async function issueToken(signal: AbortSignal): Promise<IssuedToken> {
  let retryAfter: number | null = null;
  const onError = ({ response }: { response: Response }) => {
    retryAfter = waitOf(response.headers.get('Retry-After') ?? response.headers.get('X-Retry-After'));
  };
  const { data, error } = await authClient.apiToken({ fetchOptions: { signal, onError } });
  if (data) {
    return data;
  }
  switch (error.status) {
    case 401:
      throw ApiError.because('signed_out', 401);
    case 429:
      throw ApiError.because('throttled', 429, retryAfter);
    default:
      throw new ApiError(error.status, 'unexpected', 'Signing in to the task service failed. Please try again in a moment.', [], retryAfter);
  }
}

export const callWatch = new CallWatch();

const fetchNow: typeof fetch = (...request) => fetch(...request);

/** The task API for the user of the tokens from `issueToken`. */
export const apiWith = (issueToken: Surroundings['issueToken'], onSignedOut: () => void) =>
  new ApiClient({
    baseURL: API_URL,
    issueToken,
    onSignedOut,
    fetch: fetchNow,
    diagnose: (failed, signal) =>
      diagnose({ fetch: fetchNow, onLine: () => navigator.onLine, appURL: '/icon.svg', apiURL: API_URL }, failed, signal),
    watch: callWatch,
    random: Math.random,
  });

/** The task API for the user who is signed in in this browser. */
export const api = apiWith(issueToken, () => loadPage(loginPath(window.location.pathname + window.location.search, true)));
