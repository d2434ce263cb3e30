// Lines over time, each with its dashes, a name at its end, and holes where nothing is known.

import { s } from '../dom.js';
import { frame } from './plot.js';
import { scaleOf, spread } from './scale.js';
import { linePath } from './shape.js';

const LABEL_GAP = 13;

/** Draws @series ([{name, values}]) over @t, a point each @stepMs, into @svg. */
export function drawLines(svg, { t, series, stepMs, unit, kind, now, seconds, width, height, right }) {
	const scale = scaleOf(kind, series.flatMap((one) => one.values));
	const f = frame(svg, { width, height, right, scale, unit, now, seconds });
	const x = (ms) => Math.min(f.x1, Math.max(f.x0, f.x(ms + (stepMs > 1000 ? stepMs / 2 : 0))));
	const lines = series.map((one, i) => s('path', { class: `line s${i % 8}`, d: linePath(t, one.values, x, f.y, 2.5 * stepMs) }));

	svg.replaceChildren(f.axes, ...lines, ...names(series, f));
}

function names(series, f) {
	const ends = series.map((one, i) => ({ i, name: one.name, v: one.values[one.values.length - 1] ?? null })).filter((e) => e.v !== null);
	const places = spread(ends.map((e) => f.y(e.v)), LABEL_GAP, f.y0 + 4, f.y1);
	return ends.map((e, k) => s('text', { class: `end s${e.i % 8}`, x: f.x1 + 6, y: places[k] + 4 }, e.name));
}
