/*
 * `souk recompute`: makes every decision on nft.decisions.v1 again, from the topics alone, and
 * names those that do not come out the same: first answers, revisions and withdrawals alike, and
 * causes that do not go with their inputs.
 *
 * First the rulesets (nft.rules.v1 to its end), then the decisions from the beginning of each
 * partition. A decision whose ruleset has not been seen waits for it, up to WAITING_MAX of them.
 * Without --follow it ends at the end of the topic; with it, at SIGTERM, once what was there then
 * has been read.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/json_out.h"
#include "common/base/log.h"
#include "common/io/bus.h"
#include "common/model/offer.h"
#include "common/model/topics.h"
#include "pricing/recompute.h"
#include "souk/args.h"
#include "souk/process.h"

#define RULESETS_MAX   256
#define WAITING_MAX    10000
#define PARTITIONS_MAX 1024
#define SCRATCH_BYTES  (1u << 20)
#define SETTLE_MS      500
#define FINISH_MAX_MS  20000

struct waiting {
	int32_t partition;
	int64_t offset;
	char *json;
};

struct recompute {
	struct process process;
	struct bus_reader *reader;
	struct loop_timer *begin, *finish;
	struct arena *scratch;
	struct decide_scratch *decide;
	struct buf expected;
	struct ruleset *rulesets[RULESETS_MAX];
	size_t n_rulesets;
	struct waiting *waiting;
	size_t n_waiting;
	int32_t partitions;
	int64_t position[PARTITIONS_MAX]; /* next offset to read; -1: nothing heard yet */
	bool rules_read, follow, json, is_finishing;
	int64_t finish_at_ms, last_record_ms, finish_by_ms;
	uint64_t checked, same, different, unreadable, no_ruleset, revisions;
};

static const struct ruleset *lookup(void *ctx, struct str id)
{
	const struct recompute *c = ctx;

	for (size_t i = 0; i < c->n_rulesets; i++)
		if (str_eq(ruleset_id(c->rulesets[i]), id))
			return c->rulesets[i];
	return NULL;
}

static void report(const struct recompute *c, const char *what, int32_t partition, int64_t offset,
	const struct fault *f)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(4096);
	struct json_out j = JSON_OUT(&b);

	if (!c->json) {
		printf("%s: partition %d offset %lld: %s\n", what, partition, (long long)offset,
			f->text);
		return;
	}
	json_begin(&j, NULL);
	json_begin(&j, what);
	json_i64(&j, "partition", partition);
	json_i64(&j, "offset", offset);
	json_strz(&j, "why", f->text);
	json_end(&j);
	json_end(&j);
	printf(STR_FMT "\n", STR_ARG(buf_str(&b)));
}

static void keep_waiting(struct recompute *c, int32_t partition, int64_t offset, struct str json)
{
	char *copy = c->n_waiting < WAITING_MAX ? strndup(json.p, json.n) : NULL;

	if (copy)
		c->waiting[c->n_waiting++] = (struct waiting){ partition, offset, copy };
	else
		c->no_ruleset++;
}

/* @may_wait: a missing ruleset may still come. */
static void check(
	struct recompute *c, int32_t partition, int64_t offset, struct str json, bool may_wait)
{
	struct fault f = { 0 };
	int cause = CAUSE_INTEREST;

	arena_reset(c->scratch);
	buf_clear(&c->expected);
	const int r = recompute_decision(
		json, lookup, c, c->decide, c->scratch, &c->expected, &cause, &f);

	if (r == RECOMPUTE_E_RULESET && may_wait) {
		keep_waiting(c, partition, offset, json);
		return;
	}
	c->checked++;
	c->revisions += cause > CAUSE_TAKEOVER;
	if (r == 0) {
		c->same++;
	} else if (r == RECOMPUTE_E_DIFFERENT) {
		c->different++;
		report(c, "different", partition, offset, &f);
	} else if (r == RECOMPUTE_E_RULESET) {
		c->no_ruleset++;
		report(c, "no_ruleset", partition, offset, &f);
	} else {
		c->unreadable++;
		report(c, "unreadable", partition, offset, &f);
	}
}

/* In place: a place is free again before anything can wait there anew. */
static void retry_waiting(struct recompute *c, bool may_wait)
{
	const size_t n = c->n_waiting;

	c->n_waiting = 0;
	for (size_t i = 0; i < n; i++) {
		const struct waiting w = c->waiting[i];

		check(c, w.partition, w.offset, str_of(w.json), may_wait);
		free(w.json);
	}
}

/* A body has the key `<name>/<sha256>`; pointers and pauses are not of interest. */
static void take_rules(struct recompute *c, const struct bus_record *r)
{
	const struct schema *schema = price_schema();
	struct ruleset *rs = NULL;
	struct fault f = { 0 };

	if (!str_is_set(r->value) || !str_is_set(r->key) || !memchr(r->key.p, '/', r->key.n) ||
		str_starts(r->key, STR("pause/")))
		return;
	if (!schema || ruleset_parse(&rs, r->value, schema, NULL, &f)) {
		log_warn("recompute", "a ruleset that cannot be read", "offset=%lld why=%s",
			(long long)r->offset, log_quote(str_of(f.text)));
		return;
	}
	if (c->n_rulesets == RULESETS_MAX || lookup(c, ruleset_id(rs))) {
		ruleset_free(rs);
		return;
	}
	c->rulesets[c->n_rulesets++] = rs;
	if (c->n_waiting)
		retry_waiting(c, true);
}

static void take_decision(struct recompute *c, const struct bus_record *r)
{
	struct owner_record owner;

	arena_reset(c->scratch);
	if (decode(&owner_record_type, &owner, r->value, c->scratch, NULL) == 0 &&
		str_eq(owner.type, STR("owner")))
		return;
	check(c, r->partition, r->offset, r->value, true);
}

static void records(void *ctx, const struct bus_record *r, size_t n)
{
	struct recompute *c = ctx;
	const bool is_rules = strcmp(r->topic, TOPIC_RULES) == 0;

	c->last_record_ms = loop_mono_ms(c->process.loop);
	for (size_t i = 0; i < n; i++) {
		if (is_rules)
			take_rules(c, &r[i]);
		else
			take_decision(c, &r[i]);
	}
	if (!is_rules)
		c->position[r->partition] = r[n - 1].offset + 1;
}

static void read_decisions(struct recompute *c)
{
	for (int32_t p = 0; p < c->partitions; p++) {
		c->position[p] = -1;
		if (bus_reader_add(c->reader, TOPIC_DECISIONS, p, BUS_FROM_BEGIN, -1))
			log_error("recompute", "a partition cannot be read", "partition=%d", p);
	}
}

static bool is_read_up(struct recompute *c)
{
	if (!c->rules_read)
		return false;
	for (int32_t p = 0; p < c->partitions; p++)
		if (c->position[p] < 0 ||
			c->position[p] < bus_reader_high(c->reader, TOPIC_DECISIONS, p))
			return false;
	return true;
}

static void at_end(void *ctx, const char *topic, int32_t partition, int64_t next_offset)
{
	struct recompute *c = ctx;

	if (strcmp(topic, TOPIC_RULES) == 0) {
		if (!c->rules_read) {
			c->rules_read = true;
			read_decisions(c);
		}
		return;
	}
	c->position[partition] = next_offset;
	if (!c->follow && is_read_up(c))
		process_stopped(&c->process);
}

static void begin(void *ctx)
{
	struct recompute *c = ctx;

	c->partitions = bus_partitions(c->process.bus, TOPIC_DECISIONS);
	if (c->partitions <= 0 || c->partitions > PARTITIONS_MAX)
		return;
	loop_timer_stop(c->begin);
	if (bus_reader_add(c->reader, TOPIC_RULES, 0, BUS_FROM_BEGIN, -1))
		process_stopped(&c->process);
}

static void on_finish(void *ctx)
{
	struct recompute *c = ctx;
	const int64_t now_ms = loop_mono_ms(c->process.loop);

	if ((now_ms >= c->finish_at_ms && now_ms - c->last_record_ms >= SETTLE_MS &&
		    is_read_up(c)) ||
		now_ms >= c->finish_by_ms)
		process_stopped(&c->process);
}

static void stop(void *ctx)
{
	struct recompute *c = ctx;
	const int64_t now_ms = loop_mono_ms(c->process.loop);

	c->finish_at_ms = now_ms + SETTLE_MS;
	c->finish_by_ms = now_ms + FINISH_MAX_MS;
	loop_timer_repeat(c->finish, 50);
}

static int work(struct recompute *c, const struct settings *s, struct fault *f)
{
	static const struct bus_reader_ops ops = { .records = records, .at_end = at_end };
	static const struct process_need need = { .name = "recompute", .bus = true };
	int r = process_init(&c->process, &need, s, f);

	if (r)
		return r;
	r = arena_new(&c->scratch, SCRATCH_BYTES);
	if (!r)
		r = decide_scratch_new(&c->decide);
	c->expected = BUF_INIT(SCRATCH_BYTES);
	c->waiting = calloc(WAITING_MAX, sizeof(*c->waiting));
	c->begin = loop_timer_new(c->process.loop, begin, c);
	c->finish = loop_timer_new(c->process.loop, on_finish, c);
	if (r || !c->waiting || !c->begin || !c->finish)
		return fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");
	r = bus_reader_open(c->process.bus, &c->reader, &ops, c);
	if (r)
		return fault_set(f, FAULT_FATAL, r, "cannot read: %s", strerror(-r));
	loop_timer_repeat(c->begin, 50);
	r = process_run(&c->process, NULL, stop, c, f);
	if (!r)
		retry_waiting(c, false);
	return r;
}

static void fini(struct recompute *c)
{
	loop_timer_free(c->begin);
	loop_timer_free(c->finish);
	bus_reader_close(c->reader);
	process_fini(&c->process);
	for (size_t i = 0; i < c->n_rulesets; i++)
		ruleset_free(c->rulesets[i]);
	for (size_t i = 0; i < c->n_waiting; i++)
		free(c->waiting[i].json);
	free(c->waiting);
	buf_fini(&c->expected);
	decide_scratch_free(c->decide);
	arena_free(c->scratch);
}

static void print_result(const struct recompute *c)
{
	if (c->json)
		printf("{\"recompute\":{\"checked\":%llu,\"same\":%llu,\"different\":%llu,"
		       "\"unreadable\":%llu,\"no_ruleset\":%llu,\"revisions\":%llu}}\n",
			(unsigned long long)c->checked, (unsigned long long)c->same,
			(unsigned long long)c->different, (unsigned long long)c->unreadable,
			(unsigned long long)c->no_ruleset, (unsigned long long)c->revisions);
	else
		printf("%llu decisions made again, %llu of them revisions: %llu the same, "
		       "%llu different, %llu unreadable, %llu without their ruleset\n",
			(unsigned long long)c->checked, (unsigned long long)c->revisions,
			(unsigned long long)c->same, (unsigned long long)c->different,
			(unsigned long long)c->unreadable, (unsigned long long)c->no_ruleset);
	fflush(stdout);
}

static int run(int argc, char **argv)
{
	bool follow = false;
	const struct own_flag own[] = { { .name = "follow", .given = &follow } };
	struct args a;
	struct settings s = { 0 };
	struct fault f = { 0 };
	struct recompute *c = calloc(1, sizeof(*c));
	int r = args_parse(&a, &command_recompute, argc, argv, own, ARRAY_LEN(own));

	if (r || !c) {
		free(c);
		return r ? r - 1 : EXIT_FAILED;
	}
	r = args_settings(&a, &command_recompute, NULL, 0, &s);
	if (r) {
		free(c);
		return r;
	}
	c->follow = follow;
	c->json = a.json;
	r = work(c, &s, &f);
	if (r)
		fprintf(stderr, "souk recompute: %s\n", f.text);
	else
		print_result(c);
	const bool holds = !r && c->checked == c->same;

	fini(c);
	free(c);
	settings_unload(&s);
	return holds ? EXIT_DONE : EXIT_FAILED;
}

const struct command command_recompute = { "recompute",
	"make every decision again from the topics, and name those that differ",
	"[--follow] [--config FILE] [--set key=value]… [--json]", run, false };
