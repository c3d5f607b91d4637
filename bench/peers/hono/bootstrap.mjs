// The loop of Lambda's Node.js runtime: `node bootstrap.mjs app.handler` takes one event after the
// other from the Runtime API and answers with the result of app.mjs's `handler`.
import http from 'node:http';

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(`${api}${path}`, { method, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve({ headers: response.headers, text }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body && JSON.stringify(body));
  });
}

function failure({ name, message, stack = '' }) {
  return { errorType: name, errorMessage: message, stackTrace: stack.split('\n') };
}

async function load([file, name]) {
  try {
    return (await import(`./${file}.mjs`))[name];
  } catch (error) {
    await call('POST', '/init/error', failure(error));
    throw error;
  }
}

const handler = await load(process.argv[2].split('.'));

for (;;) {
  const { headers, text } = await call('GET', '/invocation/next');
  const awsRequestId = headers['lambda-runtime-aws-request-id'];
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  const context = { awsRequestId, getRemainingTimeInMillis: () => deadline - Date.now() };
  try {
    await call('POST', `/invocation/${awsRequestId}/response`, await handler(JSON.parse(text), context));
  } catch (error) {
    await call('POST', `/invocation/${awsRequestId}/error`, failure(error));
  }
}
