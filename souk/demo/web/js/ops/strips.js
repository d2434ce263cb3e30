// One strip a role: a thin line while it is ready, a hatched band while it is not, a full block while it is away.

import { s } from '../dom.js';
import { frame } from './plot.js';
import { rectPath, runs } from './shape.js';

const ROW = 26;
const BLOCK = { 0: [4, 18], 1: [7, 12], 2: [11, 4] }; // by state: from the row's top, and height

const stripsHeight = (n) => n * ROW + 30;

export function drawStrips(svg, { t, series, now, seconds, width, textures }) {
	const height = stripsHeight(series.length);
	const left = Math.min(110, width * 0.3);
	const f = frame(svg, { width, height, left, right: 12, scale: { ticks: [], place: () => 0 }, unit: 'state', now, seconds });
	const rows = series.flatMap((one, row) => [
		s('text', { class: 'bar-name', x: left - 8, y: row * ROW + 18, 'text-anchor': 'end' }, one.name),
		...[0, 1, 2].map((state) => s('path', {
			class: `strip is-${state}`,
			...(state === 1 ? { fill: textures.fill(1) } : {}),
			d: rectPath(runs(one.values).filter((run) => run.value === state).map((run) => block(run, row, t, f))),
		})),
	]);
	svg.replaceChildren(textures.defs, f.axes, ...rows);
}

function block({ value, from, to }, row, t, f) {
	const x0 = Math.max(f.x0, f.x(t[from]));
	const x1 = to < t.length ? f.x(t[to]) : f.x1;
	return { x: x0, y: row * ROW + BLOCK[value][0], width: Math.max(1, x1 - x0), height: BLOCK[value][1] };
}
