import { ApiError } from '@/lib/api-error';
import { within } from '@/lib/time-limit';

interface Browser {
  fetch: typeof fetch;
  /** `navigator.onLine`: false is certain, true only says that there is some network. */
  onLine: () => boolean;
  /** Of the app's own server. */
  appURL: string;
  apiURL: string;
}

const PROBE_MS = 3_000;

/** Why a request to the API, or to the app, had no answer that the browser lets us read. */
export async function diagnose(
  { fetch, onLine, appURL, apiURL }: Browser,
  failed: 'api' | 'app',
  signal: AbortSignal,
): Promise<ApiError> {
  if (!onLine()) {
    return ApiError.because('offline');
  }
  // Without CORS, a browser says whether a server answers, though not what.
  const probe = { mode: 'no-cors', method: 'HEAD', cache: 'no-store', credentials: 'omit' } as const;
  const answers = (url: string) =>
    within(PROBE_MS, signal, (signal) => fetch(url, { ...probe, signal })).then(
      () => true,
      () => false,
    );
  const [api, app] = await Promise.all([answers(apiURL), answers(appURL)]);
  if (api && failed === 'api') {
    return ApiError.because('unreadable');
  }
  return ApiError.because(api || app ? 'unreachable' : 'offline');
}
