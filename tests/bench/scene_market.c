/*
 * The market's rows are written as bidding writes them: one compare-and-set script each, versions
 * that rise, and a feed that beats. Bids move by at least 4 % of the list price from one write of
 * an item to the next, so that each frees the price from the lowest one shown and makes a revision.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/model/row_codec.h"
#include "common/model/tables.h"
#include "common/model/topics.h"
#include "tests/bench/scene.h"

#define FEED_KEY "feed:{market}:" COLLECTION

/* A bid between 65 % and 94 % of the list price, its last digits name the write. */
static u128 bid_of(uint64_t k, uint32_t item)
{
	const uint64_t round = k / ITEMS;
	const uint64_t bps = 6500 + (round * 2500 + item * 7) % 2900;

	return (u128)bps * 100000000000000u + k;
}

u128 expected_price(uint64_t k, uint32_t item)
{
	u128 price;

	(void)!u128_mul_div(&price, bid_of(k, item), 10000 + FLOOR_BPS, 10000, ROUND_UP);
	return price;
}

static void on_written(void *ctx, int err, enum cache_outcome outcome)
{
	struct scene *s = ctx;

	s->n_write_errors += err || outcome != CACHE_APPLIED;
}

static int write_row(struct scene *s, uint32_t i, uint64_t k)
{
	struct item *item = &s->items[i];
	const currency eth = currency_find(STR("ETH"));
	const struct bestbid b = {
		.item = str_of(item->id),
		.collection = STR(COLLECTION),
		.as_of = loop_now_ms(s->process.loop),
		.bid = { bid_of(k, i), eth },
		.bid_net = { bid_of(k, i), eth },
		.flags = STR("[]"),
	};
	const struct version v = { .part = { 1, ++item->n } };
	char key[ITEM_TEXT + 16], ver[VERSION_TEXT_MAX];
	struct row row;

	arena_reset(s->scratch);
	version_format_stored(ver, v);
	snprintf(key, sizeof(key), "bestbid:{%s}", item->id);
	if (row_encode(&bestbid_type, &b, &row, s->scratch) != 0)
		return -ENOSPC;
	return cache_write(s->process.cache,
		&(struct cache_write){ .key = str_of(key),
			.ver = str_of(ver),
			.gen = s->gen,
			.et = b.as_of,
			.src_partition = 0,
			.src_offset = (int64_t)k,
			.row = &row },
		on_written, s);
}

void market_write(struct scene *s, uint64_t k, int64_t due_us)
{
	const uint32_t i = (uint32_t)(k % ITEMS);

	s->items[i].last_write = (int64_t)k;
	s->items[i].due_us = due_us;
	s->items[i].price = expected_price(k, i);
	if (write_row(s, i, k))
		s->n_write_errors++;
}

void market_beat(struct scene *s)
{
	(void)cache_feed_beat(s->process.cache,
		&(struct cache_feed){ .key = STR(FEED_KEY),
			.run = str_of(s->run),
			.alive_at = loop_now_ms(s->process.loop),
			.complete = s->is_seeded },
		NULL, NULL);
}

static void on_opened(void *ctx, int err, bool was_complete)
{
	struct scene *s = ctx;

	(void)was_complete;
	if (err) {
		s->n_write_errors++;
		return;
	}
	for (uint32_t i = 0; i < ITEMS; i++)
		if (write_row(s, i, i))
			s->n_write_errors++;
	s->is_seeded = true;
	market_beat(s);
}

static void on_side(void *ctx, int err, const struct cache_row *rows, size_t n)
{
	struct scene *s = ctx;

	s->gen = err || n != 1 ? 1 : rows[0].gen;
	if (cache_feed_open(s->process.cache, STR(FEED_KEY), str_of(s->run), on_opened, s))
		s->n_write_errors++;
}

static int send_inventory(struct scene *s, uint32_t i)
{
	const currency eth = currency_find(STR("ETH"));
	struct inventory row = {
		.item = str_of(s->items[i].id),
		.ver = { .part = { 1 } },
		.list = { .currency = eth },
		.supply = 1000000,
		.collection = STR(COLLECTION),
		.title = str_of(s->items[i].id),
	};
	CLEANUP(buf_fini) struct buf b = BUF_INIT(4096);
	struct json_out j = JSON_OUT(&b);

	if (money_parse_amount(&row.list.amount, STR(LIST_WEI)))
		return -EINVAL;
	inventory_json(&j, NULL, &row);
	return bus_send(s->process.bus, &(struct bus_message){ .topic = TOPIC_INVENTORY,
						.partition = BUS_BY_KEY,
						.key = row.item,
						.value = buf_str(&b) });
}

/* Everything a price needs, except what roles load by themselves. */
int market_seed(struct scene *s)
{
	int r = 0;

	for (uint32_t i = 0; !r && i < ITEMS; i++) {
		snprintf(s->items[i].id, ITEM_TEXT,
			"eip155:1/erc721:0x00000000000000000000000000000000000be0c4/%u", i + 1);
		s->items[i].last_write = -1;
		r = send_inventory(s, i);
	}
	if (!r)
		r = cache_side_open(s->process.cache, STR("market"), 1, on_side, s);
	return r;
}
