#pragma once

/*
 * The load of `./dev bench scene`: sessions over WebSocket, market rows straight into Redis,
 * orders.
 *
 * Everything is an open loop: what is due at a time is timed from then, however late it leaves.
 *
 * The market of item i is written round robin, so that one item changes each ITEMS / rate seconds:
 * never within the 250 ms in which revisions are conflated. A bid names its write: expected_price()
 * says what the revision that reflects it has to cost, so that an older revision never counts.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/histogram.h"
#include "common/model/money.h"
#include "souk/process.h"

#define ITEMS        2000
#define VIEWERS      5 /* live offers of each item */
#define SESSIONS     100
#define PER_SESSION  (ITEMS * VIEWERS / SESSIONS)
#define ITEM_TEXT    80
#define QUOTE_MAX    700
#define COLLECTION   "bench"
#define LIST_WEI     "1000000000000000000"
#define FLOOR_BPS    300 /* pricing.floor_over_bid_bps, as by default */
#define ASK_AGAIN_MS 500

/* One live offer: session s looks at its j-th item. */
struct place {
	uint32_t item;
	bool is_asked, is_live;
	int64_t ask_at_ms;
	int64_t seen_write; /* newest write that a revision reflected */
	bool is_ordered;
	char quote[QUOTE_MAX];
};

struct item {
	char id[ITEM_TEXT];
	int64_t last_write; /* -1: only the first row */
	int64_t due_us;     /* intended time of that write */
	u128 price;         /* what it makes the price */
	uint64_t n;         /* version */
};

struct scene;

struct seat {
	struct scene *scene;
	uint32_t number;
	struct ws_client *client;
	char user[32];
	bool is_connected;
	uint64_t next_id;
	int64_t rtt_id, rtt_us; /* of the probe in flight */
	struct place places[PER_SESSION];
};

struct pending_order {
	int64_t due_us;
	bool is_acked, is_told;
};

struct scene {
	struct process process;
	const char *mode, *url, *secret_file;
	double rate;
	int64_t warm_us, measure_us;
	struct item items[ITEMS];
	struct seat seats[SESSIONS];
	char run[40];
	uint64_t gen;
	bool is_seeded;
	uint32_t n_live;
	uint64_t n_no_offer, n_errors, n_withdrawn, n_write_errors;

	/* the measuring */
	int64_t begin_us;
	uint64_t next_write;
	uint64_t n_revisions, n_revisions_measured, n_writes_measured;
	struct histogram *revision, *bus, *rtt, *ack, *reserved;
	uint64_t next_seat, next_probe;
	uint64_t next_order, n_acked, n_reserved, n_rejected;
	struct pending_order *orders;
	bool is_done;
	struct arena *scratch;
};

/* scene_seat.c: sessions */
int seats_init(struct scene *s, struct fault *f);
void seats_fini(struct scene *s);
/* The next seat asks for the offer of one place that has none. */
void seats_ask(struct scene *s);
void seats_probe(struct scene *s);
/* Order number @k, with the quote of its place. */
void seats_order(struct scene *s, uint64_t k);

/* scene_market.c: rows */
int market_seed(struct scene *s);
void market_beat(struct scene *s);
void market_write(struct scene *s, uint64_t k, int64_t due_us);
/* @item's price when its bid is that of write @k. */
u128 expected_price(uint64_t k, uint32_t item);

/* scene_backlog.c: orders straight into their topic */
int backlog_run(struct scene *s, const char *keys_file, uint64_t n, struct fault *f);
