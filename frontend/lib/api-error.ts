import type { components } from '@/lib/api-types';

type Problem = components['schemas']['Problem'];

type Fault = components['schemas']['Fault'];

/** A fault as a sentence. */
export const faultText = ({ field, message }: Fault) => `The ${field} ${message}.`;

/** The API's own codes, and what can go wrong before it answers. */
export type ErrorCode =
  | Problem['code']
  /** Nobody is signed in any more. */
  | 'signed_out'
  /** No answer: no network, or the server is down. */
  | 'unreachable'
  /** An answer that is not the API's: a gateway's own page, or Better Auth's refusal of a token. */
  | 'unexpected';

/** Why a call failed; `status` is 0 where there was no answer. */
export class ApiError extends Error {
  override name = 'ApiError';

  constructor(
    readonly status: number,
    readonly code: ErrorCode,
    readonly detail: string,
    readonly errors: Fault[] = [],
  ) {
    super(detail);
  }

  /** Reads an answer of problem details (RFC 9457). */
  static async from(response: Response): Promise<ApiError> {
    const type = response.headers.get('Content-Type') ?? '';
    if (type.startsWith('application/problem+json')) {
      const problem: Problem = await response.json();
      return new ApiError(response.status, problem.code, problem.detail, problem.errors);
    }
    return new ApiError(response.status, 'unexpected', `The server answered with status ${response.status}.`);
  }

  /** Whatever a `catch` got, as one of us. */
  static of(error: unknown): ApiError {
    return error instanceof ApiError
      ? error
      : new ApiError(0, 'unreachable', 'The server cannot be reached. Check your connection.');
  }
}
