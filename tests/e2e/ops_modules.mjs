// The parts of the operations page that think, without a browser: its memory of rows, scales, shapes, the rows of its tables.
import { Tap } from './browser/tap.mjs';

const web = new URL('../../souk/demo/web/js/ops/', import.meta.url);
const load = (name) => import(new URL(name, web));
const [{ ROWS_MAX, Rows, add, gather, summary }, scale, { linePath, rectPath, runs, stack }, { barRows, timeRows }, { SECTIONS }, facts] =
	await Promise.all(['rows.js', 'scale.js', 'shape.js', 'table.js', 'charts.js', 'facts.js'].map(load));

const tap = new Tap();
const reply = (t, series) => ({ now: t[t.length - 1] ?? 0, step_ms: 1000, t, series });

await tap.test('rows', () => {
	const rows = new Rows();
	tap.eq([rows.last, rows.add(reply([], {})), rows.since(60)], [0, 0, 0], 'nothing is there at first');
	tap.eq(rows.add(reply([1000, 2000], { events: { acked: [1, null] } })), 2, 'rows are taken');
	tap.eq(rows.add(reply([2000, 3000], { events: { acked: [9, 3], bad: [9, 4] } })), 1, 'what is known already is not taken twice');
	tap.eq([rows.t, rows.column('events', 'acked'), rows.column('events', 'bad')], [[1000, 2000, 3000], [1, null, 3], [null, null, 4]], 'a new column was unknown before');
	rows.add(reply([4000], { events: { bad: [5] } }));
	tap.eq(rows.column('events', 'acked'), [1, null, 3, null], 'a column that is not named is unknown');
	tap.eq(rows.column('events', 'none'), [null, null, null, null], 'so is one that never was');
	tap.eq(rows.labels('events'), ['acked', 'bad'], 'labels of a family');
	tap.eq(rows.sum('events', ['acked', 'bad']), [1, null, 7, 5], 'a sum is unknown where all its parts are');
	tap.eq([rows.since(2), rows.since(2.5), rows.since(1000)], [2, 1, 0], 'a window is counted from the newest row');
	tap.eq(rows.add(reply([500, 600], { events: { acked: [1, 1] } })), 0, 'older rows change nothing');
	const times = Array.from({ length: ROWS_MAX + 10 }, (_, i) => 5000 + i * 1000);
	rows.add(reply(times, { events: { acked: times.map((t) => t / 1000) } }));
	tap.eq([rows.t.length, rows.t[0], rows.column('events', 'acked')[0], rows.column('events', 'bad').length], [ROWS_MAX, 15000, 15, ROWS_MAX], 'the oldest rows are forgotten, in every column');
	const odd = new Rows();
	odd.add(JSON.parse('{"t":[1],"series":{"__proto__":{"constructor":[1]},"events":{"__proto__":[2]}}}'));
	tap.eq([odd.column('__proto__', 'constructor'), odd.column('events', '__proto__'), ({}).constructor], [[1], [2], Object], 'names from outside are names only');
});

await tap.test('steps and summaries', () => {
	const t = [10000, 11000, 19000, 20000, 35000];
	tap.eq(gather(t, [[1, 3, null, null, 5]], 10000, 'mean'), { t: [10000, 20000, 30000], columns: [[2, null, 5]] }, 'steps are of the clock, their means of what is known');
	tap.eq(gather(t, [[1, 3, 2, 7, 5]], 10000, 'highest').columns, [[3, 7, 5]], 'or the highest');
	tap.eq(gather(t, [[1, 3, 0, 7, 5]], 10000, 'lowest').columns, [[0, 7, 5]], 'or the lowest');
	tap.eq(gather([], [[]], 10000, 'mean'), { t: [], columns: [[]] }, 'nothing gathered is nothing');
	tap.eq([summary([1, null, 3]), summary([2, null]), summary([null])], [{ last: 3, mean: 2, highest: 3 }, { last: null, mean: 2, highest: 2 }, null], 'a summary says what is known');
	tap.eq(add([[1, null], [null, null]], 2), [1, null], 'unknown and unknown is unknown');
});

await tap.test('scales', () => {
	tap.eq(scale.linearTicks(97), [0, 25, 50, 75, 100], 'round ticks up to what is there');
	tap.eq([scale.linearTicks(0), scale.linearTicks(1)], [[0, 0.25], [0, 0.25, 0.5, 0.75, 1]], 'also of nothing, and of one');
	for (const max of [0.001, 0.3, 1, 7, 12, 99, 100, 101, 123456, 2.5e9]) {
		const ticks = scale.linearTicks(max);
		tap.ok(ticks[ticks.length - 1] >= max && ticks[ticks.length - 2] < max && ticks.length <= 5, `ticks hold ${max} and no more than they must`, ticks);
	}
	tap.eq(scale.logTicks(0.4, 30).map((v) => v.toPrecision(1)), ['0.1', '1', '1e+1', '1e+2'], 'decades around the numbers');
	tap.eq([scale.logTicks(1, 1), scale.logTicks(10, 1000)], [[1, 10], [10, 100, 1000]], 'at least one, and no more than they need');
	const linear = scale.scaleOf('linear', [null, 5, 10]);
	tap.eq([linear.place(0), linear.place(5), linear.place(10)], [0, 0.5, 1], 'numbers have their place');
	const log = scale.scaleOf('log', [1, 100, null, 0]);
	tap.eq([log.place(1), log.place(10), log.place(100), log.place(0)], [0, 0.5, 1, 0], 'also on a logarithmic scale, where 0 is at the bottom');
	tap.eq(scale.scaleOf('log', [null, 0]).ticks, [1, 10], 'which has ticks though it has no number');
	tap.eq(scale.timeTicks(600).map((k) => k.text), ['\u221210 min', '\u22128 min', '\u22126 min', '\u22124 min', '\u22122 min', 'now'], 'ten minutes have their ticks');
	tap.eq(scale.timeTicks(120).map((k) => k.text), ['\u22122 min', '\u221290 s', '\u22121 min', '\u221230 s', 'now'], 'so have two');
	tap.eq(scale.spread([50, 51, 10], 12, 0, 100), [50, 62, 10], 'names that would overlap are moved apart');
	tap.eq(scale.spread([99, 100, 98], 12, 0, 100), [88, 100, 76], 'within their place');
	tap.eq(scale.spread([], 12, 0, 100), [], 'none is none');
});

await tap.test('words', () => {
	tap.eq([scale.say('rate', 20), scale.say('rate', 20.06), scale.say('rate', 1234.5), scale.say('rate', 0.126)], ['20', '20.1', '1,235', '0.13'], 'as many digits as say something');
	tap.eq([scale.say('ms', 0.4321), scale.say('ms', 999), scale.say('ms', 2381)], ['0.43 ms', '999 ms', '2.38 s'], 'times in their unit');
	tap.eq([scale.say('percent', 0.052), scale.say('bytes', 20520960), scale.say('count', 1234567), scale.say('s', 3.136)], ['5.2 %', '20.5 MB', '1,234,567', '3.14 s'], 'and the others');
	tap.eq([0, 1, 2].map((v) => scale.say('state', v)), ['away', 'not ready', 'ready'], 'states of a role');
	tap.eq([scale.say('rate', null), scale.say('ms', undefined)], ['unknown', 'unknown'], 'what is not known is said to be');
	tap.eq([scale.duration(-5), scale.duration(59999), scale.duration(61000), scale.duration(7.5e6)], ['0 s', '59 s', '1 min 1 s', '2 h 5 min'], 'durations');
});

await tap.test('shapes', () => {
	const x = (t) => t / 100;
	const y = (v) => 100 - v;
	tap.eq(linePath([0, 1000, 2000], [1, 2, 3], x, y, 2500), 'M0 99L10 98L20 97', 'a line goes through its points');
	tap.eq(linePath([0, 1000, 2000, 3000], [1, null, 3, 4], x, y, 2500), 'M0 99h0M20 97L30 96', 'a hole breaks it, and a point alone is a dot');
	tap.eq(linePath([0, 1000, 9000, 10000], [1, 2, 3, 4], x, y, 2500), 'M0 99L10 98M90 97L100 96', 'so do rows that are missing');
	tap.eq([linePath([], [], x, y, 1), linePath([0], [null], x, y, 1)], ['', ''], 'no points, no line');
	tap.eq(stack([[1, null, 3], [2, 5, null]]), [[{ from: 0, to: 1 }, null, { from: 0, to: 3 }], [{ from: 1, to: 3 }, { from: 0, to: 5 }, null]], 'parts stand upon each other, and an unknown one is not there');
	tap.eq(stack([]), [], 'nothing stacked is nothing');
	tap.eq(rectPath([{ x: 0, y: 1, width: 2, height: 3 }, { x: 0, y: 0, width: 0, height: 3 }, { x: 0, y: 0, width: 3, height: -1 }]), 'M0 1h2v3h-2z', 'rectangles without area are not drawn');
	tap.eq(runs([2, 2, 0, 2]), [{ value: 2, from: 0, to: 2 }, { value: 0, from: 2, to: 3 }, { value: 2, from: 3, to: 4 }], 'runs of equal values');
});

await tap.test('tables', () => {
	const t = [1700000000000, 1700000001000, 1700000010000];
	const table = timeRows(t, [{ name: 'events', values: [1, 3, null] }, { name: 'offers', values: [4, 4, 10.25] }], 'rate', 'mean');
	tap.eq(table.head, ['From', 'events', 'offers'], 'a column each');
	tap.eq(table.rows.map((r) => r.cells.slice(1)), [['unknown', '10.3'], ['2', '4']], 'a row for ten seconds, the newest first');
	tap.eq(table.rows.map((r) => r.key), ['1700000010000', '1700000000000'], 'with a key that stays');
	tap.eq(barRows([{ name: 'SOLD_OUT', value: 1200, rate: 0.5 }, { name: 'PAUSED', value: 1, rate: null }], ['Reason', 'Total', 'Now']).rows.map((r) => r.cells),
		[['SOLD_OUT', '1,200', '0.5'], ['PAUSED', '1', 'unknown']], 'bars have their numbers');
});

const NOW = {
	now: 1700000060000,
	roles: [
		{ role: 'ws-server', state: 'ready', restarts: 1, started: 1700000000000, cpu: 0.05, memory_bytes: 2e7 },
		{ role: 'pricing', state: 'not_ready', why: 'kafka: no broker', restarts: 0, started: 1700000000000, cpu: null, memory_bytes: null },
		{ role: 'bidding', state: 'away', restarts: 0, cpu: null, memory_bytes: null },
	],
	totals: { reasons: { SOLD_OUT: 2, PAUSED: 0, STALE_MARKET: 5, NO_LISTING: 2 }, decisions: { EXPIRED: 0, NO_OFFER: 1, OFFER: 9, NEW: 1 }, order_results: { FINAL: 1, ACCEPTED: 2 } },
	rates: { reasons: { SOLD_OUT: 0.5 } },
	values: { feed_age: { market: 2.1, profile: 3.25, stock: null }, offers_followed: { all: 7 } },
	latency_ms: { push: { p50: 1, p90: 2, p99: null } },
	feeds: [{ side: 'market', shard: 'cool', age_ms: 1500, complete: true, gap: false }, { side: 'stock', shard: '0' }],
};

await tap.test('what is shown', () => {
	const rows = new Rows();
	rows.add(reply([1000], { decisions: { EXPIRED: [0], NEW: [1], NO_OFFER: [1], OFFER: [9] }, cpu: { pricing: [0.1], 'ws-server': [0.2] } }));
	const data = { rows, now: NOW, seconds: 600 };
	const chart = (id) => Object.values(SECTIONS).flat().find((c) => c.id === id);
	tap.eq(chart('reasons').bars(data).map((b) => b.name), ['STALE_MARKET', 'NO_LISTING', 'SOLD_OUT'], 'reasons that happened, the most frequent first');
	tap.eq(chart('reasons').bars(data)[2], { name: 'SOLD_OUT', value: 2, rate: 0.5 }, 'with total and rate');
	tap.eq(chart('outcomes').series(data).map((s) => s.name), ['OFFER', 'NO_OFFER', 'NEW'], 'outcomes that happened, in their order, a new one last');
	tap.eq(chart('states').bars(data).slice(0, 6).map((b) => [b.name, b.value]), [['ACCEPTED', 2], ['RESERVED', 0], ['SENT', 0], ['MINED', 0], ['CONFIRMED', 0], ['FINAL', 1]], 'states of orders in the order of their life');
	tap.eq(chart('refusals').bars(data), [], 'a family that is not there is empty');
	tap.eq(chart('cpu').series(data).map((s) => s.name), ['ws-server', 'pricing', 'bidding'], 'roles in their order, whoever answers');
	const ids = Object.values(SECTIONS).flat().map((c) => c.id);
	tap.eq(new Set(ids).size, ids.length, 'each chart has an id of its own');
	const head = Object.fromEntries(facts.headline(data));
	tap.eq([head['fact-roles'], head['fact-age'], head['fact-live'], head['fact-latency'], head['fact-events']], ['1 of 3', '3.25 s', '7', 'unknown', 'unknown'], 'the numbers on top');
	tap.eq(facts.roleRows(NOW).rows.map((r) => r.cells), [
		['ws-server', '\u25cf ready', '1 min 0 s', '1', '5 %', '20 MB'],
		['pricing', '\u25d0 not ready: kafka: no broker', '1 min 0 s', '0', 'unknown', 'unknown'],
		['bidding', '\u25cb away', 'unknown', '0', 'unknown', 'unknown'],
	], 'roles, and why one is not ready');
	tap.eq(facts.feedRows(NOW).rows.map((r) => r.cells), [['market cool', '1.5 s', 'yes', 'no'], ['stock 0', 'no such feed', 'no', 'unknown']], 'feeds, also one that is not there');
});

process.exitCode = tap.done();
