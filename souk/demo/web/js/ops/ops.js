// The operations page: charts into their places, and new numbers into the charts.

import { $, say } from '../dom.js';
import { Card } from './card.js';
import { SECTIONS } from './charts.js';
import { feedRows, headline, roleRows } from './facts.js';
import { Poll } from './poll.js';
import { clock } from './scale.js';
import { fillTable } from './table.js';

const CALM_MS = 5000; // between drawings for those who asked for less motion
const STATES = {
	live: 'Updating every second',
	paused: 'Paused',
	lost: 'The storefront does not answer. Trying again.',
};

const cards = [];
for (const [section, charts] of Object.entries(SECTIONS)) {
	for (const chart of charts) cards.push(new Card(chart));
	$(`cards-${section}`).append(...cards.slice(-charts.length).map((card) => card.root));
}

const calm = matchMedia('(prefers-reduced-motion: reduce)');
let data = null;
let shownMs = -CALM_MS;

function show() {
	const seconds = Number($('window').value);
	for (const [id, text] of headline(data)) say($(id), text);
	say($('as-of'), clock(data.rows.last));
	fillTable($('roles-table'), 'Roles, as they are now', roleRows(data.now));
	fillTable($('feeds-table'), 'Feeds, as they are now', feedRows(data.now));
	for (const card of cards) card.update({ ...data, seconds });
}

const poll = new Poll((came) => {
	data = came;
	if (calm.matches && performance.now() - shownMs < CALM_MS) return;
	shownMs = performance.now();
	show();
}, (state) => {
	document.body.dataset.state = state;
	say($('state'), STATES[state]);
});

$('pause').addEventListener('click', () => {
	poll.isPaused = !poll.isPaused;
	$('pause').setAttribute('aria-pressed', String(poll.isPaused));
});
$('window').addEventListener('change', () => data && show());
