// What the page says in words and tables of its own: the numbers on top, the roles, the shards of the feeds. Pure but for fillTable's.

import { duration, say } from './scale.js';

const newest = (column) => (column.length ? column[column.length - 1] : null);

/** [[id of the place, text]] */
export function headline({ rows, now }) {
	const ages = Object.values(now.values?.feed_age ?? {}).filter((v) => v !== null);
	const ready = now.roles.filter((r) => r.state === 'ready').length;
	return [
		['fact-events', say('rate', newest(rows.column('events', 'acked')))],
		['fact-offers', say('rate', newest(rows.column('pushes', 'offer')))],
		['fact-live', say('count', now.values?.offers_followed?.all)],
		['fact-orders', say('rate', newest(rows.column('orders', 'acked')))],
		['fact-open', say('count', now.values?.orders_open?.all)],
		['fact-latency', say('ms', now.latency_ms?.push?.p99)],
		['fact-age', ages.length ? say('s', Math.max(...ages)) : 'unknown'],
		['fact-roles', `${ready} of ${now.roles.length}`],
	];
}

const STATE = { ready: '\u25cf ready', not_ready: '\u25d0 not ready', away: '\u25cb away' };

export function roleRows(now) {
	return {
		head: ['Role', 'State', 'Running for', 'Restarts', 'Processor', 'Memory'],
		rows: now.roles.map((r) => ({
			key: r.role,
			cells: [
				r.role,
				r.why ? `${STATE[r.state]}: ${r.why}` : STATE[r.state],
				r.state !== 'away' && r.started ? duration(now.now - r.started) : 'unknown',
				say('count', r.restarts), say('percent', r.cpu), say('bytes', r.memory_bytes),
			],
		})),
	};
}

export function feedRows(now) {
	const yes = (b) => (b ? 'yes' : 'no');
	return {
		head: ['Feed', 'Age', 'Complete', 'Gap'],
		rows: now.feeds.map((f) => ({
			key: `${f.side} ${f.shard}`,
			cells: [`${f.side} ${f.shard}`, ...(f.age_ms === undefined ? ['no such feed', 'no', 'unknown'] : [say('s', f.age_ms / 1000), yes(f.complete), yes(f.gap)])],
		})),
	};
}
