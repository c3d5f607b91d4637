// A Better Auth app as its documentation makes one, with the plugin jwt(): for the tests of the API, which get a token
// for each line that they write to it.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { betterAuth } from 'better-auth';
import { createAuthClient } from 'better-auth/client';
import { jwtClient } from 'better-auth/client/plugins';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import { jwt } from 'better-auth/plugins';
import { Pool } from 'pg';

const server = createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
const baseURL = `http://localhost:${typeof address === 'object' && address?.port}`;
const algorithm = process.env.ALGORITHM;
const plugin =
  algorithm === 'ES256' || algorithm === 'RS256' ? jwt({ jwks: { keyPairConfig: { alg: algorithm } } }) : jwt();
const auth = betterAuth({
  baseURL,
  database: new Pool({ connectionString: process.env.DATABASE_URL }),
  secret: 'a-secret-that-only-this-app-of-the-tests-knows',
  emailAndPassword: { enabled: true },
  plugins: [plugin],
});
await (await getMigrations(auth.options)).runMigrations();
server.on('request', toNodeHandler(auth));

let cookie = '';
// As a browser sends it.
const headers = { origin: baseURL };
const client = createAuthClient({ baseURL, plugins: [jwtClient()], fetchOptions: { headers } });
const person = { name: 'Ann', email: 'ann@app.example', password: 'a-long-password' };
const { data, error } = await client.signUp.email(person, {
  onSuccess: ({ response }) => {
    cookie = response.headers
      .getSetCookie()
      .map((each) => each.split(';')[0])
      .join('; ');
  },
});
if (!data) {
  throw new Error(JSON.stringify(error));
}
console.log(JSON.stringify({ url: baseURL, user: data.user.id }));
for await (const line of createInterface(process.stdin)) {
  const answer = await client.$fetch(line, { headers: { ...headers, cookie } });
  console.log(JSON.stringify(answer.data));
}
process.exit();
