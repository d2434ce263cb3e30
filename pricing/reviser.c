/*
 * What needs no look-up (a pause) goes ahead of all, also while a batch is out or the cache is
 * away. The rest is taken partition by partition, as many as a pipeline holds; a partition that
 * cannot send leaves the line and comes back when it can. A turn comes from a timer, so that all
 * changes that were heard in one go are one batch, and between two turns the loop has its turn:
 * events and revisions wait for each other at most a batch.
 */
#include "pricing/reviser.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "pricing/partition_impl.h"

struct reviser {
	struct loop *loop;
	struct cache *cache;
	struct join *join;
	struct loop_timer *turn;
	struct partition_list line;
	struct join_batch *batch; /* in flight, of @offers */
	struct live_offer *offers[JOIN_EVENTS_MAX];
	size_t n;
};

static void join_line(struct reviser *r, struct partition *p)
{
	if (!p->is_in_line)
		TAILQ_INSERT_TAIL(&r->line, p, in_line);
	p->is_in_line = true;
}

static void leave_line(struct reviser *r, struct partition *p)
{
	if (p->is_in_line)
		TAILQ_REMOVE(&r->line, p, in_line);
	p->is_in_line = false;
}

/* ---- a batch ---- */

/* Of what is left; in reverse, since each goes to the front. */
static void give_back(struct reviser *r, int64_t now_us)
{
	while (r->n) {
		struct live_offer *o = r->offers[--r->n];

		live_settle(o, LIVE_BACK, now_us);
		if (o->live)
			join_line(r, o->owner);
		live_unref(o);
	}
}

static void on_joined(void *ctx, struct join_batch *batch)
{
	struct reviser *r = ctx;
	size_t n_left = 0;

	assert(r->batch == batch);
	r->batch = NULL;
	for (size_t i = 0; i < r->n; i++) {
		struct live_offer *o = r->offers[i];
		struct partition *p = o->live ? o->owner : NULL;

		if (p && !partition_may_revise(p)) {
			r->offers[n_left++] = o;
			continue;
		}
		if (p) {
			partition_revise(p, o, batch, i);
			partition_kick(p);
		}
		live_unref(o);
	}
	r->n = n_left;
	give_back(r, loop_mono_us(r->loop));
	loop_timer_start(r->turn, 0);
}

static void ask(struct reviser *r)
{
	struct join_event events[JOIN_EVENTS_MAX];
	int err;

	if (r->n == 0)
		return;
	for (size_t i = 0; i < r->n; i++)
		events[i] = (struct join_event){ r->offers[i]->interest.user,
			r->offers[i]->interest.item };
	err = join_read(r->join, events, r->n, on_joined, r, &r->batch);
	if (err == 0)
		return;
	give_back(r, loop_mono_us(r->loop));
	/* While the cache is away its return is waited for, which is a change of everything. */
	if (err != -ENOTCONN)
		loop_timer_start(r->turn, FULL_RETRY_MS);
}

/* ---- a turn ---- */

/* Of one partition; how many were taken. */
static size_t take_from(struct reviser *r, struct partition *p, bool urgent_only, size_t max)
{
	struct live_offer *o;
	size_t n = 0;

	while (n < max && partition_may_revise(p) && (o = live_take(p->live, urgent_only))) {
		n++;
		if (partition_revise_unasked(p, o))
			continue;
		if (urgent_only)
			live_settle(o, LIVE_BACK, loop_mono_us(r->loop));
		else
			r->offers[r->n++] = live_ref(o);
	}
	return n;
}

static void on_turn(void *ctx)
{
	struct reviser *r = ctx;
	bool urgent_only = r->batch || !cache_is_up(r->cache);
	size_t room = JOIN_EVENTS_MAX;
	struct partition *p, *last = TAILQ_LAST(&r->line, partition_list);
	bool is_last = !last;

	while (room && !is_last) {
		p = TAILQ_FIRST(&r->line);
		is_last = p == last;
		room -= take_from(r, p, urgent_only, room);
		leave_line(r, p);
		if (partition_may_revise(p) && live_has_ready(p->live, false))
			join_line(r, p);
	}
	if (!urgent_only)
		ask(r);
	if (room == 0)
		loop_timer_start(r->turn, 0);
}

void reviser_want(struct reviser *r, struct partition *p)
{
	join_line(r, p);
	if (!r->batch || live_has_ready(p->live, true))
		loop_timer_start(r->turn, 0);
}

void reviser_leave(struct reviser *r, struct partition *p)
{
	leave_line(r, p);
}

/* ---- life ---- */

struct reviser *reviser_free(struct reviser *r)
{
	if (!r)
		return NULL;
	join_cancel(r->batch);
	for (size_t i = 0; i < r->n; i++)
		live_unref(r->offers[i]);
	loop_timer_free(r->turn);
	free(r);
	return NULL;
}

int reviser_new(struct reviser **ret, struct loop *loop, struct cache *cache, struct join *join)
{
	struct reviser *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->loop = loop;
	r->cache = cache;
	r->join = join;
	TAILQ_INIT(&r->line);
	r->turn = loop_timer_new(loop, on_turn, r);
	if (!r->turn) {
		free(r);
		return -ENOMEM;
	}
	*ret = r;
	return 0;
}
