// The page's memory of /api/ops/series: times, and for each family and label one number (or null) a row. Pure: no DOM, no clock.

export const ROWS_MAX = 600;

export class Rows {
	constructor() {
		this.t = [];
		this.columns = new Map(); // "family label" -> numbers, as long as t
	}

	get last() {
		return this.t.length ? this.t[this.t.length - 1] : 0;
	}

	/** Takes a reply: its rows come after ours. What it does not name is unknown in its rows; what it names anew was unknown in ours. */
	add(reply) {
		const from = reply.t.findIndex((t) => t > this.last);
		if (from < 0) return 0;
		const times = reply.t.slice(from);
		const before = this.t.length;

		this.t.push(...times);
		for (const [family, labels] of Object.entries(reply.series)) {
			for (const [label, values] of Object.entries(labels)) {
				const key = `${family} ${label}`;
				if (!this.columns.has(key)) this.columns.set(key, new Array(before).fill(null));
				this.columns.get(key).push(...values.slice(from));
			}
		}
		for (const column of this.columns.values()) {
			while (column.length < this.t.length) column.push(null);
		}
		this.#forget();
		return times.length;
	}

	#forget() {
		const extra = this.t.length - ROWS_MAX;
		if (extra <= 0) return;
		this.t.splice(0, extra);
		for (const column of this.columns.values()) column.splice(0, extra);
	}

	labels(family) {
		const start = `${family} `;
		return [...this.columns.keys()].filter((k) => k.startsWith(start)).map((k) => k.slice(start.length));
	}

	/** Index of the first row of the last @seconds. */
	since(seconds) {
		const from = this.t.findIndex((t) => t > this.last - seconds * 1000);
		return from < 0 ? this.t.length : from;
	}

	column(family, label) {
		return this.columns.get(`${family} ${label}`) ?? new Array(this.t.length).fill(null);
	}

	/** Row by row the sum of the labels; unknown where none of them is known. */
	sum(family, labels) {
		return add(labels.map((label) => this.column(family, label)), this.t.length);
	}
}

export function add(columns, n) {
	const sum = new Array(n).fill(null);
	for (const column of columns) {
		for (let i = 0; i < n; i++) {
			if (column[i] !== null) sum[i] = (sum[i] ?? 0) + column[i];
		}
	}
	return sum;
}

const HOW = {
	mean: (values) => values.reduce((a, b) => a + b, 0) / values.length,
	highest: (values) => Math.max(...values),
	lowest: (values) => Math.min(...values),
};

/**
 * Rows gathered into steps of whole @stepMs of the clock, so that a step does not change once it is over: {t: [start of each], columns}.
 * A step without a known number is null.
 */
export function gather(t, columns, stepMs, how) {
	const starts = [];
	const index = t.map((ms) => {
		const start = Math.floor(ms / stepMs) * stepMs;
		if (starts[starts.length - 1] !== start) starts.push(start);
		return starts.length - 1;
	});
	const gathered = columns.map((column) => {
		const steps = starts.map(() => []);
		column.forEach((v, i) => v !== null && steps[index[i]].push(v));
		return steps.map((values) => (values.length ? HOW[how](values) : null));
	});
	return { t: starts, columns: gathered };
}

/** Of the known numbers: {last, mean, highest}; last is null when the newest row is unknown; null when none is known. */
export function summary(column) {
	const known = column.filter((v) => v !== null);
	if (!known.length) return null;
	return { last: column[column.length - 1], mean: HOW.mean(known), highest: HOW.highest(known) };
}
