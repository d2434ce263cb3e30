#pragma once

/* The world with offers that are followed: what the tests of revisions begin from. */
#include "tests/unit/pricing/world.h"

#define USER   "u_42"
#define WINDOW 250
/* A gold member's price of a list price of 1 ETH. */
#define GOLD (ETH_ / 100 * 95)
/* 3 % over a bid of 0.95. */
#define BID         "950000000000000000"
#define OVER_BID    (ETH_ / 10000 * 9785)
#define HIGHER_BID  "960000000000000000"
#define OVER_HIGHER (ETH_ / 10000 * 9888)

static inline void live_configure(struct world *w)
{
	world_init(w);
	w->config.live_max = 100;
	w->config.revision_ms = WINDOW;
	world_beat_all(w);
	world_inventory(w, 3, "1000000000000000000", "1");
}

static inline void gold(struct world *w, const char *user, uint64_t ver)
{
	char key[64];

	snprintf(key, sizeof(key), "loyalty:{%s}", user);
	PUT(w, key, ver, "user", user, "tier", "gold", "points", "5000");
}

/* One gold member with an offer at 0.95, and the time after it quiet. */
static inline void live_init(struct world *w)
{
	live_configure(w);
	gold(w, USER, 1);
	world_start(w);
	world_interest(w, "i-1", USER);
	loop_sim_settle(w->loop);
	loop_sim_advance(w->loop, 2 * WINDOW);
}

static inline void world_rule(struct world *w, const char *key, const char *value)
{
	cr_assert(zero(int, bus_send(w->client, &(struct bus_message){ .topic = TOPIC_RULES,
							.partition = 0,
							.key = str_of(key),
							.value = str_of(value) })));
	loop_sim_settle(w->loop);
}

static inline void world_publish_body(struct world *w, const char *body)
{
	CLEANUP(ruleset_free) struct ruleset *r = ruleset_of(body);
	char key[100], pointer[128];

	snprintf(key, sizeof(key), "demo/%s", ruleset_id(r).p + 7);
	snprintf(pointer, sizeof(pointer), "{\"ruleset\":\"" STR_FMT "\"}", STR_ARG(ruleset_id(r)));
	world_rule(w, key, body);
	world_rule(w, "demo", pointer);
}

/* Gold members get @bps. */
static inline void world_publish(struct world *w, const char *version, int bps)
{
	char body[512];

	snprintf(body, sizeof(body),
		"{\"disclosure\":{\"default\":\"Made for you.\"},\"groups\":[{\"id\":\"tier\","
		"\"mode\":\"stack\",\"rules\":[{\"bps\":%d,\"explanation\":{\"en\":\"Gold "
		"member\"},\"id\":\"gold-tier\",\"when\":\"customer.tier == 'gold'\"}]}],\"name\":"
		"\"demo\",\"version\":\"%s\"}",
		bps, version);
	world_publish_body(w, body);
}

static inline int64_t n_offers(struct world *w, const char *user)
{
	return world_high(w, TOPIC_OFFERS, reply_of(user));
}

static inline struct offer last_offer(struct world *w, const char *user)
{
	return world_offer(w, reply_of(user), n_offers(w, user) - 1);
}

static inline struct decision last_decision(struct world *w, const char *user)
{
	int32_t shard = shard_of(user);

	return world_decision(w, shard, world_high(w, TOPIC_DECISIONS, shard) - 1);
}

struct known_rulesets {
	struct ruleset *v[16];
	size_t n;
};

static inline const struct ruleset *known_ruleset(void *ctx, struct str id)
{
	struct known_rulesets *k = ctx;

	for (size_t i = 0; i < k->n; i++) {
		if (str_eq(ruleset_id(k->v[i]), id))
			return k->v[i];
	}
	return NULL;
}

/* From the topic: bodies are the records with a '/' that are no pauses. */
static inline void learn_rulesets(struct world *w, struct known_rulesets *k)
{
	k->n = 0;
	for (int64_t i = 0; i < world_high(w, TOPIC_RULES, 0); i++) {
		const struct bus_record *r = world_record(w, TOPIC_RULES, 0, i);
		struct fault f = { 0 };

		if (!memchr(r->key.p, '/', r->key.n) || str_starts(r->key, STR("pause/")))
			continue;
		cr_assert(lt(sz, k->n, ARRAY_LEN(k->v)));
		cr_assert(
			zero(int, ruleset_parse(&k->v[k->n++], r->value, price_schema(), NULL, &f)),
			"%s", f.text);
	}
}

static inline void forget_rulesets(struct known_rulesets *k)
{
	for (size_t i = 0; i < k->n; i++)
		ruleset_free(k->v[i]);
}
