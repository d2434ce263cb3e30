/*
 * The bounds are found in one pass and the price is brought between them once, so the order of
 * guards cannot matter. The discount limit is one floor among others: when it meets a price shown
 * before a list price rose, that is a conflict like any other, and no offer is made.
 *
 * Amounts are below 2^96 and basis points below 2^20, so nothing here can leave 128 bits.
 */
#include "pricing/guard.h"

#include <assert.h>

#include "pricing/rules/ruleset_impl.h"

#define BPS_UNIT   10000
#define BPS_MAX    1000000
#define AMOUNT_MAX ((((u128)1) << MONEY_INPUT_BITS) - 1)

/* ---- limits ---- */

static void raise(int64_t *limit, int64_t to)
{
	if (to > *limit)
		*limit = to;
}

static void lower(int64_t *limit, int64_t to)
{
	if (to >= 0 && to < *limit)
		*limit = to;
}

/* Members that are not given are -1, and no bound is below 0. */
static void narrow(struct guard_limits *ret, const struct guard_setting *g, currency list)
{
	struct money quantum;

	raise(&ret->min_margin_bps, g->min_margin_bps);
	raise(&ret->floor_over_bid_bps, g->floor_over_bid_bps);
	lower(&ret->max_premium_bps, g->max_premium_bps);
	lower(&ret->max_discount_bps, g->max_discount_bps);
	if (str_is_set(g->round) && money_parse_decimal(&quantum, g->round, list) == 0 &&
		quantum.amount > ret->quantum)
		ret->quantum = quantum.amount;
}

static const struct guard_setting *find(const struct guard_setting *v, size_t n, struct str key)
{
	size_t low = 0;

	while (low < n) {
		size_t middle = low + (n - low) / 2;
		int order = str_cmp(v[middle].key, key);

		if (order == 0)
			return &v[middle];
		if (order < 0)
			low = middle + 1;
		else
			n = middle;
	}
	return NULL;
}

void guard_limits(
	struct guard_limits *ret, const struct ruleset *rules, const struct price_inputs *in)
{
	const struct guards *g = &in->guards;
	const struct guard_setting *setting;

	*ret = (struct guard_limits){
		.floor_over_bid_bps = g->floor_over_bid_bps,
		.min_margin_bps = g->min_margin_bps,
		.max_premium_bps = g->max_premium_bps,
		.max_discount_bps = g->max_discount_bps,
	};
	if (money_parse_amount(&ret->quantum, g->quantum) != 0)
		ret->quantum = 0;
	if (!rules)
		return;
	setting = str_is_set(in->inventory.collection)
			  ? find(rules->guard_collections, rules->n_guard_collections,
				    in->inventory.collection)
			  : NULL;
	if (setting)
		narrow(ret, setting, in->inventory.list.currency);
	setting = find(rules->guard_items, rules->n_guard_items, in->interest.item);
	if (setting)
		narrow(ret, setting, in->inventory.list.currency);
}

/* ---- bounds ---- */

static u128 with_bps(u128 amount, int64_t bps, enum rounding mode)
{
	u128 ret = 0;
	int r;

	if (bps < -BPS_UNIT)
		bps = -BPS_UNIT;
	if (bps > BPS_MAX)
		bps = BPS_MAX;
	r = u128_mul_div(&ret, amount, (u128)(BPS_UNIT + bps), BPS_UNIT, mode);
	assert(r == 0);
	(void)r;
	return ret;
}

static void raise_floor(struct guard_bounds *b, const char *id, u128 floor)
{
	if (b->floor_id && floor <= b->floor)
		return;
	b->floor = floor;
	b->floor_id = id;
}

static void lower_ceiling(struct guard_bounds *b, const char *id, u128 ceiling)
{
	if (b->ceiling_id && ceiling >= b->ceiling)
		return;
	b->ceiling = ceiling;
	b->ceiling_id = id;
}

/* Present, and usable beside the list price. */
static bool counts(struct guard_bounds *b, const char *id, struct money m, struct money list)
{
	if (!money_is_set(m))
		return false;
	if (currency_is_par(m.currency, list.currency))
		return true;
	assert(b->n_no_fx < GUARD_NO_FX_MAX);
	b->no_fx[b->n_no_fx++] = id;
	return false;
}

void guard_bounds(
	struct guard_bounds *ret, const struct price_inputs *in, const struct guard_limits *g)
{
	struct money list = in->inventory.list;
	u128 top;
	bool is_free;

	assert(money_is_set(list));
	*ret = (struct guard_bounds){ 0 };
	if (counts(ret, "cost", in->inventory.cost, list))
		raise_floor(ret, "cost",
			with_bps(in->inventory.cost.amount, g->min_margin_bps, ROUND_UP));
	if (counts(ret, "best_bid", in->bestbid.bid_net, list))
		raise_floor(ret, "best_bid",
			with_bps(in->bestbid.bid_net.amount, g->floor_over_bid_bps, ROUND_UP));
	raise_floor(ret, "max_discount", with_bps(list.amount, -g->max_discount_bps, ROUND_UP));

	top = with_bps(list.amount, g->max_premium_bps, ROUND_DOWN);
	lower_ceiling(ret, "list", top < AMOUNT_MAX ? top : AMOUNT_MAX);
	ret->unheld = ret->ceiling;
	if (!counts(ret, "shown", in->shown_price, list))
		return;
	is_free = guard_market_moved(in->shown_bid_net, in->bestbid.bid_net, in->guards.moved_bps);
	if (is_free && !in->holds)
		return;
	lower_ceiling(ret, "shown", in->shown_price.amount);
	if (!is_free)
		ret->unheld = ret->ceiling;
}

bool guard_market_moved(struct money then, struct money now, int64_t bps)
{
	u128 gap, limit;

	if (!money_is_set(then) || !money_is_set(now))
		return money_is_set(then) != money_is_set(now);
	if (!currency_is_par(then.currency, now.currency))
		return true;
	gap = now.amount > then.amount ? now.amount - then.amount : then.amount - now.amount;
	limit = with_bps(then.amount, bps < 0 ? 0 : bps, ROUND_DOWN) - then.amount;
	return gap > limit;
}
