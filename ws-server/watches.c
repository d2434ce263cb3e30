/*
 * After a push a watch cools down for watch_ms, in which changes only make it dirty. All cool down
 * for the same time, so those that do stand in one queue in the order of their end, and one timer
 * serves them all. A quiet item leaves the queue and its next change goes out at once.
 */
#include "ws-server/watches.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "ws-server/gateway.h"
#include "ws-server/market.h"
#include "ws-server/push.h"
#include "ws-server/session.h"

struct watch {
	LIST_ENTRY(watch) in_item;
	LIST_ENTRY(watch) in_session;
	TAILQ_ENTRY(watch) in_cooling;
	struct session *session;
	struct market_item *item;
	bool is_cooling, is_dirty;
	int64_t until_us;
};

struct watches {
	struct gateway *gateway;
	struct loop_timer *timer;
	TAILQ_HEAD(, watch) cooling;
};

static void on_timer(void *ctx);

int watches_new(struct watches **ret, struct gateway *g)
{
	CLEANUP(watches_free) struct watches *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->gateway = g;
	TAILQ_INIT(&w->cooling);
	w->timer = loop_timer_new(g->env.loop, on_timer, w);
	if (!w->timer)
		return -ENOMEM;
	*ret = TAKE(w);
	return 0;
}

struct watches *watches_free(struct watches *w)
{
	if (!w)
		return NULL;
	loop_timer_free(w->timer);
	free(w);
	return NULL;
}

void watches_of_init(struct watches_of *of, struct session *session, size_t max)
{
	*of = (struct watches_of){ .session = session, .max = max };
	LIST_INIT(&of->entries);
}

/* ---- telling ---- */

static void arm(struct watches *w)
{
	struct watch *first = TAILQ_FIRST(&w->cooling);
	int64_t now_us = loop_mono_us(w->gateway->env.loop);

	if (first)
		loop_timer_start_us(
			w->timer, first->until_us > now_us ? first->until_us - now_us : 0);
}

static void tell(struct watches *w, struct watch *x)
{
	bool was_idle = TAILQ_EMPTY(&w->cooling);

	x->is_dirty = false;
	x->is_cooling = true;
	x->until_us = loop_mono_us(w->gateway->env.loop) + w->gateway->config->watch_ms * 1000;
	TAILQ_INSERT_TAIL(&w->cooling, x, in_cooling);
	if (was_idle)
		arm(w);
	counter_add(w->gateway->metrics.ticks[TICK_PUSHED], 1);
	push_market(x->session, x->item);
}

static void cool_off(struct watches *w, struct watch *x)
{
	if (x->is_cooling)
		TAILQ_REMOVE(&w->cooling, x, in_cooling);
	x->is_cooling = false;
}

static void on_timer(void *ctx)
{
	struct watches *w = ctx;
	int64_t now_us = loop_mono_us(w->gateway->env.loop);
	struct watch *x;

	while ((x = TAILQ_FIRST(&w->cooling)) && x->until_us <= now_us) {
		cool_off(w, x);
		if (x->is_dirty)
			tell(w, x);
	}
	arm(w);
}

static void touch(struct watches *w, struct watch *x)
{
	if (!x->item->has_row)
		return;
	if (!x->is_cooling) {
		tell(w, x);
		return;
	}
	if (x->is_dirty)
		counter_add(w->gateway->metrics.ticks[TICK_CONFLATED], 1);
	x->is_dirty = true;
}

void watches_moved(struct watches *w, struct market_item *i)
{
	struct watch *x;

	LIST_FOREACH(x, &i->watches, in_item)
		touch(w, x);
}

/* ---- coming and going ---- */

static struct watch *find(const struct watches_of *of, struct str item)
{
	struct watch *x;

	LIST_FOREACH(x, &of->entries, in_session)
		if (str_eq(market_item_id(x->item), item))
			return x;
	return NULL;
}

static struct watch *add(struct watches *w, struct watches_of *of, struct str item)
{
	struct watch *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->session = of->session;
	x->item = market_hold(w->gateway->market, item);
	if (!x->item) {
		free(x);
		return NULL;
	}
	LIST_INSERT_HEAD(&x->item->watches, x, in_item);
	LIST_INSERT_HEAD(&of->entries, x, in_session);
	of->n++;
	w->gateway->metrics.watches->value++;
	return x;
}

int watches_add(struct watches *w, struct watches_of *of, struct str item)
{
	if (find(of, item))
		return 0;
	if (of->n == of->max)
		return WATCHES_E_MANY;
	return add(w, of, item) ? 0 : -ENOMEM;
}

void watches_tell(struct watches *w, struct watches_of *of, struct str item)
{
	struct watch *x = find(of, item);

	if (x)
		touch(w, x);
}

static void remove_watch(struct watches *w, struct watches_of *of, struct watch *x)
{
	cool_off(w, x);
	LIST_REMOVE(x, in_item);
	LIST_REMOVE(x, in_session);
	of->n--;
	w->gateway->metrics.watches->value--;
	if (LIST_EMPTY(&x->item->watches))
		market_release(w->gateway->market, x->item);
	free(x);
}

void watches_remove(struct watches *w, struct watches_of *of, struct str item)
{
	struct watch *x = find(of, item);

	if (x)
		remove_watch(w, of, x);
}

void watches_remove_all(struct watches *w, struct watches_of *of)
{
	struct watch *x;

	while ((x = LIST_FIRST(&of->entries)))
		remove_watch(w, of, x);
}
