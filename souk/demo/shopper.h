#pragma once

/*
 * One simulated shopper: a WebSocket session with a token of its own that connects, publishes
 * interest, hears offers, and comes back when it is cut off.
 */
#include "common/base/histogram.h"
#include "common/io/backoff.h"
#include "common/io/loop.h"
#include "common/io/ws_client.h"
#include "common/model/offer.h"
#include "souk/demo/tracker.h"

#define SHOPPER_IN_FLIGHT 32
#define SHOPPER_OFFERS    64

struct shopper_counts {
	uint64_t offers, no_offers, errors, disconnects;
	uint64_t rev_back; /* an offer's revision that was not above the last one */
	uint64_t unreadable;
};

/* What every shopper of the process shares. */
struct shoppers_shared {
	struct loop *loop;
	struct tracker *tracker;
	struct histogram *latency; /* event -> first answer, us from the intended send time */
	struct arena *scratch;
	struct shopper_counts counts;
	const char *url;
	/* an offer, for the terminal */
	void (*heard)(void *ctx, const struct offer *o, int64_t latency_us);
	void *ctx;
};

struct shopper {
	struct shoppers_shared *shared;
	struct ws_client *client;
	struct loop_timer *retry;
	struct backoff backoff;
	char user[64];
	char *token;
	/* token on the upgrade, as a native client; else in the first message, as a browser */
	bool use_header;
	bool is_connected;
	const char *device;
	uint64_t next_id;
	struct {
		uint64_t id; /* command number, 0 = free */
		uint64_t k;
	} flight[SHOPPER_IN_FLIGHT];
	struct {
		char id[40];
		struct version rev;
	} seen[SHOPPER_OFFERS]; /* ring of the latest offers */
	size_t n_seen;
};

/* Caller's storage; copies @token. 0 or -ENOMEM. */
MUST_CHECK int shopper_init(struct shopper *s, struct shoppers_shared *shared,
	const struct ws_client_factory *factory, const char *user, const char *token);
void shopper_start(struct shopper *s);
void shopper_fini(struct shopper *s);

struct glance {
	const char *item;
	const char *kind;
	int64_t dwell_ms; /* 0 = none */
	const char *place;
	bool personal; /* consent to personalisation in this session */
};

/* Publishes interest number @k as client event "<run>-<k>". false: not connected, or too much in
 * flight. */
bool shopper_look(
	struct shopper *s, int64_t run, uint64_t k, int64_t intended_us, const struct glance *g);
