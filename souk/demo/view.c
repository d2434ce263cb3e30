/*
 * Offers and status go to stdout, in whole lines; the status line is redrawn in place on a terminal
 * and left out elsewhere but for one line every ten seconds. Colour only on a terminal, and not
 * with NO_COLOR.
 */
#include "souk/demo/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"

#define STATUS_EVERY_MS 10000

static bool is_terminal(void)
{
	return isatty(STDOUT_FILENO);
}

static const char *style(const char *code)
{
	return is_terminal() && !getenv("NO_COLOR") ? code : "";
}

#define BOLD  style("\033[1m")
#define DIM   style("\033[2m")
#define GREEN style("\033[32m")
#define RED   style("\033[31m")
#define PLAIN style("\033[0m")

static void clear_status(void)
{
	if (is_terminal())
		fputs("\r\033[K", stdout);
}

void view_banner(const struct demo_options *o, const struct run_folder *r)
{
	if (o->json)
		return;
	printf("%sSouk %s%s: from a glance to an offer, on the Foundation auctions of spring 2021 "
	       "(%lld s of them in one second)\n",
		BOLD, SOUK_VERSION, PLAIN, (long long)o->speed);
	if (o->kafka)
		printf("Kafka %s, topics %s*\n", r->kafka, r->prefix);
	else
		printf("Kafka: %sembedded mock broker, for this demo only%s: in memory, one node, "
		       "not durable. --kafka HOST:PORT uses a real one.\n",
			BOLD, PLAIN);
	printf("Redis: %s\n",
		o->redis ? o->redis : "private, ends with the demo. --redis URL uses yours.");
	fflush(stdout);
}

void view_starting(const struct demo_options *o, const char *waiting_for)
{
	if (o->json || !is_terminal())
		return;
	clear_status();
	printf("%sstarting: %s%s", DIM, waiting_for, PLAIN);
	fflush(stdout);
}

static void ready_json(const struct run_folder *r, const char *token)
{
	json_auto_t *admin = json_object();
	char ws[96], http[64];

	for (size_t i = 0; i < RUN_ROLES; i++) {
		char url[64];

		snprintf(url, sizeof(url), "http://127.0.0.1:%d", r->admin_port[i]);
		json_object_set_new(admin, run_roles[i], json_string(url));
	}
	snprintf(ws, sizeof(ws), "ws://127.0.0.1:%d/v1/ws", r->ws_port);
	snprintf(http, sizeof(http), "http://127.0.0.1:%d/", r->http_port);
	json_auto_t *line = json_pack("{s:{s:s,s:s,s:s,s:s,s:s,s:O,s:s}}", "ready", "ws", ws,
		"http", http, "kafka", r->kafka, "topic_prefix", r->prefix, "redis", r->redis_url,
		"admin", admin, "token", token);

	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
}

void view_ready(const struct demo_options *o, const struct run_folder *r, const char *token)
{
	if (o->json) {
		ready_json(r, token);
	} else {
		clear_status();
		printf("%sready%s  %sopen http://127.0.0.1:%d/%s  (operations: "
		       "http://127.0.0.1:%d/ops)\n",
			GREEN, PLAIN, BOLD, r->http_port, PLAIN, r->http_port);
		printf("       ws://127.0.0.1:%d/v1/ws (subprotocol souk.v1.json)   kafka %s   "
		       "redis %s\n",
			r->ws_port, r->kafka, r->redis_url);
		for (size_t i = 0; i < RUN_ROLES; i++)
			printf("%s%s http://127.0.0.1:%d/metrics%s", i ? "  " : "       ",
				run_roles[i], r->admin_port[i], i + 1 < RUN_ROLES ? "" : "\n");
		printf("       token %s\n       Ctrl-C ends it all.\n\n", token);
	}
	fflush(stdout);
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

void view_offer(const struct demo_options *o, const json_t *offer)
{
	const char *item = text_of(offer, "item"), *user = text_of(offer, "user"),
		   *token = strrchr(item, '/');
	const json_t *reasons = json_object_get(offer, "reasons"), *one;
	char why[200] = "";
	size_t i;

	if (o->json)
		return;
	json_array_foreach(reasons, i, one) {
		const size_t n = strlen(why);
		const double percent =
			(double)json_integer_value(json_object_get(one, "bps")) / 100;

		snprintf(why + n, sizeof(why) - n, "%s%s %+.4g %%", n ? ", " : "",
			text_of(one, "text"), percent);
	}
	clear_status();
	printf("  Foundation #%-6s %.6s…%s  %14s  %s%-16s%s %5.1f ms  holds %lld s  %s%s%s\n",
		token ? token + 1 : item, user, strlen(user) > 4 ? user + strlen(user) - 4 : user,
		text_of(offer, "list"), BOLD, text_of(offer, "price"), PLAIN,
		(double)json_integer_value(json_object_get(offer, "latency_us")) / 1000,
		(long long)(json_integer_value(json_object_get(offer, "ttl_ms")) / 1000), DIM, why,
		PLAIN);
	fflush(stdout);
}

void view_stat(const struct demo_options *o, const json_t *stat, int64_t elapsed_ms)
{
	static int64_t last_ms = -STATUS_EVERY_MS;
	const json_t *latency = json_object_get(stat, "latency_ms");

	if (o->json || (!is_terminal() && elapsed_ms - last_ms < STATUS_EVERY_MS))
		return;
	last_ms = elapsed_ms;
	clear_status();
	printf("%s%5lld s  %lld shoppers  %lld events  %lld offers (%lld revised)  %lld without  "
	       "%lld orders  event to offer p50 %.1f ms, p99 %.1f ms%s%s",
		DIM, (long long)(elapsed_ms / 1000),
		(long long)json_integer_value(json_object_get(stat, "connected")),
		(long long)json_integer_value(json_object_get(stat, "events")),
		(long long)json_integer_value(json_object_get(stat, "offers")),
		(long long)json_integer_value(json_object_get(stat, "revisions")),
		(long long)json_integer_value(json_object_get(stat, "no_offers")),
		(long long)json_integer_value(json_object_get(stat, "orders")),
		json_number_value(json_object_get(latency, "p50")),
		json_number_value(json_object_get(latency, "p99")), PLAIN,
		is_terminal() ? "" : "\n");
	fflush(stdout);
}

void view_stopping(const struct demo_options *o)
{
	if (o->json)
		return;
	clear_status();
	printf("%sstopping (again to stop at once)%s\n", DIM, PLAIN);
	fflush(stdout);
}

static long long number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void quantiles_line(const char *label, const json_t *ms)
{
	printf("  %s: p50 %.1f  p90 %.1f  p99 %.1f  p99.9 %.1f ms\n", label,
		json_number_value(json_object_get(ms, "p50")),
		json_number_value(json_object_get(ms, "p90")),
		json_number_value(json_object_get(ms, "p99")),
		json_number_value(json_object_get(ms, "p999")));
}

static void counts_line(const char *label, const json_t *counts)
{
	const char *key;
	json_t *value;
	bool any = false;

	printf("  %-10s", label);
	json_object_foreach((json_t *)counts, key, value) {
		printf("%s%s %lld", any ? "  " : "", key, (long long)json_integer_value(value));
		any = true;
	}
	puts(any ? "" : "none");
}

void view_summary(const struct demo_options *o, const json_t *summary)
{
	const json_t *s = json_object_get(summary, "summary");
	const json_t *shopping = json_object_get(s, "shopping");
	const json_t *order_ms = json_object_get(s, "order_latency_ms");
	const char *key;
	json_t *value;

	if (o->json) {
		json_dumpf(summary, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
		putchar('\n');
		fflush(stdout);
		return;
	}
	clear_status();
	printf("\n%sSummary%s\n", BOLD, PLAIN);
	printf("  events %lld, acknowledged %lld, offers %lld, revised %lld times, withdrawn "
	       "%lld\n",
		number(s, "events"), number(s, "acks"), number(s, "offers"), number(s, "revisions"),
		number(s, "withdrawn"));
	counts_line("decisions", json_object_get(s, "decisions"));
	counts_line("no offer", json_object_get(s, "reasons"));
	counts_line("revisions", json_object_get(s, "causes"));
	printf("  ordered %lld, thought better of it %lld, clicked twice %lld, sent again %lld, "
	       "asked "
	       "%lld times\n",
		number(shopping, "placed"), number(shopping, "changed_mind"),
		number(shopping, "twice"), number(shopping, "retries"), number(shopping, "asked"));
	counts_line("orders", json_object_get(s, "orders"));
	counts_line("  because", json_object_get(s, "order_reasons"));
	quantiles_line(
		"event to offer, from the intended send time", json_object_get(s, "latency_ms"));
	quantiles_line("order to acknowledgement", json_object_get(order_ms, "ack"));
	quantiles_line("order to RESERVED", json_object_get(order_ms, "reserved"));
	json_object_foreach(json_object_get(s, "checks"), key, value)
		printf("  %s%s%s %s\n", json_is_true(value) ? GREEN : RED,
			json_is_true(value) ? "holds " : "BROKEN", PLAIN, key);
	fflush(stdout);
}
