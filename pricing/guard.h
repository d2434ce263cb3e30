#pragma once

/*
 * Guards: what no rule may pass. All in the currency of the list price.
 *
 * Floors, rounded up:    cost + min_margin_bps          "cost"
 *                        bid_net + floor_over_bid_bps   "best_bid"
 *                        list - max_discount_bps        "max_discount"
 * Ceilings, rounded down: list + max_premium_bps        "list"
 *                        the lowest price shown to this (session, user, item), unless the market
 * moved since   "shown"
 *                        (held although it moved, where the rules of a live offer changed)
 *
 * A ruleset may have narrower ones for an item and its collection. What binds is the stricter of
 * each: the larger margin, distance and quantum, the smaller premium and discount.
 *
 * A value in another currency counts through parity (ETH, WETH); with no such path it is absent and
 * flagged, never guessed.
 */
#include <stdbool.h>

#include "pricing/inputs.h"
#include "pricing/rules/ruleset.h"

#define GUARD_NO_FX_MAX 3

/* What binds this item. */
struct guard_limits {
	int64_t floor_over_bid_bps, min_margin_bps, max_premium_bps, max_discount_bps;
	u128 quantum; /* 0 or 1: none */
};

/* Of the configuration (inputs.guards) and @rules (NULL: none). */
void guard_limits(
	struct guard_limits *ret, const struct ruleset *rules, const struct price_inputs *in);

struct guard_bounds {
	u128 floor, ceiling;
	const char *floor_id, *ceiling_id; /* whose bound it is; floor_id NULL: no floor */
	u128 unheld; /* the ceiling without a shown price that only changed rules hold */
	const char *no_fx[GUARD_NO_FX_MAX]; /* guards left out for want of a path to the list
					       currency */
	size_t n_no_fx;
};

/* @in has a list price. */
void guard_bounds(
	struct guard_bounds *ret, const struct price_inputs *in, const struct guard_limits *limits);

/* Whether the best bid differs by more than @bps of what it was, or came, or went. */
bool guard_market_moved(struct money then, struct money now, int64_t bps);
