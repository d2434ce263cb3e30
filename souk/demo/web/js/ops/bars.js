// Bars of totals, named and numbered directly: no legend, no colour to tell apart.

import { s } from '../dom.js';
import { say } from './scale.js';

const ROW = 24;
const CHAR = 8.6; // of the chart's type: capitals are wide

const barsHeight = (n) => n * ROW + 6;

export function drawBars(svg, { bars, width }) {
	const height = barsHeight(bars.length);
	const left = Math.min(width * 0.5, Math.max(...bars.map((b) => b.name.length)) * CHAR + 12);
	const texts = bars.map((b) => say('count', b.value));
	const right = Math.max(...texts.map((text) => text.length)) * CHAR + 12;
	const top = Math.max(1, ...bars.map((b) => b.value));

	svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
	svg.setAttribute('width', width);
	svg.setAttribute('height', height);
	svg.replaceChildren(...bars.flatMap((b, i) => {
		const y = i * ROW + 4;
		const length = Math.max(b.value > 0 ? 2 : 0, (b.value / top) * (width - left - right));
		return [
			s('text', { class: 'bar-name', x: left - 8, y: y + 13, 'text-anchor': 'end' }, b.name),
			s('rect', { class: 'bar', x: left, y, width: length, height: ROW - 8 }),
			s('text', { class: 'bar-value', x: left + length + 6, y: y + 13 }, texts[i]),
		];
	}));
}
