// Walks from the overview to the root cause of three failures by clicking what is on the pages, and looks at what is live.
// Says how many clicks and pages each took, and how long. Ends with an error where a page does not show what it must.
import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';

const { chromium } = createRequire(`${process.env.NODE_PATH ?? process.cwd()}/`)('playwright-core');
const [login, start, folder, pictures] = process.argv.slice(2);
const base = new URL(login).origin;
const port = Number(new URL(start).port);

// What users meet: enough of it that it stands out from all else that fails in the demo.
const FAILURES = [
  {
    host: 'truncated', party: 'origin', code: 'origin.receive.truncated', says: 'closed the connection before its answer was complete',
    first: 'Read the application', evidence: ['received', 'expected', 'origin address'], failing: 'Origin', hasOrigin: true,
  },
  {
    host: 'cert-expired', party: 'origin', code: 'origin.origin_tls.certificate_expired', says: 'The certificate of the site\'s server has expired',
    first: 'Renew the certificate', evidence: ['not after', 'issuer', 'checked at'], failing: 'Origin', hasOrigin: true,
  },
  {
    host: 'nxdomain', party: 'owner', code: 'owner.resolve.nxdomain', says: 'does not exist',
    first: '', evidence: ['response code', 'NXDOMAIN', 'nosuch.origin.test'], failing: 'Origin', hasOrigin: false,
  },
];
const PATHS = ['/', '/cart', '/pay'];

const visit = (host, path, headers = {}) => new Promise((done) => {
  const fields = { host: `${host}.demo.localhost:${port}`, ...headers };
  const request = http.get({ host: '127.0.0.1', port, path, headers: fields }, (answer) => {
    answer.on('error', done).on('end', done).on('close', done).resume();
  });
  request.on('error', done);
});
const all = FAILURES.flatMap(({ host }) => PATHS.map((path) => [host, path]));
for (let round = 0; round < 20; round += 1) await Promise.all(all.map(([host, path]) => visit(host, path)));

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
const page = await context.newPage();
const complaints = [];
page.on('pageerror', (error) => complaints.push(String(error)));
page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()); });
let [clicks, loads] = [0, 0];
page.on('framenavigated', () => { loads += 1; });
const click = async (where, name) => {
  clicks += 1;
  await page.locator(where).first().getByRole('link', { name, exact: true }).first().click();
  await page.waitForLoadState();
};
const shows = async (what, ...texts) => {
  const shown = (await page.locator(what).first().innerText()).replaceAll('\n', ' ');
  for (const text of texts) assert.ok(shown.includes(text), `${page.url()}: ${what} does not show \u201c${text}\u201d but: ${shown}`);
};
const picture = (name) => page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
const nav = (name) => click('nav.tabs', name);

await page.goto(login);
for (const { host, party, code, says, first, evidence, failing, hasOrigin } of FAILURES) {
  await nav('Overview');
  [clicks, loads] = [0, 1];
  const began = Date.now();
  await shows('#stats', 'Mostly the fault of', 'origin');
  await click('#timeline .keys', party);
  await click('#tops', code);
  await shows('#cause', party, code, says, 'Since', `${host}.demo.localhost`, '/cart', '/pay', 'First', first);
  if (hasOrigin) await shows('#cause', 'Origins 127.0.0.1:');
  await picture(`cause-${host}`);
  await click('#cause', 'How it is known: the newest of them');
  assert.match(page.url(), /\/ray\/[0-9a-f]{16}$/);
  await shows('main', code, says, 'What to do', 'How it is known', ...evidence);
  await shows(hasOrigin ? '.hops li.bad' : '.hops', failing);
  await picture(`ray-${host}`);
  console.log(`${code}: ${clicks} clicks, ${loads} pages, ${((Date.now() - began) / 1000).toFixed(1)} s`);
  assert.ok(clicks <= 4 && loads <= 4, `${code} took ${clicks} clicks and ${loads} pages`);
}

// the same from the list of incidents, in one click
await nav('Overview');
const incident = '#incidents li:has-text("origin.receive.truncated")';
await shows(incident, 'origin', 'truncated.demo.localhost', 'last seen', 'First:');
await click(incident, 'See the newest of these requests');
await shows('main', 'origin.receive.truncated', 'How it is known');

// what goes on is followed from there too
await nav('Overview');
await click(incident, 'The site\'s server closed the connection before its answer was complete.');
await shows('#cause', 'Since', 'truncated.demo.localhost');
assert.ok(await page.locator('main[data-live]').count(), 'the page of what goes on is live');

// filters come by clicking a value, and go by clicking it again
await nav('Errors');
await click('#tops', 'truncated.demo.localhost');
await shows('.controls', 'host = truncated.demo.localhost');
await click('#tops', '/pay');
await shows('.controls', 'path = /pay');
await shows('#stats', 'Failed 20');
await click('.controls', 'host = truncated.demo.localhost');
assert.ok(!(await page.locator('.controls').innerText()).includes('truncated'), 'the filter is gone');
await nav('Errors');
await click('#tops', 'all others');
assert.match(page.url(), /all=code/);
await shows('#tops', 'origin.wait.http2_goaway');

// live: without another load
await nav('Live tail');
await page.locator('#state:has-text("live")').waitFor();
await page.evaluate(() => { window.same = true; });
await visit('refused', '/as-it-happens');
await page.locator('ol.lines li:has-text("/as-it-happens")').waitFor();
await shows('ol.lines li:has-text("/as-it-happens")', 'origin.connect.refused');
assert.ok(await page.evaluate(() => window.same), 'the tail is the same page');
await nav('Overview');
await page.evaluate(() => { window.same = true; });
await page.mouse.move(5, 5);
const failed = async () => Number((await page.locator('#stats .stat:has-text("Failed") dd').first().innerText()).replace(/\D/g, ''));
const before = await failed();
// the stream that tells of failures may open a moment after the page
while (await failed() === before) {
  await visit('refused', '/again');
  await new Promise((next) => { setTimeout(next, 200); });
}
assert.ok(await page.evaluate(() => window.same), 'the overview is the same page');

// what is about to fail: a header section near its limit
await visit('ok', '/', { 'x-large': 'x'.repeat(100_000) });
await nav('Overview');
await shows('#approaching', 'the header section of a request to ok.demo.localhost', 'request_header_bytes');

// the alerts that the demo configures reach their receiver
await page.locator('#alerts:has-text("fails-much")').waitFor({ timeout: 60_000 });
await nav('System');
const told = () => (existsSync(`${folder}/alerts.ndjson`) ? readFileSync(`${folder}/alerts.ndjson`, 'utf8') : '');
while (!['"fails-much"', '"certificate-ends"'].every((policy) => told().includes(policy))) await new Promise((next) => { setTimeout(next, 200); });
assert.ok(told().trim().split('\n').map((line) => JSON.parse(line)).every(({ state }) => state === 'firing'));
await nav('System');
await shows('tr:has(th:has-text("file"))', 'command', 'works');
await shows('main', 'shown by an origin, ended on');
assert.equal(await page.locator('li:has-text("certificate-ends") a').first().getAttribute('href'), '/origins');
await nav('Zones & origins');
await shows('#origins', 'failing', 'd left', 'expired');

for (const [look, options] of Object.entries({
  desk: { viewport: { width: 1280, height: 900 } },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
})) {
  const other = await browser.newContext({ ...options, storageState: await context.storageState() });
  const looking = await other.newPage();
  for (const [name, path] of [
    ['overview', '/?from=-15m'], ['errors', '/errors?from=-15m'], ['cause', '/errors?from=-15m&code=origin.receive.truncated'],
    ['ray', '/ray/newest?from=-15m&code=origin.origin_tls.certificate_expired'], ['origins', '/origins?from=-15m'], ['system', '/system'],
  ]) {
    await looking.goto(base + path);
    const wide = await looking.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 0) complaints.push(`${look} ${path} is ${wide} px wider than the screen`);
    await looking.screenshot({ path: `${pictures}/${name}-${look}.png`, fullPage: true });
  }
  await other.close();
}
await browser.close();
assert.deepEqual(complaints, []);
