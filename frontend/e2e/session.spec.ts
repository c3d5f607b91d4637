import { add, box, callApi, claimsOf, expect, issueToken, otherBrowser, row, setting, sign, signIn, signUp, signUpByForm, test } from './app';

test('who is not signed in is asked to, and gets no token', async ({ page }) => {
  await page.goto('/');
  await expect(page).toHaveURL(/\/login$/);
  expect((await page.request.get('/api/auth/api-token')).status()).toBe(401);
});

test('who signs up finds an empty list', async ({ page }) => {
  const { name } = await signUpByForm(page);
  await expect(page.getByText('Nothing to do yet')).toBeVisible();
  await expect(page.getByText(name)).toBeVisible();
});

test('a wrong password is said, and the right one signs in', async ({ page, errors }) => {
  const account = await signUp(page);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL(/\/login/);
  await signIn(page, { ...account, password: 'not the password' });
  await expect(page.getByRole('alert').filter({ hasText: /\w/ })).toBeVisible();
  await signIn(page, account);
  await expect(page.getByText(account.name)).toBeVisible();
  expect(errors.splice(0).every((error) => error.includes('401'))).toBe(true);
});

test('two users in two browsers never see each other’s tasks', async ({ page, browser }) => {
  const other = await otherBrowser(browser);
  await signUp(page);
  await signUp(other);
  await add(page, 'Of the first');
  await add(other, 'Of the second');
  for (const [tab, own, foreign] of [[page, 'Of the first', 'Of the second'], [other, 'Of the second', 'Of the first']] as const) {
    await tab.reload();
    await expect(box(tab, own)).toBeVisible();
    await expect(row(tab, foreign)).toHaveCount(0);
  }
  const [first, second] = [await issueToken(page.request), await issueToken(other.request)];
  const [task] = (await callApi(first)).body;
  const path = `/api/${task.user_id}/tasks`;
  expect((await callApi(second, 'GET', path)).body.code).toBe('wrong_user');
  expect((await callApi(second, 'DELETE', `${path}/${task.id}`)).body.code).toBe('wrong_user');
  const own = `/api/${claimsOf(second).sub}/tasks/${task.id}`;
  expect((await callApi(second, 'DELETE', own)).body.code).toBe('task_not_found');
  await other.context().close();
});

test('the token says who and for how long, and nothing else, and is kept nowhere', async ({ page }) => {
  await signUp(page);
  await add(page, 'A task');
  const response = await page.request.get('/api/auth/api-token');
  expect(response.headers()['cache-control']).toContain('no-store');
  const { token } = await response.json();
  const header = JSON.parse(Buffer.from(token.split('.')[0], 'base64url').toString());
  expect(header).toEqual({ alg: 'HS256', typ: 'JWT' });
  const claims = claimsOf(token);
  expect(Object.keys(claims).sort()).toEqual(['aud', 'exp', 'iat', 'iss', 'sub']);
  expect(claims).toMatchObject({ iss: setting('JWT_ISSUER'), aud: setting('JWT_AUDIENCE') });
  expect(claims.exp - claims.iat).toBe(600);
  expect(sign(claims)).toBe(token);
  const kept = await page.evaluate(() => ({ ...localStorage, ...sessionStorage, cookie: document.cookie }));
  expect(kept).toEqual({ cookie: '' });
});

test('a token that ends while the page is open is replaced unseen', async ({ page }) => {
  await page.clock.install();
  await signUp(page);
  await add(page, 'Before');
  const issued: string[] = [];
  page.on('request', (request) => request.url().endsWith('/api/auth/api-token') && issued.push(request.url()));
  await add(page, 'Still the first token');
  expect(issued).toHaveLength(0);
  await page.clock.fastForward('09:30');
  await add(page, 'After');
  expect(issued).toHaveLength(1);
});

test('a token that the API refuses is renewed once, and then it is /login', async ({ page, errors }) => {
  await signUp(page);
  await add(page, 'Mine');
  const { sub, iss, aud, iat } = claimsOf(await issueToken(page.request));
  const ended = sign({ sub, iss, aud, iat: iat - 1200, exp: iat - 600 });
  const answer = { json: { token: ended, expiresAt: new Date(Date.now() + 600_000) } };

  // The page comes with its tasks; the first call needs a token.
  await page.route('**/api/auth/api-token', (route) => route.fulfill(answer), { times: 1 });
  await page.reload();
  const completed = page.waitForResponse((response) => response.request().method() === 'PATCH' && response.ok());
  await box(page, 'Mine').check();
  await completed;

  await page.route('**/api/auth/api-token', (route) => route.fulfill(answer));
  await page.reload();
  await box(page, 'Mine').uncheck();
  await expect(page).toHaveURL(/\/login/);
  await expect(page.getByText('Your session has ended')).toBeVisible();
  expect(errors.splice(0).every((error) => error.includes('401'))).toBe(true);
});

test('signing out ends it, also for whoever kept the cookies', async ({ page, playwright }) => {
  await signUp(page);
  await add(page, 'Mine');
  const cookies = await page.context().cookies();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL(/\/login/);
  await page.goto('/');
  await expect(page).toHaveURL(/\/login/);

  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  expect(cookies.some(({ name }) => name.endsWith('session_data'))).toBe(true);
  expect(cookies.every(({ httpOnly, sameSite }) => httpOnly && sameSite === 'Lax')).toBe(true);
  const replay = await playwright.request.newContext({ baseURL: setting('APP_URL'), extraHTTPHeaders: { cookie } });
  expect((await replay.get('/api/auth/api-token')).status()).toBe(401);
  await replay.dispose();
});

test('the API answers the app’s origin', async () => {
  const preflight = await fetch(`${setting('API_URL')}/api/u/tasks`, {
    method: 'OPTIONS',
    headers: {
      Origin: setting('APP_URL'),
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization,content-type,idempotency-key',
    },
  });
  expect(preflight.ok).toBe(true);
  expect([setting('APP_URL'), '*']).toContain(preflight.headers.get('access-control-allow-origin'));
});
