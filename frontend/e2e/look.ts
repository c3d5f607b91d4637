import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, type TestInfo } from '@playwright/test';

/** How a page is looked at. */
export const VIEWS = [
  { name: 'phone, light', viewport: { width: 390, height: 844 }, colorScheme: 'light', forcedColors: 'none' },
  { name: 'phone, dark', viewport: { width: 390, height: 844 }, colorScheme: 'dark', forcedColors: 'none' },
  { name: 'desktop, light', viewport: { width: 1280, height: 800 }, colorScheme: 'light', forcedColors: 'none' },
  { name: 'desktop, dark', viewport: { width: 1280, height: 800 }, colorScheme: 'dark', forcedColors: 'none' },
  { name: 'phone, forced colours', viewport: { width: 390, height: 844 }, colorScheme: 'light', forcedColors: 'active' },
] as const;

/** Looks at a page as it is: what axe finds, whether anything sticks out, and a picture for people. */
export async function look(page: Page, testInfo: TestInfo, name: string) {
  // What moved has come to rest.
  await page.waitForTimeout(300);
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, impact, nodes }) => `${impact}: ${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  expect(found, name).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth), name).toBeLessThanOrEqual(0);
  await page.screenshot({ path: testInfo.outputPath(`${name}.png`), fullPage: true });
}
