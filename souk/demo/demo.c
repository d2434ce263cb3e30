/*
 * `souk demo`: the supervisor.
 *
 *	STARTING  broker, Redis, world and roles run; wait until each says it is ready, then
 *recompute, then the shoppers RUNNING   until the time is over or a signal comes CLOSING   the
 *shoppers finish (what was acknowledged gets its answer) and report; then recompute reads up and
 *reports STOPPING  everyone gets SIGTERM, at most STOP_MAX_MS, then SIGKILL
 *
 * A second signal kills all at once. Whatever way it ends, the run folder is removed and no child
 *is left: children die with the supervisor.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "common/base/log.h"
#include "souk/cache_reset.h"
#include "souk/command.h"
#include "souk/demo/broker.h"
#include "souk/demo/children.h"
#include "souk/demo/options.h"
#include "souk/demo/probe.h"
#include "souk/demo/run_folder.h"
#include "souk/demo/story.h"
#include "souk/demo/view.h"
#include "souk/settings.h"
#include "souk/topics.h"
#include "ws-server/ws_server_role.h"

#define START_MAX_MS 90000
#define CLOSE_MAX_MS 50000 /* the shoppers' own limit is shorter */
#define STOP_MAX_MS  15000
#define TICK_MS      100
#define DEMO_USERS   400
#define LOG_TAIL     12

enum phase { STARTING, RUNNING, CLOSING_SHOPPERS, CLOSING_RECOMPUTE, STOPPING };

struct demo {
	struct demo_options options;
	struct run_folder folder;
	struct loop *loop;
	struct loop_timer *tick;
	struct children *children;
	struct broker *broker;
	char self[256];
	enum phase phase;
	int64_t phase_ms; /* when it began */
	int64_t ready_ms;
	size_t n_ready; /* of the start order */
	unsigned signals;
	json_t *final, *recompute;
	bool shoppers_ok, recompute_ok;
	bool failed;
};

struct start_step {
	const char *name;
	int (*start)(struct demo *d, const char *name);
	int (*port)(const struct demo *d);
	bool with_previous; /* do not wait for the one before */
};

static void enter(struct demo *d, enum phase phase)
{
	d->phase = phase;
	d->phase_ms = loop_mono_ms(d->loop);
}

static void begin_stop(struct demo *d)
{
	if (d->phase != STOPPING) {
		enter(d, STOPPING);
		children_stop_all(d->children);
	}
}

/* ---- starting ---- */

static int start_child(struct demo *d, const struct child_spec *spec)
{
	int r = children_start(d->children, spec);

	if (r)
		log_error("demo", "cannot start", "name=%s error=%s", spec->name, strerror(-r));
	return r;
}

static int start_redis(struct demo *d, const char *name)
{
	const char *argv[] = { "redis-server", "--port", "0", "--unixsocket",
		d->folder.redis_socket, "--save", "", "--appendonly", "no", "--maxmemory-policy",
		"noeviction", "--dir", d->folder.path, "--daemonize", "no", NULL };

	return d->options.redis
		       ? 0
		       : start_child(d, &(struct child_spec){
						.name = name, .argv = argv, .restart = true });
}

static int start_role(struct demo *d, const char *name)
{
	char admin[64];
	size_t i = 0;

	while (strcmp(run_roles[i], name) != 0)
		i++;
	snprintf(admin, sizeof(admin), "admin.listen=127.0.0.1:%d", d->folder.admin_port[i]);
	const char *argv[6 + 2 * DEMO_SETS_MAX + 1] = { d->self, name, "--config",
		d->folder.config_path, "--set", admin };
	size_t n = 6;

	for (size_t k = 0; k < d->options.n_sets; k++) {
		argv[n++] = "--set";
		argv[n++] = d->options.sets[k];
	}
	return start_child(d, &(struct child_spec){ .name = name, .argv = argv, .restart = true });
}

/* {"final":…} of the shoppers and {"recompute":…} are kept; offers and stats are shown. */
static void child_line(void *ctx, struct str line)
{
	struct demo *d = ctx;
	json_auto_t *j = json_loadb(line.p, line.n, 0, NULL);
	json_t *part;

	if ((part = json_object_get(j, "offer")) && d->phase == RUNNING)
		view_offer(&d->options, part);
	else if ((part = json_object_get(j, "stat")) && d->phase == RUNNING)
		view_stat(&d->options, part, loop_mono_ms(d->loop) - d->ready_ms);
	else if ((part = json_object_get(j, "final")) && !d->final)
		d->final = json_incref(part);
	else if ((part = json_object_get(j, "recompute")) && !d->recompute)
		d->recompute = json_incref(part);
}

static void shoppers_ended(void *ctx, int status)
{
	struct demo *d = ctx;

	d->shoppers_ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (d->phase == CLOSING_SHOPPERS) {
		enter(d, CLOSING_RECOMPUTE);
		children_signal(d->children, "recompute", SIGTERM);
	} else if (d->phase < CLOSING_SHOPPERS) {
		fprintf(stderr, "souk demo: the shoppers ended early\n");
		d->failed = true;
		begin_stop(d);
	}
}

static void recompute_ended(void *ctx, int status)
{
	struct demo *d = ctx;

	d->recompute_ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (d->phase == CLOSING_RECOMPUTE) {
		begin_stop(d);
	} else if (d->phase < CLOSING_SHOPPERS) {
		fprintf(stderr, "souk demo: recompute ended early\n");
		d->failed = true;
		begin_stop(d);
	}
}

static int start_part(struct demo *d, const char *name)
{
	const bool is_world = strcmp(name, "world") == 0;
	char start[32], speed[32], users[32], sessions[32], rate[32], seed[32], orders[32],
		listen[64], admin[64], url[96];

	snprintf(start, sizeof(start), "%lld", (long long)d->folder.start_ms);
	snprintf(speed, sizeof(speed), "%lld", (long long)d->options.speed);
	snprintf(users, sizeof(users), "%d", DEMO_USERS);
	snprintf(sessions, sizeof(sessions), "%u", d->options.shoppers);
	snprintf(rate, sizeof(rate), "%.3f", d->options.rate);
	snprintf(seed, sizeof(seed), "%llu", (unsigned long long)d->options.seed);
	snprintf(orders, sizeof(orders), "%u", d->options.order_one_in);
	snprintf(listen, sizeof(listen), "127.0.0.1:%d", d->folder.stream_port);
	snprintf(admin, sizeof(admin), "admin.listen=127.0.0.1:%d",
		is_world ? d->folder.world_admin_port : d->folder.shoppers_admin_port);
	snprintf(url, sizeof(url), "ws://127.0.0.1:%d/v1/ws", d->folder.ws_port);
	const char *argv[] = { d->self, "demo-part", name, "--config", d->folder.config_path,
		"--set", admin, "--data", d->options.data, "--start", start, "--speed", speed,
		"--users", users, "--sessions", sessions, "--rate", rate, "--seed", seed,
		"--order-one-in", orders, "--listen", listen, "--token", d->folder.stream_token,
		"--url", url, "--secret", d->folder.secret_path, NULL };
	struct child_spec spec = { .name = name, .argv = argv, .restart = is_world, .ctx = d };

	if (!is_world) {
		spec.line = child_line;
		spec.ended = shoppers_ended;
	}
	return start_child(d, &spec);
}

/* "ws-server=9464,pricing=9465": where the operations view finds the roles. */
static void list_roles(char *ret, size_t cap, const struct run_folder *r)
{
	size_t n = 0;

	for (size_t i = 0; i < RUN_ROLES; i++)
		n += (size_t)snprintf(
			ret + n, cap - n, "%s%s=%d", i ? "," : "", run_roles[i], r->admin_port[i]);
}

static int start_storefront(struct demo *d, const char *name)
{
	char start[32], speed[32], users[32], listen[64], admin[64], url[96], roles[256];

	snprintf(start, sizeof(start), "%lld", (long long)d->folder.start_ms);
	snprintf(speed, sizeof(speed), "%lld", (long long)d->options.speed);
	snprintf(users, sizeof(users), "%d", DEMO_USERS);
	snprintf(listen, sizeof(listen), "127.0.0.1:%d", d->folder.http_port);
	snprintf(
		admin, sizeof(admin), "admin.listen=127.0.0.1:%d", d->folder.storefront_admin_port);
	snprintf(url, sizeof(url), "ws://127.0.0.1:%d/v1/ws", d->folder.ws_port);
	list_roles(roles, sizeof(roles), &d->folder);
	const char *argv[] = { d->self, "demo-part", name, "--config", d->folder.config_path,
		"--set", admin, "--data", d->options.data, "--start", start, "--speed", speed,
		"--users", users, "--listen", listen, "--url", url, "--secret",
		d->folder.secret_path, "--roles", roles, NULL };

	return start_child(d, &(struct child_spec){ .name = name, .argv = argv, .restart = true });
}

static int start_recompute(struct demo *d, const char *name)
{
	const char *argv[] = { d->self, "recompute", "--follow", "--json", "--config",
		d->folder.config_path, NULL };

	return start_child(d, &(struct child_spec){ .name = name,
				      .argv = argv,
				      .line = child_line,
				      .ended = recompute_ended,
				      .ctx = d });
}

static int world_port(const struct demo *d)
{
	return d->folder.world_admin_port;
}
static int shoppers_port(const struct demo *d)
{
	return d->folder.shoppers_admin_port;
}
static int storefront_port(const struct demo *d)
{
	return d->folder.storefront_admin_port;
}
static int gateway_port(const struct demo *d)
{
	return d->folder.admin_port[0];
}
static int pricing_port(const struct demo *d)
{
	return d->folder.admin_port[1];
}
static int bidding_port(const struct demo *d)
{
	return d->folder.admin_port[2];
}
static int connectors_port(const struct demo *d)
{
	return d->folder.admin_port[3];
}
static int wallet_port(const struct demo *d)
{
	return d->folder.admin_port[4];
}

/* All are started at once but the shoppers, who want everything to be there. */
static const struct start_step steps[] = {
	{ "redis", start_redis, NULL, true },
	{ "world", start_part, world_port, true },
	{ "connectors", start_role, connectors_port, true },
	{ "bidding", start_role, bidding_port, true },
	{ "pricing", start_role, pricing_port, true },
	{ "wallet-bridge", start_role, wallet_port, true },
	{ "ws-server", start_role, gateway_port, true },
	{ "storefront", start_storefront, storefront_port, true },
	{ "recompute", start_recompute, NULL, true },
	{ "shoppers", start_part, shoppers_port, false },
};

/* Starts what may be started now; 0 or an error. */
static int start_some(struct demo *d, size_t from)
{
	int r = 0;

	for (size_t i = from; !r && i < ARRAY_LEN(steps) && (i == from || steps[i].with_previous);
		i++)
		r = steps[i].start(d, steps[i].name);
	return r;
}

static void print_log_tail(const struct demo *d, const char *name)
{
	char path[320], line[1024];
	char last[LOG_TAIL][1024];
	size_t n = 0;

	snprintf(path, sizeof(path), "%s/%s.log", d->folder.path, name);
	FILE *in = fopen(path, "r");

	while (in && fgets(line, sizeof(line), in))
		strcpy(last[n++ % LOG_TAIL], line);
	if (in)
		fclose(in);
	if (n)
		fprintf(stderr, "last lines of %s:\n", name);
	for (size_t i = n > LOG_TAIL ? n - LOG_TAIL : 0; i < n; i++)
		fprintf(stderr, "  %s", last[i % LOG_TAIL]);
}

static void start_failed(struct demo *d, const char *name, const char *why)
{
	fprintf(stderr, "souk demo: %s is not ready after %d s: %s\n", name, START_MAX_MS / 1000,
		why);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		print_log_tail(d, steps[i].name);
	d->failed = true;
	begin_stop(d);
}

static void say_ready(struct demo *d)
{
	struct fault f = { 0 };
	CLEANUP(buf_fini) struct buf token = BUF_INIT(4096);

	if (gateway_token(&token, d->folder.secret_path, "visitor", NULL,
		    loop_now_ms(d->loop) + 86400000, &f))
		fprintf(stderr, "souk demo: no token: %s\n", f.text);
	buf_putc(&token, '\0');
	view_ready(&d->options, &d->folder, token.failed ? "" : token.p);
	enter(d, RUNNING);
	d->ready_ms = d->phase_ms;
}

static void tick_starting(struct demo *d)
{
	char why[512] = "";

	while (d->n_ready < ARRAY_LEN(steps)) {
		const struct start_step *s = &steps[d->n_ready];

		if (s->port && !probe_ready(s->port(d), why, sizeof(why))) {
			why[strcspn(why, "\n")] = '\0';
			char text[600];

			snprintf(text, sizeof(text), "%s: %s", s->name, why);
			view_starting(&d->options, text);
			if (loop_mono_ms(d->loop) - d->phase_ms > START_MAX_MS)
				start_failed(d, s->name, why);
			return;
		}
		d->n_ready++;
		if (d->n_ready < ARRAY_LEN(steps) && !steps[d->n_ready].with_previous &&
			start_some(d, d->n_ready)) {
			d->failed = true;
			begin_stop(d);
			return;
		}
	}
	say_ready(d);
}

/* ---- running and ending ---- */

static void begin_close(struct demo *d)
{
	enter(d, CLOSING_SHOPPERS);
	children_signal(d->children, "shoppers", SIGTERM);
}

static void on_tick(void *ctx)
{
	struct demo *d = ctx;
	const int64_t in_phase_ms = loop_mono_ms(d->loop) - d->phase_ms;

	switch (d->phase) {
	case STARTING:
		tick_starting(d);
		break;
	case RUNNING:
		if (d->options.for_ms && in_phase_ms >= d->options.for_ms)
			begin_close(d);
		break;
	case CLOSING_SHOPPERS:
	case CLOSING_RECOMPUTE:
		if (in_phase_ms > CLOSE_MAX_MS) {
			fprintf(stderr, "souk demo: %s did not finish in %d s\n",
				d->phase == CLOSING_SHOPPERS ? "the shoppers" : "recompute",
				CLOSE_MAX_MS / 1000);
			d->failed = true;
			begin_stop(d);
		}
		break;
	case STOPPING:
		if (children_alive(d->children) == 0)
			loop_stop(d->loop);
		else if (in_phase_ms > STOP_MAX_MS)
			children_kill_all(d->children);
		break;
	}
}

static void on_signal(void *ctx)
{
	struct demo *d = ctx;

	if (++d->signals > 1) {
		children_kill_all(d->children);
		d->failed = true;
		loop_stop(d->loop);
		return;
	}
	view_stopping(&d->options);
	if (d->phase == RUNNING)
		begin_close(d);
	else if (d->phase == STARTING)
		begin_stop(d);
}

static bool add_check(json_t *checks, const char *name, bool holds)
{
	json_object_set_new(checks, name, json_boolean(holds));
	return holds;
}

/* The one summary: what the shoppers and their auditor saw, and what the independent recomputation
 * says. */
static void summarise(struct demo *d)
{
	json_auto_t *checks = json_object();
	json_auto_t *summary = NULL;
	json_t *s;

	if (!d->final) {
		if (d->signals == 0 || d->ready_ms)
			d->failed = true;
		return;
	}
	json_object_update(checks, json_object_get(d->final, "checks"));
	bool holds = add_check(checks, "every_decision_recomputes",
		d->recompute_ok &&
			json_integer_value(json_object_get(d->recompute, "checked")) > 0 &&
			json_integer_value(json_object_get(d->recompute, "different")) == 0);

	holds = add_check(checks, "shoppers_ended_well", d->shoppers_ok) && holds;
	s = json_copy(d->final);
	json_object_set(s, "checks", checks);
	json_object_set_new(s, "restarts", json_integer(children_restarts(d->children)));
	if (d->recompute)
		json_object_set(s, "recompute", d->recompute);
	summary = json_pack("{s:o}", "summary", s);
	view_summary(&d->options, summary);
	d->failed = d->failed || !holds;
}

static int prepare_kafka(struct demo *d, struct fault *f)
{
	int r;

	if (d->options.kafka)
		return topics_create(d->folder.kafka, d->folder.prefix, NULL, true, f);
	r = broker_start(&d->broker, f);
	if (!r)
		snprintf(d->folder.kafka, sizeof(d->folder.kafka), "%s",
			broker_bootstrap(d->broker));
	return r;
}

/*
 * A Redis that was used before holds rows of topics that are not this run's: versions of market
 * rows begin with the offset of an owner record, and our log is new. So every side starts a new
 * generation.
 */
static int prepare_redis(struct demo *d, struct fault *f)
{
	long long gen[CACHE_RESET_SIDES];

	return d->options.redis
		       ? cache_reset(d->options.redis, cache_reset_sides, CACHE_RESET_SIDES, gen, f)
		       : 0;
}

/* A wrong --set is said at once, not by roles that do not start. */
static int check_configuration(struct demo *d, struct fault *f)
{
	struct settings s = { 0 };
	char *none[] = { NULL };
	int r = settings_load(&s,
		&(struct config_source){
			d->folder.config_path, d->options.sets, d->options.n_sets, none },
		NULL, 0, f);

	if (r == 0)
		settings_unload(&s);
	return r;
}

static int demo_init(struct demo *d, struct fault *f)
{
	int r = loop_ev_new(&d->loop);

	if (r)
		return fault_set(f, FAULT_FATAL, r, "cannot start: %s", strerror(-r));
	const ssize_t n = readlink("/proc/self/exe", d->self, sizeof(d->self) - 1);

	if (n < 0)
		return fault_set(f, FAULT_FATAL, -errno, "/proc/self/exe: %s", strerror(errno));
	r = run_folder_make(&d->folder, &d->options, loop_now_ms(d->loop), f);
	if (!r)
		r = prepare_kafka(d, f);
	if (!r)
		r = prepare_redis(d, f);
	if (!r)
		r = run_folder_configure(&d->folder, &d->options, f);
	if (!r)
		r = check_configuration(d, f);
	if (!r)
		r = children_new(&d->children, d->loop, d->folder.path, d->options.verbose);
	if (!r)
		r = loop_ev_signal(d->loop, SIGINT, on_signal, d);
	if (!r)
		r = loop_ev_signal(d->loop, SIGTERM, on_signal, d);
	d->tick = loop_timer_new(d->loop, on_tick, d);
	return r || d->tick ? r : -ENOMEM;
}

static void demo_fini(struct demo *d)
{
	children_free(d->children);
	broker_free(d->broker);
	loop_timer_free(d->tick);
	if (d->folder.path[0] && d->options.keep)
		fprintf(stderr, "kept %s\n", d->folder.path);
	else if (d->folder.path[0])
		run_folder_remove(&d->folder);
	json_decref(d->final);
	json_decref(d->recompute);
	loop_free(d->loop);
}

static int run(int argc, char **argv)
{
	struct demo d = { 0 };
	struct fault f = { 0 };
	int r = demo_options_parse(&d.options, argc, argv, &f);

	if (r == 1) {
		printf("Usage: souk demo %s", demo_usage);
		return EXIT_DONE;
	}
	if (r) {
		fprintf(stderr, "souk demo: %s\n", f.text);
		return EXIT_USAGE;
	}
	log_init("demo", LOG_LEVEL_WARN, LOG_FORMAT_LOGFMT);
	r = demo_init(&d, &f);
	if (!r) {
		view_banner(&d.options, &d.folder);
		r = start_some(&d, 0);
	}
	if (r) {
		fprintf(stderr, "souk demo: %s\n", f.text[0] ? f.text : strerror(-r));
	} else {
		enter(&d, STARTING);
		loop_timer_repeat(d.tick, TICK_MS);
		loop_run(d.loop);
		summarise(&d);
	}
	demo_fini(&d);
	return r == -EINVAL ? EXIT_USAGE : r || d.failed ? EXIT_FAILED : EXIT_DONE;
}

const struct command command_demo = { "demo", "the whole scene on real market data, in one command",
	demo_usage, run, false };
