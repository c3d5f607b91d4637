/**
 * A PostgreSQL URL as Neon's console or a local server prints it, made into what `pg` takes.
 *
 * @param {string} text
 * @returns {import('pg').ClientConfig}
 */
export function connection(text) {
  const url = new URL(text);
  const query = url.searchParams;
  // `pg` means verify-full by these, and says so in a warning at each start; here it is said once and for all.
  if (['prefer', 'require', 'verify-ca'].includes(query.get('sslmode') ?? '')) {
    query.set('sslmode', 'verify-full');
  }
  // libpq's word for the system's certificates, which are what Node trusts; `pg` takes it for a file.
  if (query.get('sslrootcert') === 'system') {
    query.delete('sslrootcert');
  }
  const enableChannelBinding = ['prefer', 'require'].includes(query.get('channel_binding') ?? '');
  query.delete('channel_binding');
  return { connectionString: url.href, enableChannelBinding, connectionTimeoutMillis: 10_000 };
}
