// What is said to people who hear the page. A modal dialog makes the rest of the page inert, live regions included, so each dialog has its own
// pair and the open one speaks. Polite words are held back to one in four seconds, the last one wins: a market talks faster than a voice.

const POLITE_EVERY_MS = 4000;

let pending = null;
let timer = null;
let lastMs = -POLITE_EVERY_MS;

function region(kind) {
	const open = [...document.querySelectorAll('dialog[open]')].pop();
	return (open ?? document.body).querySelector(`:scope > [data-live="${kind}"]`);
}

function write(kind, text) {
	const e = region(kind);
	if (!e) return;
	// the same words again are said again
	e.textContent = e.textContent === text ? `${text}\u00a0` : text;
}

function flush() {
	timer = null;
	lastMs = performance.now();
	if (pending) write('polite', pending);
	pending = null;
}

/** When there is a pause; newer words replace older ones that were not said yet. */
export function tell(text) {
	pending = text;
	if (timer === null) timer = setTimeout(flush, Math.max(0, lastMs + POLITE_EVERY_MS - performance.now()));
}

/** At once: something is gone, or an order has ended. */
export function alert(text) {
	pending = null;
	write('assertive', text);
}

export const isCalm = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** A modal dialog that closes with Escape, its button or a press beside it; focus goes back where it came from. */
export function modal(dialog, closeButton, onClose) {
	closeButton.addEventListener('click', () => dialog.close());
	dialog.addEventListener('pointerdown', (e) => {
		if (e.target === dialog) dialog.close();
	});
	dialog.addEventListener('close', onClose);
}
