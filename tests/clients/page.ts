/** Prints the titles of all open tasks, page by page, with the client of hey-api. */
import { client } from './client/client.gen';
import { listTasks, patchTask } from './client/sdk.gen';

declare const process: { env: Record<'API_URL' | 'TOKEN' | 'USER_ID', string> };
const { API_URL, TOKEN, USER_ID } = process.env;

async function main() {
  client.setConfig({ baseUrl: API_URL, auth: TOKEN });
  let last = 0;
  let after: string | undefined;
  do {
    const { data, error, response } = await listTasks({
      path: { user_id: USER_ID },
      query: { completed: false, limit: 2, after },
    });
    if (!data) {
      throw new Error(JSON.stringify(error));
    }
    for (const { id, title } of data) {
      console.log(title);
      last = id;
    }
    const next = response.headers.get('Link')?.match(/<(.*)>/)?.[1];
    after = new URL(next ?? '', API_URL).searchParams.get('after') ?? undefined;
  } while (after);

  const { error } = await patchTask({ path: { user_id: USER_ID, task_id: last }, body: {} });
  console.log(error && 'detail' in error ? error.detail : error);
}

void main();
