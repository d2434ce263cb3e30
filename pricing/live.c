/*
 * Every wait has one length for all offers, so a queue of those that wait is in order of time by
 * itself: cooling and retrying are two lists whose heads are looked at, and no heap is needed.
 *
 * An offer is one block with its texts behind it. The table holds a reference, and so do the event
 * that carries an answer of it and the batch that joins it: what runs out meanwhile leaves the
 * table at once and the memory later.
 */
#include "pricing/live.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "pricing/keyed.h"

LIST_HEAD(live_list, live_offer);
TAILQ_HEAD(live_queue, live_offer);

struct live {
	struct live_config config;
	void *owner;
	size_t n;
	struct live_queue places[LIVE_RETRYING + 1];
	struct live_queue age;       /* all, oldest first */
	struct keyed *users, *items; /* text -> struct live_list */
};

/* ---- places ---- */

static bool is_listed(enum live_place place)
{
	return place != LIVE_NOWHERE && place != LIVE_JOINING;
}

static void leave(struct live_offer *o)
{
	if (is_listed(o->place))
		TAILQ_REMOVE(&o->live->places[o->place], o, in_place);
	o->place = LIVE_NOWHERE;
}

static void go(struct live_offer *o, enum live_place place, int64_t now_us)
{
	leave(o);
	o->place = place;
	o->since_us = now_us;
	if (is_listed(place))
		TAILQ_INSERT_TAIL(&o->live->places[place], o, in_place);
}

/* READY, if something is to be done and nothing is in the way. */
static void release(struct live_offer *o, int64_t now_us)
{
	if (o->place != LIVE_NOWHERE || !o->is_dirty || o->is_sending)
		return;
	go(o, o->is_urgent ? LIVE_URGENT : LIVE_READY, now_us);
}

/* ---- changes ---- */

bool live_changed(struct live_offer *o, int64_t now_us)
{
	bool was_dirty = o->is_dirty;

	if (!o->live || (o->is_over && !o->must_send))
		return false;
	if (!was_dirty) {
		o->is_dirty = true;
		o->dirty_us = now_us;
	}
	if (o->place == LIVE_RETRYING)
		leave(o);
	release(o, now_us);
	return was_dirty;
}

static size_t list_changed(struct live_list *list, bool by_user, int64_t now_us)
{
	struct live_offer *o, *next;
	size_t n = 0;

	for (o = list ? LIST_FIRST(list) : NULL; o; o = next) {
		next = by_user ? LIST_NEXT(o, of_user) : LIST_NEXT(o, of_item);
		n += live_changed(o, now_us);
	}
	return n;
}

size_t live_changed_user(struct live *l, struct str user, int64_t now_us)
{
	return list_changed(keyed_get(l->users, user), true, now_us);
}

size_t live_changed_item(struct live *l, struct str item, int64_t now_us)
{
	return list_changed(keyed_get(l->items, item), false, now_us);
}

size_t live_changed_all(struct live *l, int64_t now_us)
{
	struct live_offer *o;
	size_t n = 0;

	TAILQ_FOREACH(o, &l->age, in_age)
		n += live_changed(o, now_us);
	return n;
}

void live_pause(struct live *l, struct str collection, int64_t now_us)
{
	struct live_offer *o;

	TAILQ_FOREACH(o, &l->age, in_age) {
		if (str_is_set(collection) && !str_eqz(collection, o->collection))
			continue;
		o->is_urgent = true;
		if (o->place == LIVE_READY)
			leave(o);
		live_changed(o, now_us);
	}
}

/* ---- pricing again ---- */

bool live_has_ready(const struct live *l, bool urgent_only)
{
	return !TAILQ_EMPTY(&l->places[LIVE_URGENT]) ||
	       (!urgent_only && !TAILQ_EMPTY(&l->places[LIVE_READY]));
}

struct live_offer *live_take(struct live *l, bool urgent_only)
{
	struct live_offer *o = TAILQ_FIRST(&l->places[LIVE_URGENT]);

	if (!o && !urgent_only)
		o = TAILQ_FIRST(&l->places[LIVE_READY]);
	if (!o)
		return NULL;
	go(o, LIVE_JOINING, o->since_us);
	o->is_dirty = o->is_urgent = false;
	o->change_us = o->dirty_us;
	return o;
}

static void give_back(struct live_offer *o)
{
	leave(o);
	o->place = o->is_urgent ? LIVE_URGENT : LIVE_READY;
	o->is_dirty = true;
	o->dirty_us = o->change_us;
	TAILQ_INSERT_HEAD(&o->live->places[o->place], o, in_place);
}

void live_settle(struct live_offer *o, enum live_result result, int64_t now_us)
{
	if (!o->live)
		return;
	assert(o->place == LIVE_JOINING);
	switch (result) {
	case LIVE_UNCHANGED:
		leave(o);
		break;
	case LIVE_REVISED:
		o->is_sending = true;
		o->must_send = false;
		go(o, LIVE_COOLING, now_us);
		break;
	case LIVE_AGAIN:
		go(o, o->is_dirty ? LIVE_NOWHERE : LIVE_RETRYING, now_us);
		break;
	case LIVE_BACK:
		give_back(o);
		break;
	}
	release(o, now_us);
}

void live_delivered(struct live_offer *o, int64_t now_us)
{
	o->is_sending = false;
	if (o->is_over)
		live_remove(o);
	if (o->live)
		release(o, now_us);
}

void live_undelivered(struct live_offer *o, int64_t now_us)
{
	o->is_sending = false;
	o->must_send = true;
	o->basis = o->before;
	live_changed(o, now_us);
}

static struct live_offer *first_due(
	struct live *l, enum live_place place, int64_t wait_us, int64_t now_us, int64_t *next_us)
{
	struct live_offer *o = TAILQ_FIRST(&l->places[place]);

	if (!o || o->since_us + wait_us <= now_us)
		return o;
	if (*next_us < 0 || o->since_us + wait_us < *next_us)
		*next_us = o->since_us + wait_us;
	return NULL;
}

int64_t live_tick(struct live *l, int64_t now_us)
{
	struct live_offer *o;
	int64_t next_us = -1;

	while ((o = first_due(l, LIVE_COOLING, l->config.revision_us, now_us, &next_us))) {
		leave(o);
		release(o, now_us);
	}
	while ((o = first_due(l, LIVE_RETRYING, l->config.retry_us, now_us, &next_us)))
		live_changed(o, now_us);
	return next_us;
}

/* ---- one offer ---- */

/* Its texts, in one order for counting and copying. */
static size_t list_texts(struct live_offer *o, struct str *ret[])
{
	struct interest *i = &o->interest;
	struct reply_to *r = &o->reply;
	struct str *texts[] = { &i->id, &i->client_id, &i->user, &i->session, &i->wallet, &i->item,
		&i->place, &i->locale, &i->app, &i->h3, &r->traceparent, &r->topic, &r->partition,
		&r->correlation, &r->session, &r->slot_epoch };

	memcpy(ret, texts, sizeof(texts));
	return ARRAY_LEN(texts);
}

static struct live_offer *offer_new(const struct interest *interest, const struct reply_to *reply)
{
	struct live_offer model = { .interest = *interest, .reply = *reply }, *o;
	struct str *texts[32];
	size_t n = list_texts(&model, texts), n_bytes = 0;
	char *at;

	for (size_t i = 0; i < n; i++)
		n_bytes += texts[i]->n;
	o = malloc(sizeof(*o) + n_bytes + 1);
	if (!o)
		return NULL;
	*o = model;
	at = (char *)(o + 1);
	(void)list_texts(o, texts);
	for (size_t i = 0; i < n; i++) {
		if (texts[i]->n)
			memcpy(at, texts[i]->p, texts[i]->n);
		if (texts[i]->p)
			texts[i]->p = at;
		at += texts[i]->n;
	}
	return o;
}

struct live_offer *live_ref(struct live_offer *o)
{
	o->refs++;
	return o;
}

void live_unref(struct live_offer *o)
{
	if (!o)
		return;
	assert(o->refs > 0);
	if (--o->refs == 0)
		free(o);
}

/* ---- the table ---- */

struct live *live_free(struct live *l)
{
	if (!l)
		return NULL;
	live_remove_all(l);
	keyed_free(l->users);
	keyed_free(l->items);
	free(l);
	return NULL;
}

int live_new(struct live **ret, const struct live_config *config, void *owner)
{
	CLEANUP(live_free) struct live *l = calloc(1, sizeof(*l));
	size_t max = config->max ? config->max : 1;
	int r;

	if (!l)
		return -ENOMEM;
	l->config = *config;
	l->owner = owner;
	TAILQ_INIT(&l->age);
	for (size_t i = 0; i < ARRAY_LEN(l->places); i++)
		TAILQ_INIT(&l->places[i]);
	r = keyed_new(&l->users, max, sizeof(struct live_list));
	if (r == 0)
		r = keyed_new(&l->items, max, sizeof(struct live_list));
	if (r != 0)
		return r;
	*ret = TAKE(l);
	return 0;
}

/* Each list has an offer in it, so neither map can be fuller than the table. */
static int index_offer(struct live *l, struct live_offer *o)
{
	struct live_list *user = keyed_put(l->users, o->interest.user);
	struct live_list *item = user ? keyed_put(l->items, o->interest.item) : NULL;

	if (user && !item && LIST_EMPTY(user))
		keyed_remove(l->users, o->interest.user);
	if (!item)
		return -ENOMEM;
	LIST_INSERT_HEAD(user, o, of_user);
	LIST_INSERT_HEAD(item, o, of_item);
	return 0;
}

struct live_offer *live_add(struct live *l, const struct id *id, const struct interest *interest,
	const struct reply_to *reply, int64_t issued_ms, int64_t ttl_ms, int64_t now_us)
{
	struct live_offer *o = l->n < l->config.max ? offer_new(interest, reply) : NULL;

	if (!o)
		return NULL;
	if (index_offer(l, o) != 0) {
		free(o);
		return NULL;
	}
	o->id = *id;
	o->issued_ms = issued_ms;
	o->expires_ms = issued_ms + ttl_ms;
	o->live = l;
	o->owner = l->owner;
	o->refs = 2;
	o->is_sending = true;
	TAILQ_INSERT_TAIL(&l->age, o, in_age);
	go(o, LIVE_COOLING, now_us);
	l->n++;
	if (l->config.followed)
		l->config.followed->value++;
	return o;
}

static void unindex(struct keyed *index, struct str key)
{
	struct live_list *list = keyed_get(index, key);

	if (list && LIST_EMPTY(list))
		keyed_remove(index, key);
}

void live_remove(struct live_offer *o)
{
	struct live *l = o->live;

	if (!l)
		return;
	leave(o);
	TAILQ_REMOVE(&l->age, o, in_age);
	LIST_REMOVE(o, of_user);
	LIST_REMOVE(o, of_item);
	unindex(l->users, o->interest.user);
	unindex(l->items, o->interest.item);
	o->live = NULL;
	l->n--;
	if (l->config.followed)
		l->config.followed->value--;
	live_unref(o);
}

void live_remove_all(struct live *l)
{
	while (!TAILQ_EMPTY(&l->age))
		live_remove(TAILQ_FIRST(&l->age));
}

void live_expire(struct live *l, int64_t now_ms)
{
	struct live_offer *o;

	while ((o = TAILQ_FIRST(&l->age)) && o->expires_ms <= now_ms)
		live_remove(o);
}

size_t live_count(const struct live *l)
{
	return l->n;
}
