import { ApiError } from '@/lib/api-error';
import { within } from '@/lib/time-limit';

interface Browser {
  fetch: typeof fetch;
  /** `navigator.onLine`: false is certain, true only means that there is some network. */
  onLine: () => boolean;
  /** A URL of the app's own server. */
  appURL: string;
  apiURL: string;
}

const PROBE_MS = 3_000;

/** Why a request to the API or to the app got no readable answer. */
export async function diagnose(
  { fetch, onLine, appURL, apiURL }: Browser,
  failed: 'api' | 'app',
  signal: AbortSignal,
): Promise<ApiError> {
  if (!onLine()) {
    return ApiError.because('offline');
  }
  // Without CORS, a browser only tells whether a server answers.
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
