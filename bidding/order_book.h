#pragma once

/* Inside the book: what its files share. */
#include <sys/queue.h>

#include "bidding/book.h"
#include "bidding/map.h"

enum order_kind { ORDER_LISTING, ORDER_BID, ORDER_COLLECTION_OFFER, ORDER_TRAIT_OFFER };
enum listing_kind { LISTING_NONE, LISTING_FIXED, LISTING_DUTCH };

struct order {
	struct bidding_map_node node; /* key = hash */
	LIST_ENTRY(order) link;       /* of its item, or of the collection */
	size_t heap_index;
	int64_t due_ms; /* next time something happens by itself; INT64_MAX: never */
	uint8_t hash[BOOK_HASH_BYTES];
	uint8_t maker[20];
	uint8_t kind;    /* enum order_kind */
	uint8_t listing; /* enum listing_kind */
	bool has_maker, is_valid, is_private, is_unmet;
	uint16_t flags; /* enum book_flags of its price */
	int last_type;  /* of its newest event */
	int64_t seq, ts;
	int64_t placed_ts;
	int64_t starts, expires;
	int64_t quantity;
	struct money price, price_end, price_net;
	struct book_item *item; /* NULL on collection and trait offers */
};
LIST_HEAD(order_list, order);

/* The end (or a state) of an order that is not in the book. */
struct ended {
	struct bidding_map_node node; /* key = hash; not in the map if p == NULL */
	uint8_t hash[BOOK_HASH_BYTES];
	int type; /* enum market_event_type */
	int64_t seq, ts;
};

struct book_item {
	struct bidding_map_node node; /* key = id */
	STAILQ_ENTRY(book_item) link;
	void *user;
	struct order_list orders;
	bool has_gap;
	struct money last_sale;
	unsigned sale_flags;
	bool has_sale;
	int64_t sale_seq, sale_ts;
	bool has_sale_order;
	uint8_t sale_order[BOOK_HASH_BYTES];
	bool has_transfer;
	int64_t transfer_seq, transfer_ts;
	uint8_t transfer_from[20];
	char id[];
};

/* Min-heap of orders by due_ms. */
struct due_heap {
	struct order **v;
	size_t n, max;
};
MUST_CHECK int due_heap_init(struct due_heap *h, size_t max);
void due_heap_fini(struct due_heap *h);
void due_heap_set(struct due_heap *h, struct order *o,
	int64_t due_ms); /* adds, moves or (INT64_MAX) removes */

struct book {
	struct book_config config;
	book_touched_fn touched;
	void *ctx;
	struct bidding_map orders, items, ended;
	STAILQ_HEAD(, book_item) all;
	struct due_heap due;
	struct order_list offers; /* to the collection or a trait */
	struct order *best_offer; /* that everyone meets; NULL if none */
	unsigned offer_flags;
	struct ended *ring;
	size_t ring_next;
	size_t n_gap;
};

/* Of two bids with a net: whether @a beats @b. A total order, so that a rebuilt book chooses the
 * same. */
bool order_beats(const struct order *a, const struct order *b);
/* Looks for the best collection offer again; touches every item if it is another one or worth
 * something else. */
void book_refresh_offers(struct book *b, bool is_changed);
