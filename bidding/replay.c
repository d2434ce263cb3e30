/*
 * The whole partition is read, collections that share it included: what is in the log is the truth,
 * and there is no index into it. Other keys cost a comparison.
 *
 * Expired orders are dropped by the book as they come, so the book is never larger than it was.
 */
#include "bidding/replay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/base/arena.h"
#include "common/base/log.h"
#include "common/model/market.h"
#include "common/model/offer.h"
#include "common/model/topics.h"

#define ARENA_BYTES 65536

struct replay {
	struct loop *loop;
	const struct collection *c;
	struct book *book;
	struct bus_reader *reader;
	struct arena *arena;
	int64_t epoch; /* highest owner offset so far, -1: none */
	struct replay_result result;
	replay_done_fn done;
	void *ctx;
	struct counter *n_read, *n_void, *n_bad;
};

static const struct metric_def READ = { "souk_bidding_replay_events_total", METRIC_COUNTER,
	"Events read back from market.events.v1.", NULL };
static const struct metric_def VOID = { "souk_bidding_replay_void_total", METRIC_COUNTER,
	"Events read back that a former owner wrote too late.", NULL };
static const struct metric_def BAD = { "souk_bidding_replay_bad_total", METRIC_COUNTER,
	"Records of market.events.v1 that could not be read.", NULL };

struct str replay_owner_of(
	const struct collection *c, const struct bus_record *record, struct arena *a)
{
	struct owner_record o;

	if (!str_eqz(record->key, c->key) || !str_is_set(record->value) ||
		decode(&owner_record_type, &o, record->value, a, NULL))
		return STR_NONE;
	return o.instance;
}

static void bad(struct replay *r, const struct bus_record *record, const struct fault *f)
{
	r->result.n_bad++;
	counter_add(r->n_bad, 1);
	log_warn("replay", "record not readable, skipping",
		"topic=%s partition=%" PRId32 " offset=%" PRId64 " why=%s", record->topic,
		record->partition, record->offset, log_quote(str_of(f->text)));
}

static void take(struct replay *r, const struct bus_record *record)
{
	struct market_event e;
	struct fault f = { 0 };

	if (!str_eqz(record->key, r->c->key) || !str_is_set(record->value))
		return;
	arena_reset(r->arena);
	if (str_is_set(replay_owner_of(r->c, record, r->arena))) {
		r->epoch = record->offset;
		return;
	}
	if (decode(&market_event_type_record, &e, record->value, r->arena, &f)) {
		bad(r, record, &f);
		return;
	}
	if (e.epoch < r->epoch) { /* without one: nobody's */
		r->result.n_void++;
		counter_add(r->n_void, 1);
		return;
	}
	r->result.n_events++;
	counter_add(r->n_read, 1);
	book_apply(r->book, &e, loop_now_ms(r->loop));
}

static void on_records(void *ctx, const struct bus_record *records, size_t n)
{
	for (size_t i = 0; i < n; i++)
		take(ctx, &records[i]);
}

static void on_end(void *ctx, const char *topic, int32_t partition, int64_t next_offset)
{
	struct replay *r = ctx;

	(void)topic;
	(void)partition;
	(void)next_offset;
	r->done(r->ctx, &r->result);
}

static const struct bus_reader_ops READER = { .records = on_records, .at_end = on_end };

int replay_start(struct replay **ret, struct loop *loop, struct bus *bus,
	const struct collection *c, struct book *book, int32_t partition, int64_t until,
	struct metrics *m, replay_done_fn done, void *ctx)
{
	struct replay *r = calloc(1, sizeof(*r));
	int e;

	if (!r)
		return -ENOMEM;
	*r = (struct replay){
		.loop = loop, .c = c, .book = book, .epoch = -1, .done = done, .ctx = ctx
	};
	r->n_read = metrics_counter(m, &READ, NULL);
	r->n_void = metrics_counter(m, &VOID, NULL);
	r->n_bad = metrics_counter(m, &BAD, NULL);
	e = arena_new(&r->arena, ARENA_BYTES);
	if (!e)
		e = bus_reader_open(bus, &r->reader, &READER, r);
	if (!e)
		e = bus_reader_add(
			r->reader, TOPIC_MARKET_EVENTS, partition, BUS_FROM_BEGIN, until);
	if (e) {
		replay_free(r);
		return e;
	}
	*ret = r;
	return 0;
}

struct replay *replay_free(struct replay *r)
{
	if (!r)
		return NULL;
	bus_reader_close(r->reader);
	arena_free(r->arena);
	free(r);
	return NULL;
}
