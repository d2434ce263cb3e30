#pragma once

/* Random rulesets over production's schema, and random inputs for them. */
#include <stdio.h>

#include "tests/unit/pricing/fixture.h"

#define RANDOM_RULES_MAX 12

struct random_rule {
	char text[512]; /* the rule's object */
};

struct random_rules {
	uint64_t state;
	struct random_rule v[RANDOM_RULES_MAX];
	size_t n, n_first_group; /* in the first of two groups */
	const char *mode;
	const char *rounding;
};

static inline uint64_t any(struct random_rules *r)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return r->state;
}

static inline int64_t any_in(struct random_rules *r, int64_t lo, int64_t hi)
{
	return lo + (int64_t)(any(r) % (uint64_t)(hi - lo + 1));
}

static inline void random_condition(struct random_rules *r, char *ret, size_t cap)
{
	static const char *const tiers[] = { "none", "silver", "gold", "platinum" };

	switch (any(r) % 9) {
	case 0:
		snprintf(ret, cap, "customer.points >= %d", (int)any_in(r, 0, 6000));
		break;
	case 1:
		snprintf(ret, cap, "customer.tier in ['%s', '%s']", tiers[any(r) % 4],
			tiers[any(r) % 4]);
		break;
	case 2:
		snprintf(ret, cap, "customer.segment == 'collector'");
		break;
	case 3:
		snprintf(ret, cap, "session.dwell_ms < %d || session.signal == 'ask'",
			(int)any_in(r, 0, 6000));
		break;
	case 4:
		snprintf(ret, cap, "market.bid_net > item.list.add_bps(bps(%d))",
			(int)any_in(r, -3000, 500));
		break;
	case 5:
		snprintf(ret, cap, "has(market.floor) && customer.points != %d",
			(int)any_in(r, 0, 3));
		break;
	case 6:
		snprintf(ret, cap, "%d / customer.points > 1 && session.dwell_ms > %d",
			(int)any_in(r, 1, 9000), (int)any_in(r, 0, 3000));
		break;
	case 7:
		snprintf(ret, cap, "item.left > 0 && 'gap' in market.flags == %s",
			any(r) % 2 ? "true" : "false");
		break;
	default:
		snprintf(ret, cap, "true");
		break;
	}
}

/* @max_bps 0: a discount for sure. */
static inline void random_effect(struct random_rules *r, int64_t max_bps, char *ret, size_t cap)
{
	switch (any(r) % 5) {
	case 0:
		snprintf(ret, cap, "\"discount\":\"units('%u', 'ETH')\"",
			(unsigned)any_in(r, 0, 100000));
		return;
	case 1:
		if (max_bps > 0) {
			snprintf(ret, cap, "\"surcharge\":\"units('%u', 'WETH')\"",
				(unsigned)any_in(r, 0, 100000));
			return;
		}
		snprintf(ret, cap, "\"bps\":\"bps(0 - customer.points / %d)\"",
			(int)any_in(r, 1, 9));
		return;
	default:
		snprintf(ret, cap, "\"bps\":%d", (int)any_in(r, -2500, max_bps));
		return;
	}
}

static inline void random_rule(struct random_rules *r, size_t number, int64_t max_bps)
{
	char condition[256], effect[128];

	random_condition(r, condition, sizeof(condition));
	random_effect(r, max_bps, effect, sizeof(effect));
	snprintf(r->v[number].text, sizeof(r->v[number].text),
		"{\"id\":\"r%zu\",\"when\":\"%s\",%s,\"explanation\":{\"en\":\"e\"}}", number,
		condition, effect);
}

static inline void random_rules(struct random_rules *r, const char *mode)
{
	static const char *const roundings[] = { "half_even", "half_up", "half_down", "up",
		"down" };

	r->n = (size_t)any_in(r, 1, RANDOM_RULES_MAX - 1);
	r->n_first_group = any(r) % (r->n + 1);
	r->mode = mode;
	r->rounding = roundings[any(r) % ARRAY_LEN(roundings)];
	for (size_t i = 0; i < r->n; i++)
		random_rule(r, i, 800);
}

/* @order: of all rules, NULL as they are. */
static inline struct ruleset *random_ruleset(const struct random_rules *r, const size_t *order)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(1 << 20);

	buf_printf(&b,
		"{\"name\":\"p\",\"version\":\"1\",\"disclosure\":{\"default\":\"d\"},"
		"\"rounding\":\"%s\",\"guards\":{\"collections\":{\"cool-cats\":{"
		"\"max_discount_bps\":4000,\"min_margin_bps\":100}}},"
		"\"groups\":[{\"id\":\"a\",\"mode\":\"%s\",\"rules\":[",
		r->rounding, r->mode);
	for (size_t i = 0; i < r->n; i++) {
		if (i == r->n_first_group)
			buf_printf(&b, "]},{\"id\":\"b\",\"mode\":\"%s\",\"rules\":[", r->mode);
		else if (i)
			buf_putc(&b, ',');
		buf_puts(&b, str_of(r->v[order ? order[i] : i].text));
	}
	buf_puts(&b, STR("]}]}"));
	buf_putc(&b, '\0');
	return ruleset_of(b.p);
}

static inline struct price_inputs random_inputs(struct random_rules *r)
{
	struct price_inputs in = inputs_of_a_good_event();

	in.inventory.list = eth((u128)any_in(r, 1, 2000000) * (any(r) % 2 ? 1 : UINT64_MAX));
	if (any(r) % 2)
		in.inventory.cost = eth(in.inventory.list.amount / 100 * (u128)any_in(r, 1, 101));
	if (any(r) % 2)
		in.bestbid.bid_net = weth(in.inventory.list.amount / 100 * (u128)any_in(r, 1, 101));
	if (any(r) % 4 == 0)
		in.bestbid.floor = eth((u128)any(r));
	if (any(r) % 4 == 0)
		in.shown_price = eth(in.inventory.list.amount / 100 * (u128)any_in(r, 60, 110));
	in.bestbid.flags = any(r) % 2 ? STR("[\"gap\"]") : STR_NONE;
	in.loyalty.tier = (int)(any(r) % 4);
	in.loyalty.points = any_in(r, 0, 6000) * (any(r) % 4 != 0);
	in.interest.dwell_ms = any_in(r, 0, 6000);
	in.interest.signal_kind = (int)(any(r) % 5);
	in.profile.segment = any(r) % 2 ? STR("collector") : STR_NONE;
	in.profile.consent = any(r) % 2 ? TRI_TRUE : TRI_ABSENT;
	in.personalization = inputs_consent(&in) ? TRI_TRUE : TRI_FALSE;
	in.guards.quantum = any(r) % 2 ? STR("1") : STR("1000");
	in.guards.max_premium_bps = any_in(r, 0, 500);
	in.guards.max_discount_bps = any_in(r, 0, 10000);
	in.guards.min_margin_bps = any_in(r, 0, 300);
	return in;
}
