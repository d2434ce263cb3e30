/*
 * Owner epochs are learned from every record of our partitions, also from those that find no
 * session, since what they say about the shard's owner holds for all.
 *
 * A reader from the end only sees what comes after its start was resolved. So a slot counts as
 * followed from the first at_end() on, and no event is published before: its offer could come too
 * early to be seen.
 */
#include "ws-server/deliver.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/model/offer.h"
#include "ws-server/push.h"
#include "ws-server/session.h"

#define SCRATCH          (256 * 1024)
#define REMEMBER_MORE_MS 60000

struct followed {
	int32_t slot; /* -1: free */
	char epoch[REPLY_SLOT_EPOCH_MAX];
	bool has_begun;
	int64_t until_us; /* 0: held */
};

struct deliver {
	struct gateway *gateway;
	struct bus_reader *reader;
	struct arena *arena;
	struct loop_timer *timer; /* ends the reading of lost slots */
	struct followed followed[DELIVER_SLOTS_MAX];
	uint64_t owner_epochs[DELIVER_SHARDS_MAX]; /* highest seen; 0: none */
};

static void on_records(void *ctx, const struct bus_record *r, size_t n);
static void on_at_end(void *ctx, const char *topic, int32_t partition, int64_t next_offset);

static const struct bus_reader_ops reader_ops = {
	.records = on_records,
	.at_end = on_at_end,
};

/* ---- slots ---- */

static bool is_read(const struct deliver *d, int32_t slot)
{
	for (size_t i = 0; i < DELIVER_SLOTS_MAX; i++)
		if (d->followed[i].slot == slot)
			return true;
	return false;
}

static void leave(struct deliver *d, struct followed *f)
{
	int32_t slot = f->slot;

	*f = (struct followed){ .slot = -1 };
	if (slot >= 0 && !is_read(d, slot))
		bus_reader_remove(d->reader, TOPIC_OFFERS, slot);
}

static int64_t life_us(const struct deliver *d)
{
	const struct gateway_config *config = d->gateway->config;

	return (config->deadline_ms + config->offer_ttl_ms) * 1000;
}

static void on_timer(void *ctx)
{
	struct deliver *d = ctx;
	int64_t now_us = loop_mono_us(d->gateway->env.loop), next_us = INT64_MAX;

	for (size_t i = 0; i < DELIVER_SLOTS_MAX; i++) {
		struct followed *f = &d->followed[i];

		if (f->slot < 0 || f->until_us == 0)
			continue;
		if (f->until_us <= now_us)
			leave(d, f);
		else if (f->until_us < next_us)
			next_us = f->until_us;
	}
	if (next_us != INT64_MAX)
		loop_timer_start_us(d->timer, next_us - now_us);
}

int deliver_new(struct deliver **ret, struct gateway *g)
{
	CLEANUP(deliver_free) struct deliver *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	d->gateway = g;
	for (size_t i = 0; i < DELIVER_SLOTS_MAX; i++)
		d->followed[i].slot = -1;
	d->timer = loop_timer_new(g->env.loop, on_timer, d);
	if (!d->timer)
		return -ENOMEM;
	r = arena_new(&d->arena, SCRATCH);
	if (r < 0)
		return r;
	r = bus_reader_open(g->env.bus, &d->reader, &reader_ops, d);
	if (r < 0)
		return r;
	*ret = TAKE(d);
	return 0;
}

struct deliver *deliver_free(struct deliver *d)
{
	if (!d)
		return NULL;
	bus_reader_close(d->reader);
	arena_free(d->arena);
	loop_timer_free(d->timer);
	free(d);
	return NULL;
}

/* A free place, or that of the slot lost longest ago. */
static struct followed *place(struct deliver *d)
{
	struct followed *oldest = NULL;

	for (size_t i = 0; i < DELIVER_SLOTS_MAX; i++) {
		struct followed *f = &d->followed[i];

		if (f->slot < 0)
			return f;
		if (f->until_us && (!oldest || f->until_us < oldest->until_us))
			oldest = f;
	}
	leave(d, oldest); /* at most one is held, so there is one */
	return oldest;
}

static struct followed *find(struct deliver *d, int32_t slot, const char *epoch)
{
	for (size_t i = 0; i < DELIVER_SLOTS_MAX; i++)
		if (d->followed[i].slot == slot && strcmp(d->followed[i].epoch, epoch) == 0)
			return &d->followed[i];
	return NULL;
}

void deliver_follow(struct deliver *d, int32_t slot, const char *epoch)
{
	struct followed *f;
	bool was_read;

	if (find(d, slot, epoch))
		return;
	f = place(d);
	was_read = is_read(d, slot);
	*f = (struct followed){ .slot = slot, .has_begun = deliver_is_following(d, slot) };
	(void)str_copy(f->epoch, sizeof(f->epoch), str_of(epoch));
	if (!was_read && bus_reader_add(d->reader, TOPIC_OFFERS, slot, BUS_FROM_END, -1) < 0) {
		log_error("deliver", "cannot read the reply partition", "slot=%d", (int)slot);
		f->slot = -1;
	}
}

void deliver_retire(struct deliver *d, int32_t slot, const char *epoch)
{
	struct followed *f = find(d, slot, epoch);

	if (f)
		f->until_us = loop_mono_us(d->gateway->env.loop) + life_us(d);
	on_timer(d);
}

bool deliver_is_following(const struct deliver *d, int32_t slot)
{
	for (size_t i = 0; i < DELIVER_SLOTS_MAX; i++)
		if (d->followed[i].slot == slot && d->followed[i].has_begun)
			return true;
	return false;
}

static void on_at_end(void *ctx, const char *topic, int32_t partition, int64_t next_offset)
{
	struct deliver *d = ctx;

	(void)topic;
	(void)next_offset;
	for (size_t i = 0; i < DELIVER_SLOTS_MAX; i++)
		if (d->followed[i].slot == partition)
			d->followed[i].has_begun = true;
}

/* ---- records ---- */

static void drop(struct deliver *d, enum drop_reason reason)
{
	counter_add(d->gateway->metrics.drops[reason], 1);
}

/* Without the header it is for whoever has the session. */
static bool is_our_epoch(const struct deliver *d, const struct bus_record *r)
{
	struct str epoch = bus_header(r, "x-souk-slot-epoch");

	if (!str_is_set(epoch))
		return true;
	for (size_t i = 0; i < DELIVER_SLOTS_MAX; i++)
		if (d->followed[i].slot == r->partition && str_eqz(epoch, d->followed[i].epoch))
			return true;
	return false;
}

static bool is_newest_owner(struct deliver *d, const struct bus_record *r, struct version rev)
{
	struct str text = bus_header(r, "x-souk-shard");
	uint64_t shard, *seen;

	if (!str_is_set(text) || str_to_u64(text, &shard) < 0 || shard >= DELIVER_SHARDS_MAX)
		return true;
	seen = &d->owner_epochs[shard];
	if (rev.part[0] < *seen)
		return false;
	*seen = rev.part[0];
	return true;
}

static bool has_run_out(const struct offer *o, int64_t now_ms)
{
	return o->state == OFFER_LIVE && o->expires <= now_ms;
}

static void deliver_to(struct deliver *d, struct session *s, const struct offer *o, struct str json)
{
	struct gateway *g = d->gateway;
	int64_t now_ms = loop_now_ms(g->env.loop);
	int64_t until_ms = now_ms + g->config->offer_ttl_ms;
	struct shown_key key;

	if (!session_speaks_for(s, o->user)) {
		drop(d, DROP_USER);
		return;
	}
	if (has_run_out(o, now_ms)) {
		drop(d, DROP_EXPIRED);
		return;
	}
	if (o->expires > until_ms)
		until_ms = o->expires;
	if (shown_key(&key, o->user, o->id) < 0) {
		drop(d, DROP_BAD_RECORD);
		return;
	}

	const bool is_first = !shown_has(&s->shown, &key);

	if (shown_raise(&s->shown, &key, o->rev, until_ms + REMEMBER_MORE_MS, now_ms))
		push_offer(s, o, json, &key, is_first);
	else
		drop(d, DROP_OLD_REV);
}

static void on_record(struct deliver *d, const struct bus_record *r)
{
	struct offer o;
	struct session *s;

	if (!is_our_epoch(d, r)) {
		drop(d, DROP_SLOT_EPOCH);
		return;
	}
	arena_reset(d->arena);
	if (!str_is_set(r->value) || decode(&offer_type, &o, r->value, d->arena, NULL) != 0) {
		drop(d, DROP_BAD_RECORD);
		return;
	}
	if (!is_newest_owner(d, r, o.rev)) {
		drop(d, DROP_OWNER_EPOCH);
		return;
	}
	s = sessions_find(d->gateway->sessions, o.session);
	if (!s || s->state != SESSION_OPEN)
		drop(d, DROP_NO_SESSION);
	else
		deliver_to(d, s, &o, r->value);
}

static void on_records(void *ctx, const struct bus_record *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		on_record(ctx, &r[i]);
}
