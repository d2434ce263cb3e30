/*
 * Orders hang in two indexes, by hash and under their item (or the collection), and in a heap by
 * what happens next to them without an event: their start, their expiry, the next look at a moving
 * price. An order that ends leaves all three; what must be remembered of it is its hash, in a ring.
 *
 * Ends are remembered although `seq` would tell most late comers: a cancel is often all we hear of
 * an order (half the traffic is cancels of orders placed before we listened), and an order that
 * comes after its own cancel must not live.
 */
#include "bidding/book.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "bidding/order_book.h"
#include "common/base/crypto.h"

const char *const book_verdict_names[BOOK_N_VERDICTS] = { "accepted", "repeated", "older", "ended",
	"expired", "conflict", "full" };

/* ---- small readings of an event ---- */

static bool hash_of(const struct market_event *e, uint8_t ret[BOOK_HASH_BYTES])
{
	return e->order.n == 2 + 2 * BOOK_HASH_BYTES &&
	       hex_decode(ret, BOOK_HASH_BYTES, (struct str){ e->order.p + 2, e->order.n - 2 }) ==
		       0;
}

static bool address_of(struct str s, uint8_t ret[20])
{
	return s.n == 42 && hex_decode(ret, 20, (struct str){ s.p + 2, 40 }) == 0;
}

static bool has_word(struct str flags, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n + 2 <= flags.n; i++) {
		if (flags.p[i] == '"' && memcmp(flags.p + i + 1, word, n) == 0 &&
			flags.p[i + n + 1] == '"')
			return true;
	}
	return false;
}

static unsigned flags_of(const struct market_event *e)
{
	return (has_word(e->flags, "no_fx") ? BOOK_NO_FX : 0u) |
	       (has_word(e->flags, "too_big") ? BOOK_TOO_BIG : 0u) |
	       (has_word(e->flags, "net_estimated") ? BOOK_NET_ESTIMATED : 0u) |
	       (has_word(e->flags, "no_end") ? BOOK_NO_END : 0u);
}

static struct str bytes(const uint8_t *p, size_t n)
{
	return (struct str){ (const char *)p, n };
}

/* The version rule, against the newest event of the same order. */
static enum book_verdict judge(
	int64_t seq, int64_t ts, bool is_same_type, const struct market_event *e)
{
	bool by_seq = seq && e->seq;
	int64_t was = by_seq ? seq : ts, is = by_seq ? e->seq : e->ts;

	if (is < was)
		return BOOK_OLDER;
	return is == was && is_same_type ? BOOK_REPEATED : BOOK_ACCEPTED;
}

/* ---- items ---- */

static void touch(struct book *b, struct book_item *item)
{
	if (item)
		b->touched(b->ctx, item);
}

static struct book_item *item_get(struct book *b, struct str id)
{
	struct book_item *item = book_find(b, id);

	if (item || b->items.n >= b->config.max_items)
		return item;
	item = calloc(1, sizeof(*item) + id.n + 1);
	if (!item)
		return NULL;
	memcpy(item->id, id.p, id.n);
	item->node.key = (struct str){ item->id, id.n };
	LIST_INIT(&item->orders);
	bidding_map_add(&b->items, &item->node);
	STAILQ_INSERT_TAIL(&b->all, item, link);
	return item;
}

static void clear_gap(struct book *b, struct book_item *item)
{
	if (!item || !item->has_gap)
		return;
	item->has_gap = false;
	b->n_gap--;
	touch(b, item);
}

/* ---- ends that are remembered ---- */

static struct ended *ended_find(const struct book *b, const uint8_t hash[BOOK_HASH_BYTES])
{
	return (struct ended *)bidding_map_find(&b->ended, bytes(hash, BOOK_HASH_BYTES));
}

static void ended_drop(struct book *b, struct ended *x)
{
	if (!x || !x->node.key.p)
		return;
	bidding_map_remove(&b->ended, &x->node);
	x->node.key = STR_NONE;
}

static void ended_put(
	struct book *b, const uint8_t hash[BOOK_HASH_BYTES], int type, int64_t seq, int64_t ts)
{
	struct ended *x = ended_find(b, hash);

	if (!x) {
		x = &b->ring[b->ring_next];
		b->ring_next = (b->ring_next + 1) % b->config.max_ended;
		ended_drop(b, x);
		memcpy(x->hash, hash, BOOK_HASH_BYTES);
		x->node.key = bytes(x->hash, BOOK_HASH_BYTES);
		bidding_map_add(&b->ended, &x->node);
	}
	x->type = type;
	x->seq = seq;
	x->ts = ts;
}

static bool is_final(int type)
{
	return type == MARKET_CANCELLED || type == MARKET_SOLD;
}

/* ---- orders ---- */

static struct order *order_find(const struct book *b, const uint8_t hash[BOOK_HASH_BYTES])
{
	return (struct order *)bidding_map_find(&b->orders, bytes(hash, BOOK_HASH_BYTES));
}

static bool is_offer(const struct order *o)
{
	return o->item == NULL;
}

static void order_changed(struct book *b, struct order *o)
{
	if (is_offer(o))
		book_refresh_offers(b, b->best_offer == o);
	else
		touch(b, o->item);
}

static void order_end(struct book *b, struct order *o)
{
	struct book_item *item = o->item;
	bool was_best = b->best_offer == o;

	due_heap_set(&b->due, o, INT64_MAX);
	bidding_map_remove(&b->orders, &o->node);
	LIST_REMOVE(o, link);
	free(o);
	if (was_best)
		b->best_offer = NULL;
	if (item)
		touch(b, item);
	else
		book_refresh_offers(b, was_best);
}

static void order_schedule(struct book *b, struct order *o, int64_t now_ms)
{
	int64_t due = o->expires ? o->expires : INT64_MAX;
	bool is_moving = o->listing == LISTING_DUTCH && money_is_set(o->price_end);

	if (o->kind == ORDER_LISTING && now_ms < o->starts)
		due = o->starts < due ? o->starts : due;
	else if (is_moving && now_ms + BOOK_TICK_MS < due)
		due = now_ms + BOOK_TICK_MS;
	due_heap_set(&b->due, o, due);
}

static enum order_kind kind_of(int type)
{
	return type == MARKET_LISTED             ? ORDER_LISTING
	       : type == MARKET_BID              ? ORDER_BID
	       : type == MARKET_COLLECTION_OFFER ? ORDER_COLLECTION_OFFER
						 : ORDER_TRAIT_OFFER;
}

static enum listing_kind listing_of(const struct market_event *e)
{
	if (str_eqz(e->listing, "fixed"))
		return LISTING_FIXED;
	return str_eqz(e->listing, "dutch") ? LISTING_DUTCH : LISTING_NONE;
}

static struct order *order_add(
	struct book *b, const uint8_t hash[BOOK_HASH_BYTES], struct book_item *item)
{
	struct order *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	memcpy(o->hash, hash, BOOK_HASH_BYTES);
	o->node.key = bytes(o->hash, BOOK_HASH_BYTES);
	o->heap_index = SIZE_MAX;
	o->item = item;
	bidding_map_add(&b->orders, &o->node);
	LIST_INSERT_HEAD(item ? &item->orders : &b->offers, o, link);
	return o;
}

static struct money fit(const struct book *b, struct money m, unsigned *flags)
{
	if (!money_is_set(m))
		return m;
	if (currency_is_par(m.currency, b->config.currency))
		return (struct money){ m.amount, b->config.currency };
	*flags |= BOOK_NO_FX;
	return (struct money){ 0 };
}

static void order_fill(const struct book *b, struct order *o, const struct market_event *e)
{
	unsigned flags = flags_of(e);

	o->kind = (uint8_t)kind_of(e->type);
	o->listing = (uint8_t)listing_of(e);
	o->has_maker = address_of(e->maker, o->maker);
	o->is_private = e->is_private == TRI_TRUE;
	o->is_unmet = has_word(e->flags, "unmet");
	o->placed_ts = e->ts;
	o->starts = e->starts;
	o->expires = e->expires;
	o->quantity = e->quantity > 0 ? e->quantity : 1;
	o->price = fit(b, e->price, &flags);
	o->price_end = fit(b, e->price_end, &flags);
	o->price_net = fit(b, e->price_net, &flags);
	o->flags = (uint16_t)flags;
	/* What the sums need holds for any log: a net has a gross, a price that moves a time to
	 * move in. */
	if (!money_is_set(o->price))
		o->price_net = (struct money){ 0 };
	if (o->expires <= o->starts)
		o->price_end = (struct money){ 0 };
}

static void order_note(struct order *o, const struct market_event *e)
{
	o->seq = e->seq;
	o->ts = e->ts;
	o->last_type = e->type;
}

/* ---- events ---- */

/* A listing from before its maker gave the token away. */
static bool is_overtaken(const struct book_item *item, const struct market_event *e)
{
	uint8_t maker[20];

	return item && e->type == MARKET_LISTED && item->has_transfer &&
	       e->ts <= item->transfer_ts && address_of(e->maker, maker) &&
	       memcmp(maker, item->transfer_from, 20) == 0;
}

static bool is_same_order(const struct order *o, const struct market_event *e)
{
	return o->kind == kind_of(e->type) &&
	       (o->item ? str_eq(o->item->node.key, e->item) : !str_is_set(e->item));
}

/* An event of the order was here before the order. */
static void order_catch_up(
	struct book *b, struct order *o, struct ended *x, const struct market_event *e)
{
	if (judge(x->seq, x->ts, false, e) == BOOK_OLDER) {
		o->is_valid = x->type != MARKET_INVALIDATED;
		o->seq = x->seq;
		o->ts = x->ts;
		o->last_type = x->type;
	}
	ended_drop(b, x);
}

static enum book_verdict replace(
	struct book *b, struct order *o, const struct market_event *e, int64_t now_ms)
{
	enum book_verdict v;

	if (!is_same_order(o, e))
		return BOOK_CONFLICT;
	v = judge(o->seq, o->ts, o->last_type == e->type, e);
	if (v)
		return v;
	if (e->expires && e->expires <= now_ms) {
		order_end(b, o);
		return BOOK_ACCEPTED;
	}
	order_fill(b, o, e);
	order_note(o, e);
	o->is_valid = true;
	order_schedule(b, o, now_ms);
	order_changed(b, o);
	return BOOK_ACCEPTED;
}

static enum book_verdict apply_order(struct book *b, const struct market_event *e,
	const uint8_t hash[BOOK_HASH_BYTES], int64_t now_ms)
{
	bool is_item = e->type == MARKET_LISTED || e->type == MARKET_BID;
	struct order *o = order_find(b, hash);
	struct ended *x = ended_find(b, hash);
	struct book_item *item;

	if (o)
		return replace(b, o, e, now_ms);
	if (x && is_final(x->type))
		return BOOK_ENDED;
	if (e->expires && e->expires <= now_ms)
		return BOOK_EXPIRED;
	if (b->orders.n >= b->config.max_orders)
		return BOOK_FULL;
	item = is_item ? item_get(b, e->item) : NULL;
	if (is_item && !item)
		return BOOK_FULL;
	if (is_overtaken(item, e))
		return BOOK_ENDED;
	o = order_add(b, hash, item);
	if (!o)
		return BOOK_FULL;
	order_fill(b, o, e);
	order_note(o, e);
	o->is_valid = true;
	if (x)
		order_catch_up(b, o, x, e);
	order_schedule(b, o, now_ms);
	order_changed(b, o);
	return BOOK_ACCEPTED;
}

static enum book_verdict apply_cancelled(
	struct book *b, const struct market_event *e, const uint8_t hash[BOOK_HASH_BYTES])
{
	struct order *o = order_find(b, hash);
	struct ended *x = ended_find(b, hash);

	if (x && is_final(x->type))
		return BOOK_REPEATED;
	ended_put(b, hash, MARKET_CANCELLED, e->seq, e->ts);
	if (o) {
		clear_gap(b, o->item);
		order_end(b, o);
	}
	return BOOK_ACCEPTED;
}

static enum book_verdict apply_validity(
	struct book *b, const struct market_event *e, const uint8_t hash[BOOK_HASH_BYTES])
{
	struct order *o = order_find(b, hash);
	struct ended *x = ended_find(b, hash);
	enum book_verdict v = BOOK_ACCEPTED;

	if (x && is_final(x->type))
		return BOOK_ENDED;
	if (x)
		v = judge(x->seq, x->ts, x->type == e->type, e);
	else if (o)
		v = judge(o->seq, o->ts, o->last_type == e->type, e);
	if (v)
		return v;
	if (!o) {
		ended_put(b, hash, e->type, e->seq, e->ts);
		return BOOK_ACCEPTED;
	}
	o->is_valid = e->type == MARKET_REVALIDATED;
	order_note(o, e);
	clear_gap(b, o->item);
	order_changed(b, o);
	return BOOK_ACCEPTED;
}

static void end_listings(struct book *b, struct book_item *item, struct str maker, int64_t ts)
{
	uint8_t address[20];
	struct order *o, *next;

	if (!address_of(maker, address))
		return;
	for (o = LIST_FIRST(&item->orders); o; o = next) {
		next = LIST_NEXT(o, link);
		if (o->kind == ORDER_LISTING && o->has_maker && o->placed_ts <= ts &&
			memcmp(o->maker, address, 20) == 0)
			order_end(b, o);
	}
}

static bool is_same_sale(const struct book_item *item, const struct market_event *e)
{
	uint8_t hash[BOOK_HASH_BYTES];
	bool has_order = hash_of(e, hash);

	return item->has_sale_order == has_order &&
	       (!has_order || memcmp(item->sale_order, hash, BOOK_HASH_BYTES) == 0);
}

static bool is_self_trade(const struct market_event *e)
{
	return str_is_set(e->maker) && str_eq(e->maker, e->taker);
}

static void sell_item(struct book *b, struct book_item *item, const struct market_event *e)
{
	bool is_older =
		item->has_sale && judge(item->sale_seq, item->sale_ts, false, e) == BOOK_OLDER;

	if (b->config.is_unique) {
		end_listings(b, item, e->maker, e->ts);
		end_listings(b, item, e->taker, e->ts);
	}
	if (!is_older) {
		item->has_sale = true;
		item->sale_seq = e->seq;
		item->sale_ts = e->ts;
		item->has_sale_order = hash_of(e, item->sale_order);
		if (e->is_private != TRI_TRUE && !is_self_trade(e)) {
			item->sale_flags = flags_of(e) & (BOOK_NO_FX | BOOK_TOO_BIG);
			item->last_sale = fit(b, e->price, &item->sale_flags);
		}
	}
	touch(b, item);
}

/* A filled order ends; one for several tokens loses what was sold. */
static void sell_order(
	struct book *b, const struct market_event *e, const uint8_t hash[BOOK_HASH_BYTES])
{
	struct order *o = order_find(b, hash);

	if (o)
		clear_gap(b, o->item);
	if (o && o->quantity > e->quantity) {
		o->quantity -= e->quantity;
		order_changed(b, o);
		return;
	}
	ended_put(b, hash, MARKET_SOLD, e->seq, e->ts);
	if (o)
		order_end(b, o);
}

static enum book_verdict apply_sold(struct book *b, const struct market_event *e)
{
	struct book_item *item = str_is_set(e->item) ? item_get(b, e->item) : NULL;
	uint8_t hash[BOOK_HASH_BYTES];
	bool has_order = hash_of(e, hash);
	struct ended *x = has_order ? ended_find(b, hash) : NULL;

	if (x && x->type == MARKET_SOLD)
		return BOOK_REPEATED;
	if (item && item->has_sale && is_same_sale(item, e) &&
		judge(item->sale_seq, item->sale_ts, true, e) != BOOK_ACCEPTED)
		return BOOK_REPEATED;
	if (has_order)
		sell_order(b, e, hash);
	if (item)
		sell_item(b, item, e);
	return BOOK_ACCEPTED;
}

static enum book_verdict apply_transferred(struct book *b, const struct market_event *e)
{
	struct book_item *item = item_get(b, e->item);
	enum book_verdict v = BOOK_ACCEPTED;

	if (!item)
		return BOOK_FULL;
	if (item->has_transfer)
		v = judge(item->transfer_seq, item->transfer_ts, true, e);
	if (v == BOOK_REPEATED)
		return v;
	end_listings(b, item, e->from, e->ts);
	if (v == BOOK_ACCEPTED) {
		item->has_transfer = address_of(e->from, item->transfer_from);
		item->transfer_seq = e->seq;
		item->transfer_ts = e->ts;
	}
	return BOOK_ACCEPTED;
}

static enum book_verdict apply(struct book *b, const struct market_event *e, int64_t now_ms)
{
	uint8_t hash[BOOK_HASH_BYTES];

	if (e->type == MARKET_SOLD)
		return apply_sold(b, e);
	if (e->type == MARKET_TRANSFERRED)
		return str_is_set(e->item) ? apply_transferred(b, e) : BOOK_CONFLICT;
	if (e->type == MARKET_METADATA)
		return BOOK_ACCEPTED;
	if (!hash_of(e, hash) ||
		((e->type == MARKET_LISTED || e->type == MARKET_BID) && !str_is_set(e->item)))
		return BOOK_CONFLICT;
	if (e->type == MARKET_CANCELLED)
		return apply_cancelled(b, e, hash);
	if (e->type == MARKET_INVALIDATED || e->type == MARKET_REVALIDATED)
		return apply_validity(b, e, hash);
	return apply_order(b, e, hash, now_ms);
}

enum book_verdict book_apply(struct book *b, const struct market_event *e, int64_t now_ms)
{
	enum book_verdict v;

	book_advance(b, now_ms);
	v = apply(b, e, now_ms);
	if (v == BOOK_ACCEPTED && e->type != MARKET_METADATA && str_is_set(e->item))
		clear_gap(b, book_find(b, e->item));
	return v;
}

/* ---- time ---- */

int64_t book_next_due_ms(const struct book *b)
{
	return b->due.n ? b->due.v[0]->due_ms : INT64_MAX;
}

void book_advance(struct book *b, int64_t now_ms)
{
	while (b->due.n && b->due.v[0]->due_ms <= now_ms) {
		struct order *o = b->due.v[0];

		if (o->expires && o->expires <= now_ms) {
			order_end(b, o);
			continue;
		}
		order_schedule(b, o, now_ms);
		order_changed(b, o);
	}
}

/* ---- gaps ---- */

void book_mark_gap(struct book *b)
{
	struct book_item *item;

	STAILQ_FOREACH(item, &b->all, link) {
		if (item->has_gap)
			continue;
		item->has_gap = true;
		b->n_gap++;
		touch(b, item);
	}
}

/* ---- the rest ---- */

int book_new(
	struct book **ret, const struct book_config *config, book_touched_fn touched, void *ctx)
{
	CLEANUP(book_free) struct book *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	assert(config->max_orders && config->max_items && config->max_ended);
	b->config = *config;
	b->touched = touched;
	b->ctx = ctx;
	LIST_INIT(&b->offers);
	STAILQ_INIT(&b->all);
	b->ring = calloc(config->max_ended, sizeof(*b->ring));
	if (!b->ring || bidding_map_init(&b->orders, config->max_orders, config->seed) ||
		bidding_map_init(&b->items, config->max_items, config->seed) ||
		bidding_map_init(&b->ended, config->max_ended, config->seed) ||
		due_heap_init(&b->due, config->max_orders))
		return -ENOMEM;
	*ret = TAKE(b);
	return 0;
}

static void orders_free(struct order_list *list)
{
	while (!LIST_EMPTY(list)) {
		struct order *o = LIST_FIRST(list);

		LIST_REMOVE(o, link);
		free(o);
	}
}

struct book *book_free(struct book *b)
{
	if (!b)
		return NULL;
	while (!STAILQ_EMPTY(&b->all)) {
		struct book_item *item = STAILQ_FIRST(&b->all);

		STAILQ_REMOVE_HEAD(&b->all, link);
		orders_free(&item->orders);
		free(item);
	}
	orders_free(&b->offers);
	bidding_map_fini(&b->orders);
	bidding_map_fini(&b->items);
	bidding_map_fini(&b->ended);
	due_heap_fini(&b->due);
	free(b->ring);
	free(b);
	return NULL;
}

struct book_item *book_find(const struct book *b, struct str item)
{
	struct bidding_map_node *node = bidding_map_find(&b->items, item);

	return (struct book_item *)node;
}

void book_each(struct book *b, book_touched_fn fn, void *ctx)
{
	struct book_item *item;

	STAILQ_FOREACH(item, &b->all, link)
		fn(ctx, item);
}

struct str book_item_id(const struct book_item *item)
{
	return item->node.key;
}

void **book_item_user(struct book_item *item)
{
	return &item->user;
}

size_t book_n_gap(const struct book *b)
{
	return b->n_gap;
}

size_t book_n_orders(const struct book *b)
{
	return b->orders.n;
}

size_t book_n_items(const struct book *b)
{
	return b->items.n;
}
