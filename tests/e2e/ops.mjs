// The operations view of the demo: what it collects is what the roles say, and the page shows it, in charts and in tables, to the eye, the ear and
// the keyboard; also when a role is away. Screenshots stay in build/artefacts.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Demo, ROOT, chromium, serious, sleep, waitFor } from './browser/demo.mjs';
import { Tap } from './browser/tap.mjs';

const ARTEFACTS = join(process.env.BUILD ?? join(ROOT, 'build'), 'artefacts');
const DESKTOP = { viewport: { width: 1440, height: 900 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };

const tap = new Tap();
mkdirSync(ARTEFACTS, { recursive: true });
const demo = await Demo.start('--rate', '20', '--shoppers', '20');
const browser = await chromium();
const complaints = []; // of any page: errors, and what the Content-Security-Policy refused

const api = async (path) => {
	const reply = await fetch(`${demo.ready.http}api/ops/${path}`);
	return { status: reply.status, body: await reply.json() };
};
const now = async () => (await api('now')).body;
const series = async (since = 0) => (await api(`series?since=${since}`)).body;
const total = (answer, family, label) => answer.totals[family]?.[label] ?? 0;
const role = (answer, name) => answer.roles.find((r) => r.role === name);
/** The state of the world after this moment: a row that was asked for later. */
const laterThan = (ms) => waitFor(async () => {
	const a = await now();
	return a.now > ms + 2100 && a;
}, 15, 'a later row');

async function open(options = DESKTOP, path = 'ops') {
	const context = await browser.newContext({ colorScheme: 'dark', ...options });
	const page = await context.newPage();
	page.on('pageerror', (e) => complaints.push(e.stack ?? e.message));
	page.on('console', (m) => m.type() === 'error' && !/ERR_FAILED/.test(m.text()) && complaints.push(m.text()));
	await page.goto(demo.ready.http + path);
	return page;
}
const opened = async (options) => {
	const page = await open(options);
	await page.waitForSelector('body[data-state="live"]');
	await page.waitForSelector('#cards-traffic path.line', { state: 'attached' });
	return page;
};
/** Each chart is drawn when it comes into sight. */
const seeAll = async (page) => {
	await page.evaluate(async () => {
		for (const e of document.querySelectorAll('article')) {
			e.scrollIntoView();
			await new Promise((done) => setTimeout(done, 50));
		}
		scrollTo(0, 0);
	});
	await sleep(500);
};
const card = (page, id) => page.locator(`article[aria-labelledby="${id}-title"]`);
const leave = (page) => page.context().close();

await tap.test('what is collected', async () => {
	await waitFor(async () => total(await now(), 'events', 'acked') > 60, 60, 'some traffic');
	const answer = await now();
	tap.eq(answer.roles.map((r) => r.role), Object.keys(demo.ready.admin), 'every role is watched');
	tap.ok(answer.roles.every((r) => r.state === 'ready' && r.restarts === 0 && r.memory_bytes > 1e6), 'and ready', answer.roles);
	tap.ok(Math.abs(answer.now - Date.now()) < 5000, 'the newest row is of now', answer.now - Date.now());
	const sides = [...new Set(answer.feeds.map((f) => f.side))].sort();
	tap.ok(['inventory', 'loyalty', 'market', 'profile'].every((side) => sides.includes(side)), 'feeds of every side are read', sides);
	tap.ok(answer.feeds.every((f) => f.age_ms >= 0 && f.age_ms < 15000 && f.complete), 'complete and alive', answer.feeds.find((f) => !(f.age_ms < 15000) || !f.complete));
	tap.eq([(await api('series?since=x')).status, (await api('series?since=-1')).body.error.code, (await api('series?since=%zz')).status], [400, 'bad_query', 400], 'a time that is none is refused, with its code');
	tap.eq((await fetch(`${demo.ready.http}api/ops/now`, { method: 'POST' })).status, 405, 'nothing can be changed here');
});

await tap.test('it agrees with the metrics of the roles', async () => {
	const watched = [
		['ws-server', 'souk_ws_events_total{result="acked"}', 'events', 'acked'],
		['ws-server', 'souk_ws_pushes_total{type="offer"}', 'pushes', 'offer'],
		['pricing', 'souk_pricing_decisions_total{outcome="OFFER"}', 'decisions', 'OFFER'],
		['bidding', 'souk_bidding_rows_published_total', 'market_rows', 'all'],
		...('wallet-bridge' in demo.ready.admin ? [['wallet-bridge', 'souk_wallet_results_total{state="ACCEPTED"}', 'order_results', 'ACCEPTED']] : []),
	];
	const before = await now();
	const said = {};
	for (const name of new Set(watched.map(([r]) => r))) said[name] = await (await fetch(`${demo.ready.admin[name]}/metrics`)).text();
	const after = await laterThan(Date.now());
	for (const [name, metric, family, label] of watched) {
		const line = said[name].split('\n').find((l) => l.startsWith(`${metric} `)) ?? '';
		const value = Number(line.slice(metric.length));
		const [low, high] = [total(before, family, label), total(after, family, label)];
		tap.ok(line && low <= value && value <= high, `${metric} lies between what was collected before and after`, [low, value, high]);
	}
	const rows = await series(after.now - 20000);
	const events = rows.series.events.acked.filter((v) => v !== null);
	const mean = events.reduce((a, b) => a + b, 0) / events.length;
	tap.ok(mean > 10 && mean < 30, 'events come at the rate that was asked for', mean);
	const steps = rows.t.slice(1).map((t, i) => t - rows.t[i]);
	tap.ok(steps.every((ms) => ms > 500 && ms < 2500), 'a row a second', steps);
	const lengths = new Set(Object.values(rows.series).flatMap((labels) => Object.values(labels).map((column) => column.length)));
	tap.eq([...lengths], [rows.t.length], 'each column has a number for each row');
	tap.eq((await series(rows.now)).t.filter((t) => t <= rows.now), [], 'later rows only are given when asked so');
	for (const family of ['ack', 'push', 'decision']) {
		const q = (await now()).latency_ms[family];
		tap.ok(q.p50 > 0 && q.p50 <= q.p90 && q.p90 <= q.p99 && q.p99 <= 10000, `percentiles of ${family} rise`, q);
	}
});

await tap.test('charts', async () => {
	const page = await opened();
	await waitFor(() => page.evaluate(() => document.querySelectorAll('#cards-traffic path.line').length >= 4), 10, 'lines');
	const drawn = await card(page, 'throughput').locator('path.line[d*="L"]').count();
	tap.ok(drawn >= 3, 'lines are drawn', drawn);
	const legend = await card(page, 'throughput').locator('.legend li').allTextContents();
	tap.ok(legend.length === 4 && /^events \d/.test(legend[0]) && /^offers \d/.test(legend[1]), 'their legend names them with their numbers', legend);
	const dashes = await card(page, 'throughput').locator('.legend path').evaluateAll((all) => all.map((p) => getComputedStyle(p).strokeDasharray));
	tap.eq(new Set(dashes).size, dashes.length, 'no two of them have the same dashes');
	const ends = await card(page, 'throughput').locator('text.end').allTextContents();
	tap.ok(ends.includes('events') && ends.includes('offers'), 'each has its name at its end', ends);
	tap.ok(/^events: .+ now, mean .+, highest .+; offers: /.test(await page.textContent('#throughput-summary')), 'a chart is described in words', await page.textContent('#throughput-summary'));
	const named = await page.locator('svg[role="img"]').evaluateAll((all) => all.every((svg) => ['aria-labelledby', 'aria-describedby'].every((a) => document.getElementById(svg.getAttribute(a)))));
	tap.ok(named, 'each picture has a name and a description');
	await page.locator('#decisions-title').scrollIntoViewIfNeeded();
	await waitFor(() => card(page, 'outcomes').locator('path.area').count(), 10, 'columns');
	tap.ok((await card(page, 'outcomes').locator('.legend li').allTextContents()).some((t) => t.startsWith('OFFER ')), 'decisions are shown by outcome');
	const fills = await card(page, 'outcomes').locator('.legend rect').evaluateAll((all) => all.map((r) => r.getAttribute('fill')));
	tap.eq(new Set(fills).size, fills.length, 'each with a texture of its own');
	tap.ok((await page.textContent('#fact-events')) !== 'unknown' && /^\d of \d$/.test(await page.textContent('#fact-roles')), 'the numbers on top are there');
	await leave(page);
});

await tap.test('tables', async () => {
	const page = await opened();
	const toggle = card(page, 'throughput').locator('.toggle');
	await toggle.focus();
	await page.keyboard.press('Enter');
	tap.eq([await toggle.getAttribute('aria-pressed'), await page.locator('#throughput-table').isVisible(), await card(page, 'throughput').locator('svg[role="img"]').isVisible()], ['true', true, false], 'a key turns a chart into its table');
	tap.eq(await toggle.innerText().then((t) => t.replace(/\s+/g, ' ').trim()), 'Table of Events and offers', 'the button says of what');
	const scopes = await page.locator('#throughput-table').evaluate((box) => [box.querySelector('caption').textContent, [...box.querySelectorAll('thead th')].map((th) => th.scope), [...box.querySelectorAll('tbody th')].every((th) => th.scope === 'row')]);
	tap.eq(scopes, ['Events and offers, per second: means of 10 seconds', ['col', 'col', 'col', 'col', 'col'], true], 'a caption, and scopes');
	await waitFor(() => page.locator('#throughput-table tbody tr').count().then((n) => n >= 3), 30, 'three steps');

	// A step that is over: the table's numbers are the rows' means.
	const [key, events] = await page.locator('#throughput-table tbody tr').nth(1).evaluate((tr) => [Number(tr.dataset.key), tr.cells[1].textContent]);
	const rows = await series();
	const known = rows.series.events.acked.filter((v, i) => v !== null && rows.t[i] >= key && rows.t[i] < key + 10000);
	const mean = known.reduce((a, b) => a + b, 0) / known.length;
	tap.ok(Math.abs(Number(events) - mean) < 0.06, 'the table says what was collected', [events, mean]);

	await page.evaluate(() => {
		window.kept = document.querySelector('#throughput-table tbody tr:nth-child(2)');
		window.said = 0;
		for (const e of document.querySelectorAll('[role="status"], [role="alert"], [aria-live]')) {
			new MutationObserver((all) => (window.said += all.length)).observe(e, { childList: true, characterData: true, subtree: true });
		}
	});
	const before = await page.textContent('#as-of');
	await sleep(3500);
	tap.ok((await page.textContent('#as-of')) !== before, 'numbers go on meanwhile');
	tap.ok(await page.evaluate(() => window.kept.isConnected), 'rows stay the same while they are read');
	tap.ok(await toggle.evaluate((b) => b === document.activeElement), 'the focus stays where it was');
	tap.eq(await page.evaluate(() => window.said), 0, 'nothing is announced each second');
	await page.keyboard.press('Space');
	tap.eq([await toggle.getAttribute('aria-pressed'), await page.locator('#throughput-table').isVisible()], ['false', false], 'and back');

	for (const one of await page.locator('.toggle').all()) await one.click();
	await sleep(1500);
	tap.eq(await serious(page), [], 'axe finds nothing serious among the tables');
	await page.screenshot({ path: join(ARTEFACTS, 'ops-tables.png'), fullPage: true });
	await leave(page);
});

await tap.test('pause, and a process that does not answer', async () => {
	const page = await opened();
	const asOf = () => page.textContent('#as-of');
	await page.click('#pause');
	await sleep(1200); // what was on its way
	const at = await asOf();
	let asked = 0;
	page.on('request', () => asked++);
	await sleep(2500);
	tap.eq([await asOf(), asked, await page.getAttribute('#pause', 'aria-pressed'), await page.textContent('#state')], [at, 0, 'true', 'Paused'], 'paused: nothing moves, nothing is asked');
	await page.click('#pause');
	await waitFor(async () => (await asOf()) !== at, 10, 'an update');
	tap.eq(await page.textContent('#state'), 'Updating every second', 'it goes on');
	await page.route('**/api/ops/**', (r) => r.abort());
	await page.waitForSelector('body[data-state="lost"]');
	tap.ok(/does not answer/.test(await page.textContent('#state')), 'a process that is gone is said');
	await page.unroute('**/api/ops/**');
	await page.waitForSelector('body[data-state="live"]');
	await leave(page);

	const calm = await opened({ ...DESKTOP, reducedMotion: 'reduce' });
	await calm.evaluate(() => {
		window.drawn = 0;
		new MutationObserver(() => window.drawn++).observe(document.getElementById('as-of'), { childList: true, characterData: true, subtree: true });
	});
	await sleep(6000);
	tap.ok((await calm.evaluate(() => window.drawn)) <= 2, 'who wants less motion gets a drawing in five seconds', await calm.evaluate(() => window.drawn));
	await leave(calm);
});

await tap.test('a role that is away', async () => {
	const page = await opened();
	const state = (name) => page.locator(`#roles-table tr[data-key="${name}"] td`).first().textContent();
	const pid = demo.child('pricing');
	process.kill(pid, 'SIGSTOP');
	try {
		await waitFor(async () => role(await now(), 'pricing').state === 'away', 15, 'a role that is away');
		await waitFor(async () => /away/.test(await state('pricing')), 10, 'the page');
		const last = await series((await now()).now - 1500);
		tap.eq([last.series.decisions.OFFER.at(-1), last.series.up.pricing.at(-1), last.series.up['ws-server'].at(-1)], [null, 0, 2], 'its columns have a hole, not a zero');
		tap.ok((await page.textContent('#fact-roles')).startsWith(`${Object.keys(demo.ready.admin).length - 1} of`), 'the page counts one less');
	} finally {
		process.kill(pid, 'SIGCONT');
	}
	await waitFor(async () => role(await now(), 'pricing').state === 'ready', 30, 'a role that is back');
	tap.eq(role(await now(), 'pricing').restarts, 0, 'who slept did not restart');

	const before = total(await now(), 'market_rows', 'all');
	process.kill(demo.child('bidding'), 'SIGKILL');
	const back = await waitFor(async () => {
		const a = await now();
		return role(a, 'bidding').restarts === 1 && role(a, 'bidding').state === 'ready' && a;
	}, 60, 'a restart');
	tap.ok(total(back, 'market_rows', 'all') >= before, 'totals do not go back with a restart', [before, total(back, 'market_rows', 'all')]);
	tap.ok((await series()).series.market_rows.all.every((v) => v === null || (v >= 0 && v < 5000)), 'nor are there rates that never were');
	await waitFor(async () => (await page.locator('#roles-table tr[data-key="bidding"] td').nth(2).textContent()) === '1', 10, 'the page');
	tap.ok(true, 'the page counts the restart');
	await leave(page);
});

await tap.test('phone, light and dark, keyboard', async () => {
	const phone = await opened(PHONE);
	tap.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'a phone shows it without scrolling sideways');
	await seeAll(phone);
	tap.eq(await serious(phone), [], 'axe finds nothing serious on a phone');
	await phone.screenshot({ path: join(ARTEFACTS, 'ops-phone.png'), fullPage: true });
	await leave(phone);
	const light = await opened({ ...DESKTOP, colorScheme: 'light' });
	tap.eq(await serious(light), [], 'nor in the light');
	await leave(light);

	const page = await opened();
	await seeAll(page);
	tap.eq(await serious(page), [], 'nor in the dark');
	await page.screenshot({ path: join(ARTEFACTS, 'ops-desktop.png'), fullPage: true });
	await page.keyboard.press('Tab');
	await page.keyboard.press('Enter');
	tap.eq(await page.evaluate(() => document.activeElement.id), 'main', 'the first stop skips to the numbers');
	const stops = [];
	for (let i = 0; i < 8; i++) {
		await page.keyboard.press('Tab');
		stops.push(await page.evaluate(() => document.activeElement.id || document.activeElement.className));
	}
	tap.eq(stops.slice(0, 4), ['window', 'pause', 'toggle', 'toggle'], 'then its controls, in their order');
	await page.selectOption('#window', '600');
	const ticks = await waitFor(async () => {
		const texts = await card(page, 'throughput').locator('.axes text').allTextContents();
		return texts.includes('\u22128 min') && texts;
	}, 10, 'ten minutes');
	tap.ok(!ticks.includes('\u221290 s'), 'a longer time can be chosen');
	await page.click('nav a[href="/"]');
	await page.waitForSelector('#halls');
	await page.click('a[href="/ops"]');
	await page.waitForSelector('body[data-state="live"]');
	tap.ok(true, 'the shop and this page lead to each other');
	await leave(page);
});

await browser.close();
tap.eq(complaints, [], 'no page complained, and the policy refused nothing');
const { code } = await demo.stop();
tap.eq(code, 0, 'the scene ended well, a restart included');
process.exitCode = tap.done();
