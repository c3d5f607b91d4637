import { expect, test } from './app';
import { look, show, VIEWS } from './look';
import { MailServer } from './mail-server';
import { type OwnApp, startApp } from './own-app';

const mails = new MailServer();
let app: OwnApp;

test.beforeAll(async () => {
  app = await startApp(await mails.start());
});

test.afterAll(async () => {
  await app.stop();
  await mails.stop();
});

// Pages of this test's own app.
test.use({ baseURL: async ({}, provide) => provide(app?.url) });

for (const view of VIEWS) {
  test(`the pages of a forgotten password are accessible: ${view.name}`, async ({ page, errors }, testInfo) => {
    await show(page, view);
    await page.goto('/login?reset');
    await look(page, testInfo, 'login');
    await page.goto('/forgot-password');
    await look(page, testInfo, 'forgotten');
    await page.getByLabel('Email').fill('somebody.with.a.very.long.address@example.com');
    await page.getByRole('button', { name: 'Send me a link' }).click();
    await expect(page.getByRole('status')).toBeVisible();
    await look(page, testInfo, 'sent');
    await page.goto('/reset-password#none');
    await page.getByLabel('New password').fill('whatever it is');
    await look(page, testInfo, 'reset');
    await page.getByRole('button', { name: 'Set password' }).click();
    await expect(page.getByText('This link is no longer valid')).toBeVisible();
    await look(page, testInfo, 'spent');
    expect(errors.splice(0).every((error) => error.includes('400'))).toBe(true);
  });
}
