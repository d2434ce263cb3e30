/* The book: rules one by one, then random interleavings against a model that keeps every event and
 * asks all of them each time. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>

#include "bidding/book.h"

#define NOW 1788949200000
#define A   "0x00000000000000000000000000000000000000aa"
#define B   "0x00000000000000000000000000000000000000bb"

#define ETH (currency_find(STR("ETH")))
static unsigned n_touched;

static void on_touched(void *ctx, struct book_item *item)
{
	(void)ctx;
	(void)item;
	n_touched++;
}

static struct book *make(bool is_unique, size_t max_orders, size_t max_items, size_t max_ended)
{
	struct book *b = NULL;

	n_touched = 0;
	cr_assert(zero(int, book_new(&b,
				    &(struct book_config){ .currency = ETH,
					    .is_unique = is_unique,
					    .max_orders = max_orders,
					    .max_items = max_items,
					    .max_ended = max_ended,
					    .seed = 7 },
				    on_touched, NULL)));
	return b;
}

/* Texts of one event; eight may be in use at a time. */
static struct str hash_text(unsigned n)
{
	static char v[8][67];
	static unsigned i;
	char *p = v[i++ % 8];

	snprintf(p, 67, "0x%064x", n);
	return (struct str){ p, 66 };
}

static struct str item_text(unsigned n)
{
	static char v[8][64];
	static unsigned i;
	char *p = v[i++ % 8];

	snprintf(p, 64, "eip155:1/erc721:0xc/%u", n);
	return str_of(p);
}

static struct money of(uint64_t amount)
{
	return (struct money){ amount, ETH };
}

static struct market_event event(int type, unsigned order, unsigned item, uint64_t price)
{
	struct market_event e = {
		.type = type, .collection = STR("c"), .ts = NOW, .quantity = 1, .maker = STR(A)
	};

	if (order)
		e.order = hash_text(order);
	if (item)
		e.item = item_text(item);
	if (price) {
		e.price = of(price);
		e.price_net = of(price - price / 10);
	}
	if (type == MARKET_LISTED)
		e.listing = STR("fixed");
	return e;
}

static struct book_value value_at(struct book *b, unsigned item, int64_t now)
{
	struct book_value v = { 0 };
	struct book_item *i;

	book_advance(b, now);
	i = book_find(b, item_text(item));
	if (i)
		book_value(b, i, now, &v);
	return v;
}

static bool is_same_money(struct money a, struct money b)
{
	return a.amount == b.amount && a.currency == b.currency;
}

/* Member by member: what lies between the members is nobody's. */
static bool is_same_value(const struct book_value *a, const struct book_value *b)
{
	return is_same_money(a->bid, b->bid) && is_same_money(a->bid_net, b->bid_net) &&
	       is_same_money(a->ask, b->ask) && is_same_money(a->last_sale, b->last_sale) &&
	       memcmp(a->bid_order, b->bid_order, BOOK_HASH_BYTES) == 0 &&
	       a->bid_expires == b->bid_expires && a->flags == b->flags &&
	       a->is_ask_moving == b->is_ask_moving;
}

static struct book_value value(struct book *b, unsigned item)
{
	return value_at(b, item, NOW);
}

static uint64_t bid(struct book *b, unsigned item)
{
	return (uint64_t)value(b, item).bid.amount;
}

static uint64_t ask(struct book *b, unsigned item)
{
	return (uint64_t)value(b, item).ask.amount;
}

static uint64_t last(struct book *b, unsigned item)
{
	return (uint64_t)value(b, item).last_sale.amount;
}

#define APPLY(b, ...)         book_apply((b), &(__VA_ARGS__), NOW)
#define EXPECT(b, e, verdict) cr_expect(eq(int, (int)book_apply((b), &(e), NOW), (int)(verdict)))

/* ---- bids ---- */

Test(book, the_best_bid_is_the_one_with_the_best_net)
{
	CLEANUP(book_free) struct book *b = make(true, 16, 16, 16);
	struct market_event e = event(MARKET_BID, 1, 1, 1000);

	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_BID, 2, 1, 1010);
	e.price_net = of(890);
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u64, bid(b, 1), 1000));
	cr_expect(eq(u64, (uint64_t)value(b, 1).bid_net.amount, 900));
	cr_expect(eq(u64, bid(b, 2), 0));
}

Test(book, equal_bids_are_told_apart_the_same_way_in_any_order)
{
	struct market_event e[3] = { event(MARKET_BID, 3, 1, 1000), event(MARKET_BID, 1, 1, 1000),
		event(MARKET_BID, 2, 1, 1000) };

	e[0].expires = NOW + 10;
	e[1].expires = NOW + 20;
	e[2].expires = NOW + 20;
	for (size_t i = 0; i < 3; i++) {
		CLEANUP(book_free) struct book *b = make(true, 16, 16, 16);

		for (size_t k = 0; k < 3; k++)
			EXPECT(b, e[(i + k) % 3], BOOK_ACCEPTED);
		cr_expect(eq(u8, value(b, 1).bid_order[31], 1));
		cr_expect(eq(i64, value(b, 1).bid_expires, NOW + 20));
	}
}

Test(book, a_cancel_ends_its_bid_and_one_before_it_too)
{
	CLEANUP(book_free) struct book *b = make(true, 16, 16, 16);
	struct market_event e = event(MARKET_BID, 1, 1, 1000);

	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_CANCELLED, 1, 1, 5000);
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u64, bid(b, 1), 0));
	EXPECT(b, e, BOOK_REPEATED);
	e = event(MARKET_CANCELLED, 2, 0, 0);
	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_BID, 2, 1, 1000);
	e.seq = 99;
	EXPECT(b, e, BOOK_ENDED);
	e = event(MARKET_REVALIDATED, 2, 1, 0);
	EXPECT(b, e, BOOK_ENDED);
	cr_expect(eq(u64, bid(b, 1), 0));
	cr_expect(eq(sz, book_n_orders(b), 0));
}

Test(book, the_highest_version_of_an_order_counts)
{
	CLEANUP(book_free) struct book *b = make(true, 16, 16, 16);
	struct market_event e = event(MARKET_BID, 1, 1, 1000);

	e.seq = 3;
	EXPECT(b, e, BOOK_ACCEPTED);
	EXPECT(b, e, BOOK_REPEATED);
	e = event(MARKET_INVALIDATED, 1, 1, 0);
	e.seq = 2;
	e.ts = NOW + 1000; /* a later time does not help a lower version */
	EXPECT(b, e, BOOK_OLDER);
	cr_expect(eq(u64, bid(b, 1), 1000));
	e.seq = 3; /* another event with the same number counts */
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u64, bid(b, 1), 0));
	e = event(MARKET_REVALIDATED, 1, 1, 0);
	e.seq = 4;
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u64, bid(b, 1), 1000));
}

Test(book, without_versions_the_times_decide)
{
	CLEANUP(book_free) struct book *b = make(true, 16, 16, 16);
	struct market_event e = event(MARKET_BID, 1, 1, 1000);

	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_INVALIDATED, 1, 1, 0);
	e.ts = NOW + 10;
	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_REVALIDATED, 1, 1, 0);
	e.ts = NOW + 9;
	EXPECT(b, e, BOOK_OLDER);
	cr_expect(eq(u64, bid(b, 1), 0));
	e.ts = NOW + 10;
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u64, bid(b, 1), 1000));
}

Test(book, a_bid_that_comes_after_its_invalidation_waits_for_the_revalidation)
{
	CLEANUP(book_free) struct book *b = make(true, 16, 16, 16);
	struct market_event e = event(MARKET_INVALIDATED, 1, 1, 0);

	e.seq = 2;
	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_BID, 1, 1, 1000);
	e.seq = 1;
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u64, bid(b, 1), 0));
	e = event(MARKET_REVALIDATED, 1, 0, 0);
	e.seq = 3;
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u64, bid(b, 1), 1000));
}

Test(book, a_bid_dies_at_its_time_without_an_event)
{
	CLEANUP(book_free) struct book *b = make(true, 16, 16, 16);
	struct market_event e = event(MARKET_BID, 1, 1, 1000);

	e.expires = NOW + 500;
	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_BID, 2, 1, 900);
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(i64, book_next_due_ms(b), NOW + 500));
	cr_expect(eq(u64, (uint64_t)value_at(b, 1, NOW + 499).bid.amount, 1000));
	n_touched = 0;
	cr_expect(eq(u64, (uint64_t)value_at(b, 1, NOW + 500).bid.amount, 900));
	cr_expect(eq(u32, n_touched, 1));
	cr_expect(eq(i64, book_next_due_ms(b), INT64_MAX));
	e = event(MARKET_BID, 3, 1, 2000);
	e.expires = NOW;
	EXPECT(b, e, BOOK_EXPIRED);
}

Test(book, one_hash_is_one_order_of_one_item)
{
	CLEANUP(book_free) struct book *b = make(true, 16, 16, 16);
	struct market_event e = event(MARKET_BID, 1, 1, 1000);

	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_BID, 1, 2, 1000);
	e.seq = 5;
	EXPECT(b, e, BOOK_CONFLICT);
	e = event(MARKET_LISTED, 1, 1, 1000);
	EXPECT(b, e, BOOK_CONFLICT);
	e = event(MARKET_BID, 0, 1, 1000);
	EXPECT(b, e, BOOK_CONFLICT);
	e = event(MARKET_BID, 9, 0, 1000);
	EXPECT(b, e, BOOK_CONFLICT);
}

/* ---- collection and trait offers ---- */

Test(book, a_collection_offer_is_a_bid_for_every_item)
{
	CLEANUP(book_free) struct book *b = make(true, 16, 16, 16);
	struct market_event e = event(MARKET_BID, 1, 1, 500);

	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_LISTED, 2, 2, 5000);
	EXPECT(b, e, BOOK_ACCEPTED);
	n_touched = 0;
	e = event(MARKET_COLLECTION_OFFER, 3, 0, 400);
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u32, n_touched, 2));
	cr_expect(eq(u64, bid(b, 1), 500));
	cr_expect(eq(u64, bid(b, 2), 400));
	n_touched = 0;
	e = event(MARKET_COLLECTION_OFFER, 4, 0, 300);
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(zero(u32, n_touched), "an offer below the best one changes nothing");
	e = event(MARKET_CANCELLED, 3, 0, 0);
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u64, bid(b, 2), 300));
}

Test(book, trait_offers_and_unmet_ones_match_nothing)
{
	CLEANUP(book_free) struct book *b = make(true, 16, 16, 16);
	struct market_event e = event(MARKET_BID, 1, 1, 500);

	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_TRAIT_OFFER, 2, 0, 9000);
	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_COLLECTION_OFFER, 3, 0, 9000);
	e.flags = STR("[\"unmet\"]");
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u64, bid(b, 1), 500));
}

Test(book, an_offer_for_several_lives_until_the_last_is_sold)
{
	CLEANUP(book_free) struct book *b = make(true, 16, 16, 16);
	struct market_event e = event(MARKET_COLLECTION_OFFER, 1, 0, 400);

	e.quantity = 2;
	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_SOLD, 1, 1, 400);
	e.taker = STR(B);
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u64, bid(b, 1), 400));
	EXPECT(b, e, BOOK_REPEATED);
	e = event(MARKET_SOLD, 1, 2, 400);
	e.taker = STR(B);
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u64, bid(b, 1), 0));
	cr_expect(eq(u64, last(b, 2), 400));
}

/* ---- asks ---- */

Test(book, the_ask_is_the_lowest_public_fixed_listing)
{
	CLEANUP(book_free) struct book *b = make(true, 16, 16, 16);
	struct market_event e = event(MARKET_LISTED, 1, 1, 1000);

	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_LISTED, 2, 1, 900);
	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_LISTED, 3, 1, 100);
	e.is_private = TRI_TRUE;
	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_LISTED, 4, 1, 50);
	e.listing = STR("english");
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u64, ask(b, 1), 900));
	cr_expect(eq(u64, bid(b, 1), 0));
	e = event(MARKET_CANCELLED, 2, 1, 0);
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u64, ask(b, 1), 1000));
}

Test(book, a_listing_begins_when_it_starts)
{
	CLEANUP(book_free) struct book *b = make(true, 16, 16, 16);
	struct market_event e = event(MARKET_LISTED, 1, 1, 1000);

	e.starts = NOW + 100;
	e.expires = NOW + 200;
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(i64, book_next_due_ms(b), NOW + 100));
	cr_expect(eq(u64, (uint64_t)value_at(b, 1, NOW + 99).ask.amount, 0));
	n_touched = 0;
	cr_expect(eq(u64, (uint64_t)value_at(b, 1, NOW + 100).ask.amount, 1000));
	cr_expect(eq(u32, n_touched, 1));
	cr_expect(eq(u64, (uint64_t)value_at(b, 1, NOW + 200).ask.amount, 0));
}

Test(book, a_dutch_listing_is_worth_its_value_now_rounded_up)
{
	CLEANUP(book_free) struct book *b = make(true, 16, 16, 16);
	struct market_event e = event(MARKET_LISTED, 1, 1, 1000);

	e.listing = STR("dutch");
	e.price_end = of(500);
	e.starts = NOW;
	e.expires = NOW + 3000;
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u64, ask(b, 1), 1000));
	cr_expect(value(b, 1).is_ask_moving);
	cr_expect(eq(u64, (uint64_t)value_at(b, 1, NOW + 1).ask.amount, 1000));
	cr_expect(eq(u64, (uint64_t)value_at(b, 1, NOW + 1000).ask.amount, 834));
	cr_expect(eq(i64, book_next_due_ms(b), NOW + 2000));
	cr_expect(eq(u64, (uint64_t)value_at(b, 1, NOW + 2999).ask.amount, 501));
	cr_expect(eq(u64, (uint64_t)value_at(b, 1, NOW + 3000).ask.amount, 0));
}

Test(book, a_dutch_listing_without_an_end_gives_no_ask)
{
	CLEANUP(book_free) struct book *b = make(true, 16, 16, 16);
	struct market_event e = event(MARKET_LISTED, 1, 1, 1000);

	e.listing = STR("dutch");
	e.flags = STR("[\"no_end\"]");
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u64, ask(b, 1), 0));
	cr_expect(eq(u32, value(b, 1).flags, BOOK_NO_END));
}

Test(book, a_transfer_ends_what_the_former_owner_listed_before_it)
{
	CLEANUP(book_free) struct book *b = make(true, 16, 16, 16);
	struct market_event e = event(MARKET_LISTED, 1, 1, 1000);

	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_LISTED, 2, 1, 2000);
	e.maker = STR(B);
	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_TRANSFERRED, 0, 1, 0);
	e.from = STR(A);
	e.to = STR(B);
	e.seq = (int64_t)NOW + 5;
	e.ts = NOW + 5;
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u64, ask(b, 1), 2000));
	EXPECT(b, e, BOOK_REPEATED);
	e = event(MARKET_LISTED, 3, 1, 500);
	EXPECT(b, e, BOOK_ENDED);
	e.ts = NOW + 6; /* they bought it back */
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u64, ask(b, 1), 500));
}

/* ---- sales ---- */

Test(book, a_sale_ends_its_order_and_is_the_last_sale)
{
	CLEANUP(book_free) struct book *b = make(true, 16, 16, 16);
	struct market_event e = event(MARKET_LISTED, 1, 1, 1000);

	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_LISTED, 2, 1, 1500);
	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_SOLD, 1, 1, 1000);
	e.taker = STR(B);
	e.seq = NOW;
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(
		eq(u64, ask(b, 1), 0), "a unique token is gone: so is the seller's other listing");
	cr_expect(eq(u64, last(b, 1), 1000));
	EXPECT(b, e, BOOK_REPEATED);
	e = event(MARKET_SOLD, 7, 1, 800); /* an older one, late */
	e.taker = STR(B);
	e.seq = NOW - 10;
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u64, last(b, 1), 1000));
	e = event(MARKET_BID, 7, 1, 800);
	EXPECT(b, e, BOOK_ENDED);
}

Test(book, other_units_of_a_token_stay_listed)
{
	CLEANUP(book_free) struct book *b = make(false, 16, 16, 16);
	struct market_event e = event(MARKET_LISTED, 1, 1, 1000);

	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_SOLD, 2, 1, 900);
	e.taker = STR(B);
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u64, ask(b, 1), 1000));
}

Test(book, private_sales_and_self_trades_are_no_last_sale)
{
	CLEANUP(book_free) struct book *b = make(true, 16, 16, 16);
	struct market_event e = event(MARKET_SOLD, 1, 1, 700);

	e.taker = STR(B);
	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_SOLD, 2, 1, 9000);
	e.taker = STR(A);
	e.ts = NOW + 1;
	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_SOLD, 3, 1, 1);
	e.taker = STR(B);
	e.ts = NOW + 2;
	e.is_private = TRI_TRUE;
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u64, last(b, 1), 700));
	e = event(MARKET_SOLD, 4, 1, 0);
	e.taker = STR(B);
	e.ts = NOW + 3;
	e.flags = STR("[\"no_fx\"]");
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(not(money_is_set(value(b, 1).last_sale)), "what it went for, nobody can say");
	cr_expect(eq(u32, value(b, 1).flags, BOOK_NO_FX));
}

/* ---- flags ---- */

Test(book, a_price_that_was_left_out_shows_as_a_flag_while_its_order_lives)
{
	CLEANUP(book_free) struct book *b = make(true, 16, 16, 16);
	struct market_event e = event(MARKET_BID, 1, 1, 0);

	e.flags = STR("[\"too_big\"]");
	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_BID, 2, 1, 10);
	e.flags = STR("[\"net_estimated\"]");
	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_BID, 3, 1, 20);
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u32, value(b, 1).flags, BOOK_TOO_BIG), "the best bid is not an estimate");
	e = event(MARKET_CANCELLED, 1, 0, 0);
	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_CANCELLED, 3, 0, 0);
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u32, value(b, 1).flags, BOOK_NET_ESTIMATED));
}

Test(book, another_currency_in_the_log_is_no_price)
{
	CLEANUP(book_free) struct book *b = make(true, 16, 16, 16);
	struct market_event e = event(MARKET_BID, 1, 1, 1000);

	e.price.currency = e.price_net.currency = currency_find(STR("USDC"));
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u64, bid(b, 1), 0));
	cr_expect(eq(u32, value(b, 1).flags, BOOK_NO_FX));
	e = event(MARKET_BID, 2, 1, 1000);
	e.price.currency = e.price_net.currency = currency_find(STR("WETH"));
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u8, value(b, 1).bid.currency, ETH));
}

Test(book, a_gap_lasts_for_each_item_until_its_next_event)
{
	CLEANUP(book_free) struct book *b = make(true, 16, 16, 16);
	struct market_event e = event(MARKET_BID, 1, 1, 1000);

	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_BID, 2, 2, 1000);
	EXPECT(b, e, BOOK_ACCEPTED);
	book_mark_gap(b);
	cr_expect(eq(sz, book_n_gap(b), 2));
	cr_expect(eq(u32, value(b, 1).flags, BOOK_GAP));
	EXPECT(b, e, BOOK_REPEATED);
	cr_expect(eq(sz, book_n_gap(b), 2), "a repeated event is no news");
	e = event(MARKET_CANCELLED, 1, 0, 0); /* names no item, but is of one */
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(zero(u32, value(b, 1).flags));
	e = event(MARKET_BID, 3, 3, 1000);
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(sz, book_n_gap(b), 1));
	e = event(MARKET_TRANSFERRED, 0, 2, 0);
	e.from = STR(A);
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(sz, book_n_gap(b), 0));
}

/* ---- bounds ---- */

Test(book, a_full_book_refuses_new_orders_but_never_an_end)
{
	CLEANUP(book_free) struct book *b = make(true, 2, 16, 16);
	struct market_event e = event(MARKET_BID, 1, 1, 1000);

	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_BID, 2, 1, 1100);
	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_BID, 3, 1, 1200);
	EXPECT(b, e, BOOK_FULL);
	e = event(MARKET_SOLD, 2, 1, 1100);
	e.taker = STR(B);
	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_CANCELLED, 9, 1, 0);
	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_BID, 3, 1, 1200);
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u64, bid(b, 1), 1200));
}

Test(book, too_many_items_are_refused)
{
	CLEANUP(book_free) struct book *b = make(true, 16, 1, 16);
	struct market_event e = event(MARKET_BID, 1, 1, 1000);

	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_BID, 2, 2, 1000);
	EXPECT(b, e, BOOK_FULL);
	e = event(MARKET_SOLD, 1, 2, 1000); /* the order ends, the item has no row */
	EXPECT(b, e, BOOK_ACCEPTED);
	cr_expect(eq(u64, bid(b, 1), 0));
	cr_expect(eq(sz, book_n_items(b), 1));
}

Test(book, the_oldest_end_is_forgotten_first)
{
	CLEANUP(book_free) struct book *b = make(true, 16, 16, 2);
	struct market_event e;

	for (unsigned i = 1; i <= 3; i++) {
		e = event(MARKET_CANCELLED, i, 0, 0);
		EXPECT(b, e, BOOK_ACCEPTED);
	}
	e = event(MARKET_BID, 1, 1, 1000);
	EXPECT(b, e, BOOK_ACCEPTED);
	e = event(MARKET_BID, 2, 1, 1000);
	EXPECT(b, e, BOOK_ENDED);
	e = event(MARKET_BID, 3, 1, 1000);
	EXPECT(b, e, BOOK_ENDED);
}

/* ---- random interleavings against a naive model ---- */

/*
 * The model keeps one record per order, with what every rule asks for, in an array, and answers by
 * looking at all of them. It has no heap, no index, no cached best offer, and is told the time only
 * when asked.
 */
#define N_ORDERS 40
#define N_ITEMS  4
#define N_EVENTS 600
#define N_RUNS   60

struct model_order {
	bool is_known, is_final, has_state; /* placed; cancelled or sold; only its state is known */
	bool is_valid;
	int type, last_type;
	unsigned item;
	int64_t seq, expires, quantity, placed_ts;
	uint64_t price, net;
	char maker;
};

struct model {
	struct model_order o[N_ORDERS + 1];
	uint64_t last[N_ITEMS + 1];
	int64_t sale_seq[N_ITEMS + 1];
	unsigned sale_order[N_ITEMS + 1];
	int64_t moved_ts[N_ITEMS + 1], moved_seq[N_ITEMS + 1];
	char moved_from[N_ITEMS + 1];
};

static uint64_t state;

static unsigned roll(unsigned n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((state >> 33) % n);
}

static bool is_alive(const struct model_order *o, int64_t now)
{
	return o->is_known && !o->is_final && (!o->expires || now < o->expires);
}

static void model_end_listings(struct model *m, unsigned item, char maker, int64_t ts)
{
	for (unsigned i = 1; i <= N_ORDERS; i++) {
		struct model_order *o = &m->o[i];

		if (o->is_known && o->type == MARKET_LISTED && o->item == item &&
			o->maker == maker && o->placed_ts <= ts) {
			*o = (struct model_order){ 0 };
		}
	}
}

struct random_event {
	struct market_event e;
	unsigned order, item;
	char maker, taker;
};

static void model_place(struct model *m, const struct random_event *r, int64_t now)
{
	struct model_order *o = &m->o[r->order], was = *o;
	bool is_live = is_alive(o, now);

	if (o->is_final)
		return;
	if (is_live) {
		if (o->type != r->e.type || o->item != r->item || r->e.seq < o->seq ||
			(r->e.seq == o->seq && o->last_type == r->e.type))
			return;
		if (r->e.expires && r->e.expires <= now) {
			*o = (struct model_order){ 0 };
			return;
		}
	} else {
		if (r->e.expires && r->e.expires <= now)
			return;
		if (r->e.type == MARKET_LISTED && m->moved_from[r->item] == r->maker &&
			r->e.ts <= m->moved_ts[r->item])
			return;
	}
	*o = (struct model_order){ .is_known = true,
		.is_valid = true,
		.type = r->e.type,
		.last_type = r->e.type,
		.item = r->item,
		.seq = r->e.seq,
		.expires = r->e.expires,
		.quantity = r->e.quantity,
		.placed_ts = r->e.ts,
		.price = (uint64_t)r->e.price.amount,
		.net = (uint64_t)r->e.price_net.amount,
		.maker = r->maker };
	if (!is_live && was.has_state && r->e.seq < was.seq) {
		o->is_valid = was.is_valid;
		o->seq = was.seq;
		o->last_type = was.last_type;
	}
}

static void model_validity(struct model *m, const struct random_event *r, int64_t now)
{
	struct model_order *o = &m->o[r->order];
	bool is_known = is_alive(o, now) || o->has_state;

	if (o->is_final || (is_known && (r->e.seq < o->seq ||
						(r->e.seq == o->seq && o->last_type == r->e.type))))
		return;
	if (!is_known)
		*o = (struct model_order){ .has_state = true };
	o->seq = r->e.seq;
	o->last_type = r->e.type;
	o->is_valid = r->e.type == MARKET_REVALIDATED;
}

static void model_sold(struct model *m, const struct random_event *r, int64_t now)
{
	struct model_order *o = &m->o[r->order];
	unsigned i = r->item;
	bool is_newer = m->sale_seq[i] == 0 || r->e.seq >= m->sale_seq[i];

	if (o->is_final && o->last_type == MARKET_SOLD)
		return;
	if (m->sale_seq[i] && m->sale_order[i] == r->order && r->e.seq <= m->sale_seq[i])
		return;
	if (is_alive(o, now) && o->quantity > r->e.quantity)
		o->quantity -= r->e.quantity;
	else
		*o = (struct model_order){ .is_final = true, .last_type = MARKET_SOLD };
	model_end_listings(m, i, r->maker, r->e.ts);
	model_end_listings(m, i, r->taker, r->e.ts);
	if (!is_newer)
		return;
	m->sale_seq[i] = r->e.seq;
	m->sale_order[i] = r->order;
	if (r->e.is_private != TRI_TRUE && r->maker != r->taker)
		m->last[i] = (uint64_t)r->e.price.amount;
}

static void model_moved(struct model *m, const struct random_event *r)
{
	unsigned i = r->item;

	if (m->moved_seq[i] == r->e.seq)
		return;
	model_end_listings(m, i, r->maker, r->e.ts);
	if (r->e.seq > m->moved_seq[i]) {
		m->moved_seq[i] = r->e.seq;
		m->moved_ts[i] = r->e.ts;
		m->moved_from[i] = r->maker;
	}
}

static void model_apply(struct model *m, const struct random_event *r, int64_t now)
{
	struct model_order *o = &m->o[r->order];

	/* What ran out is gone, with all that was known of it. */
	for (unsigned i = 1; i <= N_ORDERS; i++) {
		if (m->o[i].is_known && m->o[i].expires && m->o[i].expires <= now)
			m->o[i] = (struct model_order){ 0 };
	}
	switch (r->e.type) {
	case MARKET_CANCELLED:
		if (!o->is_final)
			*o = (struct model_order){ .is_final = true,
				.last_type = MARKET_CANCELLED };
		break;
	case MARKET_INVALIDATED:
	case MARKET_REVALIDATED:
		model_validity(m, r, now);
		break;
	case MARKET_SOLD:
		model_sold(m, r, now);
		break;
	case MARKET_TRANSFERRED:
		model_moved(m, r);
		break;
	default:
		model_place(m, r, now);
	}
}

static uint64_t model_bid(const struct model *m, unsigned item, int64_t now, uint64_t *ret_net)
{
	uint64_t net = 0, gross = 0;

	for (unsigned i = 1; i <= N_ORDERS; i++) {
		const struct model_order *o = &m->o[i];
		bool is_bid = (o->type == MARKET_BID && o->item == item) ||
			      o->type == MARKET_COLLECTION_OFFER;

		if (!is_alive(o, now) || !o->is_valid || !is_bid || o->type == MARKET_LISTED)
			continue;
		if (o->net > net || (o->net == net && o->price > gross)) {
			net = o->net;
			gross = o->price;
		}
	}
	*ret_net = net;
	return gross;
}

static uint64_t model_ask(const struct model *m, unsigned item, int64_t now)
{
	uint64_t best = 0;

	for (unsigned i = 1; i <= N_ORDERS; i++) {
		const struct model_order *o = &m->o[i];

		if (is_alive(o, now) && o->is_valid && o->type == MARKET_LISTED &&
			o->item == item && (!best || o->price < best))
			best = o->price;
	}
	return best;
}

static void make_random(struct random_event *r, int64_t now)
{
	static const int TYPES[] = { MARKET_BID, MARKET_BID, MARKET_BID, MARKET_LISTED,
		MARKET_LISTED, MARKET_COLLECTION_OFFER, MARKET_CANCELLED, MARKET_CANCELLED,
		MARKET_INVALIDATED, MARKET_REVALIDATED, MARKET_SOLD, MARKET_TRANSFERRED };
	int type = TYPES[roll(ARRAY_LEN(TYPES))];
	bool is_placed =
		type == MARKET_BID || type == MARKET_LISTED || type == MARKET_COLLECTION_OFFER;
	bool is_item_family = type == MARKET_SOLD || type == MARKET_TRANSFERRED;

	r->order = 1 + roll(N_ORDERS);
	/* Mostly one item per order, as it is; sometimes another, as it must not be. */
	r->item = roll(20) ? 1 + r->order % N_ITEMS : 1 + roll(N_ITEMS);
	r->maker = roll(2) ? 'a' : 'b';
	r->taker = roll(2) ? 'a' : 'b';
	r->e = event(type, type == MARKET_TRANSFERRED ? 0 : r->order,
		type == MARKET_COLLECTION_OFFER ? 0 : r->item,
		is_placed || type == MARKET_SOLD ? 100 + roll(50) : 0);
	if (type == MARKET_COLLECTION_OFFER)
		r->item = 0;
	r->e.maker = r->maker == 'a' ? STR(A) : STR(B);
	r->e.taker = r->taker == 'a' ? STR(A) : STR(B);
	r->e.from = r->e.maker;
	r->e.ts = now - (int64_t)roll(50);
	r->e.seq = is_item_family ? now - (int64_t)roll(20) : 1 + (int64_t)roll(4);
	r->e.is_private = type == MARKET_SOLD && roll(4) == 0 ? TRI_TRUE : TRI_ABSENT;
	if (is_placed && roll(3))
		r->e.expires = now - 5 + (int64_t)roll(120);
	r->e.quantity = type == MARKET_COLLECTION_OFFER ? 1 + (int64_t)roll(3) : 1;
	if (is_placed && roll(3) == 0)
		r->e.price_net = of((uint64_t)r->e.price.amount - 20);
}

static void compare(struct book *b, const struct model *m, int64_t now, unsigned run, unsigned step)
{
	for (unsigned i = 1; i <= N_ITEMS; i++) {
		struct book_value v = value_at(b, i, now);
		uint64_t net, gross = model_bid(m, i, now, &net);
		bool is_known = book_find(b, item_text(i)) != NULL;

		if (!is_known)
			continue;
		cr_assert(eq(u64, (uint64_t)v.bid.amount, gross), "run %u step %u item %u", run,
			step, i);
		cr_assert(eq(u64, (uint64_t)v.bid_net.amount, net), "run %u step %u item %u", run,
			step, i);
		cr_assert(eq(u64, (uint64_t)v.ask.amount, model_ask(m, i, now)),
			"run %u step %u item %u", run, step, i);
		cr_assert(eq(u64, (uint64_t)v.last_sale.amount, m->last[i]),
			"run %u step %u item %u", run, step, i);
	}
}

Test(book, random_interleavings_agree_with_a_model_that_looks_at_everything)
{
	for (unsigned run = 0; run < N_RUNS; run++) {
		CLEANUP(book_free) struct book *b = make(true, N_ORDERS, N_ITEMS, 2 * N_EVENTS);
		struct model m = { 0 };
		int64_t now = NOW;

		state = 1000 + run;
		for (unsigned step = 0; step < N_EVENTS; step++) {
			struct random_event r;

			now += (int64_t)roll(6);
			make_random(&r, now);
			book_apply(b, &r.e, now);
			model_apply(&m, &r, now);
			compare(b, &m, now, run, step);
		}
	}
}

Test(book, what_was_accepted_builds_the_same_book_again)
{
	for (unsigned run = 0; run < N_RUNS; run++) {
		CLEANUP(book_free) struct book *b = make(true, N_ORDERS, N_ITEMS, 2 * N_EVENTS);
		CLEANUP(book_free) struct book *again = make(true, N_ORDERS, N_ITEMS, 2 * N_EVENTS);
		int64_t now = NOW;

		state = 77000 + run;
		for (unsigned step = 0; step < N_EVENTS; step++) {
			struct random_event r;

			now += (int64_t)roll(6);
			make_random(&r, now);
			if (book_apply(b, &r.e, now) == BOOK_ACCEPTED)
				cr_assert(
					eq(int, (int)book_apply(again, &r.e, now), BOOK_ACCEPTED));
		}
		for (unsigned i = 1; i <= N_ITEMS; i++) {
			struct book_value v = value_at(b, i, now), w = value_at(again, i, now);

			cr_expect(is_same_value(&v, &w), "run %u item %u", run, i);
		}
		cr_expect(eq(sz, book_n_orders(b), book_n_orders(again)));
	}
}
