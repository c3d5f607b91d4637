import { add, box, callApi, expect, issueToken, list, row, show, signUp, test } from './app';
import { addTasks } from './database';

let user: Awaited<ReturnType<typeof signUp>>;

test.beforeEach(async ({ page }) => {
  user = await signUp(page);
});

test('a new user sees an empty list, adds tasks, and finds them again', async ({ page }) => {
  await expect(page.getByText('Nothing to do yet')).toBeVisible();
  await add(page, 'Buy milk', 'Two litres');
  await page.getByLabel('New task', { exact: true }).fill('  Call home ');
  await page.keyboard.press('Enter');
  await expect(box(page, 'Call home')).toBeVisible();
  await expect(page.getByLabel('New task', { exact: true })).toHaveValue('');
  for (const again of [false, true]) {
    if (again) {
      await page.reload();
    }
    await expect(list(page).getByRole('listitem')).toHaveCount(2);
    await expect(list(page).getByRole('listitem').first()).toContainText('Call home');
    await expect(row(page, 'Buy milk')).toContainText('Two litres');
  }
});

test('a task is completed and opened again', async ({ page }) => {
  await add(page, 'Water the plants');
  for (const completed of [true, false]) {
    const answered = page.waitForResponse((response) => response.request().method() === 'PATCH');
    await box(page, 'Water the plants').click();
    expect((await (await answered).json()).completed).toBe(completed);
    await page.reload();
    await expect(box(page, 'Water the plants')).toBeChecked({ checked: completed });
  }
});

test('a click on a checkbox is seen before the page does anything else', async ({ page }) => {
  await add(page, 'Water the plants');
  const seen = await box(page, 'Water the plants').evaluate(async (checkbox: HTMLInputElement) => {
    checkbox.click();
    // Longer than React takes, and still within the task of the click.
    for (let turn = 0; turn < 200; turn += 1) {
      await null;
    }
    return checkbox.checked;
  });
  expect(seen).toBe(true);
});

test('a task is edited in its place, with the keyboard alone', async ({ page }) => {
  await add(page, 'Drft');
  await page.getByRole('button', { name: 'Edit Drft' }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('Title')).toBeFocused();
  await page.getByLabel('Title').fill('Draft');
  await page.keyboard.press('Tab');
  await page.keyboard.type('To be sent on Friday');
  const saved = page.waitForResponse((response) => response.request().method() === 'PUT');
  await page.keyboard.press('Control+Enter');
  await saved;
  await expect(row(page, 'Draft')).toContainText('To be sent on Friday');
  await expect(page.getByRole('button', { name: 'Edit Draft' })).toBeFocused();

  await page.keyboard.press('Enter');
  await page.getByLabel('Title').fill('Something else');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'Keep editing' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(page.getByLabel('Title')).toBeFocused();
  await expect(page.getByLabel('Title')).toHaveValue('Something else');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Keep editing' }).click();
  await expect(page.getByLabel('Title')).toBeFocused();
  await expect(page.getByLabel('Title')).toHaveValue('Something else');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Discard changes' }).click();
  await expect(row(page, 'Draft')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Edit Draft' })).toBeFocused();
  await page.reload();
  await expect(row(page, 'Draft')).toContainText('To be sent on Friday');
});

test('a deleted task is gone after a while', async ({ page }) => {
  await page.clock.install();
  await page.reload();
  await add(page, 'Keep me');
  await add(page, 'Drop me');
  const deleted = page.waitForResponse((response) => response.request().method() === 'DELETE');
  await page.getByRole('button', { name: 'Delete Drop me' }).click();
  await page.clock.runFor(11_000);
  expect((await deleted).status()).toBe(200);
  await page.reload();
  await expect(box(page, 'Keep me')).toBeVisible();
  await expect(row(page, 'Drop me')).toHaveCount(0);
});

test('several deletions are undone by one button early on the page, or one by one by Ctrl+Z', async ({ page }) => {
  for (const title of ['One', 'Two', 'Three']) {
    await add(page, title);
  }
  const place = await list(page).boundingBox();
  for (const title of ['One', 'Two', 'Three']) {
    await page.getByRole('button', { name: `Delete ${title}` }).click();
  }
  const notice = page.getByRole('region', { name: 'Notifications' });
  await expect(notice).toContainText('3 deleted');
  await page.keyboard.press('Control+z');
  await expect(box(page, 'Three')).toBeFocused();
  await expect(notice).toContainText('2 deleted');
  // It is beside the list, does not cover it, and does not move it.
  const [over, under] = [await notice.boundingBox(), await list(page).boundingBox()];
  expect(under?.y).toBe(place?.y);
  expect((over?.y ?? 0) + (over?.height ?? 0)).toBeLessThanOrEqual(under?.y ?? 0);
  // In tab order it comes before the list and the form.
  await page.getByRole('button', { name: 'Sign out' }).focus();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('button', { name: 'Undo' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(list(page).getByRole('listitem')).toHaveCount(3);
  await expect(notice).toHaveCount(0);
});

test('nothing is deleted because a tab is hidden', async ({ page }) => {
  await add(page, 'Keep me');
  const token = await issueToken(page.request);
  await page.getByRole('button', { name: 'Delete Keep me' }).click();
  await page.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await page.waitForTimeout(1_000);
  expect((await callApi(token)).body).toHaveLength(1);
  await page.keyboard.press('Control+z');
  await expect(box(page, 'Keep me')).toBeVisible();
});

test('what is deleted or cleared is gone, though the tab is closed at once and the network is slow', async ({ page, context }) => {
  await addTasks(user.id, 3);
  const token = await issueToken(page.request);
  const [task] = (await callApi(token)).body;
  await callApi(token, 'PATCH', `/api/${user.id}/tasks/${task.id}/complete`, { completed: true });
  for (const [button, left] of [['Delete Task 1', ['Task 3', 'Task 2']], ['Clear completed', ['Task 2']]] as const) {
    const tab = await context.newPage();
    await tab.goto('/');
    await expect(tab.getByRole('button', { name: 'Add', exact: true })).toBeEnabled();
    const network = await context.newCDPSession(tab);
    await network.send('Network.emulateNetworkConditions', { offline: false, latency: 300, downloadThroughput: -1, uploadThroughput: -1 });
    await tab.getByRole('button', { name: button }).click();
    await tab.close();
    await expect.poll(async () => (await callApi(token)).body.map(({ title }: { title: string }) => title)).toEqual(left);
  }
});

test('the list is filtered', async ({ page }) => {
  await add(page, 'Open one');
  await add(page, 'Done one');
  await box(page, 'Done one').check();
  await show(page, 'Done');
  await expect(box(page, 'Done one')).toBeVisible();
  await expect(row(page, 'Open one')).toHaveCount(0);
  await show(page, 'Open');
  await expect(box(page, 'Open one')).toBeVisible();
  await expect(row(page, 'Done one')).toHaveCount(0);
  await box(page, 'Open one').click();
  await expect(page.getByText('All done')).toBeVisible();
  await show(page, 'All');
  await expect(list(page).getByRole('listitem')).toHaveCount(2);
});

test('a long list is loaded page by page, and the open tasks are counted', async ({ page }) => {
  const [tasks, open] = [list(page).getByRole('listitem'), page.getByRole('group', { name: 'Show' }).getByRole('button', { name: 'Open' })];
  await addTasks(user.id, 45);
  await page.reload();
  for (const shown of [20, 40]) {
    await expect(tasks).toHaveCount(shown);
    await expect(open).toHaveText(`Open${shown}+`);
    await page.getByRole('button', { name: 'Load more' }).click();
    // The first of the newly loaded tasks.
    await expect(tasks.nth(shown).getByRole('checkbox')).toBeFocused();
  }
  await expect(tasks).toHaveCount(45);
  await expect(tasks.last()).toContainText('Task 1');
  await expect(page.getByRole('button', { name: 'Load more' })).toHaveCount(0);
  await expect(open).toHaveText('Open45');
  await box(page, 'Task 1').check();
  await expect(open).toHaveText('Open44');
});

test('a text that is too long is said while it is typed, and is not sent', async ({ page }) => {
  const sent: string[] = [];
  page.on('request', (request) => /^(POST|PUT)$/.test(request.method()) && sent.push(request.url()));
  const title = page.getByLabel('New task', { exact: true });
  await title.fill('x'.repeat(150));
  await expect(page.getByText(/characters (left|too long)/)).toHaveCount(0);
  // Two UTF-16 units each, but one character for the API.
  await title.fill('😀'.repeat(190));
  await expect(page.getByText('10 characters left')).toBeVisible();
  await title.fill('x'.repeat(199));
  await title.press('y');
  await expect(page.getByText('0 characters left')).toBeVisible();
  await title.pressSequentially('🎈');
  await expect(page.getByText('1 character too long')).toBeVisible();
  await expect(title).toHaveAttribute('aria-invalid', 'true');
  await expect(title).toHaveAccessibleDescription('1 character too long');
  await title.press('Enter');
  await title.press('Backspace');
  const details = page.getByLabel('Description of the new task');
  await details.fill('x'.repeat(1001));
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(details).toBeFocused();
  await details.fill('short');
  await title.press('Enter');
  await expect(list(page).getByRole('listitem')).toHaveCount(1);
  await expect.poll(() => sent).toHaveLength(1);

  await page.getByRole('button', { name: /^Edit x/ }).click();
  const edited = page.getByRole('textbox', { name: 'Title' });
  await edited.fill('x'.repeat(202));
  await expect(page.getByText('2 characters too long')).toBeVisible();
  await edited.press('Enter');
  await expect(edited).toBeFocused();
  const description = page.getByRole('textbox', { name: 'Description', exact: true });
  await edited.fill('Short');
  await description.fill('x'.repeat(1001));
  await edited.press('Enter');
  await expect(description).toBeFocused();
  expect(sent).toHaveLength(1);
  await description.fill('');
  await edited.press('Enter');
  await expect(box(page, 'Short')).toBeVisible();
});

test('a change of a task that is gone is taken back and said', async ({ page, errors }) => {
  await add(page, 'Fleeting');
  const token = await issueToken(page.request);
  const [task] = (await callApi(token)).body;
  await callApi(token, 'DELETE', `/api/${task.user_id}/tasks/${task.id}`);
  await box(page, 'Fleeting').click();
  await expect(page.getByText('“Fleeting” could not be completed')).toBeVisible();
  await expect(row(page, 'Fleeting')).toHaveCount(0);
  expect(errors.splice(0).every((error) => error.includes('404'))).toBe(true);
});

test('without a network nothing is lost', async ({ page, context, errors }) => {
  await add(page, 'Before');
  await context.setOffline(true);
  await box(page, 'Before').click();
  await expect(page.getByText('“Before” could not be completed')).toBeVisible();
  await expect(box(page, 'Before')).not.toBeChecked();
  await page.getByLabel('New task', { exact: true }).fill('Meanwhile');
  await page.keyboard.press('Enter');
  await expect(page.getByText('Not saved.')).toBeVisible();
  await context.setOffline(false);
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(box(page, 'Meanwhile')).toBeVisible();
  await page.reload();
  await expect(list(page).getByRole('listitem')).toHaveCount(2);
  expect(errors.splice(0).every((error) => error.includes('ERR_INTERNET_DISCONNECTED'))).toBe(true);
});

test('completed tasks are cleared, after a time to undo, but not what was completed later', async ({ page }) => {
  for (const title of ['Done one', 'Done two', 'Open one']) {
    await add(page, title);
  }
  await box(page, 'Done one').check();
  await box(page, 'Done two').check();
  const clear = page.getByRole('button', { name: 'Clear completed' });
  await clear.click();
  await expect(list(page).getByRole('listitem')).toHaveCount(1);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(list(page).getByRole('listitem')).toHaveCount(3);
  await expect(page.getByRole('heading', { name: 'Your tasks' })).toBeFocused();
  await clear.click();
  await page.waitForTimeout(1_000);
  const cleared = page.waitForResponse((response) => response.request().method() === 'DELETE');
  await box(page, 'Open one').check();
  const answer = await cleared;
  expect(new URL(answer.url()).searchParams.get('until')).toMatch(/Z$/);
  expect(await answer.json()).toEqual({ deleted: 2, more: false });
  await page.reload();
  await expect(list(page).getByRole('listitem')).toHaveCount(1);
  await expect(box(page, 'Open one')).toBeChecked();
});

test('clear completed hides, counts and deletes the same tasks, loaded or not', async ({ page }) => {
  await addTasks(user.id, 26);
  await page.reload();
  await page.getByRole('button', { name: 'Load more' }).click();
  await expect(list(page).getByRole('listitem')).toHaveCount(26);
  // From the top, so that those that the next list does not load are the last ones.
  for (let n = 26; n > 1; n -= 1) {
    await box(page, `Task ${n}`).check();
  }
  const token = await issueToken(page.request);
  const done = async () => (await callApi(token, 'GET', `/api/${user.id}/tasks?completed=true&limit=100`)).body.length;
  await expect.poll(done).toBe(25);
  await show(page, 'Done');
  await expect(list(page).getByRole('listitem')).toHaveCount(20);
  const listed = page.waitForResponse((response) => response.url().includes('after='));
  const cleared = page.waitForResponse((response) => response.request().method() === 'DELETE');
  await page.getByRole('button', { name: 'Clear completed' }).click();
  await listed;
  await page.waitForTimeout(500);
  await expect(list(page).getByRole('listitem')).toHaveCount(0, { timeout: 2_000 });
  // A task that is completed later is never hidden.
  await show(page, 'All');
  await expect(list(page).getByRole('listitem')).toHaveCount(1, { timeout: 2_000 });
  await box(page, 'Task 1').evaluate(async (checkbox: HTMLInputElement) => {
    checkbox.click();
    const seen = new Set<boolean>();
    for (const end = Date.now() + 1_000; Date.now() < end; await new Promise(requestAnimationFrame)) {
      seen.add(checkbox.isConnected);
    }
    return [...seen];
  }).then((seen) => expect(seen).toEqual([true]));
  expect(await (await cleared).json()).toEqual({ deleted: 25, more: false });
  await expect(page.getByText('25 completed tasks deleted')).toBeAttached();
  await page.reload();
  await expect(list(page).getByRole('listitem')).toHaveCount(1);
  await expect(box(page, 'Task 1')).toBeChecked();
});

test('two tabs that edit one task hear of each other', async ({ page, context, errors }) => {
  await add(page, 'Shared');
  const other = await context.newPage();
  await other.goto('/');
  const open = async (tab: typeof page) => {
    const fetched = tab.waitForResponse((response) => /\/tasks\/\d+$/.test(response.url()));
    await tab.getByRole('button', { name: 'Edit Shared' }).click();
    await fetched;
  };
  await open(page);
  await open(other);
  await other.getByLabel('Title').fill('Theirs');
  await other.getByRole('button', { name: 'Save' }).click();
  await expect(box(other, 'Theirs')).toBeVisible();

  await page.getByLabel('Title').fill('Mine');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByLabel('Title')).toBeFocused();
  const conflict = page.getByRole('alert').filter({ hasText: 'changed elsewhere' });
  await expect(conflict).toContainText('Theirs');
  await expect(page.getByLabel('Title')).toHaveValue('Mine');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(box(page, 'Mine')).toBeVisible();
  await other.reload();
  await expect(box(other, 'Mine')).toBeVisible();
  expect(errors.splice(0).every((error) => error.includes('412'))).toBe(true);
});
