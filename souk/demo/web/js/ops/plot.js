// What charts over time have in common: the frame, its axes, the size of the place they are drawn in.

import { s } from '../dom.js';
import { sayTick, timeTicks } from './scale.js';

const TOP = 8;
const BOTTOM = 22;
const LEFT = 52;

/** {svg, width, height, x, y, seconds}: @x places a time (ms), @y a number. */
export function frame(svg, { width, height, left = LEFT, right, scale, unit, now, seconds }) {
	const inner = { x0: left, x1: Math.max(left + 40, width - right), y0: TOP, y1: height - BOTTOM };
	const x = (t) => inner.x1 - ((now - t) / (seconds * 1000)) * (inner.x1 - inner.x0);
	const y = (v) => inner.y1 - scale.place(v) * (inner.y1 - inner.y0);

	svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
	svg.setAttribute('width', width);
	svg.setAttribute('height', height);
	const axes = s('g', { class: 'axes' });
	for (const v of scale.ticks) {
		axes.append(s('line', { x1: inner.x0, x2: inner.x1, y1: y(v), y2: y(v) }),
			s('text', { x: inner.x0 - 6, y: y(v) + 4, 'text-anchor': 'end' }, sayTick(unit, v)));
	}
	const ticks = timeTicks(seconds);
	const every = Math.ceil((ticks.length * 58) / (inner.x1 - inner.x0));
	ticks.reverse().forEach((tick, i) => {
		if (i % every) return;
		axes.append(s('text', { x: x(now - tick.s * 1000), y: height - 5, 'text-anchor': 'middle' }, tick.text));
	});
	return { axes, x, y, ...inner };
}
