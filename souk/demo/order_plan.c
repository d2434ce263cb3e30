/*
 * One 64-bit draw for each event and question. The shares are those of a shop on a busy day rather
 * than of a well-behaved one: half of the buyers hesitate, one in eight clicks twice, one in ten is
 * cut off between the click and the answer, one in twelve tries what is not allowed.
 */
#include "souk/demo/order_plan.h"

enum question { WHETHER, WHEN, HOW_LONG, WHICH_QUOTE, WITHDRAWN, CLICKS, LEAVING, WALLET, MISUSE };

static uint64_t draw(uint64_t seed, uint64_t k, enum question q)
{
	/* splitmix64's finish, over the three */
	uint64_t x = seed * 0x9e3779b97f4a7c15ull + k * 0xd1b54a32d192ed03ull +
		     ((uint64_t)q + 1) * 0x8cb92ba72f3d8dd7ull;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

static int64_t hesitation(uint64_t when, uint64_t how_long)
{
	if (when % 40 == 0)
		return ORDER_PLAN_LATE_MS;
	return when % 2 ? 0 : 300 + (int64_t)(how_long % 7000);
}

static enum order_misuse misuse(uint64_t x)
{
	switch (x % 36) {
	case 0:
		return MISUSE_TAMPER;
	case 1:
		return MISUSE_INSTALMENTS;
	case 2:
		return MISUSE_OTHER_BODY;
	default:
		return MISUSE_NONE;
	}
}

struct order_plan order_plan(uint64_t seed, uint64_t k, uint32_t one_in)
{
	if (!one_in || draw(seed, k, WHETHER) % one_in != 0)
		return (struct order_plan){ 0 };
	return (struct order_plan){
		.orders = true,
		.hesitate_ms = hesitation(draw(seed, k, WHEN), draw(seed, k, HOW_LONG)),
		.first_quote = draw(seed, k, WHICH_QUOTE) % 3 == 0,
		.stubborn = draw(seed, k, WITHDRAWN) % 3 == 0,
		.twice = draw(seed, k, CLICKS) % 8 == 0,
		.leaves = draw(seed, k, LEAVING) % 10 == 0,
		.names_wallet = draw(seed, k, WALLET) % 4 != 0,
		.misuse = misuse(draw(seed, k, MISUSE)),
	};
}
