#pragma once

/* Inputs and rulesets that the tests of pricing begin from. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "pricing/compute.h"
#include "pricing/inputs.h"

#define ITEM "eip155:1/erc721:0x3b3ee1931dc30c1957379fac9aba94d1c48a5405/77"
#define ETH_ UINT64_C(1000000000000000000)

static inline struct money eth(u128 wei)
{
	return (struct money){ wei, currency_find(STR("ETH")) };
}

static inline struct money weth(u128 wei)
{
	return (struct money){ wei, currency_find(STR("WETH")) };
}

/* Everything fresh and present, a list price of 1 ETH, no bid, no rules that apply by themselves.
 */
static inline struct price_inputs inputs_of_a_good_event(void)
{
	const struct input_row present = { .state = ROW_PRESENT, .gen = 1, .ver = { { 3 } } };

	return (struct price_inputs){
		.now = 1795334400123,
		.interest = { .id = STR("i-1"),
			.ts = 1795334400100,
			.user = STR("u_42"),
			.session = STR("s_9"),
			.item = STR(ITEM),
			.signal_kind = SIGNAL_VIEW },
		.profile = { .row = present, .age_ms = 10 },
		.loyalty = { .row = present, .age_ms = 20 },
		.inventory = { .row = present,
			.age_ms = 30,
			.list = eth(ETH_),
			.supply = 1,
			.collection = STR("cool-cats") },
		.bestbid = { .row = present, .age_ms = 40, .as_of = 1795334400000 },
		.stock = { .row.state = ROW_NONE },
		.guards = { .max_age_profile_ms = 15000,
			.max_age_loyalty_ms = 15000,
			.max_age_inventory_ms = 15000,
			.max_age_market_ms = 15000,
			.floor_over_bid_bps = 300,
			.max_discount_bps = 5000,
			.moved_bps = 100,
			.quantum = STR("1") },
		.personalization = TRI_FALSE,
	};
}

static inline struct ruleset *ruleset_of(const char *json)
{
	struct ruleset *r = NULL;
	struct fault f = { 0 };
	int err = ruleset_parse(&r, str_of(json), price_schema(), NULL, &f);

	cr_assert(err == 0, "%s", f.text);
	return r;
}

/* Made once, for the life of the process. */
static inline struct decide_scratch *fixture_scratch(void)
{
	static struct decide_scratch *s;

	if (!s)
		cr_assert(zero(int, decide_scratch_new(&s)));
	return s;
}

static inline void fixture_compute(
	const struct ruleset *r, const struct price_inputs *in, struct price_result *ret)
{
	compute(r, fixture_scratch(), in, ret);
}

#define RULES_NONE "{\"name\":\"none\",\"version\":\"1\",\"groups\":[]}"

/* Gold members 5 %, collectors 2 % more, an AR headset 1 % more. */
#define RULES_THREE \
	"{\"name\":\"demo\",\"version\":\"1\",\"disclosure\":{\"default\":\"Made for " \
	"you.\",\"DE\":\"Fuer Sie.\"}," \
	"\"groups\":[{\"id\":\"all\",\"mode\":\"stack\",\"rules\":[" \
	"{\"id\":\"gold-tier\",\"audience\":\"customer.tier in ['gold', 'platinum']\"," \
	"\"when\":\"customer.points >= 5000\",\"bps\":-500,\"explanation\":{\"en\":\"Gold " \
	"member\"}}," \
	"{\"id\":\"collector\",\"when\":\"customer.segment == 'collector'\",\"bps\":-200," \
	"\"explanation\":{\"en\":\"Collector\"}}," \
	"{\"id\":\"ar\",\"when\":\"session.device == 'ar-headset'\",\"bps\":-100," \
	"\"explanation\":{\"en\":\"In the gallery\",\"de\":\"In der " \
	"Galerie\"},\"note\":\"-\"}]}]}"
