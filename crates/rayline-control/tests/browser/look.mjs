// Opens every page of a running dashboard in Chromium, on a desk and on a phone, in light and dark, and complains of what a
// person would: errors in the console, a page wider than the screen, places that the keyboard does not reach.
//
// node look.mjs BASE TOKEN FOLDER PATH…    prints one JSON array of complaints; pictures go into FOLDER
import { createRequire } from 'node:module';

const { chromium } = createRequire(`${process.env.NODE_PATH ?? process.cwd()}/`)('playwright-core');
const [base, token, folder, ...paths] = process.argv.slice(2);
const looks = [
  { name: 'desk', viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
  { name: 'dark', viewport: { width: 1280, height: 900 }, colorScheme: 'dark' },
  { name: 'phone', viewport: { width: 390, height: 844 }, colorScheme: 'light', hasTouch: true, isMobile: true },
];
const complaints = [];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
for (const { name: look, ...options } of looks) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  let place = 'login';
  const complain = (what) => complaints.push(`${look} ${place}: ${what}`);
  page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) complain(message.text()); });
  page.on('pageerror', (error) => complain(String(error)));
  page.on('request', (request) => { if (!request.url().startsWith(base)) complain(`asks ${request.url()}`); });

  await page.goto(`${base}/login`);
  await page.screenshot({ path: `${folder}/login-${look}.png` });
  await page.fill('#token', token);
  await Promise.all([page.waitForURL(`${base}/`), page.keyboard.press('Enter')]);
  for (const path of paths) {
    place = path;
    await page.goto(base + path, { waitUntil: 'load' });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 0) {
      const widest = await page.evaluate(() => [...document.querySelectorAll('main *')]
        .filter((each) => each.getBoundingClientRect().right > innerWidth + 1 && !each.closest('.scroll, .diff, svg'))
        .map((each) => `${each.tagName}.${each.className}`).slice(0, 3).join(' '));
      complain(`is ${wide} px wider than the screen: ${widest}`);
    }
    if (await page.locator('h1').count() !== 1) complain('has not one h1');
    const unnamed = await page.evaluate(() => [...document.querySelectorAll('a, button, input:not([type=hidden]), select')]
      .filter((each) => !(each.labels?.length || each.textContent.trim() || each.getAttribute('aria-label') || each.closest('svg'))).length);
    if (unnamed) complain(`${unnamed} controls have no name`);
    await page.keyboard.press('Tab');
    const first = await page.evaluate(() => document.activeElement.className);
    if (first !== 'skip') complain(`the first stop of the tab key is ${first}`);
    const name = path.replaceAll(/[^a-z0-9.]/g, '_');
    await page.evaluate(() => document.activeElement.blur());
    await page.screenshot({ path: `${folder}/page${name}-${look}.png`, fullPage: true });
  }
  await context.close();
}
await browser.close();
process.stdout.write(JSON.stringify(complaints));
