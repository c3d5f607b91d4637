/** What each `sslmode` of a URL becomes. `pg` itself verifies by all but the first, and says so in a warning at each start. */
const MODES = new Map([
  ['disable', 'disable'],
  ['prefer', 'verify-full'],
  ['require', 'verify-full'],
  ['verify-ca', 'verify-full'],
  ['verify-full', 'verify-full'],
]);

/**
 * A PostgreSQL URL as Neon's console or a local server prints it, made into what `pg` takes. The server is verified by
 * TLS, unless it is on this machine or the URL says `sslmode=disable`; fails where a URL asks for anything between.
 *
 * @param {string} text
 * @returns {import('pg').ClientConfig}
 */
export function connection(text) {
  // Node's own error would quote the URL, and its password.
  if (!URL.canParse(text) || !/^postgres(ql)?:/.test(text)) {
    throw new Error('DATABASE_URL is not a URL such as postgres://user:password@host/database');
  }
  const url = new URL(text);
  const query = url.searchParams;
  for (const name of ['ssl', 'uselibpqcompat']) {
    if (query.has(name)) {
      throw new Error(`DATABASE_URL: say sslmode=verify-full or sslmode=disable instead of ${name}`);
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
  // libpq's word for the system's certificates, which are what Node trusts; `pg` takes it for a file.
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
