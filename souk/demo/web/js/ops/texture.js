// How series differ without their colour: lines by their dashes (in ops.css, by class), areas by these textures.

import { s } from '../dom.js';

const DRAWN = [
	() => [],
	() => [s('path', { d: 'M-2 2l4-4M0 8l8-8M6 10l4-4', class: 'ink' })],
	() => [s('circle', { cx: 2, cy: 2, r: 1.2, class: 'ink-dot' }), s('circle', { cx: 6, cy: 6, r: 1.2, class: 'ink-dot' })],
	() => [s('path', { d: 'M0 2h8M0 6h8', class: 'ink' })],
	() => [s('path', { d: 'M2 0v8M6 0v8', class: 'ink' })],
	() => [s('path', { d: 'M-2 6l4 4M0 0l8 8M6-2l4 4', class: 'ink' })],
	() => [s('path', { d: 'M0 4h8M4 0v8', class: 'ink' })],
];
let made = 0;

/** A <defs> with a texture for each of @n series, and the fill of each. Ids are the document's own. */
export function textures(n) {
	const prefix = `texture-${made++}`;
	const patterns = Array.from({ length: n }, (_, i) => s('pattern',
		{ id: `${prefix}-${i}`, width: 8, height: 8, patternUnits: 'userSpaceOnUse', class: `fill s${i % 8}` },
		s('rect', { width: 8, height: 8, class: 'ground' }), ...DRAWN[i % DRAWN.length]()));
	return { defs: s('defs', {}, ...patterns), fill: (i) => `url(#${prefix}-${i})` };
}
