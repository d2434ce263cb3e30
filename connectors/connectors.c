/*
 * The role around the shards: the group that gives partitions, the timers, the tracking of our own
 * feeds, and what is told outside.
 *
 * Feeds are tracked for two things. When Redis is lost or flushed, everything tracked is forgotten:
 * then every shard looks whether Redis still has what it wrote. And when `souk cache reset` raises
 * the gen of a side, its shards load again under the new gen.
 */
#include "connectors/connectors.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "connectors/tables/market_feeds.h"
#include "connectors/tables/table_shard.h"

#define ARENA_BYTES (256 * 1024)
#define TICK_MS     250
#define SPARE_MS    10000 /* without a partition that long, there is none for us */
#define AT(member)  offsetof(struct connectors_config, member)

const struct config_row connectors_config_rows[] = {
	{ .key = "tables",
		.type = CONFIG_LIST,
		.def = "profile,loyalty,inventory",
		.offset = AT(tables),
		.help = "What is loaded: profile, loyalty, inventory, market (only where bidding "
			"does not "
			"write the rows itself)." },
	{ .key = "group",
		.type = CONFIG_STR,
		.def = "souk-connectors",
		.offset = AT(group),
		.help = "Consumer group that shares the partitions of the table topics." },
	{ .key = "heartbeat_ms",
		.type = CONFIG_INT,
		.def = "5000",
		.offset = AT(heartbeat_ms),
		.min = 100,
		.max = 3600000,
		.help = "How often feeds beat; less than half of every pricing.max_age_ms." },
	{ .key = "tombstone_ms",
		.type = CONFIG_INT,
		.def = "604800000",
		.offset = AT(tombstone_ms),
		.min = 1000,
		.max = 31536000000,
		.help = "How long a deleted row is remembered; longer than a late update can be "
			"under way." },
	{ .key = "in_flight_max",
		.type = CONFIG_INT,
		.def = "1024",
		.offset = AT(in_flight_max),
		.min = 1,
		.max = 16384,
		.help = "Records of one partition that are not applied yet before it is held." },
};
const size_t connectors_config_n_rows = ARRAY_LEN(connectors_config_rows);

static const struct metric_def ROWS = { "souk_connectors_rows_total", METRIC_COUNTER,
	"Records read: applied, older than the row that is there (stale), or not a record (bad).",
	"result" };
static const struct metric_def FEEDS = { "souk_connectors_feed_records_total", METRIC_COUNTER,
	"Feed records read.", NULL };
static const struct metric_def LETTERS = { "souk_connectors_dead_letters_total", METRIC_COUNTER,
	"Bad records that the dead-letter topic has.", NULL };
static const struct metric_def HELD = { "souk_connectors_held_total", METRIC_COUNTER,
	"List prices held by the breaker.", NULL };
static const struct metric_def LOADS = { "souk_connectors_loads_total", METRIC_COUNTER,
	"Partitions read from the beginning.", NULL };
static const struct metric_def REOPENED = { "souk_connectors_reopened_total", METRIC_COUNTER,
	"Feeds that were gone, taken over, or of an older gen.", NULL };
static const struct metric_def STALLS = { "souk_connectors_stalls_total", METRIC_COUNTER,
	"Times a partition was held because what it had could not be applied.", "by" };
static const struct metric_def SHARDS = { "souk_connectors_shards", METRIC_GAUGE,
	"Partitions that are ours.", "state" };
static const struct metric_def LAG = { "souk_connectors_lag_seconds", METRIC_GAUGE,
	"How far the newest applied record is behind, of the worst partition.", "table" };
static const struct metric_def IN_FLIGHT = { "souk_connectors_in_flight", METRIC_GAUGE,
	"Records read and not applied yet.", NULL };

/* A side whose gen we watch. */
struct side {
	struct connectors *c;
	const struct table *table;
	char key[CACHE_SIDE_MAX + 8];
	bool is_asking;
	bool is_dirty; /* changed again meanwhile */
};

struct connectors {
	struct loader loader;
	const struct connectors_config *config;
	struct metrics *metrics;
	struct shards shards;
	size_t n_shards;
	struct side sides[TABLE_MAX];
	size_t n_sides;
	struct loop_timer *tick;
	struct loop_timer *heartbeat;
	int64_t started_us;
	bool was_assigned;
	struct gauge *loaded, *loading, *in_flight, *lag[TABLE_MAX];
};

/* ---- the group ---- */

static const struct table *table_of(const char *topic)
{
	for (size_t i = 0; i < TABLE_MAX; i++) {
		if (!strcmp(tables[i].topic, topic))
			return &tables[i];
	}
	return NULL;
}

static struct table_shard *find(struct connectors *c, const char *topic, int32_t partition)
{
	struct table_shard *s;

	TAILQ_FOREACH(s, &c->shards, link) {
		if (s->partition == partition && !strcmp(s->table->topic, topic))
			return s;
	}
	return NULL;
}

static void on_assigned(
	void *ctx, const char *topic, int32_t partition, int64_t committed, struct str metadata)
{
	struct connectors *c = ctx;
	const struct table *table = table_of(topic);
	struct table_shard *s =
		table ? table_shard_new(&c->loader, table, partition, committed) : NULL;

	(void)metadata;
	c->was_assigned = true;
	if (!s) {
		log_error("tables", "partition not taken: no memory", "topic=%s partition=%d",
			topic, (int)partition);
		return;
	}
	log_info("tables", "partition assigned, loading from the beginning",
		"topic=%s partition=%d committed=%lld", topic, (int)partition,
		(long long)committed);
	TAILQ_INSERT_TAIL(&c->shards, s, link);
	c->n_shards++;
	table_shard_step(s);
}

static void drop_shard(struct connectors *c, struct table_shard *s)
{
	TAILQ_REMOVE(&c->shards, s, link);
	c->n_shards--;
	table_shard_free(s);
}

static void on_revoked(void *ctx, const char *topic, int32_t partition)
{
	struct connectors *c = ctx;
	struct table_shard *s = find(c, topic, partition);

	log_info("tables", "partition revoked", "topic=%s partition=%d", topic, (int)partition);
	if (s)
		drop_shard(c, s);
}

static void on_records(void *ctx, const struct bus_record *r, size_t n)
{
	struct table_shard *s = find(ctx, r->topic, r->partition);

	if (s)
		table_shard_records(s, r, n);
}

static void on_at_end(void *ctx, const char *topic, int32_t partition, int64_t next_offset)
{
	struct table_shard *s = find(ctx, topic, partition);

	if (s)
		table_shard_at_end(s, next_offset);
}

static const struct bus_group_ops group_ops = {
	.assigned = on_assigned,
	.revoked = on_revoked,
	.records = on_records,
	.at_end = on_at_end,
};

/* ---- what changes in Redis ---- */

static void ask_gen(struct side *side);

static void on_gen(void *ctx, int err, const struct cache_row *rows, size_t n)
{
	struct side *side = ctx;
	struct table_shard *s;

	side->is_asking = false;
	if (side->is_dirty) {
		ask_gen(side);
		return;
	}
	if (err || n != 1)
		return; /* Redis was lost: every shard checks anyway */
	TAILQ_FOREACH(s, &side->c->shards, link) {
		if (s->table == side->table && s->state != SHARD_OPENING && s->gen != rows[0].gen)
			table_shard_reopen(s, "the side has another gen");
	}
}

static void ask_gen(struct side *side)
{
	struct str key = str_of(side->key);

	side->is_dirty = side->is_asking;
	if (!side->is_asking)
		side->is_asking = cache_read(side->c->loader.cache, &key, 1, on_gen, side) == 0;
}

static void on_changed(void *ctx, struct str key)
{
	struct connectors *c = ctx;
	struct table_shard *s;

	if (!str_is_set(key)) {
		TAILQ_FOREACH(s, &c->shards, link) {
			table_shard_distrust(s);
			table_shard_step(s);
		}
		return;
	}
	for (size_t i = 0; i < c->n_sides; i++) {
		if (str_eqz(key, c->sides[i].key))
			ask_gen(&c->sides[i]);
	}
}

/* ---- timers ---- */

static void show(struct connectors *c)
{
	int64_t lag_ms[TABLE_MAX] = { 0 };
	int64_t n_loaded = 0, n_items = 0;
	struct table_shard *s;

	TAILQ_FOREACH(s, &c->shards, link) {
		int64_t lag = table_shard_lag_ms(s), *worst = &lag_ms[s->table - tables];

		*worst = lag > *worst ? lag : *worst;
		n_loaded += table_shard_is_loaded(s);
		n_items += (int64_t)s->n_items;
	}
	c->loaded->value = n_loaded;
	c->loading->value = (int64_t)c->n_shards - n_loaded;
	c->in_flight->value = n_items;
	for (size_t i = 0; i < c->n_sides; i++) {
		size_t t = (size_t)(c->sides[i].table - tables);

		c->lag[t]->value = (lag_ms[t] + 999) / 1000;
	}
}

static void on_tick(void *ctx)
{
	struct connectors *c = ctx;
	struct table_shard *s;

	TAILQ_FOREACH(s, &c->shards, link)
		table_shard_step(s);
	show(c);
}

static void on_heartbeat(void *ctx)
{
	struct connectors *c = ctx;
	struct table_shard *s;

	TAILQ_FOREACH(s, &c->shards, link)
		table_shard_heartbeat(s);
	market_feeds_heartbeat(c->loader.feeds);
}

/* ---- life ---- */

static int take_tables(struct connectors *c, struct fault *f)
{
	const struct config_list *list = &c->config->tables;

	for (size_t i = 0; i < list->n; i++) {
		const struct table *t = table_find(str_of(list->items[i]));

		for (size_t k = 0; t && k < c->n_sides; k++) {
			if (c->sides[k].table == t)
				return fault_set(f, FAULT_FATAL, -EINVAL,
					"connectors.tables: %s is named twice", t->name);
		}
		if (!t)
			return fault_set(f, FAULT_FATAL, -EINVAL,
				"connectors.tables: no table \"%.40s\"; there are profile, "
				"loyalty, "
				"inventory, market",
				list->items[i]);
		c->sides[c->n_sides++] = (struct side){ .c = c, .table = t };
	}
	if (c->n_sides == 0)
		return fault_set(f, FAULT_FATAL, -EINVAL, "connectors.tables: names no table");
	return 0;
}

static void take_metrics(struct connectors *c, struct metrics *m)
{
	struct loader *l = &c->loader;

	l->n.applied = metrics_counter(m, &ROWS, "applied");
	l->n.stale = metrics_counter(m, &ROWS, "stale");
	l->n.bad = metrics_counter(m, &ROWS, "bad");
	l->n.feeds = metrics_counter(m, &FEEDS, NULL);
	l->n.dead_letters = metrics_counter(m, &LETTERS, NULL);
	l->n.held = metrics_counter(m, &HELD, NULL);
	l->n.loads = metrics_counter(m, &LOADS, NULL);
	l->n.reopened = metrics_counter(m, &REOPENED, NULL);
	l->n.stall_cache = metrics_counter(m, &STALLS, "cache");
	l->n.stall_bus = metrics_counter(m, &STALLS, "other");
	c->loaded = metrics_gauge(m, &SHARDS, "loaded");
	c->loading = metrics_gauge(m, &SHARDS, "loading");
	c->in_flight = metrics_gauge(m, &IN_FLIGHT, NULL);
	for (size_t i = 0; i < c->n_sides; i++)
		c->lag[c->sides[i].table - tables] =
			metrics_gauge(m, &LAG, c->sides[i].table->name);
}

static int track(struct connectors *c)
{
	const char *prefixes[TABLE_MAX];

	for (size_t i = 0; i < c->n_sides; i++) {
		struct side *side = &c->sides[i];

		snprintf(side->key, sizeof(side->key), "feed:{%s}", side->table->name);
		prefixes[i] = side->key;
	}
	return cache_track(c->loader.cache, prefixes, c->n_sides, on_changed, c);
}

static int join(struct connectors *c)
{
	const char *topics[TABLE_MAX];

	for (size_t i = 0; i < c->n_sides; i++)
		topics[i] = c->sides[i].table->topic;
	return bus_group_open(c->loader.bus, &c->loader.group, c->config->group, topics, c->n_sides,
		&group_ops, c);
}

static int start(struct connectors *c, struct fault *f)
{
	int err;

	err = arena_new(&c->loader.arena, ARENA_BYTES);
	if (!err)
		err = market_feeds_new(&c->loader.feeds, &c->loader, c->metrics);
	if (!err) {
		c->tick = loop_timer_new(c->loader.loop, on_tick, c);
		c->heartbeat = loop_timer_new(c->loader.loop, on_heartbeat, c);
		err = c->tick && c->heartbeat ? 0 : -ENOMEM;
	}
	if (!err)
		err = track(c);
	if (err)
		return fault_set(f, FAULT_RETRY, err, "connectors: out of memory");
	err = join(c);
	if (err)
		return fault_set(
			f, FAULT_FATAL, err, "connectors: cannot join group %s", c->config->group);
	loop_timer_repeat(c->tick, TICK_MS);
	loop_timer_repeat(c->heartbeat, c->config->heartbeat_ms);
	return 0;
}

int connectors_new(struct connectors **ret, const struct connectors_env *env,
	const struct connectors_config *config, struct fault *f)
{
	CLEANUP(connectors_free) struct connectors *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return fault_set(f, FAULT_RETRY, -ENOMEM, "connectors: out of memory");
	c->config = config;
	c->metrics = env->metrics;
	c->loader = (struct loader){ .loop = env->loop,
		.bus = env->bus,
		.cache = env->cache,
		.instance = env->instance,
		.tombstone_ms = config->tombstone_ms,
		.in_flight_max = (size_t)config->in_flight_max };
	TAILQ_INIT(&c->loader.orphans);
	TAILQ_INIT(&c->shards);
	c->started_us = loop_mono_us(env->loop);
	err = take_tables(c, f);
	if (err)
		return err;
	take_metrics(c, env->metrics);
	err = start(c, f);
	if (err)
		return err;
	*ret = TAKE(c);
	return 0;
}

struct connectors *connectors_free(struct connectors *c)
{
	struct table_shard *s;
	struct item *item;

	if (!c)
		return NULL;
	bus_group_close(c->loader.group);
	while ((s = TAILQ_FIRST(&c->shards)))
		drop_shard(c, s);
	while ((item = TAILQ_FIRST(&c->loader.orphans))) {
		TAILQ_REMOVE(&c->loader.orphans, item, link);
		free(item);
	}
	loop_timer_free(c->tick);
	loop_timer_free(c->heartbeat);
	market_feeds_free(c->loader.feeds);
	arena_free(c->loader.arena);
	free(c);
	return NULL;
}

bool connectors_ready(const struct connectors *c, struct buf *why)
{
	struct buf none = BUF_INIT(1);
	struct buf *out = why ? why : &none;
	bool is_spare = loop_mono_us(c->loader.loop) - c->started_us >= SPARE_MS * 1000;
	size_t n_loading = 0;
	bool is_ready = true;
	const struct table_shard *s;

	TAILQ_FOREACH(s, &c->shards, link)
		n_loading += !table_shard_is_loaded(s);
	if (!bus_is_up(c->loader.bus)) {
		buf_puts(out, STR("kafka is away\n"));
		is_ready = false;
	}
	if (!cache_is_up(c->loader.cache)) {
		buf_puts(out, STR("redis is away\n"));
		is_ready = false;
	}
	if (!c->was_assigned && !is_spare) {
		buf_puts(out, STR("no partition assigned yet\n"));
		is_ready = false;
	}
	if (n_loading) {
		buf_printf(out, "%zu of %zu partitions are loading\n", n_loading, c->n_shards);
		is_ready = false;
	}
	buf_fini(&none);
	return is_ready;
}
