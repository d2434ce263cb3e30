/*
 * What an item is worth, from its orders: a scan. Items have tens of orders, values are asked for
 * at most every publish_ms, and a sorted structure would have to be kept right through every kind
 * of end; if scans ever show in a profile, this is the file that gets an index.
 */
#include "bidding/order_book.h"

static bool is_live(const struct order *o, int64_t now_ms)
{
	return o->is_valid && (o->expires == 0 || now_ms < o->expires) &&
	       (o->kind != ORDER_LISTING || now_ms >= o->starts);
}

/* Never is later than any time. */
static uint64_t last_moment(const struct order *o)
{
	return o->expires ? (uint64_t)o->expires : UINT64_MAX;
}

bool order_beats(const struct order *a, const struct order *b)
{
	int c = money_cmp(a->price_net, b->price_net);

	if (c)
		return c > 0;
	c = money_cmp(a->price, b->price);
	if (c)
		return c > 0;
	if (last_moment(a) != last_moment(b))
		return last_moment(a) > last_moment(b);
	return memcmp(a->hash, b->hash, BOOK_HASH_BYTES) < 0;
}

/* Seaport's rule for a price that moves, considerations rounding up. */
static struct money value_now(const struct order *o, int64_t now_ms)
{
	u128 from = o->price.amount, to = o->price_end.amount;
	u128 span = (u128)(o->expires - o->starts), gone = (u128)(now_ms - o->starts);
	struct money m = o->price;
	u128 part;

	/* Within 2^96 and 2^53, so that the product fits 256 bits and the result 128. */
	if (to >= from) {
		if (u128_mul_div(&part, to - from, gone, span, ROUND_UP) == 0)
			m.amount = from + part;
	} else if (u128_mul_div(&part, from - to, gone, span, ROUND_DOWN) == 0) {
		m.amount = from - part;
	}
	return m;
}

static void take_listing(const struct order *o, int64_t now_ms, struct book_value *ret)
{
	bool is_dutch = o->listing == LISTING_DUTCH;
	struct money ask;

	if (o->is_private || o->listing == LISTING_NONE)
		return;
	ret->flags |= o->flags;
	if (!money_is_set(o->price) || (is_dutch && !money_is_set(o->price_end)))
		return;
	ask = is_dutch ? value_now(o, now_ms) : o->price;
	if (money_is_set(ret->ask) && money_cmp(ask, ret->ask) >= 0)
		return;
	ret->ask = ask;
	ret->is_ask_moving = is_dutch;
}

static const struct order *take_bid(
	const struct order *o, const struct order *best, struct book_value *ret)
{
	ret->flags |= o->flags & ~(unsigned)BOOK_NET_ESTIMATED;
	if (!money_is_set(o->price_net))
		return best;
	return !best || order_beats(o, best) ? o : best;
}

void book_value(
	const struct book *b, const struct book_item *item, int64_t now_ms, struct book_value *ret)
{
	const struct order *best = NULL, *o;

	*ret = (struct book_value){ .last_sale = item->last_sale };
	ret->flags = item->sale_flags | b->offer_flags | (item->has_gap ? BOOK_GAP : 0);
	LIST_FOREACH(o, &item->orders, link) {
		if (!is_live(o, now_ms))
			continue;
		if (o->kind == ORDER_LISTING)
			take_listing(o, now_ms, ret);
		else
			best = take_bid(o, best, ret);
	}
	o = b->best_offer;
	if (o && is_live(o, now_ms) && (!best || order_beats(o, best)))
		best = o;
	if (!best)
		return;
	ret->bid = best->price;
	ret->bid_net = best->price_net;
	ret->bid_expires = best->expires;
	ret->flags |= best->flags & BOOK_NET_ESTIMATED;
	memcpy(ret->bid_order, best->hash, BOOK_HASH_BYTES);
}

void book_refresh_offers(struct book *b, bool is_changed)
{
	const struct order *was = b->best_offer;
	unsigned flags = b->offer_flags;
	struct order *o;

	b->best_offer = NULL;
	b->offer_flags = 0;
	LIST_FOREACH(o, &b->offers, link) {
		if (o->kind != ORDER_COLLECTION_OFFER || o->is_unmet || !o->is_valid)
			continue;
		b->offer_flags |= o->flags & ~(unsigned)BOOK_NET_ESTIMATED;
		if (money_is_set(o->price_net) && (!b->best_offer || order_beats(o, b->best_offer)))
			b->best_offer = o;
	}
	if (is_changed || b->best_offer != was || b->offer_flags != flags)
		book_each(b, b->touched, b->ctx);
}
