/*
 * All memory is asked for at the start; pages that no order touches cost nothing. Ids are opaque
 * texts of any length, so places are found by 128 bits of their digest.
 */
#include "souk/demo/order_book.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/crypto.h"

#define NONE UINT32_MAX

const struct breach_kind breach_kinds[BREACHES] = {
	[BREACH_UNANSWERED] = { "every_order_answered", "an order without any result" },
	[BREACH_UNHEARD] = { "every_order_answered", "a last state that its shopper never heard" },
	[BREACH_ACK_WITHOUT_RECORD] = { "every_order_answered",
		"an acknowledged order that is not in Kafka" },
	[BREACH_TWO_REQUESTS] = { "one_request_per_order", "two payment requests that differ" },
	[BREACH_DECIDED_OTHERWISE] = { "one_request_per_order", "refused and requested" },
	[BREACH_REQUEST_WITHOUT_ORDER] = { "one_request_per_order", "a request nobody ordered" },
	[BREACH_REQUEST_DIFFERS] = { "one_request_per_order",
		"a request for another item or price" },
	[BREACH_BEYOND_SUPPLY] = { "stock_adds_up", "a request beyond the supply" },
	[BREACH_RELEASE_OF_NOTHING] = { "stock_adds_up", "a release without a unit taken" },
	[BREACH_NOT_RELEASED] = { "stock_adds_up", "an unpaid order that keeps its unit" },
	[BREACH_SNAPSHOT_DIFFERS] = { "stock_adds_up", "a snapshot that is not the sum" },
	[BREACH_SOLD_TWICE] = { "nothing_sold_twice", "more sold than was ever supplied" },
	[BREACH_PAID_AND_RELEASED] = { "nothing_sold_twice", "a paid order whose unit was freed" },
	[BREACH_RESULT_MISSING] = { "results_in_order", "a result number was left out" },
	[BREACH_RESULT_CHANGED] = { "results_in_order", "one result number with two states" },
	[BREACH_TRANSITION] = { "results_in_order", "a state that may not follow" },
	[BREACH_UNFOUNDED] = { "results_in_order", "a result that nothing in the logs supports" },
	[BREACH_HEARD_OTHERWISE] = { "results_in_order",
		"a shopper was told what the topic does not say" },
	[BREACH_PUSHED_BACK] = { "results_in_order", "a push that was not above the last one" },
	[BREACH_WRONG_JUDGEMENT] = { "refusals_are_right",
		"a bad order accepted or a good one refused" },
	[BREACH_UNREADABLE] = { "order_audit_complete", "a record that cannot be read" },
	[BREACH_OVERRUN] = { "order_audit_complete", "more than the audit can hold" },
};

int order_book_new(struct order_book **ret)
{
	CLEANUP(order_book_free) struct order_book *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	b->orders = calloc(ORDER_BOOK_ORDERS_MAX, sizeof(*b->orders));
	b->items = calloc(ORDER_BOOK_ITEMS_MAX, sizeof(*b->items));
	b->order_buckets = malloc(ORDER_BOOK_ORDERS_MAX * sizeof(*b->order_buckets));
	b->item_buckets = malloc(ORDER_BOOK_ITEMS_MAX * sizeof(*b->item_buckets));
	if (!b->orders || !b->items || !b->order_buckets || !b->item_buckets)
		return -ENOMEM;
	memset(b->order_buckets, 0xff, ORDER_BOOK_ORDERS_MAX * sizeof(*b->order_buckets));
	memset(b->item_buckets, 0xff, ORDER_BOOK_ITEMS_MAX * sizeof(*b->item_buckets));
	b->n_reasons = 1;
	*ret = TAKE(b);
	return 0;
}

struct order_book *order_book_free(struct order_book *b)
{
	if (b) {
		free(b->orders);
		free(b->items);
		free(b->order_buckets);
		free(b->item_buckets);
		free(b);
	}
	return NULL;
}

void order_book_digest(uint64_t ret[2], struct str text)
{
	uint8_t digest[SHA256_BYTES] = { 0 };

	/* Fails only where OpenSSL cannot work at all; then nothing else of this process does. */
	if (crypto_sha256(digest, text.p, text.n))
		abort();
	memcpy(ret, digest, 2 * sizeof(*ret));
}

struct booked_order *order_book_order(struct order_book *b, struct str id)
{
	uint64_t key[2];
	struct booked_order *o;

	order_book_digest(key, id);
	uint32_t *bucket = &b->order_buckets[key[0] % ORDER_BOOK_ORDERS_MAX];

	for (uint32_t i = *bucket; i != NONE; i = b->orders[i].next)
		if (b->orders[i].key[0] == key[0] && b->orders[i].key[1] == key[1])
			return &b->orders[i];
	if (b->n_orders == ORDER_BOOK_ORDERS_MAX) {
		order_book_breach(b, BREACH_OVERRUN, "orders");
		return NULL;
	}
	o = &b->orders[b->n_orders];
	*o = (struct booked_order){ .key = { key[0], key[1] }, .next = *bucket };
	snprintf(o->id, sizeof(o->id), STR_FMT, STR_ARG(id));
	*bucket = b->n_orders++;
	return o;
}

struct booked_item *order_book_item(struct order_book *b, struct str item)
{
	uint64_t key[2];
	struct booked_item *it;

	order_book_digest(key, item);
	uint32_t *bucket = &b->item_buckets[key[0] % ORDER_BOOK_ITEMS_MAX];

	for (uint32_t i = *bucket; i != NONE; i = b->items[i].next)
		if (b->items[i].key[0] == key[0] && b->items[i].key[1] == key[1])
			return &b->items[i];
	if (b->n_items == ORDER_BOOK_ITEMS_MAX) {
		order_book_breach(b, BREACH_OVERRUN, "items");
		return NULL;
	}
	it = &b->items[b->n_items];
	*it = (struct booked_item){ .key = { key[0], key[1] }, .next = *bucket, .moved = -1 };
	*bucket = b->n_items++;
	return it;
}

uint8_t order_book_reason(struct order_book *b, struct str reason)
{
	if (!reason.n)
		return 0;
	for (uint32_t i = 1; i < b->n_reasons; i++)
		if (str_eqz(reason, b->reasons[i]))
			return (uint8_t)i;
	if (b->n_reasons == ORDER_BOOK_REASONS_MAX) {
		order_book_breach(b, BREACH_OVERRUN, "reasons");
		return 0;
	}
	snprintf(b->reasons[b->n_reasons], sizeof(b->reasons[0]), STR_FMT, STR_ARG(reason));
	return (uint8_t)b->n_reasons++;
}

void order_book_breach(struct order_book *b, enum order_breach kind, const char *id)
{
	if (b->breaches[kind].n++ == 0)
		snprintf(b->breaches[kind].example, sizeof(b->breaches[kind].example), "%s", id);
}

bool order_book_holds(const struct order_book *b, const char *check)
{
	for (size_t i = 0; i < BREACHES; i++)
		if (b->breaches[i].n && strcmp(breach_kinds[i].check, check) == 0)
			return false;
	return true;
}
