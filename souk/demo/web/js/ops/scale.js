// From numbers to places and words. Pure.

/** Round steps that cut 0..@max into at most @n parts: [0, step, 2 step, …], the last one not below @max. */
export function linearTicks(max, n = 4) {
	const raw = (max > 0 ? max : 1) / n;
	const power = 10 ** Math.floor(Math.log10(raw));
	const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= raw * (1 - 1e-9));
	const ticks = [0];
	while (ticks[ticks.length - 1] < max * (1 - 1e-9) || ticks.length < 2) ticks.push(step * ticks.length);
	return ticks;
}

/** Powers of ten around the numbers, at least one decade: for what spreads over orders of magnitude. */
export function logTicks(min, max) {
	const from = Math.floor(Math.log10(min) + 1e-9);
	const to = Math.max(from + 1, Math.ceil(Math.log10(max) - 1e-9));
	const ticks = [];
	for (let p = from; p <= to; p++) ticks.push(10 ** p);
	return ticks;
}

/** {ticks, place}: @place puts a number into 0 (bottom) .. 1 (top). Logarithmic scales have no place below their lowest tick: that is 0. */
export function scaleOf(kind, values) {
	const known = values.filter((v) => v !== null);
	if (kind === 'log') {
		const positive = known.filter((v) => v > 0);
		const ticks = positive.length ? logTicks(Math.min(...positive), Math.max(...positive)) : [1, 10];
		const low = Math.log10(ticks[0]);
		const span = Math.log10(ticks[ticks.length - 1]) - low;
		return { ticks, place: (v) => (v > 0 ? Math.max(0, (Math.log10(v) - low) / span) : 0) };
	}
	const ticks = linearTicks(Math.max(0, ...known));
	const top = ticks[ticks.length - 1];
	return { ticks, place: (v) => v / top };
}

/** Times before now, for a window of @seconds: [{seconds before now, text}], oldest first. */
export function timeTicks(seconds) {
	const step = seconds <= 120 ? 30 : seconds <= 300 ? 60 : 120;
	const ticks = [];
	for (let s = seconds - (seconds % step); s > 0; s -= step) ticks.push({ s, text: s % 60 ? `−${s} s` : `−${s / 60} min` });
	ticks.push({ s: 0, text: 'now' });
	return ticks;
}

/** Places at least @gap apart and as near as may be to where they want to be, within @low..@high; in the order they came. */
export function spread(wanted, gap, low, high) {
	const order = wanted.map((_, i) => i).sort((a, b) => wanted[a] - wanted[b] || a - b);
	const places = [...wanted];
	let floor = low;
	for (const i of order) {
		places[i] = Math.max(places[i], floor);
		floor = places[i] + gap;
	}
	let roof = high;
	for (const i of order.reverse()) {
		places[i] = Math.min(places[i], roof);
		roof = places[i] - gap;
	}
	return places;
}

function digits(v) {
	const size = Math.abs(v);
	if (size >= 100 || Number.isInteger(v)) return 0;
	return size >= 10 ? 1 : 2;
}

const plain = (v) => v.toLocaleString('en', { maximumFractionDigits: digits(v) });

export const STATES = ['away', 'not ready', 'ready']; // as family "up" counts them

const WORDS = {
	rate: (v) => plain(v),
	count: (v) => Math.round(v).toLocaleString('en'),
	ms: (v) => (v >= 1000 ? `${plain(v / 1000)} s` : `${plain(v)} ms`),
	s: (v) => `${plain(v)} s`,
	percent: (v) => `${plain(v * 100)} %`,
	bytes: (v) => `${plain(v / 1e6)} MB`,
	state: (v) => STATES[v],
};

/** A number with its unit, or a word that there is none. */
export function say(unit, v) {
	return v === null || v === undefined ? 'unknown' : WORDS[unit](v);
}

/** The same on an axis, where 0 needs no unit. */
export function sayTick(unit, v) {
	return v === 0 ? '0' : WORDS[unit](v);
}

export function clock(ms) {
	return new Date(ms).toLocaleTimeString('en-GB');
}

export function duration(ms) {
	const s = Math.max(0, Math.floor(ms / 1000));
	if (s < 60) return `${s} s`;
	if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
	return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}
