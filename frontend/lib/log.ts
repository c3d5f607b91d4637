/** A word of prose, with its punctuation. An address, URL, token, hash or id is none. */
const WORD = /^[["'(`]*[A-Za-z][A-Za-z'_-]{0,22}[\]"')`.,:;!?]*$/;
/** A SQLSTATE, or one of Node's names such as ECONNREFUSED. */
const CODE = /^[0-9A-Z][0-9A-Z_]{2,31}$/;

type Level = 'debug' | 'info' | 'warn' | 'error';

/** The plain words of a message; what it quotes of a request, a query or a row is left out. */
export function words(message: string): string {
  return message
    .split(/\s+/)
    .map((word) => (WORD.test(word) ? word : '…'))
    .join(' ');
}

/** The code of an error, or of the innermost error that caused it and has one. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) {
    return undefined;
  }
  const code = 'code' in error && typeof error.code === 'string' && CODE.test(error.code) ? error.code : undefined;
  return codeOf(error.cause) ?? code;
}

/** What kind of error it is: its name and code, for its message may quote anything. */
export function kindOf(error: Error): string {
  const code = codeOf(error);
  return code ? `${words(error.name)} (${code})` : words(error.name);
}

/** A line of the log: plain words, and of errors only their kind. */
export function log(level: Level, message: string, ...details: unknown[]) {
  const kinds = details.filter((detail) => detail instanceof Error).map(kindOf);
  console[level](`${level}: ${[words(message), ...kinds].join(' | ')}`);
}
