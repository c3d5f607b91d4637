import type { Page } from '@playwright/test';
import { add, box, expect, show, signUp, test } from './app';
import { addTasks } from './database';

const API = '**/api/*/tasks**';
const CORS = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'Retry-After' };

/** Intercepts the API except for preflights, which never reach a function. */
const answer = (page: Page, how: { status: number; headers?: Record<string, string> } | 'hangs' | 'unreadable', times = Infinity) => {
  let count = 0;
  return page.route(API, (route) => {
    if (route.request().method() === 'OPTIONS' || (count += 1) > times) {
      return route.fallback();
    }
    return how === 'hangs' ? new Promise<void>(() => {}) : how === 'unreadable' ? route.abort('failed') : route.fulfill(how);
  });
};

test('a server that is busy is waited for, and the person is told', async ({ page, errors }) => {
  await signUp(page);
  await add(page, 'Before');
  await answer(page, { status: 429, headers: { ...CORS, 'retry-after': '2' } }, 1);
  await box(page, 'Before').click();
  await expect(page.getByText('The server is busy. Trying again')).toBeVisible();
  await expect(box(page, 'Before')).toBeChecked();
  await expect(page.getByText('The server is busy')).toHaveCount(0);
  await page.unrouteAll();
  await page.reload();
  await expect(box(page, 'Before')).toBeChecked();
  expect(errors.splice(0).every((error) => error.includes('429'))).toBe(true);
});

test('an answer that the browser may not read is not taken for being offline', async ({ page, errors }) => {
  await page.clock.install();
  await signUp(page);
  await add(page, 'Before');
  await answer(page, 'unreadable');
  await page.getByRole('button', { name: 'Delete Before' }).click();
  await page.clock.runFor(11_000);
  const failure = page.getByRole('alert').filter({ hasText: 'could not be deleted' });
  await expect(failure).toContainText('too busy to answer');
  await page.getByRole('button', { name: 'Dismiss' }).click();
  await expect(failure).toHaveCount(0);
  await expect(box(page, 'Before')).toBeVisible();
  errors.length = 0;
});

test('a server that does not answer is said to be slow, and given up after 10 s', async ({ page, errors }) => {
  await page.clock.install();
  await signUp(page);
  await add(page, 'Before');
  await answer(page, 'hangs');
  await box(page, 'Before').click();
  await page.clock.runFor(3_500);
  await expect(page.getByText('takes longer than usual')).toBeVisible();
  await page.clock.runFor(7_000);
  await expect(page.getByRole('alert').filter({ hasText: '“Before” could not be completed' })).toContainText('did not answer in time');
  await expect(box(page, 'Before')).not.toBeChecked();
  await show(page, 'Done');
  await expect(page.getByText('Loading your tasks')).toBeVisible();
  await page.clock.runFor(11_000);
  await expect(page.getByText('Your tasks could not be loaded')).toBeVisible();
  errors.length = 0;
});

test('signing out does not wait for a server that does not answer, and says what is not sent', async ({ page, errors }) => {
  await page.clock.install();
  await signUp(page);
  await add(page, 'Before');
  await answer(page, 'hangs');
  await box(page, 'Before').click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByText('Signing out')).toBeVisible();
  await page.clock.runFor(2_500);
  await expect(page.getByText('One change is not saved')).toBeVisible();
  await page.getByRole('button', { name: 'Stay' }).click();
  await expect(page.getByRole('button', { name: 'Sign out', exact: true })).toBeEnabled();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.clock.runFor(2_500);
  await page.getByRole('button', { name: 'Sign out anyway' }).click();
  await expect(page).toHaveURL(/\/login/);
  errors.length = 0;
});

test('a form that the app does not answer ends after 10 s, and can be sent again', async ({ page, errors }) => {
  await page.clock.install();
  const account = await signUp(page);
  for (const [path, call, label] of [['/account', 'update-user', 'Save name'], ['/login?ended', 'sign-in/email', 'Sign in']] as const) {
    await page.goto(path);
    if (path.startsWith('/login')) {
      await page.getByLabel('Email').fill(account.email);
      await page.getByLabel('Password', { exact: true }).fill(account.password);
    }
    const sent = page.waitForRequest(`**/api/auth/${call}`);
    await page.route(`**/api/auth/${call}`, () => new Promise<void>(() => {}));
    const button = page.getByRole('button', { name: label });
    await button.click();
    await sent;
    await page.clock.runFor(11_000);
    await expect(page.getByRole('alert').filter({ hasText: 'did not answer in time' })).toBeVisible();
    await expect(button).toBeEnabled();
    await page.unrouteAll();
    await button.click();
    await expect(page.getByText(path === '/account' ? 'Your name is saved.' : account.name)).toBeVisible();
  }
  errors.length = 0;
});

test('however many failures there are, the list keeps its place', async ({ page, errors }) => {
  await page.setViewportSize({ width: 390, height: 700 });
  const { id } = await signUp(page);
  await addTasks(id, 12);
  await page.reload();
  await answer(page, { status: 500, headers: CORS });
  for (let n = 12; n > 0; n -= 1) {
    await box(page, `Task ${n}`).click();
  }
  const notices = page.getByRole('region', { name: 'Notifications' });
  await expect(notices.getByRole('alert')).toHaveCount(12);
  expect((await notices.boundingBox())?.height).toBeLessThan(350);
  // The last notice can be reached, and so can the last task.
  await notices.getByRole('button', { name: 'Dismiss' }).last().click();
  await notices.getByRole('button', { name: 'Dismiss' }).first().click();
  await expect(notices.getByRole('alert')).toHaveText([...Array(10).keys()].map((n) => new RegExp(`“Task ${11 - n}” could not be completed`)));
  // The next Tab reaches the next notice.
  await page.keyboard.press('Tab');
  await expect(notices.getByRole('button', { name: 'Dismiss' }).first()).toBeFocused();
  await page.getByRole('button', { name: 'Edit Task 1', exact: true }).click();
  await expect(page.getByLabel('Title')).toBeFocused();
  errors.length = 0;
});
