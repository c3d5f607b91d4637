import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, type TestInfo } from '@playwright/test';

const DEVICES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 800 } };
const COLOURS = { light: { colorScheme: 'light' }, dark: { colorScheme: 'dark' }, 'forced colours': { forcedColors: 'active' } } as const;

/** The ways in which a page is checked. */
export const VIEWS = Object.entries(DEVICES).flatMap(([device, viewport]) =>
  Object.entries(COLOURS).map(([name, colours]) => ({ name: `${device}, ${name}`, viewport, colours })),
);

export async function show(page: Page, { viewport, colours }: (typeof VIEWS)[number]) {
  await page.setViewportSize(viewport);
  await page.emulateMedia({ ...colours, reducedMotion: 'reduce' });
}

/** Waits for transitions to end. */
export const atRest = (page: Page) => page.evaluate(() => Promise.allSettled(document.getAnimations().map(({ finished }) => finished)).then(() => {}));

/** Checks a page: axe, overflow, and a screenshot for people. */
export async function look(page: Page, testInfo: TestInfo, name: string) {
  await atRest(page);
  // The pages have no frames, so axe need not open a page to merge its results.
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  const found = violations.map(({ id, impact, nodes }) => `${impact}: ${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  expect(found, name).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth), name).toBeLessThanOrEqual(0);
  await page.screenshot({ path: testInfo.outputPath(`${name}.png`), fullPage: true });
}
