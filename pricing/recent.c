/*
 * One queue of decisions in order of time, and counters beside it that the queue's end takes back.
 *
 * The lowest price shown is a sliding minimum: per (session, user, item) a short queue of prices
 * that only rise (a new price drops all that are not lower), whose front is the minimum and leaves
 * when it is too old. The ceiling makes rising prices rare, so a few places do; when they run out,
 * the newest two become one with the lower price and the later time, which can only hold prices
 * down. An offer made after the market moved begins anew: what was shown under another best bid
 * binds nobody.
 *
 * Where a successor has to begin is the place of the oldest decision in the queue, and of the
 * oldest revision: those are in no queue, a few marks say from where on they lie. Whatever else
 * would be forgotten with a place of its own leaves a floor behind.
 */
#include "pricing/recent.h"

#include <errno.h>
#include <stdlib.h>

#include "pricing/guard.h"
#include "pricing/keyed.h"

#define SHOWN_MAX 6
#define MARKS_MAX 8 /* each for a quarter of the ttl: more than live at once */

struct decision_entry {
	int64_t now_ms;
	int64_t offset; /* -1: not in the log yet */
	bool is_offer;
	bool is_inherited; /* another owner's */
	char *user_item;   /* both texts, for the counters */
	size_t n_user, n_item;
};

struct live {
	int64_t n;
};

struct shown {
	size_t n;
	struct {
		struct money price, bid_net;
		int64_t now_ms;
	} v[SHOWN_MAX]; /* rising in price and time */
};

/* The revisions from a time on lie at or behind a place. */
struct mark {
	int64_t from_ms, until_ms; /* @until_ms: the last of them has run out */
	int64_t offset;
};

struct recent {
	int64_t ttl_ms, moved_bps;
	size_t max;
	struct keyed *decisions, *users, *items, *shown;
	uint64_t evicted;
	int64_t end;    /* beyond the last record known to be in the log, -1: none */
	bool has_floor; /* older decisions than the queue knows may live */
	int64_t floor;  /* where they begin, -1: unknown */
	int64_t floor_until_ms;
	bool is_lossy; /* a place was given up since the reset */
	struct mark marks[MARKS_MAX];
	size_t n_marks; /* rising in time and offset */
};

static void uncount(struct keyed *counters, struct str key)
{
	struct live *live = keyed_get(counters, key);

	if (live && --live->n == 0)
		keyed_remove(counters, key);
}

static void end_offer(struct recent *r, struct decision_entry *e)
{
	if (!e->is_offer)
		return;
	uncount(r->users, (struct str){ e->user_item, e->n_user });
	uncount(r->items, (struct str){ e->user_item + e->n_user, e->n_item });
	free(TAKE(e->user_item));
	e->is_offer = false;
}

static void drop(struct recent *r, struct decision_entry *e, struct str interest)
{
	end_offer(r, e);
	keyed_remove(r->decisions, interest);
}

static void drop_oldest(struct recent *r)
{
	struct str key;
	struct decision_entry *e = keyed_oldest(r->decisions, &key);

	drop(r, e, key);
}

static void forget_all(struct recent *r)
{
	while (r->decisions && keyed_count(r->decisions))
		drop_oldest(r);
	if (r->shown)
		keyed_clear(r->shown);
}

struct recent *recent_free(struct recent *r)
{
	if (!r)
		return NULL;
	forget_all(r);
	keyed_free(r->decisions);
	keyed_free(r->users);
	keyed_free(r->items);
	keyed_free(r->shown);
	free(r);
	return NULL;
}

int recent_new(struct recent **ret, size_t max, int64_t ttl_ms, int64_t moved_bps)
{
	CLEANUP(recent_free) struct recent *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->max = max;
	r->ttl_ms = ttl_ms;
	r->moved_bps = moved_bps;
	r->end = -1;
	err = keyed_new(&r->decisions, max, sizeof(struct decision_entry));
	if (!err)
		err = keyed_new(&r->users, max, sizeof(struct live));
	if (!err)
		err = keyed_new(&r->items, max, sizeof(struct live));
	if (!err)
		err = keyed_new(&r->shown, max, sizeof(struct shown));
	if (err)
		return err;
	*ret = TAKE(r);
	return 0;
}

static void expire(struct recent *r, int64_t now_ms)
{
	struct decision_entry *e;

	while ((e = keyed_oldest(r->decisions, NULL)) && e->now_ms + r->ttl_ms <= now_ms)
		drop_oldest(r);
	if (r->has_floor && r->floor_until_ms <= now_ms)
		r->has_floor = false;
	while (r->n_marks && r->marks[0].until_ms <= now_ms)
		memmove(&r->marks[0], &r->marks[1], --r->n_marks * sizeof(r->marks[0]));
}

/* A floor that there is lies below all that lives. */
static void keep_place(struct recent *r, int64_t offset, int64_t until_ms)
{
	if (!r->has_floor)
		r->floor = offset;
	if (!r->has_floor || until_ms > r->floor_until_ms)
		r->floor_until_ms = until_ms;
	r->has_floor = r->is_lossy = true;
}

/* Forgets the oldest before its time, but not where its record is. */
static void evict(struct recent *r)
{
	struct decision_entry *e = keyed_oldest(r->decisions, NULL);

	keep_place(r, e->offset, e->now_ms + r->ttl_ms);
	r->evicted++;
	drop_oldest(r);
}

static void mark(struct recent *r, int64_t now_ms, int64_t offset)
{
	struct mark *last = r->n_marks ? &r->marks[r->n_marks - 1] : NULL;
	int64_t until_ms = now_ms + r->ttl_ms;

	if (last && (now_ms < last->from_ms + r->ttl_ms / 4 || r->n_marks == MARKS_MAX)) {
		if (until_ms > last->until_ms)
			last->until_ms = until_ms;
		return;
	}
	r->marks[r->n_marks++] = (struct mark){ now_ms, until_ms, offset };
}

bool recent_knows(struct recent *r, struct str interest, int64_t now_ms)
{
	const struct decision_entry *e;

	expire(r, now_ms);
	e = keyed_get(r->decisions, interest);
	return e && !e->is_inherited;
}

/* session, user and item; none of the three holds a NUL. */
static struct str shown_key(
	char *buf, size_t cap, struct str session, struct str user, struct str item)
{
	const struct str parts[] = { session, user, item };
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (n + parts[i].n + 1 > cap)
			return STR_NONE;
		if (parts[i].n)
			memcpy(buf + n, parts[i].p, parts[i].n);
		n += parts[i].n;
		buf[n++] = '\0';
	}
	return (struct str){ buf, n };
}

static void shown_pop(struct shown *s, size_t n)
{
	s->n -= n;
	memmove(&s->v[0], &s->v[n], s->n * sizeof(s->v[0]));
}

static void shown_expire(struct shown *s, int64_t before_ms)
{
	while (s->n && s->v[0].now_ms <= before_ms)
		shown_pop(s, 1);
}

static void shown_add(struct recent *r, struct shown *s, const struct recent_decision *d)
{
	shown_expire(s, d->now_ms - r->ttl_ms);
	if (s->n && guard_market_moved(s->v[0].bid_net, d->bid_net, r->moved_bps))
		s->n = 0;
	if (s->n && !currency_is_par(s->v[0].price.currency, d->price.currency))
		s->n = 0;
	while (s->n && s->v[s->n - 1].price.amount >= d->price.amount)
		s->n--;
	if (s->n == SHOWN_MAX) {
		s->v[s->n - 1].now_ms = d->now_ms;
		return;
	}
	s->v[s->n].price = d->price;
	s->v[s->n].bid_net = d->bid_net;
	s->v[s->n++].now_ms = d->now_ms;
}

static int64_t live_of(const struct keyed *counters, struct str key)
{
	const struct live *live = keyed_get(counters, key);

	return live ? live->n : 0;
}

void recent_look(struct recent *r, struct str session, struct str user, struct str item,
	int64_t now_ms, struct recent_view *ret)
{
	char buf[1024];
	struct str key = shown_key(buf, sizeof(buf), session, user, item);
	struct shown *s = str_is_set(key) ? keyed_get(r->shown, key) : NULL;

	expire(r, now_ms);
	*ret = (struct recent_view){
		.live_user = live_of(r->users, user),
		.live_item = live_of(r->items, item),
	};
	if (!s)
		return;
	shown_expire(s, now_ms - r->ttl_ms);
	if (s->n == 0) {
		keyed_remove(r->shown, key);
		return;
	}
	ret->shown_price = s->v[0].price;
	ret->shown_bid_net = s->v[0].bid_net;
}

static int count_offer(struct recent *r, const struct recent_decision *d)
{
	char buf[1024];
	struct str key = shown_key(buf, sizeof(buf), d->session, d->user, d->item);
	struct live *user = keyed_put(r->users, d->user);
	struct live *item = keyed_put(r->items, d->item);
	struct shown *shown = str_is_set(key) ? keyed_put(r->shown, key) : NULL;

	if (user)
		user->n++;
	if (item)
		item->n++;
	if (!user || !item || !shown)
		return -ENOMEM;
	shown_add(r, shown, d);
	return 0;
}

/* @offset: -1 = not in the log yet. */
static int put(struct recent *r, const struct recent_decision *d, int64_t offset, bool is_inherited)
{
	struct decision_entry *e;
	char *user_item = NULL;

	if (keyed_count(r->decisions) == r->max)
		evict(r);
	if (d->is_offer) {
		user_item = malloc(d->user.n + d->item.n + 1);
		if (!user_item)
			return -ENOMEM;
		memcpy(user_item, d->user.p, d->user.n);
		memcpy(user_item + d->user.n, d->item.p, d->item.n);
	}
	e = keyed_put(r->decisions, d->interest);
	if (!e) {
		free(user_item);
		return -ENOMEM;
	}
	*e = (struct decision_entry){
		.now_ms = d->now_ms,
		.offset = offset,
		.is_offer = d->is_offer,
		.is_inherited = is_inherited,
		.user_item = user_item,
		.n_user = d->user.n,
		.n_item = d->item.n,
	};
	return d->is_offer ? count_offer(r, d) : 0;
}

/* Another decision takes its place: one offer, and what was shown of it before has its record where
 * it was. */
static void supersede(
	struct recent *r, struct decision_entry *e, struct str interest, int64_t now_ms)
{
	keep_place(r, recent_since(r, now_ms), e->now_ms + r->ttl_ms);
	drop(r, e, interest);
}

int recent_add(struct recent *r, const struct recent_decision *d)
{
	struct decision_entry *e;

	expire(r, d->now_ms);
	e = keyed_get(r->decisions, d->interest);
	if (e && !e->is_inherited)
		return 0;
	if (e)
		supersede(r, e, d->interest, d->now_ms);
	return put(r, d, -1, false);
}

static void show(struct recent *r, const struct recent_decision *d)
{
	char buf[1024];
	struct str key = shown_key(buf, sizeof(buf), d->session, d->user, d->item);
	struct shown *shown = str_is_set(key) ? keyed_put(r->shown, key) : NULL;

	if (shown)
		shown_add(r, shown, d);
}

void recent_revised(struct recent *r, const struct recent_decision *d)
{
	show(r, d);
	expire(r, d->now_ms);
	mark(r, d->now_ms, r->end);
}

bool recent_counts(const struct recent *r, struct str interest)
{
	const struct decision_entry *e = keyed_get(r->decisions, interest);

	return e && e->is_offer;
}

void recent_withdrawn(struct recent *r, struct str interest)
{
	struct decision_entry *e = keyed_get(r->decisions, interest);

	if (e)
		end_offer(r, e);
}

void recent_forget(struct recent *r, struct str interest)
{
	struct decision_entry *e = keyed_get(r->decisions, interest);

	if (e)
		drop(r, e, interest);
}

void recent_logged(struct recent *r, struct str interest, int64_t offset)
{
	struct decision_entry *e = keyed_get(r->decisions, interest);

	if (e && e->offset < 0)
		e->offset = offset;
	if (offset + 1 > r->end)
		r->end = offset + 1;
}

void recent_reset(struct recent *r, int64_t offset, int64_t end, int64_t now_ms)
{
	forget_all(r);
	r->n_marks = 0;
	r->is_lossy = false;
	r->end = end;
	r->has_floor = true;
	r->floor = offset;
	r->floor_until_ms = now_ms + r->ttl_ms;
}

int recent_inherit(
	struct recent *r, const struct recent_decision *d, int64_t offset, int64_t now_ms)
{
	struct decision_entry *e;
	int err;

	expire(r, now_ms);
	if (d->now_ms + r->ttl_ms <= now_ms)
		return 0;
	e = keyed_get(r->decisions, d->interest);
	if (e)
		supersede(r, e, d->interest, now_ms);
	err = put(r, d, offset, true);
	if (err)
		r->is_lossy = true;
	return err;
}

void recent_inherit_revised(
	struct recent *r, const struct recent_decision *d, int64_t offset, int64_t now_ms)
{
	expire(r, now_ms);
	if (d->now_ms + r->ttl_ms <= now_ms)
		return;
	show(r, d);
	mark(r, d->now_ms, offset);
}

void recent_inherited(struct recent *r, int64_t end)
{
	if (end > r->end)
		r->end = end;
	if (!r->is_lossy)
		r->has_floor = false;
}

int64_t recent_since(struct recent *r, int64_t now_ms)
{
	struct decision_entry *e;
	int64_t since;

	expire(r, now_ms);
	e = keyed_oldest(r->decisions, NULL);
	since = e && e->offset >= 0 ? e->offset : r->end;
	if (r->has_floor)
		since = r->floor;
	if (r->n_marks && r->marks[0].offset < since)
		since = r->marks[0].offset;
	return since;
}

void recent_resent(struct recent *r, int64_t now_ms)
{
	keep_place(r, recent_since(r, now_ms), now_ms + r->ttl_ms);
}

uint64_t recent_evicted(const struct recent *r)
{
	return r->evicted;
}
