#include "tests/unit/pricing/fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/crypto.h"
#include "common/io/sim/bus_sim.h"
#include "common/io/sim/loop_sim.h"
#include "common/model/topics.h"
#include "pricing/rules_source.h"

#define RULES_A "{\"groups\":[],\"name\":\"demo\",\"version\":\"a\"}"
#define RULES_B "{\"groups\":[],\"name\":\"demo\",\"version\":\"b\"}"

struct world {
	struct loop *loop;
	struct sim_broker *broker;
	struct bus *bus;
	struct metrics *metrics;
	struct rules_source *source;
	char file[64];
	int n_changed, n_paused;
	char paused[64];
};

static void on_changed(void *ctx)
{
	((struct world *)ctx)->n_changed++;
}

static void on_paused(void *ctx, struct str collection)
{
	struct world *w = ctx;

	w->n_paused++;
	(void)str_copy(
		w->paused, sizeof(w->paused), str_is_set(collection) ? collection : STR("(all)"));
}

static const struct rules_source_ops ops = { .ruleset = on_changed, .paused = on_paused };

static void write_file(struct world *w, const char *json)
{
	int fd;

	snprintf(w->file, sizeof(w->file), "/tmp/souk-rules-XXXXXX");
	fd = mkstemp(w->file);
	cr_assert(fd >= 0);
	cr_assert(eq(int, (int)write(fd, json, strlen(json)), (int)strlen(json)));
	close(fd);
}

static void world_init(struct world *w)
{
	*w = (struct world){ 0 };
	cr_assert(zero(int, loop_sim_new(&w->loop, 1795334400000)));
	cr_assert(zero(int, sim_broker_new(&w->broker, w->loop)));
	cr_assert(zero(int, sim_broker_topic(w->broker, TOPIC_RULES, 1)));
	cr_assert(zero(int, bus_sim_new(&w->bus, w->broker, "")));
	cr_assert(zero(int, metrics_new(&w->metrics, 64)));
}

static int open_source(struct world *w, const char *file_rules, const char *name, struct fault *f)
{
	struct rules_source_config config = { .name = name };

	if (file_rules) {
		write_file(w, file_rules);
		config.file = w->file;
	}
	return rules_source_new(&w->source, w->loop, w->bus, w->metrics, &config, &ops, w, f);
}

static void world_fini(struct world *w)
{
	rules_source_free(w->source);
	bus_free(w->bus);
	sim_broker_free(w->broker);
	metrics_free(w->metrics);
	loop_free(w->loop);
	if (w->file[0])
		unlink(w->file);
}

static void send(struct world *w, const char *key, const char *value)
{
	cr_assert(zero(int, bus_send(w->bus, &(struct bus_message){ .topic = TOPIC_RULES,
						     .partition = 0,
						     .key = str_of(key),
						     .value = str_of(value) })));
	loop_sim_settle(w->loop);
}

static void send_body(struct world *w, const char *rules)
{
	CLEANUP(ruleset_free) struct ruleset *r = ruleset_of(rules);
	char key[160];

	snprintf(key, sizeof(key), STR_FMT "/%s", STR_ARG(ruleset_name(r)), ruleset_id(r).p + 7);
	send(w, key, rules);
}

static void send_pointer(struct world *w, const char *rules)
{
	CLEANUP(ruleset_free) struct ruleset *r = ruleset_of(rules);
	char value[160];

	snprintf(value, sizeof(value), "{\"ruleset\":\"" STR_FMT "\"}", STR_ARG(ruleset_id(r)));
	send(w, "demo", value);
}

static void expect_version(const struct world *w, const char *version)
{
	const struct ruleset *r = rules_source_current(w->source);
	CLEANUP(buf_fini) struct buf why = BUF_INIT(1024);

	rules_source_why(w->source, &why);
	if (!version) {
		cr_expect(eq(ptr, (void *)r, NULL));
		cr_expect(why.n > 0);
		return;
	}
	cr_assert(ne(ptr, (void *)r, NULL), STR_FMT, STR_ARG(buf_str(&why)));
	cr_expect(str_eqz(ruleset_version(r), version));
	cr_expect(eq(sz, why.n, 0));
}

Test(rules_source, the_file_is_in_force_once_its_body_is_on_the_topic)
{
	struct fault f = { 0 };
	const struct bus_record *body;
	struct world w;

	world_init(&w);
	cr_assert(zero(int, open_source(&w, RULES_A, NULL, &f)), "%s", f.text);
	expect_version(&w, NULL);
	loop_sim_settle(w.loop);
	expect_version(&w, "a");
	cr_expect(eq(int, w.n_changed, 1));
	body = sim_broker_record(w.broker, TOPIC_RULES, 0, 0);
	cr_assert(ne(ptr, (void *)body, NULL));
	cr_expect(str_eqz(body->value, RULES_A));
	cr_expect(str_starts(body->key, STR("demo/")));
	cr_expect(eq(sz, body->key.n, 5 + 64));
	world_fini(&w);
}

Test(rules_source, a_body_that_is_there_is_not_published_again)
{
	struct fault f = { 0 };
	struct world w;

	world_init(&w);
	send_body(&w, RULES_A);
	cr_assert(zero(int, open_source(&w, RULES_A, NULL, &f)), "%s", f.text);
	loop_sim_settle(w.loop);
	expect_version(&w, "a");
	cr_expect(eq(i64, sim_broker_high(w.broker, TOPIC_RULES, 0), 1));
	world_fini(&w);
}

Test(rules_source, a_failed_publication_is_tried_again_before_anything_is_priced)
{
	struct fault f = { 0 };
	struct world w;

	world_init(&w);
	sim_broker_fail_sends(w.broker, TOPIC_RULES, 1, -ETIMEDOUT);
	cr_assert(zero(int, open_source(&w, RULES_A, NULL, &f)), "%s", f.text);
	loop_sim_settle(w.loop);
	expect_version(&w, NULL);
	loop_sim_advance(w.loop, 1000);
	expect_version(&w, "a");
	world_fini(&w);
}

Test(rules_source, the_topic_beats_the_file_and_is_followed)
{
	struct fault f = { 0 };
	struct world w;

	world_init(&w);
	send_body(&w, RULES_B);
	send_pointer(&w, RULES_B);
	cr_assert(zero(int, open_source(&w, RULES_A, NULL, &f)), "%s", f.text);
	loop_sim_settle(w.loop);
	expect_version(&w, "b");
	cr_expect(eq(int, w.n_changed, 1), "the file's was never in force");

	send_body(&w, RULES_A);
	expect_version(&w, "b");
	send_pointer(&w, RULES_A);
	expect_version(&w, "a");
	send_pointer(&w, RULES_B); /* rollback to a body sent long before */
	expect_version(&w, "b");
	send_pointer(&w, RULES_B);
	cr_expect(eq(int, w.n_changed, 3), "the same pointer again changes nothing");
	world_fini(&w);
}

Test(rules_source, a_withdrawn_pointer_gives_the_file_back)
{
	struct fault f = { 0 };
	struct world w;

	world_init(&w);
	send_body(&w, RULES_B);
	send_pointer(&w, RULES_B);
	cr_assert(zero(int, open_source(&w, RULES_A, NULL, &f)), "%s", f.text);
	loop_sim_settle(w.loop);
	send(&w, "demo", NULL);
	loop_sim_settle(w.loop);
	expect_version(&w, "a");
	world_fini(&w);
}

Test(rules_source, without_a_file_the_pointer_is_waited_for)
{
	struct fault f = { 0 };
	struct world w;

	world_init(&w);
	send_body(&w, RULES_A);
	cr_assert(zero(int, open_source(&w, NULL, "demo", &f)), "%s", f.text);
	loop_sim_settle(w.loop);
	expect_version(&w, NULL);
	send_pointer(&w, RULES_A);
	expect_version(&w, "a");
	world_fini(&w);
}

Test(rules_source, a_pointer_to_nothing_changes_nothing)
{
	struct fault f = { 0 };
	struct world w;

	world_init(&w);
	send_body(&w, RULES_A);
	send_pointer(&w, RULES_A);
	cr_assert(zero(int, open_source(&w, NULL, "demo", &f)), "%s", f.text);
	loop_sim_settle(w.loop);
	expect_version(&w, "a");
	send_pointer(&w, RULES_B);
	expect_version(&w, "a");
	cr_expect(ge(i64, metrics_value(w.metrics, "souk_pricing_ruleset_refused_total", NULL), 1));
	send_body(&w, RULES_B); /* late, but there */
	expect_version(&w, "b");
	world_fini(&w);
}

Test(rules_source, a_body_under_a_foreign_hash_is_refused)
{
	CLEANUP(ruleset_free) struct ruleset *a = ruleset_of(RULES_A);
	struct fault f = { 0 };
	struct world w;
	char key[100];

	world_init(&w);
	snprintf(key, sizeof(key), "demo/%s", ruleset_id(a).p + 7);
	send(&w, key, RULES_B);
	send_pointer(&w, RULES_A);
	cr_assert(zero(int, open_source(&w, NULL, "demo", &f)), "%s", f.text);
	loop_sim_settle(w.loop);
	expect_version(&w, NULL);
	world_fini(&w);
}

Test(rules_source, malformed_pointers_and_bodies_change_nothing)
{
	static const char *const pointers[] = { "{}", "x", "{\"ruleset\":7}",
		"{\"ruleset\":\"sha256:12\"}",
		"{\"ruleset\":\"md5:"
		"0000000000000000000000000000000000000000000000000000000000000000\"}" };
	struct fault f = { 0 };
	struct world w;

	world_init(&w);
	cr_assert(zero(int, open_source(&w, RULES_A, NULL, &f)), "%s", f.text);
	loop_sim_settle(w.loop);
	for (size_t i = 0; i < ARRAY_LEN(pointers); i++) {
		send(&w, "demo", pointers[i]);
		expect_version(&w, "a");
	}
	send(&w, "demo/abc", "{");
	send(&w, "other", "{}");
	expect_version(&w, "a");
	cr_expect(eq(i64, metrics_value(w.metrics, "souk_pricing_ruleset_refused_total", NULL),
		(int64_t)ARRAY_LEN(pointers)));
	world_fini(&w);
}

Test(rules_source, more_bodies_than_are_kept_are_found_again_on_the_topic)
{
	struct fault f = { 0 };
	struct world w;
	char rules[100];

	world_init(&w);
	send_body(&w, RULES_A);
	for (int i = 0; i < 20; i++) {
		snprintf(rules, sizeof(rules),
			"{\"name\":\"demo\",\"groups\":[],\"version\":\"%d\"}", i);
		send_body(&w, rules);
	}
	cr_assert(zero(int, open_source(&w, NULL, "demo", &f)), "%s", f.text);
	loop_sim_settle(w.loop);
	send_pointer(&w, RULES_A); /* the first of them: forgotten */
	loop_sim_settle(w.loop);
	expect_version(&w, "a");
	send_pointer(&w, rules);
	expect_version(&w, "19");
	world_fini(&w);
}

Test(rules_source, pauses_hold_for_one_collection_or_all)
{
	struct fault f = { 0 };
	struct world w;

	world_init(&w);
	cr_assert(zero(int, open_source(&w, RULES_A, NULL, &f)), "%s", f.text);
	loop_sim_settle(w.loop);
	cr_expect(not(rules_source_is_paused(w.source, STR("cool-cats"))));
	send(&w, "pause/cool-cats", "{}");
	cr_expect(eq(int, w.n_paused, 1));
	cr_expect(eq(str, w.paused, "cool-cats"));
	cr_expect(rules_source_is_paused(w.source, STR("cool-cats")));
	cr_expect(not(rules_source_is_paused(w.source, STR("other"))));
	cr_expect(not(rules_source_is_paused(w.source, STR_NONE)));
	send(&w, "pause/cool-cats", NULL);
	cr_expect(not(rules_source_is_paused(w.source, STR("cool-cats"))));
	cr_expect(eq(int, w.n_paused, 1), "resuming is no pause");
	send(&w, "pause/all", "{}");
	cr_expect(eq(str, w.paused, "(all)"));
	cr_expect(rules_source_is_paused(w.source, STR_NONE));
	cr_expect(rules_source_is_paused(w.source, STR("other")));
	world_fini(&w);
}

/* ---- the file, while we run ---- */

/* A new file in the place of the old one, as editors and deployments do it. */
static void replace_file(struct world *w, const char *json)
{
	char old[sizeof(w->file)];

	memcpy(old, w->file, sizeof(old));
	write_file(w, json);
	cr_assert(zero(int, rename(w->file, old)));
	memcpy(w->file, old, sizeof(old));
}

static void expect_note(const struct world *w, const char *part)
{
	CLEANUP(buf_fini) struct buf note = BUF_INIT(1024);

	rules_source_note(w->source, &note);
	buf_putc(&note, '\0');
	cr_expect(part ? strstr(note.p, part) != NULL : note.p[0] == '\0', "%s", note.p);
}

static int64_t refused(const struct world *w)
{
	return metrics_value(w->metrics, "souk_pricing_ruleset_refused_total", NULL);
}

static int64_t in_force(const struct world *w, const char *rules)
{
	CLEANUP(ruleset_free) struct ruleset *r = ruleset_of(rules);
	char id[RULESET_ID_LEN + 1];

	(void)str_copy(id, sizeof(id), ruleset_id(r));
	return metrics_value(w->metrics, "souk_pricing_ruleset_info", id);
}

Test(rules_source, a_new_file_is_in_force_within_a_second_and_its_body_on_the_topic_before)
{
	struct fault f = { 0 };
	struct world w;

	world_init(&w);
	cr_assert(zero(int, open_source(&w, RULES_A, NULL, &f)), "%s", f.text);
	loop_sim_settle(w.loop);
	cr_expect(eq(i64, in_force(&w, RULES_A), 1));
	replace_file(&w, RULES_B);
	expect_version(&w, "a");
	sim_broker_fail_sends(w.broker, TOPIC_RULES, 1, -ETIMEDOUT);
	loop_sim_advance(w.loop, 1500);
	expect_version(&w, "a"); /* not before everybody can make its decisions again */
	loop_sim_advance(w.loop, 1000);
	expect_version(&w, "b");
	cr_expect(eq(int, w.n_changed, 2));
	cr_expect(str_eqz(sim_broker_record(w.broker, TOPIC_RULES, 0, 1)->value, RULES_B));
	cr_expect(eq(i64, in_force(&w, RULES_A), 0));
	cr_expect(eq(i64, in_force(&w, RULES_B), 1));
	loop_sim_advance(w.loop, 5000);
	cr_expect(eq(int, w.n_changed, 2), "the same file changes nothing");
	world_fini(&w);
}

Test(rules_source, a_file_that_is_wrong_or_gone_leaves_what_is_in_force_and_says_so)
{
	static const char *const wrong[] = { "{\"name\":\"demo\"", "",
		"{\"groups\":[],\"name\":\"other\",\"version\":\"b\"}" };
	struct fault f = { 0 };
	struct world w;

	world_init(&w);
	cr_assert(zero(int, open_source(&w, RULES_A, NULL, &f)), "%s", f.text);
	loop_sim_settle(w.loop);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		replace_file(&w, wrong[i]);
		loop_sim_advance(w.loop, 3000);
		expect_version(&w, "a");
		expect_note(&w, "refused, what was in force stays: file: ");
		cr_expect(eq(i64, refused(&w), (int64_t)i + 1), "once, not each second");
	}
	unlink(w.file);
	loop_sim_advance(w.loop, 3000);
	expect_version(&w, "a");
	cr_expect(eq(i64, refused(&w), 4));
	write_file(&w, RULES_A);
	world_fini(&w);
}

Test(rules_source, a_file_that_is_right_again_takes_the_problem_away)
{
	struct fault f = { 0 };
	struct world w;

	world_init(&w);
	cr_assert(zero(int, open_source(&w, RULES_A, NULL, &f)), "%s", f.text);
	loop_sim_settle(w.loop);
	replace_file(&w, "{");
	loop_sim_advance(w.loop, 1000);
	expect_note(&w, "file");
	replace_file(&w, RULES_A);
	loop_sim_advance(w.loop, 1000);
	expect_note(&w, NULL);
	cr_expect(eq(int, w.n_changed, 1));
	world_fini(&w);
}

Test(rules_source, back_and_forth_before_the_body_is_out_ends_with_the_last)
{
	struct fault f = { 0 };
	struct world w;

	world_init(&w);
	cr_assert(zero(int, open_source(&w, RULES_A, NULL, &f)), "%s", f.text);
	loop_sim_settle(w.loop);
	sim_broker_fail_sends(w.broker, TOPIC_RULES, 3, -ETIMEDOUT);
	replace_file(&w, RULES_B);
	loop_sim_advance(w.loop, 1000);
	replace_file(&w, RULES_A);
	loop_sim_advance(w.loop, 1000);
	replace_file(&w, RULES_B);
	loop_sim_advance(w.loop, 1000);
	replace_file(&w, RULES_A);
	loop_sim_advance(w.loop, 10000);
	expect_version(&w, "a");
	expect_note(&w, NULL);
	world_fini(&w);
}

Test(rules_source, a_file_that_changes_under_a_pointer_waits_its_turn)
{
	struct fault f = { 0 };
	struct world w;

	world_init(&w);
	send_body(&w, RULES_B);
	send_pointer(&w, RULES_B);
	cr_assert(zero(int, open_source(&w, RULES_A, NULL, &f)), "%s", f.text);
	loop_sim_settle(w.loop);
	replace_file(&w, "{\"groups\":[],\"name\":\"demo\",\"version\":\"c\"}");
	loop_sim_advance(w.loop, 2000);
	expect_version(&w, "b");
	send(&w, "demo", NULL);
	loop_sim_advance(w.loop, 2000);
	expect_version(&w, "c");
	world_fini(&w);
}

Test(rules_source, a_bad_body_on_the_topic_is_noted_until_the_pointer_is_right)
{
	static const char bad[] = "{\"groups\":[{}],\"name\":\"demo\",\"version\":\"x\"}";
	struct fault f = { 0 };
	struct world w;
	char key[100], pointer[128], hex[65];
	uint8_t digest[32];

	world_init(&w);
	cr_assert(zero(int, open_source(&w, RULES_A, NULL, &f)), "%s", f.text);
	loop_sim_settle(w.loop);
	cr_assert(zero(int, crypto_sha256(digest, bad, sizeof(bad) - 1)));
	hex_encode(hex, digest, sizeof(digest));
	snprintf(key, sizeof(key), "demo/%s", hex);
	snprintf(pointer, sizeof(pointer), "{\"ruleset\":\"sha256:%s\"}", hex);
	send(&w, key, bad);
	send(&w, "demo", pointer);
	expect_version(&w, "a");
	expect_note(&w, "groups[0]");
	cr_expect(eq(i64, refused(&w), 1));
	send_body(&w, RULES_B);
	send_pointer(&w, RULES_B);
	expect_version(&w, "b");
	expect_note(&w, NULL);
	world_fini(&w);
}

Test(rules_source, a_pointer_that_is_none_is_noted_until_another_comes)
{
	struct fault f = { 0 };
	struct world w;

	world_init(&w);
	send_body(&w, RULES_B);
	send_pointer(&w, RULES_B);
	send(&w, "demo", "{}");
	cr_assert(zero(int, open_source(&w, RULES_A, NULL, &f)), "%s", f.text);
	loop_sim_settle(w.loop);
	expect_version(&w, "b");
	expect_note(&w, "pointer: ");
	send(&w, "pause/apes", "{}");
	expect_note(&w, "pointer: ");
	cr_expect(eq(i64, refused(&w), 1));
	send_pointer(&w, RULES_B);
	expect_note(&w, NULL);
	send(&w, "demo", "{}");
	expect_note(&w, "pointer: ");
	send(&w, "demo", NULL);
	expect_note(&w, NULL);
	loop_sim_settle(w.loop);
	expect_version(&w, "a");
	world_fini(&w);
}

Test(rules_source, a_pointer_that_is_none_is_noted_beside_a_file_that_changes)
{
	struct fault f = { 0 };
	struct world w;

	world_init(&w);
	send(&w, "demo", "{}");
	cr_assert(zero(int, open_source(&w, RULES_A, NULL, &f)), "%s", f.text);
	loop_sim_settle(w.loop);
	expect_version(&w, "a");
	expect_note(&w, "pointer: ");
	replace_file(&w, RULES_B);
	loop_sim_advance(w.loop, 3000);
	expect_version(&w, "b");
	expect_note(&w, "pointer: ");
	replace_file(&w, "{");
	loop_sim_advance(w.loop, 3000);
	expect_note(&w, "pointer: ");
	world_fini(&w);
}

Test(rules_source, what_was_refused_is_refused_once_whatever_else_is_read)
{
	struct fault f = { 0 };
	struct world w;

	world_init(&w);
	cr_assert(zero(int, open_source(&w, RULES_A, NULL, &f)), "%s", f.text);
	loop_sim_settle(w.loop);
	send_pointer(&w, RULES_B);
	cr_expect(eq(i64, refused(&w), 1));
	send(&w, "pause/apes", "{}");
	send(&w, "pause/apes", NULL);
	cr_expect(eq(i64, refused(&w), 1));
	expect_note(&w, "not on the topic");
	send_body(&w, RULES_B);
	expect_version(&w, "b");
	expect_note(&w, NULL);
	world_fini(&w);
}

Test(rules_source, configuration_errors_name_the_key_or_the_file)
{
	struct fault f = { 0 };
	struct world w;

	world_init(&w);
	cr_expect(eq(int, open_source(&w, NULL, NULL, &f), -EINVAL));
	cr_expect(strstr(f.text, "pricing.rules_file") != NULL, "%s", f.text);
	cr_expect(eq(int, open_source(&w, RULES_A, "other", &f), -EINVAL));
	cr_expect(strstr(f.text, "\"demo\"") != NULL, "%s", f.text);
	unlink(w.file);
	cr_expect(eq(int, open_source(&w, "{\"name\":\"demo\"}", NULL, &f), -EINVAL));
	cr_expect(strstr(f.text, w.file) != NULL && strstr(f.text, "\"version\"") != NULL, "%s",
		f.text);
	world_fini(&w);
}
