/*
 * A committed offset says "everything below is done", so the window's head is always an order that
 * is not. Forgetting within the window must not lose how far back the ledger has to be read: an
 * order that is met again after a restart must find its outcomes.
 */
#include "wallet-bridge/drive_table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define HEAP_MIN 64

int drive_table_init(struct drive_table *t, void *ctx)
{
	*t = (struct drive_table){ .gone_until = -1, .gone = { -1, -1 }, .ctx = ctx };
	TAILQ_INIT(&t->window);
	TAILQ_INIT(&t->done);
	return bridge_map_init(&t->by_id);
}

static void free_order(void *ctx, struct bridge_map_node *node)
{
	(void)ctx;
	free(node);
}

void drive_table_fini(struct drive_table *t)
{
	if (t->by_id.slots)
		bridge_map_empty(&t->by_id, free_order, NULL);
	bridge_map_fini(&t->by_id);
	free(t->heap);
	*t = (struct drive_table){ 0 };
}

/* ---- orders ---- */

struct drive_order *drive_table_get(const struct drive_table *t, struct str id)
{
	return (struct drive_order *)bridge_map_get(&t->by_id, id);
}

/* Room for every open order, so that scheduling cannot fail. */
static int reserve(struct drive_table *t)
{
	size_t cap = t->heap_cap ? 2 * t->heap_cap : HEAP_MIN;
	struct drive_order **heap;

	if (t->n_open < t->heap_cap)
		return 0;
	heap = realloc(t->heap, cap * sizeof(*heap));
	if (!heap)
		return -ENOMEM;
	t->heap = heap;
	t->heap_cap = cap;
	return 0;
}

struct drive_order *drive_table_add(
	struct drive_table *t, const struct log_order *log, bool is_done)
{
	struct drive_order *o;

	assert(!drive_table_get(t, log->id));
	if (!is_done && reserve(t) != 0)
		return NULL;
	o = calloc(1, sizeof(*o));
	if (!o)
		return NULL;
	o->node.key = log->id;
	o->table = t;
	o->log = log;
	o->offset = log->offset;
	o->last_ms = log->ts_ms;
	o->first = (struct ledger_place){ -1, -1 };
	o->is_done = is_done;
	bridge_map_put(&t->by_id, &o->node);
	if (is_done) {
		TAILQ_INSERT_TAIL(&t->done, o, done);
	} else {
		t->n_open++;
		o->in_window = true;
		TAILQ_INSERT_TAIL(&t->window, o, window);
	}
	return o;
}

static void leave_window(struct drive_table *t, struct drive_order *o)
{
	TAILQ_REMOVE(&t->window, o, window);
	o->in_window = false;
}

static void advance(struct drive_table *t)
{
	struct drive_order *o;

	while ((o = TAILQ_FIRST(&t->window)) && o->is_done)
		leave_window(t, o);
	if (o && o->offset < t->gone_until)
		return;
	t->gone_until = -1;
	t->gone = (struct ledger_place){ -1, -1 };
}

void drive_table_finish(struct drive_table *t, struct drive_order *o)
{
	if (o->is_done)
		return;
	drive_table_unschedule(t, o);
	o->is_done = true;
	t->n_open--;
	TAILQ_INSERT_TAIL(&t->done, o, done);
	advance(t);
}

struct drive_order *drive_table_oldest_done(const struct drive_table *t)
{
	struct drive_order *o;

	TAILQ_FOREACH(o, &t->done, done)
		if (!o->is_sending)
			return o;
	return NULL;
}

static bool is_before(struct ledger_place a, struct ledger_place b)
{
	return a.offset >= 0 && (b.offset < 0 || a.offset < b.offset);
}

void drive_table_remove(struct drive_table *t, struct drive_order *o)
{
	assert(o->is_done && !o->is_sending);
	TAILQ_REMOVE(&t->done, o, done);
	if (o->in_window) {
		leave_window(t, o);
		if (o->offset >= t->gone_until)
			t->gone_until = o->offset + 1;
		if (is_before(o->first, t->gone))
			t->gone = o->first;
	}
	bridge_map_remove(&t->by_id, &o->node);
	free(o);
}

/* ---- what is due ---- */

static void place(struct drive_table *t, size_t i, struct drive_order *o)
{
	t->heap[i] = o;
	o->heap_i = i;
}

static void sift_up(struct drive_table *t, size_t i)
{
	struct drive_order *o = t->heap[i];

	for (; i > 0 && t->heap[(i - 1) / 2]->due_us > o->due_us; i = (i - 1) / 2)
		place(t, i, t->heap[(i - 1) / 2]);
	place(t, i, o);
}

static void sift_down(struct drive_table *t, size_t i)
{
	struct drive_order *o = t->heap[i];

	for (size_t child; (child = 2 * i + 1) < t->n_heap; i = child) {
		if (child + 1 < t->n_heap && t->heap[child + 1]->due_us < t->heap[child]->due_us)
			child++;
		if (t->heap[child]->due_us >= o->due_us)
			break;
		place(t, i, t->heap[child]);
	}
	place(t, i, o);
}

void drive_table_schedule(struct drive_table *t, struct drive_order *o, int64_t due_us)
{
	assert(!o->is_done);
	drive_table_unschedule(t, o);
	o->due_us = due_us;
	o->is_scheduled = true;
	assert(t->n_heap < t->heap_cap);
	t->heap[t->n_heap] = o;
	sift_up(t, t->n_heap++);
}

void drive_table_unschedule(struct drive_table *t, struct drive_order *o)
{
	size_t i = o->heap_i;
	struct drive_order *last;

	if (!o->is_scheduled)
		return;
	o->is_scheduled = false;
	last = t->heap[--t->n_heap];
	if (last == o)
		return;
	place(t, i, last);
	sift_up(t, i);
	sift_down(t, last->heap_i);
}

struct drive_order *drive_table_first_due(const struct drive_table *t)
{
	return t->n_heap ? t->heap[0] : NULL;
}

/* ---- where to begin after a restart ---- */

int64_t drive_table_from(const struct drive_table *t, int64_t end)
{
	const struct drive_order *o = TAILQ_FIRST(&t->window);

	return o ? o->offset : end;
}

struct ledger_place drive_table_ledger_from(const struct drive_table *t, struct ledger_place end)
{
	const struct drive_order *o;

	if (is_before(t->gone, end))
		end = t->gone;
	TAILQ_FOREACH(o, &t->window, window)
		if (is_before(o->first, end))
			end = o->first;
	return end;
}
