import { add, box, expect, show as filter, signUp, test } from './app';
import { look, show, VIEWS } from './look';

for (const view of VIEWS) {
  test(`every page is accessible: ${view.name}`, async ({ page, errors }, testInfo) => {
    await show(page, view);
    await page.goto('/login');
    await look(page, testInfo, 'login');
    await page.goto('/signup');
    await look(page, testInfo, 'signup');
    const { password } = await signUp(page);
    await expect(page.getByText('Nothing to do yet')).toBeVisible();
    await look(page, testInfo, 'empty');
    await add(page, 'Buy milk', 'Two litres, and the good butter');
    await add(page, 'Call the landlord about the window in the kitchen, which does not close any more');
    await add(page, 'Renew the passport');
    await box(page, 'Renew the passport').check();
    await look(page, testInfo, 'tasks');
    await page.getByRole('button', { name: 'Edit Buy milk' }).click();
    await look(page, testInfo, 'edit');
    await page.getByLabel('Title').fill('Buy oat milk');
    await page.keyboard.press('Escape');
    await look(page, testInfo, 'discard');
    await page.getByRole('button', { name: 'Discard changes' }).click();
    await page.getByRole('button', { name: 'Delete Buy milk' }).click();
    await page.getByRole('button', { name: /Delete Call the landlord/ }).click();
    await look(page, testInfo, 'undo');
    await page.getByLabel('New task', { exact: true }).fill('x'.repeat(201));
    await look(page, testInfo, 'too-long');
    await page.getByLabel('New task', { exact: true }).fill('Refused \u0000');
    await page.keyboard.press('Enter');
    await expect(page.getByText('Not saved.')).toBeVisible();
    await look(page, testInfo, 'refused');
    await page.route('**/complete', (route) => route.fulfill({ status: 500, headers: { 'access-control-allow-origin': '*' } }));
    // `uncheck` would look too late: the checkbox is checked again at once.
    await box(page, 'Renew the passport').click();
    await expect(page.getByText('could not be reopened')).toBeVisible();
    await look(page, testInfo, 'failure');
    await page.keyboard.press('?');
    await look(page, testInfo, 'keys');
    await page.keyboard.press('Escape');
    await page.route('**/tasks?**', (route) => route.fulfill({ status: 500, headers: { 'access-control-allow-origin': '*' } }));
    await filter(page, 'Done');
    await expect(page.getByText('could not be loaded')).toBeVisible();
    await look(page, testInfo, 'not-loaded');

    await page.goto('/account');
    await expect(page.getByRole('button', { name: 'Save name' })).toBeEnabled();
    await look(page, testInfo, 'account');
    await page.getByRole('button', { name: 'Save name' }).click();
    await expect(page.getByText('Your name is saved.')).toBeVisible();
    await page.getByLabel('Current password').fill('not the password');
    await page.getByLabel('New password').fill('whatever it is');
    await page.getByRole('button', { name: 'Show the new password' }).click();
    await page.getByRole('button', { name: 'Change password' }).click();
    await expect(page.getByText('Invalid password')).toBeVisible();
    await page.unroute('**/tasks?**');
    await page.getByRole('button', { name: 'Export tasks' }).click();
    await expect(page.getByText(/tasks? exported\./)).toBeVisible();
    await page.route('**/delete-account', (route) => route.fulfill({ status: 503, json: { code: 'TASKS_NOT_ERASED', message: 'The server cannot be reached.' } }));
    await page.getByRole('region', { name: 'Delete account' }).getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Delete my account' }).click();
    await expect(page.getByText('Your account is still there')).toBeVisible();
    await look(page, testInfo, 'account-failures');
    expect(errors.splice(0).every((error) => /400|422|50[03]/.test(error))).toBe(true);
  });
}
