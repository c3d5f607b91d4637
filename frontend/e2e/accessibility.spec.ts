import AxeBuilder from '@axe-core/playwright';
import { add, box, expect, signUp, test } from './app';

const PHONE = { width: 390, height: 844 };
const DESKTOP = { width: 1280, height: 800 };

const COLOURS = { light: { colorScheme: 'light' }, dark: { colorScheme: 'dark' }, forced: { forcedColors: 'active' } } as const;

for (const [device, viewport] of [['phone', PHONE], ['desktop', DESKTOP]] as const) {
  for (const [name, colours] of Object.entries(COLOURS)) {
    test(`every page is accessible on a ${device}, in ${name} colours`, async ({ page, errors }, testInfo) => {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ ...colours, reducedMotion: 'reduce' });
      const look = async (name: string) => {
        // What moved has come to rest.
        await page.waitForTimeout(300);
        const { violations } = await new AxeBuilder({ page }).analyze();
        const found = violations.map(({ id, impact, nodes }) => `${impact}: ${id}: ${nodes.map(({ html }) => html).join(' ')}`);
        expect(found, name).toEqual([]);
        // Nothing sticks out of the page.
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(viewport.width);
        await page.screenshot({ path: testInfo.outputPath(`${name}.png`) });
      };
      await page.goto('/login');
      await look('login');
      await signUp(page);
      await expect(page.getByText('Nothing to do yet')).toBeVisible();
      await look('empty');
      await add(page, 'Buy milk', 'Two litres, and the good butter');
      await add(page, 'Call the landlord about the window in the kitchen, which does not close any more');
      await add(page, 'Renew the passport');
      await box(page, 'Renew the passport').check();
      await look('tasks');
      await page.getByRole('button', { name: 'Edit Buy milk' }).click();
      await look('edit');
      await page.getByLabel('Title').fill('Buy oat milk');
      await page.keyboard.press('Escape');
      await look('discard');
      await page.getByRole('button', { name: 'Discard changes' }).click();
      await page.getByRole('button', { name: 'Delete Buy milk' }).click();
      await page.getByRole('button', { name: /Delete Call the landlord/ }).click();
      await look('undo');
      await page.getByLabel('New task', { exact: true }).fill('x'.repeat(201));
      await page.keyboard.press('Enter');
      await expect(page.getByText('Not saved.')).toBeVisible();
      await look('refused');
      await page.route('**/complete', (route) => route.fulfill({ status: 500, headers: { 'access-control-allow-origin': '*' } }));
      // Its state is back before `uncheck` could look at it.
      await box(page, 'Renew the passport').click();
      await expect(page.getByText('could not be reopened')).toBeVisible();
      await look('failure');
      await page.keyboard.press('?');
      await look('keys');
      await page.keyboard.press('Escape');
      await page.route('**/tasks?**', (route) => route.fulfill({ status: 500, headers: { 'access-control-allow-origin': '*' } }));
      await page.getByRole('button', { name: 'Done', exact: true }).click();
      await expect(page.getByText('could not be loaded')).toBeVisible();
      await look('not-loaded');
      expect(errors.splice(0).every((error) => /422|500/.test(error))).toBe(true);
    });
  }
}
