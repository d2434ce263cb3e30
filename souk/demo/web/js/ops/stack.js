// Columns over time, the parts upon each other, each with its texture.

import { s } from '../dom.js';
import { frame } from './plot.js';
import { gather } from './rows.js';
import { scaleOf } from './scale.js';
import { rectPath, stack } from './shape.js';

/** Draws the means of steps of @stepMs; @textures as texture.js makes them, for these series. */
export function drawStack(svg, { t, series, unit, now, seconds, width, height, stepMs, textures }) {
	const steps = gather(t, series.map((one) => one.values), stepMs, 'mean');
	const parts = stack(steps.columns);
	const tops = parts.flatMap((part) => part.map((p) => (p ? p.to : null)));
	const f = frame(svg, { width, height, right: 12, scale: scaleOf('linear', tops), unit, now, seconds });
	const paths = parts.map((part, i) => s('path', {
		class: `area s${i % 8}`,
		fill: textures.fill(i),
		d: rectPath(part.map((p, k) => rect(p, steps.t[k], stepMs, f)).filter((b) => b !== null)),
	}));

	svg.replaceChildren(textures.defs, f.axes, ...paths);
}

function rect(part, start, stepMs, f) {
	if (!part) return null;
	const x0 = Math.max(f.x0, f.x(start) + 0.5);
	const x1 = Math.min(f.x1, f.x(start + stepMs) - 0.5);
	return { x: x0, y: f.y(part.to), width: x1 - x0, height: f.y(part.from) - f.y(part.to) };
}
