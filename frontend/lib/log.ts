/** A word of prose with its punctuation. Addresses, URLs, tokens, hashes and ids do not match. */
const WORD = /^[["'(`]*[A-Za-z][A-Za-z'_-]{0,22}[\]"')`.,:;!?]*$/;
/** A SQLSTATE, or a Node.js code such as ECONNREFUSED. */
const CODE = /^[0-9A-Z][0-9A-Z_]{2,31}$/;

type Level = 'debug' | 'info' | 'warn' | 'error';

/** The plain words of a message, without what it quotes of a request, a query or a row. */
export function words(message: string): string {
  return message
    .split(/\s+/)
    .map((word) => (WORD.test(word) ? word : '…'))
    .join(' ');
}

/** The code of an error, or of the innermost cause with one. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) {
    return undefined;
  }
  const code = 'code' in error && typeof error.code === 'string' && CODE.test(error.code) ? error.code : undefined;
  return codeOf(error.cause) ?? code;
}

/** An error's name and code; its message may quote anything. */
export function kindOf(error: Error): string {
  const code = codeOf(error);
  return code ? `${words(error.name)} (${code})` : words(error.name);
}

/** A log line: plain words, and only the name and code of errors. */
export function log(level: Level, message: string, ...details: unknown[]) {
  const kinds = details.filter((detail) => detail instanceof Error).map(kindOf);
  console[level](`${level}: ${[words(message), ...kinds].join(' | ')}`);
}
