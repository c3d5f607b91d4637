import AxeBuilder from '@axe-core/playwright';
import { add, box, expect, signUp, test } from './app';

const PHONE = { width: 390, height: 844 };
const DESKTOP = { width: 1280, height: 800 };

for (const [device, viewport] of [['phone', PHONE], ['desktop', DESKTOP]] as const) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test(`every page is accessible on a ${device}, ${colorScheme}`, async ({ page }, testInfo) => {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
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
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Delete Buy milk' }).click();
      await look('undo');
    });
  }
}
