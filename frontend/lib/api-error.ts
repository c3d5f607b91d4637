import type { components } from '@/lib/api-types';

type Problem = components['schemas']['Problem'];

type FieldError = components['schemas']['FieldError'];

/** A field error as a sentence. */
export const faultText = ({ field, message }: FieldError) => `The ${field} ${message}.`;

/** The API's codes, and those of failures before it answers. */
export type ErrorCode =
  | Problem['code']
  /** The session has ended. */
  | 'signed_out'
  /** This computer has no network. */
  | 'offline'
  /** There is a network, but the server does not answer. */
  | 'unreachable'
  /** The server answers, but the browser cannot read it: API Gateway's own 429 and 5xx may lack CORS headers. */
  | 'unreadable'
  /** The call timed out. */
  | 'timeout'
  /** 429: too many concurrent requests. */
  | 'throttled'
  /** The answer does not come from the API: a gateway's own page, or Better Auth's refusal of a token. */
  | 'unexpected';

const WORDS = {
  signed_out: 'Your session has ended.',
  offline: 'You are offline.',
  unreachable: 'The server cannot be reached. Please try again in a moment.',
  unreadable: 'The server is too busy to answer. Please try again in a moment.',
  timeout: 'The server did not answer in time.',
  throttled: 'There are too many requests at the moment. Please try again in a moment.',
};

/** The failure of a call; `status` is 0 if there was no answer. */
export class ApiError extends Error {
  override name = 'ApiError';

  constructor(
    readonly status: number,
    readonly code: ErrorCode,
    readonly detail: string,
    readonly errors: FieldError[] = [],
    /** The milliseconds to wait before another attempt, if the server says so. */
    readonly retryAfter: number | null = null,
  ) {
    super(detail);
  }

  /** A failure that the browser reports, not the API. */
  static because(code: keyof typeof WORDS, status = 0, retryAfter: number | null = null): ApiError {
    return new ApiError(status, code, WORDS[code], [], retryAfter);
  }

  /** Parses an answer: problem details (RFC 9457), or whatever another server sent. */
  static async from(response: Response): Promise<ApiError> {
    const { status, headers } = response;
    const retryAfter = waitOf(headers.get('Retry-After'));
    if (headers.get('Content-Type')?.startsWith('application/problem+json')) {
      const problem: Problem = await response.json();
      return new ApiError(status, problem.code, problem.detail, problem.errors, retryAfter);
    }
    return status === 429
      ? ApiError.because('throttled', status, retryAfter)
      : new ApiError(status, 'unexpected', `The server answered with status ${status}.`, [], retryAfter);
  }

  /** Any caught value as an `ApiError`. */
  static of(error: unknown): ApiError {
    return error instanceof ApiError ? error : ApiError.because('unreachable');
  }
}

/** `Retry-After`, a number of seconds or a date, in ms from now. */
export function waitOf(value: string | null): number | null {
  if (!value) {
    return null;
  }
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? null : Math.max(ms, 0);
}
