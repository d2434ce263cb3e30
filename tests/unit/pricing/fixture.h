#pragma once

/* Inputs and rulesets that the tests of pricing begin from. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "pricing/compute.h"
#include "pricing/inputs.h"
#include "pricing/small/ruleset.h"

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
	int err = ruleset_parse(&r, str_of(json), &f);

	cr_assert(err == 0, "%s", f.text);
	return r;
}

#define RULES_NONE "{\"name\":\"none\",\"version\":\"1\",\"tables\":[]}"

/* Gold members 5 %, collectors 2 % more, an AR headset 1 % more. */
#define RULES_THREE \
	"{\"name\":\"demo\",\"version\":\"1\",\"disclosure\":{\"default\":\"Made for " \
	"you.\",\"DE\":\"Fuer Sie.\"}," \
	"\"tables\":[" \
	"{\"id\":\"tier\",\"match\":\"first\",\"rows\":[" \
	"{\"id\":\"gold-tier\",\"when\":{\"tier\":[\"gold\",\"platinum\"],\"points\":{\">=\":" \
	"5000}}," \
	"\"bps\":-500,\"reason\":\"Gold member\"}]}," \
	"{\"id\":\"segment\",\"match\":\"first\",\"rows\":[" \
	"{\"when\":{\"segment\":[\"collector\"]},\"bps\":-200,\"reason\":\"Collector\"}]}," \
	"{\"id\":\"device\",\"match\":\"first\",\"rows\":[" \
	"{\"id\":\"ar\",\"when\":{\"device\":[\"ar-headset\"]},\"bps\":-100,\"reason\":\"In the " \
	"gallery\"}]}]}"
