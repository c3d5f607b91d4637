/**
 * The TLS setting for each `sslmode`. `pg` itself verifies in all modes but the first, with a warning at each start.
 */
const MODES = new Map([
  ['disable', 'disable'],
  ['prefer', 'verify-full'],
  ['require', 'verify-full'],
  ['verify-ca', 'verify-full'],
  ['verify-full', 'verify-full'],
]);

/**
 * A `pg` configuration from a PostgreSQL URL as Neon's console or a local server prints it. TLS verifies the server,
 * unless it is on this machine or the URL says `sslmode=disable`; fails for modes in between.
 *
 * @param {string} text
 * @returns {import('pg').ClientConfig}
 */
export function connection(text) {
  text = text.trim();
  // Node's own error would quote the URL with its password.
  if (!URL.canParse(text) || !/^postgres(ql)?:/.test(text)) {
    throw new Error('DATABASE_URL is not a URL such as postgres://user:password@host/database');
  }
  const url = new URL(text);
  const query = url.searchParams;
  for (const name of ['ssl', 'uselibpqcompat']) {
    if (query.has(name)) {
      throw new Error(`DATABASE_URL: use sslmode=verify-full or sslmode=disable instead of ${name}`);
    }
  }
  const asked = query.get('sslmode') ?? (isLocal(url) ? undefined : 'verify-full');
  if (asked !== undefined) {
    const mode = MODES.get(asked);
    if (!mode) {
      throw new Error(`DATABASE_URL: sslmode must be one of ${[...MODES.keys()].join(', ')}: any other does not verify the server`);
    }
    query.set('sslmode', mode);
  }
  // In libpq, `system` means the system's root certificates, which Node trusts by default; `pg` would read a file of
  // that name.
  if (query.get('sslrootcert') === 'system') {
    query.delete('sslrootcert');
  }
  const enableChannelBinding = ['prefer', 'require'].includes(query.get('channel_binding') ?? '');
  query.delete('channel_binding');
  return { connectionString: url.href, enableChannelBinding, connectionTimeoutMillis: 10_000 };
}

/** Whether the server is on this machine, by the host that `pg` would connect to. */
function isLocal(/** @type {URL} */ url) {
  const host = url.searchParams.get('host') || decodeURIComponent(url.hostname) || process.env.PGHOST || 'localhost';
  return host.startsWith('/') || /^(localhost|127(\.\d+){3}|\[?::1\]?)$/i.test(host);
}
