import pg from 'pg';

// An id is at most 2^53 - 1, so a number holds it.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

// `pg` reads sslmode and sslrootcert from the URL by itself, but not libpq's channel_binding.
const url = new URL(process.env.DATABASE_URL);
const enableChannelBinding = url.searchParams.get('channel_binding') === 'require';

// A Lambda sandbox serves one request at a time.
export const pool = new pg.Pool({ connectionString: url.href, enableChannelBinding, max: 1 });
