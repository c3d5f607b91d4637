import AxeBuilder from '@axe-core/playwright';
import { add, box, expect, list, row, signUp, test } from './app';
import { addTasks } from './database';
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

test('the characters that are left are told near the limit', async ({ page }) => {
  await signUp(page);
  const field = page.getByLabel('New task', { exact: true });
  await field.fill('x'.repeat(150));
  await expect(page.getByText(/characters (left|too long)/)).toHaveCount(0);
  // Two UTF-16 units each, but one character for the API.
  await field.fill('😀'.repeat(190));
  await expect(page.getByText('10 characters left')).toBeVisible();
  await field.fill('x'.repeat(203));
  await expect(page.getByText('3 characters too long')).toBeVisible();
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

test('the open tasks are counted, and a long list says that there are more', async ({ page }) => {
  const { id } = await signUp(page);
  const open = page.getByRole('group', { name: 'Show' }).getByRole('button', { name: 'Open' });
  await add(page, 'One');
  await add(page, 'Two');
  await expect(open).toHaveText('Open2');
  await box(page, 'One').check();
  await expect(open).toHaveText('Open1');
  await addTasks(id, 25, 'More');
  await page.reload();
  await expect(open).toHaveText('Open20+');
  await page.getByRole('button', { name: 'Load more' }).click();
  await expect(list(page).getByRole('listitem')).toHaveCount(27);
  await expect(open).toHaveText('Open26');
  // The first of the newly loaded tasks.
  await expect(list(page).getByRole('listitem').nth(20).getByRole('checkbox')).toBeFocused();
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
