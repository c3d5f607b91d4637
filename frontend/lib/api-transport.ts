import { AccessToken, type IssuedToken } from '@/lib/access-token';
import { ApiError } from '@/lib/api-error';
import type { CallWatch } from '@/lib/call-watch';
import { ATTEMPT_MS, sleep, within } from '@/lib/time-limit';

/** The dependencies of the client. */
export interface Surroundings {
  baseURL: string;
  /** Issues a token for the signed-in user; fails with `signed_out` without a session. */
  issueToken: (signal: AbortSignal) => Promise<IssuedToken>;
  onSignedOut: () => void;
  fetch: typeof fetch;
  /** Finds out why a request got no answer. */
  diagnose: (failed: 'api' | 'app', signal: AbortSignal) => Promise<ApiError>;
  watch: CallWatch;
  random: () => number;
}

export const CALL_MS = 15_000;
const FIRST_PAUSE_MS = 500;

/** Sends requests as the signed-in user: with a token, with retries if safe, and for at most 15 s. */
export class Transport {
  readonly #token: AccessToken;

  constructor(private readonly on: Surroundings) {
    // Several calls may wait for one token, so none of them may cancel it.
    const issue = () => within(ATTEMPT_MS, new AbortController().signal, on.issueToken);
    this.#token = new AccessToken(issue, () => Date.now());
  }

  forgetToken() {
    this.#token.forget();
  }

  /** `repeatable`: the request is safe to repeat. */
  async send(request: Request, repeatable: boolean): Promise<Response> {
    const call = this.on.watch.begin();
    const end = Date.now() + CALL_MS;
    try {
      return await within(CALL_MS, request.signal, async (signal) => {
        let renewed = false;
        for (let retries = 0; ; retries += 1) {
          const outcome = await this.#attempt(request, repeatable, signal);
          if (outcome instanceof Response) {
            return outcome;
          }
          const { error, refused } = outcome;
          if (refused !== undefined && !renewed) {
            this.#token.forget(refused);
            renewed = true;
            continue;
          }
          const pause = Math.max(error.retryAfter ?? 0, growingPause(retries, this.on.random()));
          if (!outcome.again || Date.now() + pause >= end) {
            throw error;
          }
          call.pause();
          await sleep(pause, signal);
        }
      });
    } catch (cause) {
      request.signal.throwIfAborted();
      const error = ApiError.of(cause);
      if (error.code === 'signed_out' || error.status === 401) {
        this.#token.forget();
        this.on.onSignedOut();
      }
      throw error;
    } finally {
      call.end();
    }
  }

  async #attempt(request: Request, repeatable: boolean, signal: AbortSignal): Promise<Response | Failed> {
    let token: string;
    try {
      token = await this.#token.get();
    } catch (cause) {
      const error = isApiError(cause) ? cause : await this.on.diagnose('app', signal);
      // Nothing was sent to the API yet.
      return { error, again: isPassing(error) };
    }
    try {
      const response = await within(ATTEMPT_MS, signal, async (signal) => {
        const headers = new Headers(request.headers);
        headers.set('Authorization', `Bearer ${token}`);
        const response = await this.on.fetch(new Request(request.clone(), { headers, signal }));
        // The time limit includes the body.
        await response.clone().arrayBuffer();
        return response;
      });
      if (response.ok) {
        return response;
      }
      const error = await ApiError.from(response);
      if (error.status === 401) {
        return { error, again: false, refused: token };
      }
      // API Gateway's 429 means that no function received the request.
      return { error, again: error.status === 429 || (error.status === 503 && repeatable) };
    } catch (cause) {
      signal.throwIfAborted();
      const error = isApiError(cause) ? cause : await this.on.diagnose('api', signal);
      return { error, again: error.code === 'unreadable' && repeatable };
    }
  }
}

interface Failed {
  error: ApiError;
  again: boolean;
  /** The token that the API refused. */
  refused?: string;
}

const isApiError = (cause: unknown) => cause instanceof ApiError;
const isPassing = ({ status }: ApiError) => status === 429 || status === 503;

/** 0.5 s, 1 s, 2 s …, each with up to half of it as jitter, so that clients do not retry at the same time. */
const growingPause = (retries: number, random: number) => FIRST_PAUSE_MS * 2 ** retries * (0.5 + random / 2);
