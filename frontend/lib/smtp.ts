import type { SMTPTransportOptions } from 'nodemailer';

const LOCAL = /^(localhost|127(\.\d+){3}|::1)$/i;
const TIMEOUT_MS = 10_000;

/**
 * A mail server from a URL such as smtps://user:password@smtp.example:465. A remote one must offer TLS, since mails
 * contain links that open accounts. Errors do not quote the URL, which may contain a password.
 */
export function smtpOptions(text: string): SMTPTransportOptions {
  if (!URL.canParse(text)) {
    throw new Error('SMTP_URL is not a URL such as smtps://user:password@smtp.example:465');
  }
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(text);
  const secure = protocol === 'smtps:';
  const host = hostname.replace(/^\[|\]$/g, '');
  if ((!secure && protocol !== 'smtp:') || !host) {
    throw new Error('SMTP_URL must begin with smtps:// or smtp://, and name a host');
  }
  if (search || hash || !['', '/'].includes(pathname)) {
    throw new Error('SMTP_URL ends with its host or port: no path, no parameters');
  }
  const local = LOCAL.test(host);
  return {
    host,
    port: Number(port) || (secure ? 465 : 587),
    secure,
    requireTLS: !local,
    ignoreTLS: local,
    auth: username ? { user: decodeURIComponent(username), pass: decodeURIComponent(password) } : undefined,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
  };
}

/** Whether a text is a single sender: `tasks@app.example` or `Tasks <tasks@app.example>`. */
export const isSender = (text: string) => /^([^<>@,;:"\r\n]+ <[^<>@,;\s]+@[^<>@,;\s]+>|[^<>@,;\s]+@[^<>@,;\s]+)$/.test(text);
