/* `souk topics create | check`: the catalogue against a real cluster. */
#include "souk/topics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/io/bus.h"
#include "common/model/topics.h"
#include "souk/args.h"

#define CREATE_MAX_MS 30000
#define CHECK_MAX_MS  10000

int topics_create(const char *bootstrap, const char *prefix, const struct config_list *properties,
	bool demo_sizes, struct fault *f)
{
	struct bus_topic_spec *specs = calloc(topic_specs_n, sizeof(*specs));
	int r;

	if (!specs)
		return fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");
	for (size_t i = 0; i < topic_specs_n; i++)
		specs[i] = (struct bus_topic_spec){
			.name = topic_specs[i].name,
			.partitions = demo_sizes ? topic_specs[i].partitions_demo
						 : topic_specs[i].partitions,
			.config = topic_specs[i].config,
		};
	r = bus_kafka_create_topics(
		&(struct bus_kafka_config){
			.bootstrap = bootstrap,
			.topic_prefix = prefix,
			.client_id = "souk-topics",
			.properties = properties ? (const char *const *)properties->items : NULL,
			.n_properties = properties ? properties->n : 0,
		},
		specs, topic_specs_n, CREATE_MAX_MS, f);
	free(specs);
	return r;
}

static int create(int argc, char **argv)
{
	bool demo = false;
	const struct own_flag own[] = { { .name = "demo-sizes", .given = &demo } };
	struct args a;
	struct settings s = { 0 };
	struct fault f = { 0 };
	int r = args_parse(&a, &command_topics_create, argc, argv, own, ARRAY_LEN(own));

	if (r)
		return r - 1;
	r = args_settings(&a, &command_topics_create, NULL, 0, &s);
	if (r)
		return r;
	r = topics_create(s.kafka.bootstrap, s.kafka.topic_prefix, &s.kafka.properties, demo, &f);
	settings_unload(&s);
	if (r) {
		fprintf(stderr, "souk topics create: %s\n", f.text);
		return EXIT_FAILED;
	}
	printf(a.json ? "{\"topics\":%zu}\n" : "%zu topics are there\n", topic_specs_n);
	return EXIT_DONE;
}

/* ---- check ---- */

struct check {
	struct loop *loop;
	struct bus *bus;
	struct loop_timer *poll;
	int64_t until_ms;
	size_t known;
};

static void look(void *ctx)
{
	struct check *c = ctx;

	c->known = 0;
	for (size_t i = 0; i < topic_specs_n; i++)
		c->known += bus_partitions(c->bus, topic_specs[i].name) > 0;
	if (c->known == topic_specs_n || loop_mono_ms(c->loop) > c->until_ms)
		loop_stop(c->loop);
}

/* What must agree: the pairs that are written "at the same partition number". */
static int judge(struct check *c)
{
	static const char *const pairs[][2] = {
		{ TOPIC_INTEREST, TOPIC_DECISIONS },
		{ TOPIC_ORDERS, TOPIC_PAYMENT_REQUESTS },
	};
	int wrong = 0;

	for (size_t i = 0; i < topic_specs_n; i++) {
		if (!bus_partitions(c->bus, topic_specs[i].name)) {
			printf("%s: not there; souk topics create makes it\n", topic_specs[i].name);
			wrong++;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		const int32_t x = bus_partitions(c->bus, pairs[i][0]),
			      y = bus_partitions(c->bus, pairs[i][1]);

		if (x && y && x != y) {
			printf("%s has %" PRId32 " partitions and %s %" PRId32
			       ": they must have the same number\n",
				pairs[i][0], x, pairs[i][1], y);
			wrong++;
		}
	}
	return wrong;
}

static int check_cluster(const struct settings *s, struct fault *f, int *ret_wrong)
{
	CLEANUP(loop_free) struct loop *loop = NULL;
	CLEANUP(metrics_free) struct metrics *m = NULL;
	struct check c = { 0 };
	int r = loop_ev_new(&loop);

	if (!r)
		r = metrics_new(&m, 64);
	if (r)
		return fault_set(f, FAULT_FATAL, r, "out of memory");
	r = bus_kafka_new(&c.bus, loop,
		&(struct bus_kafka_config){
			.bootstrap = s->kafka.bootstrap,
			.topic_prefix = s->kafka.topic_prefix,
			.client_id = "souk-topics",
			.properties = (const char *const *)s->kafka.properties.items,
			.n_properties = s->kafka.properties.n,
		},
		m, f);
	if (r)
		return r;
	c.loop = loop;
	c.until_ms = loop_mono_ms(loop) + CHECK_MAX_MS;
	c.poll = loop_timer_new(loop, look, &c);
	if (!c.poll) {
		bus_free(c.bus);
		return fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");
	}
	loop_timer_repeat(c.poll, 50);
	loop_run(loop);
	*ret_wrong = judge(&c);
	if (c.known == 0 && !bus_is_up(c.bus))
		r = fault_set(f, FAULT_RETRY, -EIO, "no answer from %s", s->kafka.bootstrap);
	loop_timer_free(c.poll);
	bus_free(c.bus);
	return r;
}

static int check(int argc, char **argv)
{
	struct args a;
	struct settings s = { 0 };
	struct fault f = { 0 };
	int wrong = 0;
	int r = args_parse(&a, &command_topics_check, argc, argv, NULL, 0);

	if (r)
		return r - 1;
	r = args_settings(&a, &command_topics_check, NULL, 0, &s);
	if (r)
		return r;
	r = check_cluster(&s, &f, &wrong);
	settings_unload(&s);
	if (r)
		fprintf(stderr, "souk topics check: %s\n", f.text);
	else if (!wrong)
		puts("all topics are there");
	return r || wrong ? EXIT_FAILED : EXIT_DONE;
}

const struct command command_topics_create = { "topics create",
	"create the topics that are missing",
	"[--demo-sizes] [--config FILE] [--set key=value]… [--json]", create, false };
const struct command command_topics_check = { "topics check",
	"are the topics there, with partitions that agree?", "[--config FILE] [--set key=value]…",
	check, false };
