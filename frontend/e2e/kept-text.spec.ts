import { add, box, callApi, claimsOf, expect, holdScripts, issueToken, list, row, show, sign, signIn, signOut, signUp, test } from './app';
import { addTasks } from './database';

const newTask = 'New task';

test('an edit outlives filters, more of the list, one that cannot be loaded, and a reload', async ({ page, errors }) => {
  const { id } = await signUp(page);
  const token = await issueToken(page.request);
  await addTasks(id, 45);
  await page.reload();
  await page.getByRole('button', { name: 'Load more' }).click();
  await expect(box(page, 'Task 25')).toBeFocused();
  await page.getByRole('button', { name: 'Edit Task 8' }).click();
  const title = page.getByLabel('Title');
  await title.fill('Not lost');
  for (const filter of ['Open', 'Done', 'All']) {
    await show(page, filter);
    await expect(title).toHaveValue('Not lost');
  }
  await page.getByRole('button', { name: 'Load more' }).click();
  await expect(title).toHaveValue('Not lost');
  const failing = '**/api/*/tasks?*completed=true*';
  await page.reload();
  await page.route(failing, (route) => route.fulfill({ status: 500, body: '', headers: { 'access-control-allow-origin': '*' } }));
  await show(page, 'Done');
  await expect(page.getByText('Your tasks could not be loaded')).toBeVisible();
  await expect(title).toHaveValue('Not lost');
  await page.unroute(failing);
  await page.getByRole('button', { name: 'Save' }).click();
  const saved = async () => {
    const { body } = await callApi(token, 'GET', `/api/${id}/tasks?limit=100`);
    return body.filter((task: { title: string }) => task.title === 'Not lost').length;
  };
  await expect.poll(saved).toBe(1);
  await expect(title).toHaveCount(0);
  expect(errors.splice(0).every((error) => error.includes('500'))).toBe(true);
});

test('what stands in the form, and a task that the server refused, outlive a reload', async ({ page, errors }) => {
  await signUp(page);
  await page.getByLabel(newTask, { exact: true }).fill('Refused \u0000');
  await page.keyboard.press('Enter');
  await expect(page.getByText('Not saved.')).toBeVisible();
  await page.getByLabel(newTask, { exact: true }).fill('Half');
  await page.getByLabel('Description of the new task').fill('typed');
  await page.reload();
  await expect(row(page, 'Refused')).toContainText('Not saved.');
  await row(page, 'Refused').getByRole('button', { name: 'Edit', exact: true }).click();
  await expect(page.getByLabel('Title')).toHaveValue('Refused \u0000');
  await page.getByLabel('Title').fill('Short enough');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(box(page, 'Short enough')).toBeVisible();
  await expect(page.getByLabel(newTask, { exact: true })).toHaveValue('Half');
  await expect(page.getByLabel('Description of the new task')).toHaveValue('typed');
  expect(errors.splice(0).every((error) => error.includes('422'))).toBe(true);
});

test('what was typed as the session ended is there after the next sign-in, and gone after a sign-out', async ({ page, errors }) => {
  const account = await signUp(page);
  await add(page, 'Before');
  const { sub, iss, aud, iat } = claimsOf(await issueToken(page.request));
  const ended = sign({ sub, iss, aud, iat: iat - 1200, exp: iat - 600 });
  await page.getByRole('button', { name: 'Edit Before' }).click();
  await page.getByLabel('Title').fill('Edited as it ended');
  await page.route('**/api/auth/api-token', (route) => route.fulfill({ status: 401, json: {} }));
  await page.route('**/api/*/tasks', (route) => route.continue({ headers: { ...route.request().headers(), authorization: `Bearer ${ended}` } }));
  await page.getByLabel(newTask, { exact: true }).fill('Added as it ended');
  await page.keyboard.press('Enter');
  await expect(page.getByText('Your session has ended')).toBeVisible();
  await page.unrouteAll();
  await page.context().clearCookies();
  await signIn(page, account);
  await expect(box(page, 'Added as it ended')).toBeVisible();
  await expect(page.getByLabel('Title')).toHaveValue('Edited as it ended');

  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByText('One change is not saved')).toBeVisible();
  await page.getByRole('button', { name: 'Sign out anyway' }).click();
  await expect(page).toHaveURL(/\/login/);
  expect(await page.evaluate(() => Object.keys(sessionStorage))).toEqual([]);
  expect(errors.splice(0).every((error) => error.includes('401'))).toBe(true);
});

test('a sign-out in another tab keeps what is typed in this one, for its user alone', async ({ page, context }) => {
  const account = await signUp(page);
  await page.getByLabel(newTask, { exact: true }).fill('Half');
  const other = await context.newPage();
  await other.goto('/');
  await other.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL(/\/login/);
  await signUp(page);
  await expect(page.getByLabel(newTask, { exact: true })).toHaveValue('');
  await signOut(page);
  await signIn(page, account);
  await expect(page.getByLabel(newTask, { exact: true })).toHaveValue('Half');
});

test('what is typed and clicked before the scripts arrive is kept', async ({ page }) => {
  const { id } = await signUp(page);
  await addTasks(id, 2);
  await page.getByLabel(newTask, { exact: true }).fill('Half');
  const arrive = await holdScripts(page);
  const changed: string[] = [];
  page.on('request', (request) => request.method() === 'PATCH' && changed.push(request.url()));
  await page.reload({ waitUntil: 'commit' });
  await expect(page.getByLabel(newTask, { exact: true })).toBeVisible();
  await page.getByLabel(newTask, { exact: true }).pressSequentially('typed early');
  await page.keyboard.press('Enter');
  await box(page, 'Task 1').check();
  await expect(page.getByRole('button', { name: 'Add', exact: true })).toBeDisabled();
  const completed = page.waitForResponse((response) => response.request().method() === 'PATCH');
  arrive();
  await completed;
  await expect(box(page, 'Task 1')).toBeChecked();
  await expect(box(page, 'Task 2')).not.toBeChecked();
  // After what an earlier page kept.
  await expect(page.getByLabel(newTask, { exact: true })).toHaveValue('Half typed early');
  await page.keyboard.press('Control+a');
  await page.unrouteAll();
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(box(page, 'Half typed early')).toBeVisible();

  // A browser that restores checkboxes on a reload would have clicked another task's.
  await page.reload();
  await expect(page.getByRole('button', { name: 'Add', exact: true })).toBeEnabled();
  await expect(box(page, 'Task 1')).toBeChecked();
  await expect(box(page, 'Half typed early')).not.toBeChecked();
  await page.waitForTimeout(500);
  expect(changed).toHaveLength(1);
});

test('an Escape that ends the composition of a character does not close the editor', async ({ page }) => {
  await signUp(page);
  await add(page, 'かな');
  await page.getByRole('button', { name: 'Edit かな' }).click();
  const keyboard = await page.context().newCDPSession(page);
  await page.getByLabel('Title').fill('');
  await keyboard.send('Input.imeSetComposition', { text: 'かん', selectionStart: 2, selectionEnd: 2 });
  await page.getByLabel('Title').dispatchEvent('keydown', { key: 'Escape', isComposing: true });
  await expect(page.getByLabel('Title')).toBeFocused();
  // Safari sends it after the composition, with this code instead.
  await page.getByLabel('Title').dispatchEvent('keydown', { key: 'Escape', keyCode: 229 });
  await page.getByLabel('Title').dispatchEvent('keydown', { key: 'Enter', keyCode: 229, ctrlKey: true });
  await page.waitForTimeout(300);
  await expect(page.getByLabel('Title')).toBeFocused();
  await expect(page.getByRole('alertdialog')).toHaveCount(0);
  await keyboard.send('Input.insertText', { text: '漢' });
  await page.keyboard.press('Enter');
  await expect(box(page, '漢')).toBeVisible();
  await expect(list(page).getByRole('listitem')).toHaveCount(1);
});
