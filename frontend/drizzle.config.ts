import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'postgresql',
  schema: './db/schema.ts',
  out: './drizzle',
  // The API's tables are in the same schema and must not be compared or dropped.
  tablesFilter: ['user', 'session', 'account', 'verification', 'rate_limit'],
});
