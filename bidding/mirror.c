/*
 * Answers come in the order of the commands and each exactly once, so two counters are enough to
 * know what has been answered, and a failed life is over when they meet: no answer of it can reach
 * the next one.
 */
#include "bidding/mirror.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/arena.h"
#include "common/base/log.h"
#include "common/model/item.h"
#include "common/model/row_codec.h"
#include "common/model/version.h"

#define SIDE         "market"
#define RETRY_MS     500
#define FULL_MS      50
#define LOAD_AHEAD   256
#define ARENA_BYTES  16384
#define FEED_KEY_MAX (sizeof("feed:{market}:") + COLLECTION_SLUG_MAX)
#define ROW_KEY_MAX  (sizeof("bestbid:{}") + ITEM_MAX)

enum state {
	MIRROR_CLOSED,
	MIRROR_FAILED,  /* until everything is answered and the timer has run */
	MIRROR_OPENING, /* the side, then the feed */
	MIRROR_LOADING,
	MIRROR_SETTLING, /* all rows are given; the feed's first beat is next, or on its way */
	MIRROR_LOADED,
};

struct mirror {
	struct mirror_env env;
	enum state state;
	bool is_wanted;
	uint64_t gen;
	uint64_t n_given, n_answered, settle_at;
	bool is_beating; /* the beat that completes is on its way */
	size_t load_at;
	int64_t opened_ms;
	int64_t alive_at, lag_ms;
	bool has_gap;
	char feed_key[FEED_KEY_MAX];
	struct loop_timer *timer;
	struct arena *arena;
	struct counter *written, *stale, *failures, *loads;
};

static const struct metric_def WRITTEN = { "souk_bidding_rows_cached_total", METRIC_COUNTER,
	"Rows written to Redis.", NULL };
static const struct metric_def STALE = { "souk_bidding_rows_cached_stale_total", METRIC_COUNTER,
	"Rows that Redis already had in this version or a higher one.", NULL };
static const struct metric_def FAILURES = { "souk_bidding_cache_failures_total", METRIC_COUNTER,
	"Times the rows in Redis could not be kept and had to be written again.", NULL };
static const struct metric_def LOADS = { "souk_bidding_cache_loads_total", METRIC_COUNTER,
	"Times all rows were written.", NULL };

static void load(struct mirror *m);

static void fail(struct mirror *m, const char *what, int err)
{
	if (m->state == MIRROR_CLOSED || m->state == MIRROR_FAILED)
		return;
	m->state = MIRROR_FAILED;
	counter_add(m->failures, 1);
	log_warn("mirror", "rows in Redis are not kept, writing them again",
		"collection=%s what=%s error=%d", m->env.collection->slug, what, -err);
	loop_timer_start(m->timer, RETRY_MS);
}

static bool given(struct mirror *m, int r, const char *what)
{
	if (r) {
		fail(m, what, r);
		return false;
	}
	m->n_given++;
	return true;
}

static void answered(struct mirror *m, int err, const char *what)
{
	m->n_answered++;
	if (err)
		fail(m, what, err);
}

/* ---- rows ---- */

static void on_written(void *ctx, int err, enum cache_outcome outcome)
{
	struct mirror *m = ctx;

	answered(m, err, "row");
	if (!err)
		counter_add(outcome == CACHE_APPLIED ? m->written : m->stale, 1);
	load(m);
}

static int write_row(struct mirror *m, const struct rows_done *d)
{
	const struct bestbid *b = d->bestbid;
	char key[ROW_KEY_MAX], ver[VERSION_TEXT_MAX];
	struct row row;
	struct cache_write w = { .gen = m->gen,
		.et = b->as_of,
		.src_partition = d->partition,
		.src_offset = d->offset,
		.row = &row };

	w.key.p = key;
	w.key.n = (size_t)snprintf(key, sizeof(key), "bestbid:{" STR_FMT "}", STR_ARG(b->item));
	w.ver = (struct str){ ver, version_format_stored(ver, b->ver) };
	if (row_encode(&bestbid_type, b, &row, m->arena))
		return -EMSGSIZE;
	return cache_write(m->env.cache, &w, on_written, m);
}

void mirror_row(struct mirror *m, const struct rows_done *row)
{
	if (m->state < MIRROR_LOADING)
		return;
	arena_reset(m->arena);
	given(m, write_row(m, row), "row");
	load(m);
}

/* ---- loading ---- */

static void on_beat(void *ctx, int err, bool is_ours)
{
	struct mirror *m = ctx;
	bool was_settling = m->state == MIRROR_SETTLING;

	answered(m, err, "beat");
	m->is_beating = false;
	if (err || m->state < MIRROR_SETTLING)
		return;
	if (!is_ours) {
		fail(m, "feed is not ours", 0);
	} else if (was_settling) {
		m->state = MIRROR_LOADED;
		counter_add(m->loads, 1);
		log_info("mirror", "rows are in Redis", "collection=%s gen=%" PRIu64,
			m->env.collection->slug, m->gen);
		if (m->env.loaded)
			m->env.loaded(m->env.ctx);
	}
}

static void beat(struct mirror *m)
{
	struct cache_feed f = { .key = str_of(m->feed_key),
		.run = str_of(m->env.run),
		.alive_at = m->alive_at,
		.lag_ms = m->lag_ms,
		.gap = m->has_gap,
		.complete = true };

	m->is_beating = given(m, cache_feed_beat(m->env.cache, &f, on_beat, m), "beat");
}

/* Whether every change from before the feed was opened is with Kafka, and so was given here. */
static bool is_caught_up(const struct mirror *m)
{
	int64_t since = rows_waiting_since_ms(m->env.rows);

	return since == 0 || since > m->opened_ms;
}

static void settle(struct mirror *m)
{
	if (m->state == MIRROR_LOADING && is_caught_up(m)) {
		m->state = MIRROR_SETTLING;
		m->settle_at = m->n_given;
	}
	if (m->state == MIRROR_SETTLING && !m->is_beating && m->n_answered >= m->settle_at)
		beat(m);
}

static void load(struct mirror *m)
{
	struct rows_done d;
	struct bestbid b;

	while (m->state == MIRROR_LOADING && m->n_given - m->n_answered < LOAD_AHEAD) {
		size_t at = m->load_at;
		int r;

		arena_reset(m->arena);
		if (!rows_next(m->env.rows, &at, &d, &b, m->arena)) {
			settle(m);
			return;
		}
		r = write_row(m, &d);
		if (r == -ENOBUFS) {
			loop_timer_start(m->timer, FULL_MS);
			return;
		}
		if (given(m, r, "row"))
			m->load_at = at;
	}
	if (m->state == MIRROR_SETTLING)
		settle(m);
}

/* ---- opening ---- */

static void on_feed(void *ctx, int err, bool was_complete)
{
	struct mirror *m = ctx;

	(void)was_complete;
	answered(m, err, "feed");
	if (m->state != MIRROR_OPENING)
		return;
	m->state = MIRROR_LOADING;
	m->load_at = 0;
	load(m);
}

static void on_side(void *ctx, int err, const struct cache_row *rows, size_t n)
{
	struct mirror *m = ctx;

	answered(m, err, "side");
	if (err || n != 1 || m->state < MIRROR_OPENING)
		return;
	if (m->state == MIRROR_OPENING) {
		m->gen = rows[0].gen;
		given(m,
			cache_feed_open(
				m->env.cache, str_of(m->feed_key), str_of(m->env.run), on_feed, m),
			"feed");
	} else if (rows[0].gen != m->gen) {
		fail(m, "generation was raised", 0);
	}
}

static void ask_side(struct mirror *m)
{
	given(m, cache_side_open(m->env.cache, STR(SIDE), m->env.n_shards, on_side, m), "side");
}

static void on_timer(void *ctx)
{
	struct mirror *m = ctx;

	if (m->state == MIRROR_LOADING) {
		load(m);
		return;
	}
	if (!m->is_wanted || m->state != MIRROR_FAILED)
		return;
	if (m->n_given != m->n_answered || !cache_is_up(m->env.cache)) {
		loop_timer_start(m->timer, RETRY_MS);
		return;
	}
	m->state = MIRROR_OPENING;
	m->is_beating = false;
	m->opened_ms = loop_mono_ms(m->env.loop);
	ask_side(m);
}

void mirror_open(struct mirror *m)
{
	m->is_wanted = true;
	if (m->state != MIRROR_CLOSED)
		return;
	m->state = MIRROR_FAILED; /* as if: the way back in is the way in */
	loop_timer_start(m->timer, 0);
}

void mirror_close(struct mirror *m)
{
	m->is_wanted = false;
	m->state = MIRROR_CLOSED;
	loop_timer_stop(m->timer);
}

void mirror_beat(struct mirror *m, int64_t alive_at_ms, int64_t lag_ms, bool has_gap)
{
	m->alive_at = alive_at_ms;
	m->lag_ms = lag_ms;
	m->has_gap = has_gap;
	load(m);
	if (m->state != MIRROR_LOADED)
		return;
	beat(m);
	if (m->state == MIRROR_LOADED)
		ask_side(m);
}

bool mirror_is_loaded(const struct mirror *m)
{
	return m->state == MIRROR_LOADED;
}

bool mirror_is_idle(const struct mirror *m)
{
	return m->n_given == m->n_answered;
}

/* ---- life ---- */

int mirror_new(struct mirror **ret, const struct mirror_env *env)
{
	struct mirror *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->env = *env;
	snprintf(m->feed_key, sizeof(m->feed_key), "feed:{" SIDE "}:%s", env->collection->slug);
	m->written = metrics_counter(env->metrics, &WRITTEN, NULL);
	m->stale = metrics_counter(env->metrics, &STALE, NULL);
	m->failures = metrics_counter(env->metrics, &FAILURES, NULL);
	m->loads = metrics_counter(env->metrics, &LOADS, NULL);
	m->timer = loop_timer_new(env->loop, on_timer, m);
	if (!m->timer || arena_new(&m->arena, ARENA_BYTES)) {
		mirror_free(m);
		return -ENOMEM;
	}
	*ret = m;
	return 0;
}

struct mirror *mirror_free(struct mirror *m)
{
	if (!m)
		return NULL;
	loop_timer_free(m->timer);
	arena_free(m->arena);
	free(m);
	return NULL;
}
