/*
 * A backlog of orders, written straight to orders.v1 with quotes signed as pricing signs them,
 * while no wallet-bridge runs. Then its results are counted as they come: what one process
 * sustains.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/model/ids.h"
#include "common/model/order.h"
#include "common/model/quote.h"
#include "common/model/topics.h"
#include "tests/bench/scene.h"

struct backlog {
	struct scene *scene;
	struct quote_keys *keys;
	struct bus_reader *results;
	struct loop_timer *timer;
	uint64_t n, n_sent, n_reported, n_failed, n_reserved, n_rejected;
	int64_t first_us, last_us;
	bool is_said;
};

static void on_sent(void *ctx, int err, int32_t partition, int64_t offset)
{
	struct backlog *b = ctx;

	(void)partition;
	(void)offset;
	b->n_reported++;
	b->n_failed += err != 0;
}

static int send_order(struct backlog *b, uint64_t k)
{
	struct scene *s = b->scene;
	const int64_t now_ms = loop_now_ms(s->process.loop);
	const struct item *item = &s->items[k % ITEMS];
	CLEANUP(buf_fini) struct buf quote = BUF_INIT(2048);
	CLEANUP(buf_fini) struct buf value = BUF_INIT(8192);
	struct json_out q = JSON_OUT(&quote), j = JSON_OUT(&value);
	char mac[QUOTE_MAC_MAX], client_id[64];
	struct id offer, order;
	struct quote signed_quote = {
		.v = 1,
		.rev = { .part = { 1, 1 } },
		.user = STR("bench-backlog"),
		.item = str_of(item->id),
		.price = { .currency = currency_find(STR("ETH")) },
		.issued = now_ms,
		.expires = now_ms + 3600000,
	};

	snprintf(client_id, sizeof(client_id), "%.20s.b%llu", s->run, (unsigned long long)k);
	if (money_parse_amount(&signed_quote.price.amount, STR(LIST_WEI)) ||
		id_v7(&offer, now_ms) || id_for_order(&order, signed_quote.user, str_of(client_id)))
		return -EIO;
	signed_quote.offer = id_str(&offer);
	if (quote_sign(&signed_quote, mac, b->keys, now_ms))
		return -EIO;
	quote_json(&q, NULL, &signed_quote);
	order_json(&j, &(struct order){ .id = id_str(&order),
			       .client_id = str_of(client_id),
			       .user = signed_quote.user,
			       .session = STR("s_bench"),
			       .item = signed_quote.item,
			       .offer = signed_quote.offer,
			       .rev = signed_quote.rev,
			       .price = signed_quote.price,
			       .quote = buf_str(&quote),
			       .pay = STR("{\"mode\":\"now\"}"),
			       .ts = now_ms });
	return bus_send(s->process.bus, &(struct bus_message){ .topic = TOPIC_ORDERS,
						.partition = BUS_BY_KEY,
						.key = signed_quote.item,
						.value = buf_str(&value),
						.sent = on_sent,
						.ctx = b });
}

static void on_results(void *ctx, const struct bus_record *r, size_t n)
{
	struct backlog *b = ctx;

	for (size_t i = 0; i < n; i++) {
		struct payment_result result;

		arena_reset(b->scene->scratch);
		if (decode(&payment_result_type, &result, r[i].value, b->scene->scratch, NULL))
			continue;
		b->n_rejected += result.state == ORDER_REJECTED;
		if (result.state != ORDER_RESERVED)
			continue;
		b->last_us = loop_mono_us(b->scene->process.loop);
		if (b->n_reserved++ == 0)
			b->first_us = b->last_us;
	}
}

static void say(struct backlog *b)
{
	const double seconds = (double)(b->last_us - b->first_us) / 1e6;

	printf("{\"backlog\":{\"orders\":%llu,\"reserved\":%llu,\"rejected\":%llu,\"seconds\":%.3f}"
	       "}\n",
		(unsigned long long)b->n, (unsigned long long)b->n_reserved,
		(unsigned long long)b->n_rejected, seconds);
	fflush(stdout);
}

static void on_timer(void *ctx)
{
	struct backlog *b = ctx;

	while (b->n_sent < b->n && b->n_sent - b->n_reported < 5000 &&
		send_order(b, b->n_sent) == 0)
		b->n_sent++;
	if (b->n_reported == b->n && !b->is_said) {
		b->is_said = true;
		printf("{\"written\":%llu,\"failed\":%llu}\n", (unsigned long long)b->n_reported,
			(unsigned long long)b->n_failed);
		fflush(stdout);
	}
	if (b->is_said && b->n_reserved + b->n_rejected >= b->n - b->n_failed) {
		say(b);
		loop_timer_stop(b->timer);
		process_stopped(&b->scene->process);
	}
}

static bool is_ready(void *ctx, struct buf *why)
{
	(void)ctx;
	(void)why;
	return true;
}

int backlog_run(struct scene *s, const char *keys_file, uint64_t n, struct fault *f)
{
	static const struct bus_reader_ops ops = { .records = on_results };
	struct backlog b = { .scene = s, .n = n };
	int r = quote_keys_load(&b.keys, keys_file, f);

	if (!r)
		r = bus_reader_open(s->process.bus, &b.results, &ops, &b);
	for (int32_t p = 0; !r && p < 4; p++)
		r = bus_reader_add(b.results, TOPIC_PAYMENT_RESULTS, p, BUS_FROM_END, -1);
	for (uint32_t i = 0; i < ITEMS; i++)
		snprintf(s->items[i].id, ITEM_TEXT,
			"eip155:1/erc721:0x00000000000000000000000000000000000be0c4/%u", i + 1);
	b.timer = loop_timer_new(s->process.loop, on_timer, &b);
	if (!r && b.timer) {
		loop_timer_repeat(b.timer, 2);
		r = process_run(&s->process, is_ready, NULL, &b, f);
	}
	loop_timer_free(b.timer);
	bus_reader_close(b.results);
	quote_keys_free(b.keys);
	return r;
}
