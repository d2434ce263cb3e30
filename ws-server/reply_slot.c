/*
 * At most one command is in flight, and one timer drives the rest: seeking, renewing, and noticing
 * the deadline. Seeking starts at a random slot, so that gateways started together do not race
 * along the same row of keys.
 */
#include "ws-server/reply_slot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/crypto.h"
#include "common/io/backoff.h"

#define TOPIC_UNKNOWN_MS 200
#define RENEW_RETRY_MS   500
#define ALL_TAKEN_MS     1000
#define KEY_MAX          24

enum state { STATE_SEEKING, STATE_HELD, STATE_STOPPED };

struct reply_slot {
	struct loop *loop;
	struct bus *bus;
	struct cache *cache;
	const char *topic;
	const struct reply_slot_ops *ops;
	void *ctx;
	struct loop_timer *timer;
	struct backoff backoff;
	uint64_t random;
	enum state state;
	int32_t slot; /* held, or being asked for */
	int32_t n_slots, n_refused;
	char epoch[REPLY_SLOT_EPOCH_MAX];
	uint64_t term;
	int64_t deadline_us;
	bool is_asking;
	int64_t asked_us; /* when the command in flight was given */
};

static void on_timer(void *ctx);

static struct str key_of(const struct reply_slot *s, char ret[KEY_MAX])
{
	return (struct str){ ret, (size_t)snprintf(ret, KEY_MAX, "gw:{%" PRId32 "}", s->slot) };
}

/* Positive, so that readers with signed numbers agree. */
static int new_epoch(struct reply_slot *s)
{
	uint64_t random;

	if (crypto_random(&random, sizeof(random)) < 0)
		return -EIO;
	snprintf(s->epoch, sizeof(s->epoch), "%" PRIu64, random >> 1 | 1);
	return 0;
}

int reply_slot_new(struct reply_slot **ret, struct loop *loop, struct bus *bus, struct cache *cache,
	const char *topic, const struct reply_slot_ops *ops, void *ctx)
{
	CLEANUP(reply_slot_free) struct reply_slot *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	*s = (struct reply_slot){
		.loop = loop, .bus = bus, .cache = cache, .topic = topic, .ops = ops, .ctx = ctx
	};
	s->timer = loop_timer_new(loop, on_timer, s);
	if (!s->timer)
		return -ENOMEM;
	if (crypto_random(&s->random, sizeof(s->random)) < 0)
		return -EIO;
	s->backoff = BACKOFF_INIT(100, 1000, s->random);
	loop_timer_start(s->timer, 0);
	*ret = TAKE(s);
	return 0;
}

struct reply_slot *reply_slot_free(struct reply_slot *s)
{
	if (!s)
		return NULL;
	loop_timer_free(s->timer);
	free(s);
	return NULL;
}

bool reply_slot_is_held(const struct reply_slot *s)
{
	return s->state == STATE_HELD && loop_mono_us(s->loop) < s->deadline_us;
}

int32_t reply_slot_number(const struct reply_slot *s)
{
	return s->state == STATE_HELD ? s->slot : -1;
}

struct str reply_slot_epoch(const struct reply_slot *s)
{
	return str_of(s->epoch);
}

uint64_t reply_slot_term(const struct reply_slot *s)
{
	return s->term;
}

/* The lease as of the command that was just answered with yes. */
static int64_t deadline_of_answer(const struct reply_slot *s)
{
	return s->asked_us + (REPLY_SLOT_TTL_MS - REPLY_SLOT_MARGIN_MS) * INT64_C(1000);
}

static void lose(struct reply_slot *s)
{
	int32_t slot = s->slot;

	s->state = STATE_SEEKING;
	s->n_refused = 0;
	s->slot = s->n_slots ? (slot + 1) % s->n_slots : 0;
	loop_timer_start(s->timer, 0);
	s->ops->lost(s->ctx, slot, s->epoch);
}

/* Sleeps for @ms, or until the deadline if that is sooner. */
static void wait_held(struct reply_slot *s, int64_t ms)
{
	int64_t left_us = s->deadline_us - loop_mono_us(s->loop);

	if (left_us > ms * 1000)
		left_us = ms * 1000;
	loop_timer_start_us(s->timer, left_us > 0 ? left_us : 0);
}

/* ---- seeking ---- */

static void on_taken(void *ctx, int err, bool yes)
{
	struct reply_slot *s = ctx;

	s->is_asking = false;
	if (s->state != STATE_SEEKING)
		return;
	if (err < 0) {
		loop_timer_start(s->timer, backoff_next_ms(&s->backoff));
		return;
	}
	backoff_reset(&s->backoff);
	s->deadline_us = deadline_of_answer(s);
	if (yes && loop_mono_us(s->loop) < s->deadline_us) {
		s->state = STATE_HELD;
		s->term++;
		wait_held(s, REPLY_SLOT_RENEW_MS);
		s->ops->taken(s->ctx, s->slot, s->epoch);
		return;
	}
	s->slot = (s->slot + 1) % s->n_slots;
	s->n_refused = (s->n_refused + 1) % s->n_slots;
	loop_timer_start(s->timer, s->n_refused == 0 ? ALL_TAKEN_MS : 0);
}

static void seek(struct reply_slot *s)
{
	char key[KEY_MAX];
	int32_t n = bus_partitions(s->bus, s->topic);
	int r;

	if (n <= 0) {
		loop_timer_start(s->timer, TOPIC_UNKNOWN_MS);
		return;
	}
	if (s->n_slots == 0)
		s->slot = (int32_t)(s->random % (uint32_t)n);
	s->n_slots = n;
	s->slot %= n;
	r = new_epoch(s);
	if (r == 0) {
		s->asked_us = loop_mono_us(s->loop);
		r = cache_lease_take(
			s->cache, key_of(s, key), str_of(s->epoch), REPLY_SLOT_TTL_MS, on_taken, s);
	}
	if (r < 0)
		loop_timer_start(s->timer, backoff_next_ms(&s->backoff));
	else
		s->is_asking = true;
}

/* ---- holding ---- */

static void ask_again(struct reply_slot *s);

/* Answer to a renewal, or to taking the key of the same epoch again. */
static void on_kept(struct reply_slot *s, int err, bool yes, bool was_renewal)
{
	s->is_asking = false;
	if (s->state != STATE_HELD)
		return;
	if (err < 0) {
		wait_held(s, RENEW_RETRY_MS);
	} else if (yes) {
		s->deadline_us = deadline_of_answer(s);
		wait_held(s, REPLY_SLOT_RENEW_MS);
		if (s->ops->kept)
			s->ops->kept(s->ctx, s->slot, s->epoch);
	} else if (was_renewal && reply_slot_is_held(s)) {
		ask_again(s);
	} else {
		lose(s);
	}
}

static void on_renewed(void *ctx, int err, bool yes)
{
	on_kept(ctx, err, yes, true);
}

static void on_retaken(void *ctx, int err, bool yes)
{
	on_kept(ctx, err, yes, false);
}

static void ask(struct reply_slot *s, bool is_renewal)
{
	char key[KEY_MAX];
	int r;

	s->asked_us = loop_mono_us(s->loop);
	if (is_renewal)
		r = cache_lease_renew(s->cache, key_of(s, key), str_of(s->epoch), REPLY_SLOT_TTL_MS,
			on_renewed, s);
	else
		r = cache_lease_take(s->cache, key_of(s, key), str_of(s->epoch), REPLY_SLOT_TTL_MS,
			on_retaken, s);
	s->is_asking = r == 0;
	/* An answer that does not come must not keep us past the deadline. */
	wait_held(s, r < 0 ? RENEW_RETRY_MS : REPLY_SLOT_TTL_MS);
}

static void ask_again(struct reply_slot *s)
{
	ask(s, false);
}

static void on_timer(void *ctx)
{
	struct reply_slot *s = ctx;

	if (s->state == STATE_HELD && !reply_slot_is_held(s))
		lose(s);
	else if (s->is_asking)
		loop_timer_start(s->timer, TOPIC_UNKNOWN_MS);
	else if (s->state == STATE_HELD)
		ask(s, true);
	else if (s->state == STATE_SEEKING)
		seek(s);
}

void reply_slot_drop(struct reply_slot *s)
{
	char key[KEY_MAX];

	if (s->state == STATE_HELD)
		(void)cache_lease_drop(s->cache, key_of(s, key), str_of(s->epoch), NULL, NULL);
	s->state = STATE_STOPPED;
	loop_timer_stop(s->timer);
}
