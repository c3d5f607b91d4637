import AxeBuilder from '@axe-core/playwright';
import { add, box, expect, row, signUp, test } from './app';
import { atRest } from './look';

test('text of both directions is set in its own', async ({ page }) => {
  await signUp(page);
  await add(page, 'לקנות חלב', 'שני ליטר');
  for (const text of ['לקנות חלב', 'שני ליטר']) {
    expect(await row(page, 'לקנות חלב').getByText(text).evaluate((element) => getComputedStyle(element).direction)).toBe('rtl');
  }
  await page.getByLabel('New task', { exact: true }).fill('חלב');
  expect(await page.getByLabel('New task', { exact: true }).evaluate((element) => getComputedStyle(element).direction)).toBe('rtl');
});

test('n begins a new task, ? shows the keys, and neither disturbs who is typing', async ({ page }) => {
  await signUp(page);
  const field = page.getByLabel('New task', { exact: true });
  await page.getByRole('button', { name: 'Sign out' }).focus();
  await page.keyboard.press('n');
  await expect(field).toBeFocused();
  await page.keyboard.type('n?');
  await expect(field).toHaveValue('n?');
  await page.getByRole('button', { name: 'Sign out' }).focus();
  await page.keyboard.press('?');
  const help = page.getByRole('dialog', { name: 'Keys' });
  await expect(help).toContainText('Write a new task');
  await page.keyboard.press('Escape');
  await expect(help).toBeHidden();
  await page.getByRole('button', { name: 'Keys' }).click();
  await help.getByRole('button', { name: 'Close' }).click();
  await expect(help).toBeHidden();
});

test('a long description folds', async ({ page }) => {
  await signUp(page);
  await add(page, 'Long', Array.from({ length: 30 }, (_, n) => `line ${n}`).join('\n'));
  const height = async () => (await row(page, 'Long').boundingBox())?.height ?? 0;
  expect(await height()).toBeLessThan(220);
  await page.getByRole('button', { name: 'More of Long' }).click();
  expect(await height()).toBeGreaterThan(500);
  await page.getByRole('button', { name: 'Less of Long' }).click();
  expect(await height()).toBeLessThan(220);
});

test('every page has a title, and the app its icons', async ({ page, errors }) => {
  for (const [path, title] of [['/login', 'Sign in · Tasks'], ['/signup', 'Create an account · Tasks'], ['/nowhere', 'No such page · Tasks']] as const) {
    await page.goto(path);
    await expect(page).toHaveTitle(title);
  }
  expect(errors.splice(0).every((error) => error.includes('404'))).toBe(true);
  await signUp(page);
  await expect(page).toHaveTitle('Your tasks');
  for (const path of ['/favicon.ico', '/icon.svg', '/apple-icon.png', '/manifest.webmanifest']) {
    const response = await page.request.get(path);
    expect([response.status(), path]).toEqual([200, path]);
  }
  const { icons, start_url } = await (await page.request.get('/manifest.webmanifest')).json();
  expect([start_url, icons.length]).toEqual(['/', 2]);
});

test('axe looks at the contrast of the selected filter, in the light and in the dark', async ({ page }) => {
  await signUp(page);
  await add(page, 'Open one');
  for (const [colorScheme, accent] of [['light', '#1f6a52'], ['dark', '#7cc7a9']] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await atRest(page);
    const { passes } = await new AxeBuilder({ page }).setLegacyMode().withRules('color-contrast').analyze();
    const seen = passes.flatMap(({ nodes }) => nodes).filter(({ html }) => html.includes('aria-pressed="true"'));
    expect(seen.map(({ any }) => any[0]?.data)).toMatchObject([{ bgColor: accent, expectedContrastRatio: '4.5:1' }]);
  }
});

test('forced colours show what is ticked, what is selected, and what is a button', async ({ page }) => {
  await page.emulateMedia({ forcedColors: 'active' });
  await signUp(page);
  await add(page, 'Ticked');
  await add(page, 'Open');
  await box(page, 'Ticked').check();
  const styleOf = (element: Element, name: string) => getComputedStyle(element).getPropertyValue(name);
  expect(await box(page, 'Ticked').evaluate(styleOf, 'appearance')).toBe('auto');
  const filters = page.getByRole('group', { name: 'Show' });
  const [selected, other] = [filters.getByRole('button', { name: 'All' }), filters.getByRole('button', { name: 'Done' })];
  const colour = 'background-color';
  expect(await selected.evaluate(styleOf, colour)).not.toBe(await other.evaluate(styleOf, colour));
  for (const name of ['Add', 'Sign out']) {
    const button = page.getByRole('button', { name, exact: true });
    expect(await button.evaluate(styleOf, 'border-top-width')).toBe('1px');
  }
});
