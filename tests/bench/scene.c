/*
 * scene live     --config FILE --url URL --secret FILE [--rate N] [--warm S] [--measure S]
 * scene orders   the same: orders instead of market changes
 * scene backlog  --config FILE --keys FILE --orders N
 *
 * Prints one JSON line when all offers are live ({"live":…}, so that CPU can be read from there),
 * one when the warm-up is over and one with the figures. Latencies in microseconds.
 */
#include "tests/bench/scene.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/log.h"
#include "common/model/ids.h"
#include "common/model/topics.h"

#define FLOOR_BYTES 1200                /* as an offer with its headers */
#define FLOOR_TOPIC TOPIC_MARKET_EVENTS /* no bidding runs here */
#define PROBE_US    5000
#define AFTER_US    3000000 /* what is still on its way */

struct run {
	struct scene scene;
	struct bus_reader *reader;
	struct loop_timer *tick, *beat;
	int64_t next_probe_us;
	bool is_seeding, said_warm;
};

static void json_histogram(const char *name, const struct histogram *h)
{
	printf(",\"%s\":{\"n\":%llu,\"p50\":%lld,\"p90\":%lld,\"p99\":%lld,\"p999\":%lld}", name,
		(unsigned long long)histogram_count(h), (long long)histogram_quantile(h, 0.5),
		(long long)histogram_quantile(h, 0.9), (long long)histogram_quantile(h, 0.99),
		(long long)histogram_quantile(h, 0.999));
}

static void say_figures(struct scene *s)
{
	printf("{\"figures\":{\"mode\":\"%s\",\"rate\":%.0f,\"writes\":%llu,\"revisions_expected\":"
	       "%llu,"
	       "\"revisions\":%llu,\"all_revisions\":%llu,\"withdrawn\":%llu,\"no_offer\":%llu,"
	       "\"errors\":%llu,\"write_errors\":%llu,\"orders\":%llu,\"acked\":%llu,\"reserved\":%"
	       "llu,"
	       "\"rejected\":%llu",
		s->mode, s->rate, (unsigned long long)s->n_writes_measured,
		(unsigned long long)s->n_writes_measured * VIEWERS,
		(unsigned long long)s->n_revisions_measured, (unsigned long long)s->n_revisions,
		(unsigned long long)s->n_withdrawn, (unsigned long long)s->n_no_offer,
		(unsigned long long)s->n_errors, (unsigned long long)s->n_write_errors,
		(unsigned long long)s->next_order, (unsigned long long)s->n_acked,
		(unsigned long long)s->n_reserved, (unsigned long long)s->n_rejected);
	json_histogram("revision_us", s->revision);
	json_histogram("bus_us", s->bus);
	json_histogram("websocket_us", s->rtt);
	json_histogram("ack_us", s->ack);
	json_histogram("reserved_us", s->reserved);
	printf("}}\n");
	fflush(stdout);
}

static bool is_measured(const struct scene *s, int64_t due_us)
{
	return due_us >= s->begin_us + s->warm_us &&
	       due_us < s->begin_us + s->warm_us + s->measure_us;
}

/* Everything due by now. */
static void do_due(struct scene *s, int64_t now_us)
{
	const bool is_live_mode = strcmp(s->mode, "live") == 0;
	uint64_t *next = is_live_mode ? &s->next_write : &s->next_order;

	for (;; (*next)++) {
		const int64_t due_us = s->begin_us + (int64_t)((double)*next * 1e6 / s->rate);

		if (due_us > now_us || due_us >= s->begin_us + s->warm_us + s->measure_us)
			return;
		if (is_live_mode) {
			market_write(s, ITEMS + *next, due_us);
			s->n_writes_measured += is_measured(s, due_us);
		} else {
			s->orders[*next].due_us = due_us;
			seats_order(s, *next);
		}
	}
}

static void send_floor(struct scene *s)
{
	char value[FLOOR_BYTES];

	memset(value, 'x', sizeof(value));
	snprintf(value, sizeof(value), "%lld", (long long)loop_mono_us(s->process.loop));
	(void)bus_send(s->process.bus, &(struct bus_message){ .topic = FLOOR_TOPIC,
					       .partition = 0,
					       .key = STR("floor"),
					       .value = { value, sizeof(value) } });
}

static void on_floor(void *ctx, const struct bus_record *r, size_t n)
{
	struct scene *s = ctx;
	const int64_t now_us = loop_mono_us(s->process.loop);

	for (size_t i = 0; i < n; i++) {
		const int64_t sent_us = strtoll(r[i].value.p, NULL, 10);

		if (s->begin_us && is_measured(s, sent_us))
			histogram_add(s->bus, now_us - sent_us);
	}
}

static void begin(struct run *r, int64_t now_us)
{
	struct scene *s = &r->scene;

	s->begin_us = r->next_probe_us = now_us + 1000000;
	printf("{\"live\":%u,\"no_offer\":%llu}\n", s->n_live, (unsigned long long)s->n_no_offer);
	fflush(stdout);
}

static void on_tick(void *ctx)
{
	struct run *r = ctx;
	struct scene *s = &r->scene;
	const int64_t now_us = loop_mono_us(s->process.loop);

	if (!s->begin_us) {
		if (s->is_seeded)
			seats_ask(s);
		if (s->n_live == SESSIONS * PER_SESSION)
			begin(r, now_us);
		return;
	}
	if (now_us < s->begin_us)
		return;
	do_due(s, now_us);
	for (; r->next_probe_us <= now_us; r->next_probe_us += PROBE_US) {
		seats_probe(s);
		send_floor(s);
	}
	if (!r->said_warm && now_us >= s->begin_us + s->warm_us) {
		r->said_warm = true;
		printf("{\"warm\":true}\n");
		fflush(stdout);
	}
	if (!s->is_done && now_us >= s->begin_us + s->warm_us + s->measure_us + AFTER_US) {
		s->is_done = true;
		say_figures(s);
		process_stopped(&s->process);
	}
}

/* Seeds once both stores answer, and beats from then on. */
static void on_beat(void *ctx)
{
	struct run *r = ctx;
	struct scene *s = &r->scene;

	if (r->is_seeding) {
		market_beat(s);
	} else if (cache_is_up(s->process.cache) && bus_is_up(s->process.bus)) {
		r->is_seeding = true;
		if (market_seed(s)) {
			log_error("bench", "the market cannot be written", "items=%d", ITEMS);
			process_stopped(&s->process);
		}
		loop_timer_repeat(r->tick, 1);
	}
}

static bool is_ready(void *ctx, struct buf *why)
{
	(void)ctx;
	(void)why;
	return true;
}

static int run_scene(struct run *r, struct fault *f)
{
	static const struct bus_reader_ops ops = { .records = on_floor };
	struct scene *s = &r->scene;
	int e = bus_reader_open(s->process.bus, &r->reader, &ops, s);

	r->tick = loop_timer_new(s->process.loop, on_tick, r);
	r->beat = loop_timer_new(s->process.loop, on_beat, r);
	if (!e && (!r->tick || !r->beat))
		e = -ENOMEM;
	if (!e)
		e = bus_reader_add(r->reader, FLOOR_TOPIC, 0, BUS_FROM_END, -1);
	if (!e)
		e = seats_init(s, f);
	if (!e) {
		loop_timer_repeat(r->beat, 500);
		e = process_run(&s->process, is_ready, NULL, r, f);
	}
	loop_timer_free(r->tick);
	loop_timer_free(r->beat);
	bus_reader_close(r->reader);
	seats_fini(s);
	return e;
}

static int init_scene(struct scene *s, const struct settings *settings, struct fault *f)
{
	static const struct process_need need = { .name = "bench", .cache = true, .bus = true };
	struct histogram **const all[] = { &s->revision, &s->bus, &s->rtt, &s->ack, &s->reserved };
	struct id run;
	int e = process_init(&s->process, &need, settings, f);

	for (size_t i = 0; !e && i < ARRAY_LEN(all); i++)
		e = histogram_new(all[i]);
	if (!e)
		e = arena_new(&s->scratch, 1u << 16);
	if (!e)
		e = id_v7(&run, loop_now_ms(s->process.loop));
	if (!e) /* the random end of the id */
		snprintf(s->run, sizeof(s->run), "%s", run.text + 16);
	s->orders = calloc((size_t)(s->rate * (double)(s->warm_us + s->measure_us) / 1e6) + 1,
		sizeof(*s->orders));
	return e || s->orders ? e : -ENOMEM;
}

static void fini_scene(struct scene *s)
{
	struct histogram *const all[] = { s->revision, s->bus, s->rtt, s->ack, s->reserved };

	process_fini(&s->process);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		histogram_free(all[i]);
	arena_free(s->scratch);
	free(s->orders);
}

struct flags {
	const char *config, *keys;
	uint64_t orders;
};

static int parse(struct scene *s, struct flags *flags, int argc, char **argv)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "url", required_argument, NULL, 'u' },
		{ "secret", required_argument, NULL, 's' },
		{ "keys", required_argument, NULL, 'k' },
		{ "orders", required_argument, NULL, 'n' },
		{ "rate", required_argument, NULL, 'r' },
		{ "warm", required_argument, NULL, 'w' },
		{ "measure", required_argument, NULL, 'm' },
		{ 0 },
	};
	int flag;

	s->rate = 1000;
	s->warm_us = 10000000;
	s->measure_us = 20000000;
	while ((flag = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (flag) {
		case 'c':
			flags->config = optarg;
			break;
		case 'u':
			s->url = optarg;
			break;
		case 's':
			s->secret_file = optarg;
			break;
		case 'k':
			flags->keys = optarg;
			break;
		case 'n':
			flags->orders = strtoull(optarg, NULL, 10);
			break;
		case 'r':
			s->rate = strtod(optarg, NULL);
			break;
		case 'w':
			s->warm_us = (int64_t)(strtod(optarg, NULL) * 1e6);
			break;
		case 'm':
			s->measure_us = (int64_t)(strtod(optarg, NULL) * 1e6);
			break;
		default:
			return -EINVAL;
		}
	}
	s->mode = optind < argc ? argv[optind] : "";
	if (strcmp(s->mode, "backlog") == 0)
		return flags->config && flags->keys && flags->orders ? 0 : -EINVAL;
	if (strcmp(s->mode, "live") != 0 && strcmp(s->mode, "orders") != 0)
		return -EINVAL;
	return flags->config && s->url && s->secret_file && s->rate > 0 ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	struct run *r = calloc(1, sizeof(*r));
	struct flags flags = { 0 };
	struct settings settings;
	struct fault f = { 0 };
	char *none[] = { NULL };
	int e;

	if (!r || parse(&r->scene, &flags, argc, argv)) {
		fprintf(stderr, "usage: see the head of tests/bench/scene.c\n");
		free(r);
		return 2;
	}
	e = settings_load(
		&settings, &(struct config_source){ flags.config, NULL, 0, none }, NULL, 0, &f);
	if (!e) {
		e = init_scene(&r->scene, &settings, &f);
		if (!e)
			e = strcmp(r->scene.mode, "backlog") == 0
				    ? backlog_run(&r->scene, flags.keys, flags.orders, &f)
				    : run_scene(r, &f);
		fini_scene(&r->scene);
		settings_unload(&settings);
	}
	if (e)
		fprintf(stderr, "scene: %s\n", f.text[0] ? f.text : strerror(-e));
	free(r);
	return e ? 1 : 0;
}
