// The shop of the demo in Chromium, as a visitor meets it: an offer that appears, changes and goes, an order to its end, a gateway that dies, a second
// tab, the keyboard alone. Screenshots stay in build/artefacts.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Demo, ROOT, chromium, runSouk, serious, sleep, waitFor } from './browser/demo.mjs';
import { Tap } from './browser/tap.mjs';

const ARTEFACTS = join(process.env.BUILD ?? join(ROOT, 'build'), 'artefacts');
const DESKTOP = { viewport: { width: 1440, height: 900 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };

const tap = new Tap();
mkdirSync(ARTEFACTS, { recursive: true });
const shot = (page, name) => page.screenshot({ path: join(ARTEFACTS, `${name}.png`) });

// Few simulated shoppers: they look, but seldom take away what a test is about to order. And no payment fails by chance.
const dryRun = (failBps) => ['fail_bps', 'hold_bps', 'never_bps'].flatMap((k) => ['--set', `wallet.dry_run.${k}=${k === 'fail_bps' ? failBps : 0}`]);
let demo = await Demo.start('--rate', '2', '--shoppers', '2', ...dryRun(0));
const browser = await chromium();
const complaints = []; // of any page: errors, and what the Content-Security-Policy refused

async function walkIn(options = DESKTOP, path = '') {
	const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
	const page = await context.newPage();
	page.on('pageerror', (e) => complaints.push(e.stack ?? e.message));
	page.on('console', (m) => {
		if (m.type() === 'error' && !/ERR_CONNECTION_REFUSED|WebSocket connection/.test(m.text())) complaints.push(m.text());
	});
	await page.goto(demo.ready.http + path);
	await page.waitForSelector('.card');
	await page.waitForFunction(() => document.getElementById('link').dataset.state === 'open');
	return page;
}

const items = async () => (await (await fetch(`${demo.ready.http}api/items`)).json()).items;

/** An item that stands in the halls and for which `fits` holds; the halls are asked until there is one. */
const find = (fits, what) => waitFor(async () => (await items()).find((i) => !i.sold && fits(i)), 60, what);
const never = (ms) => ms === undefined || ms > 90000;
/** Nothing happens to it on the market while we look. */
const calm = (what = 'a piece that nothing happens to') => find((i) => !tried.has(i.item) && never(i.next_in_ms) && never(i.ends_in_ms), what);
const tried = new Set();

const open = async (page, item) => {
	tried.add(item);
	await page.evaluate((hash) => { location.hash = hash; }, item);
	await page.waitForSelector('#piece[open]');
};
const offerState = (page, state, seconds = 20) => page.waitForSelector(`#offer[data-state="${state}"]`, { timeout: seconds * 1000 });
const price = (page) => page.textContent('#offer-price');
const orderState = (page) => page.getAttribute('#piece-order .state', 'data-state');
const untilState = (page, state, seconds = 60) => page.waitForSelector(`#piece-order .state[data-state="${state}"]`, { timeout: seconds * 1000 });
const states = (page) => page.$$eval('#piece-order .step', (all) => all.map((e) => `${e.dataset.state}:${e.dataset.kind}`));
const leave = (page) => page.context().close();

await tap.test('the pages', async () => {
	const at = (path, init) => fetch(demo.ready.http + path, init);
	const page = await at('');
	const csp = page.headers.get('content-security-policy') ?? '';
	tap.ok(csp.includes("default-src 'none'") && csp.includes("script-src 'self'") && csp.includes("style-src 'self'") && !csp.includes('unsafe'), 'the policy allows our own files only', csp);
	tap.ok(csp.includes(`connect-src 'self' ${new URL(demo.ready.ws).origin.replace('null', `ws://${new URL(demo.ready.ws).host}`)}`), 'and the gateway', csp);
	tap.eq([page.headers.get('x-content-type-options'), page.headers.get('referrer-policy'), page.headers.get('content-type')], ['nosniff', 'no-referrer', 'text/html; charset=utf-8'], 'its headers are strict');
	const again = await at('', { headers: { 'if-none-match': page.headers.get('etag') } });
	tap.eq([again.status, await again.text()], [304, ''], 'a page that is known is not sent again');
	tap.eq((await at('js/shop.js')).headers.get('content-type'), 'text/javascript; charset=utf-8', 'modules are JavaScript');
	tap.eq([(await at('../etc/passwd')).status, (await at('js/')).status, (await at('api/session', { method: 'POST' })).status], [404, 404, 405], 'nothing else is there');
	tap.eq((await at('api/session?as=emperor')).status, 400, 'a visitor of another kind is refused');
	tap.eq((await at('api/session?user=u_42')).status, 404, 'so is a name that was not given');
	const token = await (await at('api/session?as=gold')).json();
	const same = await (await at(`api/session?user=${token.user}`)).json();
	tap.eq([same.user, same.as], [token.user, 'gold'], 'a token can be had again for the same visitor');
});

await tap.test('the halls', async () => {
	const page = await walkIn();
	await shot(page, 'shop-desktop');
	tap.eq(await serious(page), [], 'axe finds nothing serious in the halls');
	const cards = await page.$$eval('.card', (all) => all.map((c) => [c.querySelector('.card-title').textContent, c.querySelector('.card-price').textContent]));
	tap.ok(cards.length >= 20 && cards.every(([title, list]) => /^Foundation #\d+$/.test(title) && /^\d+(\.\d+)? ETH$/.test(list)), 'pieces hang there, each with its name and list price', cards.slice(0, 3));
	const known = await items();
	const titles = new Map(known.map((i) => [i.title, i]));
	tap.ok(cards.filter(([title]) => titles.has(title)).length > 15, 'those that the shop has');
	const sorts = await page.$$eval('.card .art', (all) => new Set(all.map((a) => a.outerHTML.replaceAll(/#?g[0-9a-z]+-[0-9a-z]+/g, ''))).size);
	tap.ok(sorts >= cards.length - 3, 'each has a picture of its own', sorts);
	await leave(page);
	const phone = await walkIn(PHONE);
	await shot(phone, 'shop-phone');
	tap.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'a phone shows the halls without scrolling sideways');
	tap.eq(await serious(phone), [], 'axe finds nothing serious on a phone');
	await leave(phone);
	const small = await walkIn({ viewport: { width: 360, height: 640 } });
	tap.ok(await small.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nor does a small one');
	await leave(small);
});

await tap.test('an offer appears', async () => {
	const page = await walkIn();
	const item = await calm();
	await open(page, item.item);
	await offerState(page, 'live');
	tap.ok(/^\d+(\.\d+)? ETH$/.test(await price(page)), 'looking at a piece brings an offer', await price(page));
	tap.eq(await page.textContent('#piece-title'), item.title, 'under its name');
	await page.waitForSelector('#offer-reasons li');
	await page.waitForFunction(() => /You took your time/.test(document.getElementById('offer-reasons').textContent), null, { timeout: 15000 });
	tap.ok(true, 'staying longer is a reason');
	const left = async () => Number((await page.textContent('#offer-left')).replace(' s', ''));
	const first = await left();
	await sleep(2100);
	const later = await left();
	tap.ok(first <= 30 && later < first && later >= first - 4, 'the countdown runs', [first, later]);
	await page.waitForFunction(() => document.querySelector('#piece > [data-live="polite"]').textContent.length > 0);
	tap.ok(/Offer|offer/.test(await page.textContent('#piece > [data-live="polite"]')), 'the offer is announced', await page.textContent('#piece > [data-live="polite"]'));
	tap.eq(await serious(page), [], 'axe finds nothing serious in front of a piece');
	await shot(page, 'piece-desktop');
	await page.keyboard.press('Escape');
	await page.waitForSelector('#piece:not([open])', { state: 'attached' });
	tap.eq(await page.evaluate(() => location.hash), '', 'Escape closes it');
	await leave(page);
	const phone = await walkIn(PHONE);
	await open(phone, item.item);
	await offerState(phone, 'live');
	await sleep(500);
	await shot(phone, 'piece-phone');
	tap.ok(await phone.evaluate(() => document.getElementById('piece').scrollWidth <= innerWidth), 'it fits a phone');
	tap.eq(await serious(phone), [], 'axe finds nothing serious there');
	await leave(phone);
});

await tap.test('standing and consent', async () => {
	const page = await walkIn();
	await page.selectOption('#persona', 'platinum');
	await page.waitForFunction(() => /platinum member/.test(document.getElementById('who').textContent) && document.getElementById('link').dataset.state === 'open');
	const item = await calm();
	await open(page, item.item);
	await page.waitForFunction(() => /Platinum member/.test(document.getElementById('offer-reasons').textContent), null, { timeout: 20000 });
	tap.ok(true, 'a platinum member gets a member\'s price');
	tap.ok((await page.textContent('#offer-disclosure')).length > 20 && await page.isVisible('#offer-disclosure'), 'and is told that it is personal');
	await leave(page);
});

await tap.test('an offer changes', async () => {
	const page = await walkIn();
	// The next thing that happens to it is a bid, in a few seconds: the shop raises its list price, the market its bid.
	const item = await find((i) => !tried.has(i.item) && i.next_in_ms > 2500 && i.next_in_ms < 12000 && i.ends_in_ms > i.next_in_ms + 6000, 'a piece that will be bid on');
	await open(page, item.item);
	await offerState(page, 'live');
	const [before, bidBefore] = [await price(page), await page.textContent('#piece-bid')];
	await page.waitForFunction((was) => document.getElementById('piece-bid').textContent !== was, bidBefore, { timeout: 30000 });
	tap.ok(true, 'the bid line follows the market', [bidBefore, await page.textContent('#piece-bid')]);
	tap.ok(/^Best bid .* in the last minute/.test(await page.textContent('#bids-text')), 'in words, too', await page.textContent('#bids-text'));
	tap.ok(await page.$('#bids .line'), 'and as a line');
	await page.waitForFunction((was) => {
		const now = document.getElementById('offer-price').textContent;
		return document.getElementById('offer').dataset.state !== 'live' || now !== was;
	}, before, { timeout: 30000 });
	tap.ok(await page.getAttribute('#offer', 'data-state') !== 'live' || await price(page) !== before, 'the offer changes with it', [before, await price(page)]);
	await shot(page, 'piece-moving');
	await leave(page);
});

await tap.test('an offer is withdrawn', async () => {
	const page = await walkIn();
	// Its auction ends while the offer is live: sold, to someone of 2021.
	const item = await find((i) => !tried.has(i.item) && i.ends_in_ms > 4000 && i.ends_in_ms < 16000 && i.next_in_ms > i.ends_in_ms - 500, 'an auction that is about to end');
	await open(page, item.item);
	await offerState(page, 'live');
	await offerState(page, 'sold', 40);
	tap.eq(await page.textContent('#offer-say'), 'Sold out. Someone was quicker.', 'an offer whose piece is gone is withdrawn, in words');
	tap.ok(!(await page.isVisible('#order')), 'and cannot be ordered');
	await page.waitForFunction(() => /Sold out/.test(document.querySelector('#piece > [data-live="assertive"]').textContent));
	tap.ok(true, 'which is announced at once');
	await shot(page, 'piece-sold');
	await leave(page);
});

await tap.test('sales are paused', async () => {
	const page = await walkIn();
	const item = await calm();
	await open(page, item.item);
	await offerState(page, 'live');
	const began = Date.now();
	runSouk('pause', '--config', demo.config);
	await offerState(page, 'gone');
	tap.eq(await page.textContent('#offer-say'), 'Sales are paused for a moment.', 'a pause withdraws the offer, in words');
	tap.ok(Date.now() - began < 10000, 'soon', Date.now() - began);
	runSouk('resume', '--config', demo.config);
	await waitFor(async () => {
		if (await page.getAttribute('#offer', 'data-state') === 'live') return true;
		if (await page.isVisible('#again')) await page.click('#again');
		await sleep(300);
		return false;
	}, 20, 'an offer after the pause');
	tap.ok(true, 'after it one can ask again');
	await leave(page);
});

await tap.test('an order', async () => {
	const mine = await walkIn();
	const other = await walkIn(PHONE);
	const item = await calm();
	await Promise.all([mine, other].map(async (page) => {
		await open(page, item.item);
		await offerState(page, 'live');
	}));
	await mine.click('#order');
	await untilState(mine, 'FINAL');
	tap.eq(await states(mine), ['ACCEPTED', 'RESERVED', 'SENT', 'MINED', 'CONFIRMED', 'FINAL'].map((s) => `${s}:done`), 'an order goes all the way to FINAL');
	tap.ok(!(await mine.isVisible('#order')), 'it cannot be ordered twice');
	await shot(mine, 'order-final');
	await offerState(other, 'sold');
	tap.eq(await other.textContent('#offer-say'), 'Sold out. Someone was quicker.', 'another visitor sees that it is sold out');
	await shot(other, 'piece-sold-phone');
	await mine.keyboard.press('Escape');
	await mine.click('#orders-open');
	tap.ok((await mine.textContent('#orders-list')).includes(item.title), 'the list of orders has it');
	tap.eq(await serious(mine), [], 'axe finds nothing serious in the list of orders');
	await shot(mine, 'orders-desktop');
	await mine.reload();
	await mine.waitForFunction(() => document.getElementById('link').dataset.state === 'open');
	await mine.click('#orders-open');
	tap.eq(await mine.getAttribute('#orders-list .state', 'data-state'), 'FINAL', 'and still after a reload');
	await leave(mine);
	await leave(other);
});

await tap.test('a gateway dies', async () => {
	const page = await walkIn();
	const item = await calm();
	await open(page, item.item);
	await offerState(page, 'live');
	await page.click('#order');
	await page.waitForFunction(() => !['SENDING', null].includes(document.querySelector('#piece-order .state')?.dataset.state ?? null));
	const pid = demo.child('ws-server');
	process.kill(pid, 'SIGKILL');
	await page.waitForFunction(() => document.getElementById('link').dataset.state !== 'open', null, { timeout: 20000 });
	tap.ok(true, 'the page notices that its gateway is gone');
	await page.waitForFunction(() => document.getElementById('link').dataset.state === 'open', null, { timeout: 60000 });
	const now = demo.child('ws-server');
	tap.ok(now && now !== pid, 'and finds the next one');
	await untilState(page, 'FINAL', 90);
	tap.eq(await orderState(page), 'FINAL', 'the order\'s states go on');
	const next = await calm();
	await open(page, next.item);
	await offerState(page, 'live');
	tap.ok(true, 'and offers come again');
	await leave(page);
});

await tap.test('the keyboard alone', async () => {
	const page = await walkIn();
	const focus = () => page.evaluate(() => document.activeElement.id || document.activeElement.className);
	await page.keyboard.press('Tab');
	tap.eq(await focus(), 'skip', 'the first stop leads past the top');
	await page.keyboard.press('Enter');
	await page.keyboard.press('Tab');
	tap.eq(await focus(), 'card', 'to the first piece');
	// On to one that stays for a while, as a person would choose.
	const steady = new Set((await items()).filter((i) => !i.sold && never(i.next_in_ms) && never(i.ends_in_ms)).map((i) => i.item));
	for (let i = 0; i < 80 && !steady.has(await page.evaluate(() => document.activeElement.dataset.item)); i++) await page.keyboard.press('Tab');
	const item = await page.evaluate(() => document.activeElement.dataset.item);
	tap.ok(item !== undefined, 'Tab goes from piece to piece');
	tap.ok(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle === 'solid' && parseFloat(getComputedStyle(document.activeElement).outlineWidth) >= 2), 'and is seen');
	await page.keyboard.press('Enter');
	await page.waitForSelector('#piece[open]');
	tap.eq(await focus(), 'piece-title', 'Enter goes up to it');
	await offerState(page, 'live');
	for (let i = 0; i < 6 && await focus() !== 'order'; i++) await page.keyboard.press('Tab');
	tap.eq(await focus(), 'order', 'Tab reaches the order');
	const inside = [];
	for (let i = 0; i < 8; i++) {
		inside.push(await page.evaluate(() => document.activeElement === document.body || document.getElementById('piece').contains(document.activeElement)));
		await page.keyboard.press('Tab');
	}
	tap.ok(inside.every(Boolean), 'and stays in the dialog');
	for (let i = 0; i < 8 && await focus() !== 'order'; i++) await page.keyboard.press('Tab');
	await page.keyboard.press('Enter');
	await page.waitForSelector('#piece-order .state');
	tap.ok(true, 'Enter orders');
	await page.keyboard.press('Escape');
	await page.waitForFunction(() => !document.getElementById('piece').open);
	tap.eq(await page.evaluate(() => document.activeElement.dataset.item), item, 'Escape goes back to where one stood');
	await leave(page);
});

const { code, summary } = await demo.stop();
tap.ok(code === 0 && Object.values(summary.checks).every(Boolean), 'the demo ends well, with all its checks', JSON.stringify(summary) + demo.stderr);

await tap.test('a payment fails', async () => {
	tried.clear();
	demo = await Demo.start('--rate', '2', '--shoppers', '2', ...dryRun(10000));
	const page = await walkIn(PHONE);
	const item = await calm();
	await open(page, item.item);
	await offerState(page, 'live');
	await page.click('#order');
	await untilState(page, 'REVERTED');
	tap.eq(await page.textContent('#piece-order .state'), 'Payment taken back: The payment went wrong.', 'an order whose payment fails says so');
	await page.waitForFunction(() => /Payment taken back/.test(document.querySelector('#piece > [data-live="assertive"]').textContent));
	tap.ok(true, 'aloud');
	await waitFor(async () => {
		if (await page.isVisible('#order')) return true;
		if (await page.isVisible('#again')) await page.click('#again');
		await sleep(500);
		return false;
	}, 40, 'another offer for it');
	tap.ok(true, 'the piece is on offer again');
	await shot(page, 'order-reverted-phone');
	await leave(page);
});
await demo.stop();

tap.eq(complaints, [], 'no page had an error, and the policy refused nothing');
await browser.close();
process.exit(tap.done());
