import { decodeJwt } from 'jose';
import { MAX_BODY } from '@/lib/guard-requests';
import { NAME_RULE, nameOf } from '@/lib/name';
import { SAME_PASSWORD } from '@/lib/new-password';

/** The longest address that mail servers take (RFC 5321). */
const MAX_EMAIL = 254;
/** Better Auth's limit, here so that the refusal says it. */
const MAX_PASSWORD = 128;
const PASSWORDS = ['password', 'newPassword', 'currentPassword'];

/** Why a request is refused, for its client. */
export class InputError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status = 400,
  ) {
    super(message);
  }
}

/** The request for Better Auth, checked before anything is looked up, so that no refusal tells of an account. */
export async function checked(request: Request, headers: Headers): Promise<Request> {
  const url = new URL(request.url);
  if (![...url.searchParams.values()].every(isText)) {
    throw new InputError('INVALID_INPUT', 'The query contains something that is not text.');
  }
  if (isForAnother(url.searchParams.get('token'))) {
    url.searchParams.set('token', 'none');
  }
  return new Request(url, { method: request.method, headers, body: request.method === 'POST' ? await bodyOf(request) : undefined });
}

async function bodyOf(request: Request): Promise<string | undefined> {
  const text = await request.text();
  if (text.length > MAX_BODY) {
    throw new InputError('PAYLOAD_TOO_LARGE', `The body is longer than ${MAX_BODY} bytes.`, 413);
  }
  if (!text) {
    return undefined;
  }
  if (!/^application\/json\s*(;|$)/i.test(request.headers.get('Content-Type') ?? '')) {
    throw new InputError('UNSUPPORTED_MEDIA_TYPE', 'The body must be application/json.', 415);
  }
  const body = parsed(text);
  // The app stores no pictures.
  delete body.image;
  if ('name' in body) {
    body.name = nameOf(body.name);
    if (!body.name) {
      throw new InputError('INVALID_NAME', NAME_RULE);
    }
  }
  for (const [member, value] of Object.entries(body)) {
    if (typeof value === 'string' ? !isText(value) : typeof value !== 'boolean') {
      throw new InputError('INVALID_INPUT', 'A member of the body is neither text nor a truth value.');
    }
    if (PASSWORDS.includes(member) && String(value).length > MAX_PASSWORD) {
      throw new InputError('PASSWORD_TOO_LONG', `A password has at most ${MAX_PASSWORD} characters.`);
    }
  }
  if (String(body.email).length > MAX_EMAIL) {
    throw new InputError('INVALID_EMAIL', `An e-mail address has at most ${MAX_EMAIL} characters.`);
  }
  if (body.newPassword !== undefined && body.newPassword === body.currentPassword) {
    throw new InputError(SAME_PASSWORD.code, SAME_PASSWORD.message);
  }
  return JSON.stringify(body);
}

function parsed(text: string): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) {
      return { ...body };
    }
  } catch {
    // Answered below.
  }
  throw new InputError('INVALID_INPUT', 'The body is not a JSON object.');
}

/** PostgreSQL stores no U+0000, and no half of a character. */
const isText = (text: string) => text.isWellFormed() && !text.includes('\0');

/** Whether a token was not made for a mail; at ours for the API, which names no address, Better Auth would fail. */
function isForAnother(token: string | null): boolean {
  try {
    return token !== null && typeof decodeJwt(token).email !== 'string';
  } catch {
    return false;
  }
}
