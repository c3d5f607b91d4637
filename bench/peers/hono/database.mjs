import pg from 'pg';

import './settings.mjs';

// An id is at most 2^53 - 1, so it fits a number.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

// A JavaScript Date would lose the microseconds of `2026-11-23 08:15:00.1234+00`.
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => {
  const [, day, time, fraction = ''] = /^(\S+) ([\d:]+)(?:\.(\d+))?\+00$/.exec(text);
  return `${day}T${time}.${fraction.padEnd(6, '0')}Z`;
});

// `pg` reads sslmode and sslrootcert from the URL, but not libpq's channel_binding.
const url = new URL(process.env.DATABASE_URL);
const enableChannelBinding = url.searchParams.get('channel_binding') === 'require';

// A Lambda sandbox serves one request at a time.
export const pool = new pg.Pool({ connectionString: url.href, enableChannelBinding, options: '-c timezone=UTC', max: 1 });
