// Small tools over the DOM. Text only ever becomes text: nothing here parses HTML.

const SVG = 'http://www.w3.org/2000/svg';

export const $ = (id) => document.getElementById(id);

/** An element with properties and children; a child may be text, a node, or nothing. */
export function h(name, props = {}, ...children) {
	const e = document.createElement(name);
	for (const [key, value] of Object.entries(props)) {
		if (key === 'class') e.className = value;
		else if (key === 'data') Object.assign(e.dataset, value);
		else if (key.startsWith('aria-') || key === 'role') e.setAttribute(key, value);
		else e[key] = value;
	}
	e.append(...children.filter((c) => c !== null && c !== undefined));
	return e;
}

/** An SVG element with attributes. */
export function s(name, attributes = {}, ...children) {
	const e = document.createElementNS(SVG, name);
	for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
	e.append(...children);
	return e;
}

/** Writes text only where it changed, so that assistive technology is not told twice. */
export function say(e, text) {
	if (e.textContent !== text) e.textContent = text;
}
