// The table behind a chart. Rows have keys and stay where they are while their text changes, so that whoever reads the table keeps their place.

import { h, say } from '../dom.js';
import { clock, say as word } from './scale.js';
import { gather } from './rows.js';

export const STEP_MS = 10000;

/** Rows for series over time, newest first: {head, rows: [{key, cells}]}; the first cell names the row. Pure. */
export function timeRows(t, series, unit, how) {
	const steps = gather(t, series.map((s) => s.values), STEP_MS, how);
	const rows = steps.t.map((start, i) => ({
		key: String(start),
		cells: [clock(start), ...steps.columns.map((column) => word(unit, column[i]))],
	}));
	return { head: ['From', ...series.map((s) => s.name)], rows: rows.reverse() };
}

/** Rows for bars: {head, rows}. Pure. */
export function barRows(bars, head) {
	return { head, rows: bars.map((b) => ({ key: b.name, cells: [b.name, word('count', b.value), word('rate', b.rate)] })) };
}

/** Makes @table say @data. */
export function fillTable(table, caption, data) {
	if (!table.tHead) table.append(h('caption', {}), h('thead', {}, h('tr')), h('tbody'));
	say(table.caption, caption);

	const head = table.tHead.rows[0];
	const isSame = head.cells.length === data.head.length && data.head.every((text, i) => head.cells[i].textContent === text);
	if (!isSame) {
		head.replaceChildren(...data.head.map((text) => h('th', { scope: 'col' }, text)));
		table.tBodies[0].replaceChildren();
	}
	fillBody(table.tBodies[0], data.rows);
}

function fillBody(body, rows) {
	const old = new Map([...body.rows].map((tr) => [tr.dataset.key, tr]));
	let before = body.rows[0] ?? null;
	for (const row of rows) {
		let tr = old.get(row.key);
		if (tr && tr.cells.length === row.cells.length) {
			old.delete(row.key);
			row.cells.forEach((text, i) => say(tr.cells[i], text));
		} else {
			tr = h('tr', { data: { key: row.key } }, ...row.cells.map((text, i) => (i ? h('td', {}, text) : h('th', { scope: 'row' }, text))));
		}
		if (tr === before) before = before.nextElementSibling;
		else body.insertBefore(tr, before);
	}
	for (const tr of old.values()) tr.remove();
}
