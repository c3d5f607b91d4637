import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'postgresql',
  schema: './db/schema.ts',
  out: './drizzle',
  // The API's tables live in the same schema, and are not ours to compare or drop.
  tablesFilter: ['user', 'session', 'account', 'verification', 'rate_limit'],
});
