// The geometry of charts. Pure: numbers in, path texts and rectangles out.

const r = (v) => Math.round(v * 10) / 10;

/**
 * The path of a line, broken where a number is unknown or rows are more than @gapMs apart. A number alone between two holes is a dot: a line of no length, which
 * round caps make visible. @x and @y place a time and a number.
 */
export function linePath(t, values, x, y, gapMs) {
	let path = '';
	let isOpen = false;
	for (let i = 0; i < t.length; i++) {
		if (values[i] === null) {
			isOpen = false;
			continue;
		}
		const joins = isOpen && t[i] - t[i - 1] <= gapMs;
		const hasNext = i + 1 < t.length && values[i + 1] !== null && t[i + 1] - t[i] <= gapMs;
		const at = `${r(x(t[i]))} ${r(y(values[i]))}`;
		path += joins ? `L${at}` : `M${at}${hasNext ? '' : 'h0'}`;
		isOpen = true;
	}
	return path;
}

/** Columns upon each other: for each of @columns, per step {from, to} (null: unknown). */
export function stack(columns) {
	const top = (columns[0] ?? []).map(() => 0);
	return columns.map((column) => column.map((v, i) => {
		if (v === null) return null;
		const from = top[i];
		top[i] += v;
		return { from, to: top[i] };
	}));
}

/** Rectangles as one path: [{x, y, width, height}]; those without area are left out. */
export function rectPath(rects) {
	return rects.filter((b) => b.width > 0 && b.height > 0)
		.map((b) => `M${r(b.x)} ${r(b.y)}h${r(b.width)}v${r(b.height)}h${r(-b.width)}z`).join('');
}

/** Runs of equal values: [{value, from, to}] as indices, to exclusive. */
export function runs(values) {
	const found = [];
	values.forEach((value, i) => {
		const last = found[found.length - 1];
		if (last && last.value === value) last.to = i + 1;
		else found.push({ value, from: i, to: i + 1 });
	});
	return found;
}
