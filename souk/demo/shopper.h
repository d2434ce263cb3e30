#pragma once

/*
 * One simulated shopper: a WebSocket session with a token of its own that connects, publishes
 * interest, hears offers and follows them, orders, watches markets, leaves, and comes back when it
 * is cut off.
 */
#include "common/base/histogram.h"
#include "common/io/backoff.h"
#include "common/io/loop.h"
#include "common/io/ws_client.h"
#include "common/model/offer.h"
#include "souk/demo/order_audit.h"
#include "souk/demo/shopper_orders.h"
#include "souk/demo/tracker.h"

#define SHOPPER_IN_FLIGHT 20 /* looks and watches; orders have their own */
#define SHOPPER_OFFERS    256
#define SHOPPER_UNHEARD   64
#define SHOPPER_WATCHES   3
#define SHOPPER_A_WATCH   UINT64_MAX /* in place of an event's number */

struct shopper_counts {
	uint64_t offers;    /* the first that was heard of each */
	uint64_t revisions; /* all later ones */
	uint64_t withdrawn;
	uint64_t no_offers, errors, disconnects;
	uint64_t left;       /* of these, by the shopper's own will */
	uint64_t market;     /* moves of watched markets */
	uint64_t rev_back;   /* an offer's revision that was not above the last one */
	uint64_t seq_broken; /* a push that was not the next one of its session */
	uint64_t market_back;
	uint64_t unreadable;
};

/* What every shopper of the process shares. */
struct shoppers_shared {
	struct loop *loop;
	struct tracker *tracker;
	struct order_audit *orders;
	struct histogram *latency; /* event -> first answer, us from the intended send time */
	struct histogram *order_ack, *order_reserved; /* us from the click, in one session */
	struct arena *scratch;
	struct shopper_counts counts;
	struct shopper_order_counts order_counts;
	const char *url;
	int64_t run; /* makes ids unique: "<run>-<k>" */
	uint64_t seed;
	uint32_t order_one_in; /* 0: no orders */
	bool is_finishing;     /* nobody orders or leaves any more */
	/* an offer, for the terminal */
	void (*heard)(void *ctx, const struct offer *o, int64_t latency_us);
	/* the item is sold, as far as a shopper can tell */
	void (*sold)(void *ctx, struct str item);
	void *ctx;
};

struct shopper_watch {
	char item[264]; /* "" = free */
	int64_t as_of;
};

struct shopper {
	struct shoppers_shared *shared;
	struct ws_client *client;
	struct loop_timer *retry;
	struct backoff backoff;
	struct shopper_orders *orders;
	char user[64];
	char *token;
	/* token on the upgrade, as a native client; else in the first message, as a browser */
	bool use_header;
	bool is_connected;
	bool is_waiting; /* to connect again */
	const char *device;
	uint64_t rng;
	int64_t leave_us; /* when it leaves next; 0: not decided yet */
	int64_t away_ms;  /* it has left, and stays away so long; 0: it has not */
	uint64_t next_id; /* of commands */
	int64_t seq;      /* of the last push */
	struct {
		uint64_t id; /* command number, 0 = free */
		uint64_t k;  /* or SHOPPER_A_WATCH */
	} flight[SHOPPER_IN_FLIGHT];
	uint64_t unheard[SHOPPER_UNHEARD]; /* events of this session without an answer */
	size_t n_unheard;
	struct {
		char id[40];
		struct version rev;
	} seen[SHOPPER_OFFERS]; /* ring of the latest offers */
	size_t n_seen;
	struct shopper_watch watches[SHOPPER_WATCHES];
	size_t n_watched;
};

/* Caller's storage; copies @token. 0 or -ENOMEM. */
MUST_CHECK int shopper_init(struct shopper *s, struct shoppers_shared *shared,
	const struct ws_client_factory *factory, const char *user, const char *token);
void shopper_start(struct shopper *s);
void shopper_fini(struct shopper *s);

/* Now and then, some fifty times a second: orders that are due, retries, leaving. */
void shopper_tick(struct shopper *s);
/* Closes the connection and comes back after @away_ms. */
void shopper_leave(struct shopper *s, int64_t away_ms);
/* shared->is_finishing was set: who is away comes back now. */
void shopper_finish(struct shopper *s);
/* For shopper_orders: false if it could not be handed over. */
bool shopper_send(struct shopper *s, struct buf *b);
uint64_t shopper_random(struct shopper *s);

struct glance {
	const char *item;
	const char *kind;
	int64_t dwell_ms; /* 0 = none */
	const char *place;
	bool personal; /* consent to personalisation in this session */
};

/* Publishes interest number @k as client event "<run>-<k>". false: not connected, or too much
 * unanswered. */
bool shopper_look(struct shopper *s, uint64_t k, int64_t intended_us, const struct glance *g);
/* Watches the item's market, instead of the one watched longest. */
void shopper_watch(struct shopper *s, const char *item);
