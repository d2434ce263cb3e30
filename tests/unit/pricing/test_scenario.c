/*
 * A scripted scene on the in-memory seams: fixed events, fixed clock, fixed ids, and offers that
 * are golden byte for byte (tests/data/scenario/NAME.offers.jsonl, NAME.decisions.jsonl, one record
 * a line: partition, then the value). SOUK_UPDATE_GOLDEN=1 writes them anew: look at the difference
 * before you commit it.
 *
 * Steps of a script: {"advance_ms":n} {"beat":true} {"row":key,"ver":n,"fields":{…}}
 * {"interest":{…},"deadline":ms?,"reply":n?} {"rules":key,"value":{…}|null}
 */
#include "tests/unit/pricing/live_world.h"

#include <inttypes.h>
#include <jansson.h>

#include "common/base/config.h"
#include "pricing/recompute.h"

static void step_row(struct world *w, const json_t *step)
{
	const char *fields[2 * ROW_FIELDS_MAX + 1];
	size_t n = 0;
	const char *name;
	json_t *value;

	json_object_foreach(json_object_get(step, "fields"), name, value) {
		fields[n++] = name;
		fields[n++] = json_string_value(value);
	}
	fields[n] = NULL;
	world_put(w, json_string_value(json_object_get(step, "row")),
		(uint64_t)json_integer_value(json_object_get(step, "ver")), fields);
}

static void step_interest(struct world *w, const json_t *step)
{
	const json_t *interest = json_object_get(step, "interest");
	const json_t *deadline = json_object_get(step, "deadline"),
		     *reply = json_object_get(step, "reply");
	char *value = json_dumps(interest, JSON_COMPACT), ms[24];
	char partition[4] = { 0, 0, 0, (char)json_integer_value(reply) };
	struct bus_header headers[2];
	size_t n = 0;

	snprintf(ms, sizeof(ms), "%" PRId64, (int64_t)json_integer_value(deadline));
	if (deadline)
		headers[n++] = (struct bus_header){ STR("x-souk-deadline"), str_of(ms) };
	if (reply)
		headers[n++] = (struct bus_header){ STR("kafka_replyPartition"), { partition, 4 } };
	world_send_raw(w, BUS_BY_KEY, json_string_value(json_object_get(interest, "user")), value,
		headers, n);
	loop_sim_settle(w->loop);
	free(value);
}

/* A ruleset is sent with {"ruleset":true}: its body first, then the pointer. */
static void step_rules(struct world *w, const json_t *step)
{
	const json_t *value = json_object_get(step, "value");
	char *text = json_is_null(value) ? NULL : json_dumps(value, JSON_COMPACT);
	CLEANUP(ruleset_free) struct ruleset *r = NULL;
	char key[128], pointer[128];

	if (!json_is_true(json_object_get(step, "ruleset"))) {
		world_rule(w, json_string_value(json_object_get(step, "rules")), text);
		free(text);
		return;
	}
	r = ruleset_of(text);
	free(text);
	snprintf(key, sizeof(key), STR_FMT "/%s", STR_ARG(ruleset_name(r)), ruleset_id(r).p + 7);
	snprintf(pointer, sizeof(pointer), "{\"ruleset\":\"" STR_FMT "\"}", STR_ARG(ruleset_id(r)));
	text = strndup(ruleset_body(r).p, ruleset_body(r).n);
	world_rule(w, key, text);
	world_rule(w, json_string_value(json_object_get(step, "rules")), pointer);
	free(text);
}

static void run(struct world *w, const json_t *script)
{
	for (size_t i = 0; i < json_array_size(script); i++) {
		const json_t *step = json_array_get(script, i);

		if (json_object_get(step, "advance_ms"))
			loop_sim_advance(
				w->loop, json_integer_value(json_object_get(step, "advance_ms")));
		else if (json_object_get(step, "beat"))
			world_beat_all(w);
		else if (json_object_get(step, "row"))
			step_row(w, step);
		else if (json_object_get(step, "interest"))
			step_interest(w, step);
		else if (json_object_get(step, "rules"))
			step_rules(w, step);
		else
			cr_assert(false, "step %zu is unknown", i);
	}
	loop_sim_advance(w->loop, 500);
}

static void collect(struct world *w, const char *topic, int32_t n_partitions, struct buf *out)
{
	for (int32_t p = 0; p < n_partitions; p++) {
		for (int64_t i = 0; i < world_high(w, topic, p); i++) {
			buf_printf(out, "%d ", (int)p);
			buf_puts(out, world_record(w, topic, p, i)->value);
			buf_putc(out, '\n');
		}
	}
}

static void expect_golden(struct str got, const char *name, const char *what)
{
	struct fault f = { 0 };
	char path[600];
	char *text = NULL;
	size_t n;

	snprintf(path, sizeof(path), "%s/scenario/%s.%s.jsonl", getenv("SOUK_TEST_DATA"), name,
		what);
	if (getenv("SOUK_UPDATE_GOLDEN")) {
		FILE *out = fopen(path, "w");

		cr_assert(out != NULL);
		fwrite(got.p, 1, got.n, out);
		fclose(out);
	}
	cr_assert(zero(int, file_read(path, 1 << 20, &text, &n, &f)), "%s", f.text);
	cr_expect(str_eq(got, (struct str){ text, n }), "%s are not the golden ones:\n" STR_FMT,
		what, STR_ARG(got));
	free(text);
}

/* From the topics alone: bodies of rulesets are where they were published. */
static void recompute_all(struct world *w)
{
	CLEANUP(buf_fini) struct buf made = BUF_INIT(1 << 20);
	struct known_rulesets known;
	struct fault f = { 0 };
	size_t n = 0;

	learn_rulesets(w, &known);
	for (int32_t p = 0; p < SHARDS; p++) {
		for (int64_t i = 1; i < world_high(w, TOPIC_DECISIONS, p); i++) {
			struct str json = world_record(w, TOPIC_DECISIONS, p, i)->value;

			arena_reset(w->arena);
			cr_expect(zero(int, recompute_decision(json, known_ruleset, &known,
						    fixture_scratch(), w->arena, &made, NULL, &f)),
				"%s\n" STR_FMT, f.text, STR_ARG(json));
			n++;
		}
	}
	forget_rulesets(&known);
	cr_expect(gt(sz, n, 0));
}

/* @live_max: how many offers are followed. */
static void play(const char *name, int64_t live_max)
{
	CLEANUP(buf_fini) struct buf offers = BUF_INIT(1 << 20);
	CLEANUP(buf_fini) struct buf decisions = BUF_INIT(1 << 20);
	char path[600];
	struct world w;
	json_error_t error;
	json_t *script;

	world_init(&w);
	w.config.live_max = live_max;
	w.config.revision_ms = WINDOW;
	snprintf(path, sizeof(path), "%s/scenario/%s.json", getenv("SOUK_TEST_DATA"), name);
	script = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	cr_assert(script != NULL, "%s:%d: %s", path, error.line, error.text);
	world_start(&w);
	run(&w, script);
	json_decref(script);
	recompute_all(&w);
	collect(&w, TOPIC_OFFERS, REPLIES, &offers);
	collect(&w, TOPIC_DECISIONS, SHARDS, &decisions);
	expect_golden(buf_str(&offers), name, "offers");
	expect_golden(buf_str(&decisions), name, "decisions");
	world_fini(&w);
}

Test(scenario, an_afternoon_in_the_gallery_gives_the_golden_offers_and_decisions)
{
	play("gallery", 0);
}

Test(scenario, an_evening_at_the_market_gives_the_golden_revisions)
{
	play("market", 100);
}
