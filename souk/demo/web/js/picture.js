// A picture for each piece, drawn from its id alone: the same id is the same picture, everywhere and without a network.

import { s } from './dom.js';

/** 32 bits of FNV-1a. */
function hash(text) {
	let x = 0x811c9dc5;
	for (let i = 0; i < text.length; i++) x = Math.imul(x ^ text.charCodeAt(i), 0x01000193);
	return x >>> 0;
}

/** mulberry32: an even stream of numbers from 0 to 1 out of a seed. */
function stream(seed) {
	let a = seed;
	return () => {
		a = (a + 0x6d2b79f5) | 0;
		let t = Math.imul(a ^ (a >>> 15), 1 | a);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

// ground dark, ground light, three voices
const PALETTES = [
	['#1b1035', '#4b2a6b', '#f2b35d', '#e4572e', '#76d7c4'],
	['#06222e', '#0f4c5c', '#e9c46a', '#f28482', '#84dcc6'],
	['#2b0f14', '#6b2737', '#ffd6a5', '#e08e45', '#8ecae6'],
	['#0d1b2a', '#1b3a5b', '#e0e1dd', '#ee9b00', '#94d2bd'],
	['#132a13', '#31572c', '#ecf39e', '#f4a259', '#bde0fe'],
	['#200116', '#5c1a5c', '#ffb7c3', '#f25f5c', '#70c1b3'],
	['#161a1d', '#403d39', '#fffcf2', '#eb5e28', '#ccc5b9'],
	['#03071e', '#370617', '#ffba08', '#e85d04', '#f8edeb'],
	['#0b132b', '#3a506b', '#5bc0be', '#f7b267', '#f4845f'],
	['#221d23', '#4f3824', '#d1603d', '#ddb967', '#d0e37f'],
	['#1d1128', '#3d2c5e', '#c8b6ff', '#ffd6ff', '#e7c6ff'],
	['#10002b', '#240046', '#ff9e00', '#c77dff', '#80ffdb'],
];

const round = (n) => Math.round(n * 10) / 10;
const pick = (rnd, list) => list[Math.floor(rnd() * list.length)];

function dunes(rnd, c, g) {
	const sunX = 60 + rnd() * 280;
	const sunY = 70 + rnd() * 110;
	g.append(s('circle', { cx: round(sunX), cy: round(sunY), r: round(26 + rnd() * 48), fill: c[2] }));
	const n = 4 + Math.floor(rnd() * 3);
	for (let i = 0; i < n; i++) {
		const base = 170 + (i * 230) / n;
		const swing = 22 + rnd() * 34;
		const phase = rnd() * 6.28;
		const length = 0.008 + rnd() * 0.012;
		let d = `M0 400V${round(base + Math.sin(phase) * swing)}`;
		for (let x = 20; x <= 400; x += 20) d += `L${x} ${round(base + Math.sin(phase + x * length) * swing)}`;
		g.append(s('path', { d: `${d}V400z`, fill: i % 2 ? c[3] : c[4], 'fill-opacity': round(0.35 + (0.5 * i) / n) }));
	}
}

function orbits(rnd, c, g) {
	const cx = 160 + rnd() * 80;
	const cy = 160 + rnd() * 80;
	for (let r = 180; r > 18; r -= 10 + rnd() * 18) {
		const around = 2 * Math.PI * r;
		const part = 0.25 + rnd() * 0.7;
		g.append(s('circle', {
			cx: round(cx), cy: round(cy), r: round(r), fill: 'none', stroke: pick(rnd, c.slice(2)), 'stroke-width': round(2 + rnd() * 9),
			'stroke-dasharray': `${round(around * part)} ${round(around * (1 - part))}`, 'stroke-linecap': 'round',
			transform: `rotate(${Math.floor(rnd() * 360)} ${round(cx)} ${round(cy)})`, 'stroke-opacity': round(0.5 + rnd() * 0.5),
		}));
	}
	g.append(s('circle', { cx: round(cx), cy: round(cy), r: round(8 + rnd() * 14), fill: c[2] }));
}

function tiles(rnd, c, g) {
	const n = pick(rnd, [4, 5, 6, 8]);
	const a = 400 / n;
	for (let y = 0; y < n; y++) {
		for (let x = 0; x < n; x++) {
			const turn = Math.floor(rnd() * 4) * 90;
			const t = s('g', { transform: `translate(${round(x * a)} ${round(y * a)}) rotate(${turn} ${round(a / 2)} ${round(a / 2)})` });
			const kind = rnd();
			if (kind < 0.55) {
				t.append(s('path', { d: `M0 0H${round(a)}A${round(a)} ${round(a)} 0 0 1 0 ${round(a)}z`, fill: pick(rnd, c.slice(2)) }));
			} else if (kind < 0.8) {
				t.append(s('rect', { width: round(a), height: round(a / 2), fill: pick(rnd, c.slice(1)) }));
			} else {
				t.append(s('circle', { cx: round(a / 2), cy: round(a / 2), r: round(a * 0.32), fill: pick(rnd, c.slice(2)) }));
			}
			g.append(t);
		}
	}
}

function petals(rnd, c, g) {
	const rings = 2 + Math.floor(rnd() * 3);
	for (let k = rings; k > 0; k--) {
		const n = 5 + Math.floor(rnd() * 8);
		const long = (k * 170) / rings;
		const wide = 16 + rnd() * 40;
		const colour = c[2 + (k % 3)];
		const offset = rnd() * 90;
		for (let i = 0; i < n; i++) {
			g.append(s('ellipse', {
				cx: 200, cy: round(200 - long / 2), rx: round((wide * k) / rings), ry: round(long / 2), fill: colour, 'fill-opacity': 0.55,
				transform: `rotate(${round(offset + (i * 360) / n)} 200 200)`,
			}));
		}
	}
	g.append(s('circle', { cx: 200, cy: 200, r: round(12 + rnd() * 18), fill: c[0] }), s('circle', { cx: 200, cy: 200, r: 7, fill: c[2] }));
}

function facets(rnd, c, g) {
	const n = 5 + Math.floor(rnd() * 3);
	const a = 400 / (n - 1);
	const at = [];
	for (let y = 0; y < n; y++) {
		for (let x = 0; x < n; x++) {
			const edge = (v) => (v === 0 || v === n - 1 ? 0 : (rnd() - 0.5) * a * 0.9);
			at.push([round(x * a + edge(x)), round(y * a + edge(y))]);
		}
	}
	for (let y = 0; y + 1 < n; y++) {
		for (let x = 0; x + 1 < n; x++) {
			const [p, q, r, t] = [at[y * n + x], at[y * n + x + 1], at[(y + 1) * n + x], at[(y + 1) * n + x + 1]];
			for (const three of rnd() < 0.5 ? [[p, q, r], [q, t, r]] : [[p, q, t], [p, t, r]]) {
				g.append(s('path', { d: `M${three.map((v) => v.join(' ')).join('L')}z`, fill: pick(rnd, c.slice(1)), 'fill-opacity': round(0.35 + rnd() * 0.65) }));
			}
		}
	}
}

function arches(rnd, c, g) {
	const n = 3 + Math.floor(rnd() * 3);
	const w = 400 / n;
	for (let row = 0; row < 3; row++) {
		const base = 400 - row * 125;
		for (let i = -1; i <= n; i++) {
			const x = i * w + (row % 2 ? w / 2 : 0) + 6;
			const r = w / 2 - 6;
			const high = 60 + rnd() * 50;
			const arch = (grow, colour) => g.append(s('path', {
				d: `M${round(x + grow)} ${base}V${round(base - high)}a${round(r - grow)} ${round(r - grow)} 0 0 1 ${round(2 * (r - grow))} 0V${base}z`, fill: colour,
			}));
			arch(0, c[2 + (Math.floor(rnd() * 3) % 3)]);
			arch(w * 0.13, rnd() < 0.6 ? c[0] : c[1]);
			if (rnd() < 0.5) g.append(s('circle', { cx: round(x + r), cy: round(base - high + 8), r: round(4 + rnd() * 8), fill: c[2] }));
		}
	}
}

const STYLES = [['Dunes', dunes], ['Orbits', orbits], ['Tiles', tiles], ['Petals', petals], ['Facets', facets], ['Arches', arches]];

/** An SVG of its own for @item. Decorative: whoever shows it names it. */
export function picture(item) {
	const seed = hash(item);
	const rnd = stream(seed);
	const c = pick(rnd, PALETTES);
	const [, draw] = pick(rnd, STYLES);
	const ground = `g${seed.toString(36)}-${Math.floor(Math.random() * 1e9).toString(36)}`; // gradients are found by document-wide ids
	const art = s('g');
	draw(rnd, c, art);
	return s('svg', { viewBox: '0 0 400 400', 'aria-hidden': 'true', focusable: 'false', class: 'art' },
		s('defs', {}, s('linearGradient', { id: ground, x1: 0, y1: 0, x2: round(rnd()), y2: 1 },
			s('stop', { offset: 0, 'stop-color': c[1] }), s('stop', { offset: 1, 'stop-color': c[0] }))),
		s('rect', { width: 400, height: 400, fill: `url(#${ground})` }), art);
}

/** What it shows, in words. */
export function caption(item) {
	const rnd = stream(hash(item));
	pick(rnd, PALETTES);
	return `${pick(rnd, STYLES)[0]}, a generated picture`;
}
