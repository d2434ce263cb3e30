#include "bidding/bidding_role.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bidding/collection.h"
#include "bidding/opensea/stream.h"
#include "bidding/shard.h"
#include "common/base/crypto.h"
#include "common/base/log.h"

#define DRAIN_CHECK_MS 20

struct bidding {
	struct bidding_env env;
	const struct bidding_config *config;
	struct collection *collections;
	struct shard **shards;
	size_t n;
	struct opensea_stream *stream; /* NULL without collections */
	struct loop_timer *beat, *drain;
	int64_t drain_until_us;
	bool is_draining;
	void (*done)(void *ctx);
	void *done_ctx;
};

static void on_beat(void *ctx)
{
	struct bidding *b = ctx;

	for (size_t i = 0; i < b->n; i++)
		shard_beat(b->shards[i]);
}

static bool is_drained(const struct bidding *b)
{
	for (size_t i = 0; i < b->n; i++) {
		if (!shard_is_drained(b->shards[i]))
			return false;
	}
	return true;
}

static void on_drain(void *ctx)
{
	struct bidding *b = ctx;
	bool is_late = loop_mono_us(b->env.loop) >= b->drain_until_us;

	if (!is_late && !is_drained(b)) {
		loop_timer_start(b->drain, DRAIN_CHECK_MS);
		return;
	}
	if (!is_drained(b))
		log_warn("bidding", "stopping with writes unanswered", "bus_in_flight=%zu",
			bus_in_flight(b->env.bus));
	b->done(b->done_ctx);
}

/* ---- collections ---- */

static int check_distinct(const struct bidding *b, size_t i, struct fault *f)
{
	for (size_t k = 0; k < i; k++) {
		if (strcmp(b->collections[k].slug, b->collections[i].slug) == 0)
			return fault_set(f, FAULT_FATAL, -EINVAL,
				"bidding.opensea.collections[%zu]: slug: \"%s\" is followed twice",
				i, b->collections[i].slug);
	}
	return 0;
}

static int parse_collections(struct bidding *b, struct fault *f)
{
	const struct config_list *list = &b->config->collections;

	if (list->n == 0)
		return 0;
	b->collections = calloc(list->n, sizeof(*b->collections));
	b->shards = calloc(list->n, sizeof(struct shard *));
	if (!b->collections || !b->shards)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i++) {
		int r = collection_parse(&b->collections[i], i, str_of(list->items[i]), f);

		if (r)
			return -EINVAL;
		r = check_distinct(b, i, f);
		if (r)
			return r;
	}
	return 0;
}

static int make_stream(struct bidding *b, uint64_t seed, struct fault *f)
{
	const struct bidding_config *c = b->config;

	if (!c->api_key_file)
		return fault_set(f, FAULT_FATAL, -EINVAL,
			"bidding.opensea.api_key_file: missing; collections need it");
	return opensea_stream_new(&b->stream, b->env.loop, &b->env.ws,
		&(struct opensea_stream_config){ .url = c->stream_url,
			.key_file = c->api_key_file,
			.heartbeat_ms = c->stream_heartbeat_ms,
			.quiet_ms = c->heartbeat_ms,
			.join_timeout_ms = c->join_timeout_ms,
			.stall_ms = c->stall_ms,
			.seed = seed },
		b->env.metrics, f);
}

static int make_shards(struct bidding *b, uint64_t seed)
{
	struct shard_env env = { .loop = b->env.loop,
		.bus = b->env.bus,
		.cache = b->env.cache,
		.metrics = b->env.metrics,
		.instance = b->env.instance,
		.config = b->config,
		.stream = b->stream,
		.n_shards = (int32_t)b->config->collections.n,
		.seed = seed };

	for (size_t i = 0; i < b->config->collections.n; i++) {
		int r = shard_new(&b->shards[i], &env, &b->collections[i]);

		if (r)
			return r;
		b->n = i + 1;
	}
	return 0;
}

/* ---- life ---- */

int bidding_new(struct bidding **ret, const struct bidding_env *env,
	const struct bidding_config *config, struct fault *f)
{
	CLEANUP(bidding_free) struct bidding *b = calloc(1, sizeof(*b));
	uint64_t seed;
	int r;

	if (!b)
		return -ENOMEM;
	b->env = *env;
	b->config = config;
	r = crypto_random(&seed, sizeof(seed));
	if (r)
		return r;
	b->beat = loop_timer_new(env->loop, on_beat, b);
	b->drain = loop_timer_new(env->loop, on_drain, b);
	if (!b->beat || !b->drain)
		return -ENOMEM;
	r = parse_collections(b, f);
	if (!r && config->collections.n)
		r = make_stream(b, seed, f);
	if (!r)
		r = make_shards(b, seed);
	if (r)
		return r;
	if (config->collections.n == 0)
		log_warn("bidding", "no collection is configured, nothing to do",
			"key=bidding.opensea.collections");
	loop_timer_repeat(b->beat, config->heartbeat_ms);
	*ret = TAKE(b);
	return 0;
}

struct bidding *bidding_free(struct bidding *b)
{
	if (!b)
		return NULL;
	for (size_t i = 0; i < b->n; i++)
		shard_free(b->shards[i]);
	opensea_stream_free(b->stream);
	loop_timer_free(b->beat);
	loop_timer_free(b->drain);
	free(b->shards);
	free(b->collections);
	free(b);
	return NULL;
}

bool bidding_ready(struct bidding *b, struct buf *why)
{
	bool is_ready = true;

	if (b->is_draining) {
		buf_puts(why, STR("stopping\n"));
		return false;
	}
	if (!bus_is_up(b->env.bus)) {
		buf_puts(why, STR("Kafka does not answer\n"));
		is_ready = false;
	}
	if (!cache_is_up(b->env.cache)) {
		buf_puts(why, STR("Redis does not answer\n"));
		is_ready = false;
	}
	for (size_t i = 0; i < b->n; i++)
		is_ready = shard_is_ready(b->shards[i], why) && is_ready;
	return is_ready;
}

void bidding_drain(struct bidding *b, void (*done)(void *ctx), void *ctx)
{
	if (b->is_draining)
		return;
	b->is_draining = true;
	b->done = done;
	b->done_ctx = ctx;
	loop_timer_stop(b->beat);
	for (size_t i = 0; i < b->n; i++)
		shard_drain(b->shards[i]);
	if (b->stream)
		opensea_stream_stop(b->stream);
	b->drain_until_us = loop_mono_us(b->env.loop) + b->config->drain_timeout_ms * 1000;
	loop_timer_start(b->drain, 0);
}
