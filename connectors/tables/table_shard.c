/*
 * Everything that is not a record: opening, checking, beating, stalling, being loaded.
 * table_shard_step() does the next thing that is due and is safe to call at any time; failures only
 * set a time before which it is not tried again.
 *
 * Lag: at the end of the log it is 0. Behind it, the oldest thing that is missing was written after
 * the newest applied record, so that record's age bounds the lag; and after the moment we last had
 * everything, which bounds it better where timestamps are old.
 */
#include "connectors/tables/table_shard.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "connectors/tables/market_feeds.h"

#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 5000

static void later(struct table_shard *s)
{
	s->retry_us = loop_mono_us(s->loader->loop) + 1000 * backoff_next_ms(&s->backoff);
}

static void new_run(struct table_shard *s)
{
	snprintf(s->run, sizeof(s->run), "%s.%" PRIu64, s->loader->instance, ++s->loader->n_runs);
}

struct table_shard *table_shard_new(
	struct loader *loader, const struct table *table, int32_t partition, int64_t committed)
{
	struct table_shard *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->loader = loader;
	s->table = table;
	s->partition = partition;
	s->lettered = committed;
	s->backoff = BACKOFF_INIT(RETRY_MIN_MS, RETRY_MAX_MS, (uint64_t)partition + 1);
	TAILQ_INIT(&s->items);
	snprintf(s->feed_key, sizeof(s->feed_key), "feed:{%s}:%s%" PRId32, table->name,
		table->has_feeds ? "~" : "", partition);
	new_run(s);
	return s;
}

static void drop_items(struct table_shard *s)
{
	struct item *item;

	while ((item = TAILQ_FIRST(&s->items))) {
		TAILQ_REMOVE(&s->items, item, link);
		item_drop(item);
	}
	s->n_items = 0;
	for (size_t i = 0; i < SHARD_BUCKETS; i++)
		LIST_INIT(&s->bucket[i]);
}

static void drop_asks(struct table_shard *s)
{
	if (s->ask)
		item_drop(TAKE(s->ask));
	if (s->beat)
		item_drop(TAKE(s->beat));
}

struct table_shard *table_shard_free(struct table_shard *s)
{
	if (!s)
		return NULL;
	if (s->table->has_feeds)
		market_feeds_forget(s->loader->feeds, s->partition);
	drop_items(s);
	drop_asks(s);
	free(s);
	return NULL;
}

static void hold(struct table_shard *s, bool is_held)
{
	if (s->is_held == is_held)
		return;
	s->is_held = is_held;
	bus_group_hold(s->loader->group, s->table->topic, s->partition, is_held);
}

/* Ends a control item; the shard if it still waits for the answer. */
static struct table_shard *answered(struct item *item)
{
	struct table_shard *s = item->shard;

	if (!s)
		TAILQ_REMOVE(&item->loader->orphans, item, link);
	else if (s->ask == item)
		s->ask = NULL;
	else
		s->beat = NULL;
	free(item);
	return s;
}

/* ---- reading ---- */

static void start(struct table_shard *s, int64_t from)
{
	s->state = SHARD_READING;
	s->is_at_end = false;
	s->must_check = false;
	bus_group_start(s->loader->group, s->table->topic, s->partition, from);
	hold(s, false);
}

/* From the beginning, whatever was applied before. */
static void load(struct table_shard *s)
{
	s->applied = s->target = s->beat_applied = -1;
	s->applied_ts = 0;
	s->is_loaded = s->is_announced = false;
	s->caught_up_ms = 0;
	s->n_rows = 0;
	s->started_us = loop_mono_us(s->loader->loop);
	counter_add(s->loader->n.loads, 1);
	if (s->table->has_feeds)
		market_feeds_forget(s->loader->feeds, s->partition);
	start(s, BUS_FROM_BEGIN);
}

static void resume(struct table_shard *s)
{
	if (s->applied < 0)
		load(s);
	else
		start(s, s->applied);
}

void table_shard_stall(struct table_shard *s, bool must_check, const char *why, int err)
{
	counter_add(must_check ? s->loader->n.stall_cache : s->loader->n.stall_bus, 1);
	log_warn("tables", "holding the partition, will go on from the last applied offset",
		"topic=%s partition=%d applied=%lld why=%s error=%d", s->table->topic,
		(int)s->partition, (long long)s->applied, log_quote(str_of(why)), err);
	drop_items(s);
	hold(s, true);
	s->state = SHARD_STALLED;
	s->must_check |= must_check;
	later(s);
}

void table_shard_distrust(struct table_shard *s)
{
	if (s->state == SHARD_OPENING)
		return;
	drop_asks(s);
	drop_items(s);
	hold(s, true);
	s->state = SHARD_STALLED;
	s->must_check = true;
	s->retry_us = 0;
}

void table_shard_reopen(struct table_shard *s, const char *why)
{
	log_info("tables", "feed is opened again, loading from the beginning",
		"topic=%s partition=%d why=%s", s->table->topic, (int)s->partition,
		log_quote(str_of(why)));
	counter_add(s->loader->n.reopened, 1);
	drop_asks(s);
	drop_items(s);
	hold(s, true);
	new_run(s);
	s->state = SHARD_OPENING;
	s->is_loaded = s->is_announced = false;
	s->must_check = false;
	s->retry_us = 0;
	table_shard_step(s);
}

/* ---- opening ---- */

static void on_feed_opened(void *ctx, int err, bool was_complete)
{
	struct table_shard *s = answered(ctx);

	if (!s)
		return;
	if (err) {
		later(s);
		return;
	}
	s->was_complete = was_complete;
	backoff_reset(&s->backoff);
	load(s);
}

static void on_side_opened(void *ctx, int err, const struct cache_row *rows, size_t n)
{
	struct table_shard *s = answered(ctx);

	if (!s)
		return;
	if (err || n != 1 || rows[0].gen == 0) {
		later(s);
		return;
	}
	s->gen = rows[0].gen;
	s->ask = item_new(s, NULL, false);
	if (!s->ask)
		later(s);
	else if (cache_feed_open(s->loader->cache, str_of(s->feed_key), str_of(s->run),
			 on_feed_opened, s->ask)) {
		free(TAKE(s->ask));
		later(s);
	}
}

static int ask_side(struct table_shard *s, struct item *ask)
{
	int32_t n = bus_partitions(s->loader->bus, s->table->topic);

	if (n <= 0)
		return -EAGAIN;
	return cache_side_open(s->loader->cache, str_of(s->table->name), n, on_side_opened, ask);
}

/* ---- checking ---- */

static void on_checked(void *ctx, int err, const struct cache_row *rows, size_t n)
{
	struct table_shard *s = answered(ctx);
	int64_t alive_ms;

	if (!s)
		return;
	if (err || n != 1) {
		later(s);
		return;
	}
	backoff_reset(&s->backoff);
	if (!str_eq(row_get(&rows[0].row, "run"), str_of(s->run))) {
		table_shard_reopen(s, "the feed is gone or not ours");
	} else if (s->beat_applied < 0 ||
		   str_to_i64(row_get(&rows[0].row, "alive_at"), &alive_ms) ||
		   alive_ms < s->beat_alive_ms) {
		load(s);
	} else {
		if (s->beat_applied < s->applied)
			s->applied = s->beat_applied;
		resume(s);
	}
}

static int ask_feed(struct table_shard *s, struct item *ask)
{
	struct str key = str_of(s->feed_key);

	return cache_read(s->loader->cache, &key, 1, on_checked, ask);
}

void table_shard_step(struct table_shard *s)
{
	bool is_due = loop_mono_us(s->loader->loop) >= s->retry_us;
	int err;

	if (s->state == SHARD_READING || s->ask || !is_due || !cache_is_up(s->loader->cache))
		return;
	if (s->state == SHARD_STALLED && !s->must_check) {
		resume(s);
		return;
	}
	s->ask = item_new(s, NULL, false);
	if (!s->ask)
		return;
	err = s->state == SHARD_OPENING ? ask_side(s, s->ask) : ask_feed(s, s->ask);
	if (err) {
		free(TAKE(s->ask));
		later(s);
	}
}

/* ---- progress ---- */

static void learn_target(struct table_shard *s)
{
	if (s->target < 0)
		s->target = bus_group_high(s->loader->group, s->table->topic, s->partition);
}

static void loaded(struct table_shard *s)
{
	s->is_loaded = true;
	log_info("tables", "loaded", "topic=%s partition=%d rows=%llu next=%lld ms=%lld",
		s->table->topic, (int)s->partition, (unsigned long long)s->n_rows,
		(long long)s->applied,
		(long long)((loop_mono_us(s->loader->loop) - s->started_us) / 1000));
	table_shard_heartbeat(s);
}

static void settle(struct table_shard *s)
{
	if (s->is_at_end && s->n_items == 0) {
		if (s->applied < s->end)
			s->applied = s->end;
		s->caught_up_ms = bus_heard_ms(s->loader->bus);
	}
	if (s->is_loaded)
		return;
	if ((s->is_at_end && s->n_items == 0) || (s->target >= 0 && s->applied >= s->target))
		loaded(s);
}

void table_shard_progress(struct table_shard *s)
{
	struct item *item;

	while ((item = TAILQ_FIRST(&s->items)) && item->state == ITEM_DONE) {
		TAILQ_REMOVE(&s->items, item, link);
		s->n_items--;
		s->applied = item->offset + 1;
		s->applied_ts = item->ts_ms;
		free(item);
		backoff_reset(&s->backoff);
	}
	if (s->applied > s->lettered)
		s->lettered = s->applied;
	if (s->n_items <= s->loader->in_flight_max / 2)
		hold(s, false);
	settle(s);
}

void table_shard_records(struct table_shard *s, const struct bus_record *r, size_t n)
{
	if (s->state != SHARD_READING)
		return;
	learn_target(s);
	s->is_at_end = false;
	for (size_t i = 0; i < n; i++) {
		if (!apply_record(s, &r[i]))
			return;
	}
	if (s->n_items >= s->loader->in_flight_max)
		hold(s, true);
}

void table_shard_at_end(struct table_shard *s, int64_t next_offset)
{
	if (s->state != SHARD_READING)
		return;
	learn_target(s);
	s->is_at_end = true;
	s->end = next_offset;
	settle(s);
}

/* ---- heartbeat ---- */

int64_t table_shard_lag_ms(const struct table_shard *s)
{
	int64_t heard_ms = bus_heard_ms(s->loader->bus);
	int64_t high = bus_group_high(s->loader->group, s->table->topic, s->partition);
	int64_t lag_ms = heard_ms - s->applied_ts;

	if (s->is_at_end && s->n_items == 0 && high <= s->end)
		return 0;
	if (s->caught_up_ms && heard_ms - s->caught_up_ms < lag_ms)
		lag_ms = heard_ms - s->caught_up_ms;
	return lag_ms > 0 ? lag_ms : 0;
}

static void on_beaten(void *ctx, int err, bool is_ours)
{
	struct table_shard *s = answered(ctx);

	if (!s || err)
		return;
	if (!is_ours) {
		table_shard_reopen(s, "the beat was refused");
		return;
	}
	s->beat_applied = s->sent_applied;
	s->beat_alive_ms = s->sent_alive_ms;
	s->is_announced |= s->sent_complete;
}

void table_shard_heartbeat(struct table_shard *s)
{
	struct cache_feed f = { .key = str_of(s->feed_key),
		.run = str_of(s->run),
		.alive_at = bus_heard_ms(s->loader->bus),
		.lag_ms = table_shard_lag_ms(s),
		.complete = s->is_loaded };
	bool is_theirs = s->was_complete && !s->is_loaded;

	if (s->state != SHARD_READING || s->beat || is_theirs || f.alive_at == 0)
		return;
	if (s->applied >= 0)
		(void)bus_group_commit(
			s->loader->group, s->table->topic, s->partition, s->applied, STR_NONE);
	s->beat = item_new(s, NULL, false);
	if (!s->beat)
		return;
	s->sent_applied = s->applied;
	s->sent_alive_ms = f.alive_at;
	s->sent_complete = f.complete;
	if (cache_feed_beat(s->loader->cache, &f, on_beaten, s->beat))
		free(TAKE(s->beat));
}

bool table_shard_is_loaded(const struct table_shard *s)
{
	return s->state == SHARD_READING && s->is_announced;
}
