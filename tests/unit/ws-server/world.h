#pragma once

/*
 * A gateway on the in-memory seams and the driven clock, with the other ends in the test's hands:
 * clients as peers, pricing as a second bus.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/config.h"
#include "common/base/log.h"
#include "common/io/sim/bus_sim.h"
#include "common/io/sim/cache_sim.h"
#include "common/io/sim/loop_sim.h"
#include "common/io/sim/ws_sim.h"
#include "common/model/topics.h"
#include "ws-server/ws_server_role.h"

#define NOW_MS   INT64_C(1795334400000)
#define HOUR_MS  INT64_C(3600000)
#define SLOTS    4
#define ITEM     "eip155:1/erc721:0x3b3ee1931dc30c1957379fac9aba94d1c48a5405/77"
#define INTEREST "\"item\":\"" ITEM "\",\"signal\":{\"kind\":\"view\"}"
#define SECRET   "0123456789abcdef0123456789abcdef"

struct world {
	struct loop *loop;
	struct sim_broker *broker;
	struct bus *bus;     /* the gateway's */
	struct bus *pricing; /* of the one who answers */
	struct sim_store *store;
	struct cache *cache;
	struct metrics *metrics;
	struct gateway_config config;
	struct config_section section;
	char secret_path[32];
	struct gateway *gateway;
	struct ws_server *server;
	char token[2048];
	char session[64]; /* of the last client connected */
	unsigned n_drained;
};

static inline void world_secret(char path[32], const char *secret)
{
	int fd;

	strcpy(path, "/tmp/souk-secret-XXXXXX");
	fd = mkstemp(path);
	cr_assert(ge(int, fd, 0));
	cr_assert(eq(long, (long)write(fd, secret, strlen(secret)), (long)strlen(secret)));
	close(fd);
}

static inline const char *world_token(
	struct world *w, const char *user, const char *prefix, int64_t expires_ms)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(sizeof(w->token) - 1);

	cr_assert(zero(int, gateway_token(&b, w->secret_path, user, prefix, expires_ms, NULL)));
	memcpy(w->token, b.p, b.n);
	w->token[b.n] = '\0';
	return w->token;
}

static inline void world_topics(struct world *w, const char *missing)
{
	static const struct {
		const char *name;
		int32_t partitions;
	} topics[] = { { TOPIC_INTEREST, 4 }, { TOPIC_OFFERS, SLOTS }, { TOPIC_ORDERS, 4 },
		{ TOPIC_PAYMENT_RESULTS, 4 }, { TOPIC_BESTBID, 4 } };
	char full[64];

	for (size_t i = 0; i < ARRAY_LEN(topics); i++) {
		if (missing && strcmp(topics[i].name, missing) == 0)
			continue;
		snprintf(full, sizeof(full), "eu.%s", topics[i].name);
		cr_assert(zero(int, sim_broker_topic(w->broker, full, topics[i].partitions)));
	}
}

/* Everything but the gateway and the topic @missing; @sets end with NULL. */
static inline void world_init_without(struct world *w, const char *const *sets, const char *missing)
{
	struct fault f = { 0 };
	size_t n = 0;

	*w = (struct world){ 0 };
	log_init("test", LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
	world_secret(w->secret_path, SECRET "\n");
	cr_assert(zero(int, loop_sim_new(&w->loop, NOW_MS)));
	cr_assert(zero(int, sim_broker_new(&w->broker, w->loop)));
	world_topics(w, missing);
	cr_assert(zero(int, bus_sim_new(&w->bus, w->broker, "eu.")));
	cr_assert(zero(int, bus_sim_new(&w->pricing, w->broker, "eu.")));
	cr_assert(zero(int, sim_store_new(&w->store, w->loop)));
	cr_assert(zero(int, cache_sim_new(&w->cache, w->store)));
	cr_assert(zero(int, metrics_new(&w->metrics, 256)));
	w->section = (struct config_section){ .name = GATEWAY_CONFIG_SECTION,
		.rows = gateway_config_rows,
		.n_rows = gateway_config_n_rows,
		.base = &w->config };
	while (sets && sets[n])
		n++;
	cr_assert(zero(int, config_load(&w->section, 1,
				    &(struct config_source){ .sets = sets, .n_sets = n }, &f)),
		"%s", f.text);
	free(w->config.hs256_secret_file);
	w->config.hs256_secret_file = strdup(w->secret_path);
}

static inline void world_init(struct world *w, const char *const *sets)
{
	world_init_without(w, sets, NULL);
}

static inline void world_start(struct world *w)
{
	struct fault f = { 0 };

	cr_assert(zero(int, gateway_new(&w->gateway,
				    &(struct gateway_env){
					    w->loop, w->bus, w->cache, w->metrics, "i-1", "eu." },
				    &w->config, &f)),
		"%s", f.text);
	cr_assert(zero(int, ws_server_sim_new(&w->server, w->loop, gateway_ops(), w->gateway)));
	gateway_set_server(w->gateway, w->server);
	loop_sim_settle(w->loop);
}

static inline void world_stop(struct world *w)
{
	w->server = ws_server_free(w->server);
	w->gateway = gateway_free(w->gateway);
}

static inline void world_fini(struct world *w)
{
	world_stop(w);
	bus_free(w->bus);
	bus_free(w->pricing);
	cache_free(w->cache);
	sim_broker_free(w->broker);
	sim_store_free(w->store);
	metrics_free(w->metrics);
	config_unload(&w->section, 1);
	loop_free(w->loop);
	unlink(w->secret_path);
}

static inline void world_finip(struct world *w)
{
	world_fini(w);
}

static inline int64_t world_metric(struct world *w, const char *name, const char *label)
{
	return metrics_value(w->metrics, name, label);
}

/* Does @text read like @pattern, in which '*' stands for any run of characters? */
static inline bool world_matches(const char *pattern, const char *text)
{
	if (*pattern == '\0')
		return *text == '\0';
	if (*pattern != '*')
		return *pattern == *text && world_matches(pattern + 1, text + 1);
	for (;; text++) {
		if (world_matches(pattern + 1, text))
			return true;
		if (*text == '\0')
			return false;
	}
}

#define EXPECT_NEXT(peer, pattern) \
	do { \
		const char *text_ = sim_peer_next(peer); \
		cr_assert(not(zero(ptr, (void *)text_)), "nothing came, expected %s", pattern); \
		cr_assert(world_matches(pattern, text_), "%s\n  expected %s", text_, pattern); \
	} while (0)
#define EXPECT_NOTHING(peer) \
	do { \
		const char *text_ = sim_peer_next(peer); \
		cr_assert(zero(ptr, (void *)text_), "unexpected: %s", text_ ? text_ : ""); \
	} while (0)

/* Sends and lets everything happen that is due now. */
static inline void world_say(struct world *w, struct sim_peer *p, const char *text)
{
	sim_peer_send(p, text);
	loop_sim_settle(w->loop);
}

static inline struct sim_peer *world_open(struct world *w)
{
	struct sim_peer *p = sim_peer_connect(w->server, NULL);

	loop_sim_settle(w->loop);
	return p;
}

/* A connected client of @user (acting for @prefix if not NULL); w->session is its session. */
static inline struct sim_peer *world_connect_as(
	struct world *w, const char *user, const char *prefix)
{
	struct sim_peer *p = world_open(w);
	char text[2300];
	const char *answer;
	int64_t expires_ms = loop_now_ms(w->loop) + HOUR_MS;

	snprintf(text, sizeof(text), "{\"id\":1,\"type\":\"connect\",\"token\":\"%s\"}",
		world_token(w, user, prefix, expires_ms));
	world_say(w, p, text);
	answer = sim_peer_next(p);
	cr_assert(not(zero(ptr, (void *)answer)));
	cr_assert(eq(int,
			  sscanf(answer, "{\"id\":1,\"type\":\"connected\",\"session\":\"%60[^\"]",
				  w->session),
			  1),
		"%s", answer);
	return p;
}

static inline struct sim_peer *world_connect(struct world *w, const char *user)
{
	return world_connect_as(w, user, NULL);
}

static inline int64_t world_count(struct world *w, const char *topic)
{
	int64_t n = 0;

	for (int32_t p = 0; p < 4; p++)
		n += sim_broker_high(w->broker, topic, p);
	return n;
}

/* The nth record over all four partitions, in partition order; NULL if there are not so many. */
static inline const struct bus_record *world_record(struct world *w, const char *topic, int64_t nth)
{
	for (int32_t p = 0; p < 4; p++) {
		int64_t high = sim_broker_high(w->broker, topic, p);

		if (nth < high)
			return sim_broker_record(w->broker, topic, p, nth);
		nth -= high;
	}
	return NULL;
}

static inline const struct bus_record *world_interest(struct world *w, int64_t nth)
{
	return world_record(w, "eu." TOPIC_INTEREST, nth);
}

static inline int64_t world_interests(struct world *w)
{
	return world_count(w, "eu." TOPIC_INTEREST);
}

static inline const struct bus_record *world_order(struct world *w, int64_t nth)
{
	return world_record(w, "eu." TOPIC_ORDERS, nth);
}

static inline int64_t world_orders(struct world *w)
{
	return world_count(w, "eu." TOPIC_ORDERS);
}

static inline int32_t world_slot(struct world *w)
{
	return (int32_t)world_metric(w, "souk_ws_slot", NULL);
}

static inline void world_slot_key(struct world *w, char ret[24])
{
	snprintf(ret, 24, "gw:{%d}", (int)world_slot(w));
}

static inline void world_epoch(struct world *w, char ret[24])
{
	char key[24];
	struct str epoch;

	world_slot_key(w, key);
	epoch = sim_store_get(w->store, key, NULL);
	cr_assert(zero(int, str_copy(ret, 24, epoch)));
}

struct answer {
	const char *id;      /* the offer's; default "of-1" */
	const char *rev;     /* default "7.1" */
	const char *state;   /* default "live" */
	const char *user;    /* default "u_42" */
	const char *session; /* default the last client's */
	const char *event;   /* client_id, or NULL */
	const char *reason;  /* or NULL */
	const char *epoch;   /* default the slot's own, "" = no header */
	const char *shard;   /* default "3" */
	int64_t expires_ms;  /* default now + 30 s */
	const char *more;    /* further members */
};

#define OR(given, other) ((given) ? (given) : (other))

/* Writes an offer record to the gateway's slot and lets it arrive. */
static inline void world_answer(struct world *w, const struct answer *a)
{
	char value[4096], epoch[24] = "", reason[64] = "", event[160] = "";
	struct bus_header headers[2];
	size_t n = 0;
	int64_t now_ms = loop_now_ms(w->loop);

	if (!a->epoch)
		world_epoch(w, epoch);
	if (a->reason)
		snprintf(reason, sizeof(reason), ",\"reason\":\"%s\"", a->reason);
	if (a->event)
		snprintf(event, sizeof(event), ",\"client_id\":\"%s\"", a->event);
	snprintf(value, sizeof(value),
		"{\"id\":\"%s\",\"rev\":\"%s\",\"state\":\"%s\",\"interest\":\"in-1\"%s,\"ts\":%"
		"lld,\"user\":\"%s\","
		"\"session\":\"%s\",\"item\":\"" ITEM "\",\"issued\":%lld,\"expires\":%lld%s%s}",
		OR(a->id, "of-1"), OR(a->rev, "7.1"), OR(a->state, "live"), event,
		(long long)now_ms, OR(a->user, "u_42"), OR(a->session, w->session),
		(long long)now_ms, (long long)(a->expires_ms ? a->expires_ms : now_ms + 30000),
		reason, OR(a->more, ""));
	if (!a->epoch || a->epoch[0])
		headers[n++] = (struct bus_header){ STR("x-souk-slot-epoch"),
			str_of(a->epoch ? a->epoch : epoch) };
	headers[n++] = (struct bus_header){ STR("x-souk-shard"), str_of(OR(a->shard, "3")) };
	cr_assert(zero(int, bus_send(w->pricing, &(struct bus_message){ .topic = TOPIC_OFFERS,
							 .partition = world_slot(w),
							 .key = STR("u_42"),
							 .value = str_of(value),
							 .headers = headers,
							 .n_headers = n })));
	loop_sim_settle(w->loop);
}

#define OFFER "3ce2d8ab-f97f-8e0b-9e5e-99f79e994a66"
#define QUOTE \
	"{\"v\":1,\"kid\":\"k1\",\"offer\":\"" OFFER \
	"\",\"rev\":\"7.1\",\"user\":\"u_42\",\"item\":\"" ITEM \
	"\",\"price\":{\"amount\":\"100\",\"currency\":\"ETH\"},\"issued\":1,\"expires\":2," \
	"\"mac\":\"m\"}"
#define ORDER(command, id) \
	"{\"id\":" command ",\"type\":\"order\",\"order\":{\"id\":\"" id "\",\"quote\":" QUOTE "}" \
	"}"

/* As wallet-bridge and others write them, under the item's key. */
static inline void world_send(struct world *w, const char *topic, const char *key,
	const char *value, const struct bus_header *header)
{
	cr_assert(zero(int, bus_send(w->pricing, &(struct bus_message){ .topic = topic,
							 .partition = BUS_BY_KEY,
							 .key = str_of(key),
							 .value = str_of(value),
							 .headers = header,
							 .n_headers = header ? 1 : 0 })));
	loop_sim_settle(w->loop);
}

struct told {
	const char *order;   /* default "or-1" */
	const char *user;    /* default "u_42" */
	const char *state;   /* default "RESERVED" */
	const char *session; /* header, or NULL */
	const char *more;    /* further members */
	int64_t n;
	int64_t ts; /* default NOW_MS */
};

static inline void world_tell(struct world *w, const struct told *t)
{
	char value[1024];
	struct bus_header header = { STR("x-souk-session"), str_of(t->session) };

	snprintf(value, sizeof(value),
		"{\"order\":\"%s\",\"client_id\":\"buy-1\",\"n\":%lld,\"user\":\"%s\",\"item\":"
		"\"" ITEM "\",\"state\":\"%s\"%s,\"ts\":%lld}",
		OR(t->order, "or-1"), (long long)t->n, OR(t->user, "u_42"),
		OR(t->state, "RESERVED"), OR(t->more, ""), (long long)(t->ts ? t->ts : NOW_MS));
	world_send(w, TOPIC_PAYMENT_RESULTS, ITEM, value, t->session ? &header : NULL);
}
