// A chart in its frame: title and unit, picture, legend, and the table that says the same. One at a time is shown, picture or table.

import { h, s, say as put } from '../dom.js';
import { drawBars } from './bars.js';
import { drawLines } from './line.js';
import { gather, summary } from './rows.js';
import { STATES, say } from './scale.js';
import { drawStack } from './stack.js';
import { drawStrips } from './strips.js';
import { barRows, fillTable, STEP_MS, timeRows } from './table.js';
import { textures } from './texture.js';

const HEIGHT = 190;
const HOW = { mean: 'means', highest: 'highest', lowest: 'worst' };

export class Card {
	#chart;
	#data = null;
	#textures = null;
	#textured = -1;
	#isSeen = false;

	constructor(chart) {
		const id = (part) => `${chart.id}-${part}`;
		this.#chart = chart;
		this.title = h('h3', { id: id('title') }, chart.title, ' ', h('span', { class: 'unit' }, chart.unitText));
		this.toggle = h('button', { type: 'button', class: 'toggle', 'aria-pressed': 'false', 'aria-controls': id('table') },
			'Table', h('span', { class: 'hidden' }, ` of ${chart.title}`));
		this.summary = h('p', { id: id('summary'), class: 'hidden' });
		this.svg = s('svg', { role: 'img', 'aria-labelledby': id('title'), 'aria-describedby': id('summary') });
		this.empty = h('p', { class: 'empty', hidden: true }, chart.empty);
		this.plot = h('div', { class: 'plot' }, this.svg);
		this.legend = h('ul', { class: 'legend' });
		this.table = h('table');
		this.box = h('div', { id: id('table'), class: 'scroll', role: 'region', tabIndex: 0, hidden: true, 'aria-label': `${chart.title}, table` }, this.table);
		this.root = h('article', { class: 'card', 'aria-labelledby': id('title') },
			h('div', { class: 'card-head' }, this.title, this.toggle), this.summary, this.empty, this.plot, this.legend, this.box);

		this.toggle.addEventListener('click', () => {
			this.toggle.setAttribute('aria-pressed', String(!this.isTable));
			this.#draw();
		});
		new ResizeObserver(() => this.#draw()).observe(this.plot);
		new IntersectionObserver((entries) => {
			this.#isSeen = entries.some((e) => e.isIntersecting);
			this.#draw();
		}, { rootMargin: '200px' }).observe(this.root);
	}

	get isTable() {
		return this.toggle.getAttribute('aria-pressed') === 'true';
	}

	/** @data: {rows, now, seconds}. Drawn now if it can be seen, else when it comes into sight. */
	update(data) {
		this.#data = data;
		this.#draw();
	}

	#draw() {
		if (!this.#data || !this.#isSeen) return;
		const isBars = this.#chart.type === 'bars';
		const content = isBars ? { bars: this.#chart.bars(this.#data) } : this.#cut();
		const isEmpty = isBars ? !content.bars.length : !content.series.some((one) => one.values.some((v) => v !== null));

		this.empty.hidden = !isEmpty;
		this.plot.hidden = isEmpty || this.isTable;
		this.legend.hidden = isEmpty || this.isTable || isBars;
		this.box.hidden = isEmpty || !this.isTable;
		if (isEmpty) return;
		put(this.summary, isBars ? sayBars(content.bars) : this.#saySeries(content.series));
		if (this.isTable) this.#fill(content);
		else if (this.plot.clientWidth) this.#picture(content, isBars);
	}

	/** The window's part of the series. */
	#cut() {
		const { rows, seconds } = this.#data;
		const from = rows.since(seconds);
		const series = this.#chart.series(this.#data).map((one) => ({ name: one.name, values: one.values.slice(from) }));
		return { t: rows.t.slice(from), series };
	}

	/** As many points as the eye can part: seconds, or steps of some. */
	#smooth({ t, series }) {
		const { seconds } = this.#data;
		const stepMs = seconds > 300 ? 5000 : seconds > 120 ? 2000 : 1000;
		if (stepMs === 1000) return { stepMs };
		const steps = gather(t, series.map((one) => one.values), stepMs, this.#chart.how);
		const n = Math.max(1, steps.t.length - 1); // the newest step is not over
		return { stepMs, t: steps.t.slice(0, n), series: series.map((one, i) => ({ name: one.name, values: steps.columns[i].slice(0, n) })) };
	}

	#picture(content, isBars) {
		const { type, unit, kind = 'linear', right } = this.#chart;
		const width = Math.floor(this.plot.clientWidth);
		const common = { ...content, unit, width, height: HEIGHT, now: this.#data.rows.last, seconds: this.#data.seconds };

		if (isBars) drawBars(this.svg, { ...content, width });
		else if (type === 'line') drawLines(this.svg, { ...common, ...this.#smooth(content), kind, right });
		else if (type === 'stack') drawStack(this.svg, { ...common, stepMs: this.#data.seconds > 300 ? STEP_MS : STEP_MS / 2, textures: this.#texturesFor(content.series.length) });
		else drawStrips(this.svg, { ...common, textures: this.#texturesFor(STATES.length) });
		if (!isBars) this.#fillLegend(content.series);
	}

	#texturesFor(n) {
		if (this.#textured !== n) {
			this.#textures = textures(n);
			this.#textured = n;
			this.legend.replaceChildren();
		}
		return this.#textures;
	}

	#fillLegend(series) {
		const { type, unit } = this.#chart;
		const entries = type === 'strips' ? STATES.map((name) => ({ name, text: name })) : series.map((one) => ({ name: one.name, text: `${one.name} ${say(unit, one.values[one.values.length - 1])}` }));
		const names = entries.map((e) => e.name).join('\n');

		if (this.legend.dataset.names !== names || this.legend.children.length !== entries.length) {
			this.legend.dataset.names = names;
			this.legend.replaceChildren(...entries.map((e, i) => h('li', {}, this.#swatch(i), h('span'))));
		}
		entries.forEach((e, i) => put(this.legend.children[i].lastElementChild, e.text));
	}

	#swatch(i) {
		const { type } = this.#chart;
		const svg = s('svg', { class: 'swatch', width: 28, height: 12, 'aria-hidden': 'true' });
		if (type === 'line') svg.append(s('path', { class: `line s${i % 8}`, d: 'M1 6h26' }));
		else if (type === 'stack') svg.append(s('rect', { class: `area s${i % 8}`, width: 28, height: 12, fill: this.#textures.fill(i) }));
		else svg.append(s('rect', { class: `strip is-${i}`, width: 28, y: [0, 1, 4][i], height: [12, 10, 4][i], ...(i === 1 ? { fill: this.#textures.fill(1) } : {}) }));
		return svg;
	}

	#fill(content) {
		const { title, unit, unitText, type, head, how } = this.#chart;
		if (type === 'bars') fillTable(this.table, `${title}, ${unitText}`, barRows(content.bars, [head, 'Total', 'Per second now']));
		else fillTable(this.table, `${title}, ${unitText}: ${HOW[how]} of 10 seconds`, timeRows(content.t, content.series, unit, how));
	}

	#saySeries(series) {
		const { unit, how } = this.#chart;
		return series.map((one) => {
			const sum = summary(one.values);
			if (!sum) return `${one.name}: unknown`;
			if (unit === 'state') return `${one.name}: ${say(unit, sum.last)}`;
			return `${one.name}: ${say(unit, sum.last)} now, ${how === 'mean' ? `mean ${say(unit, sum.mean)}, ` : ''}highest ${say(unit, sum.highest)}`;
		}).join('; ');
	}
}

const sayBars = (bars) => bars.map((b) => `${b.name}: ${say('count', b.value)}`).join('; ');
