#pragma once

/*
 * What the audit of orders has seen: orders and items by their ids, and every breach of what must
 * hold. Storage only; order_audit.c writes it from the topics, order_verdict.c judges it.
 *
 * Bounded: what finds no room is counted as an overrun, which fails the run.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"
#include "common/model/order.h"

#define ORDER_BOOK_ORDERS_MAX  262144
#define ORDER_BOOK_ITEMS_MAX   65536
#define ORDER_BOOK_RESULTS_MAX 32
#define ORDER_BOOK_REASONS_MAX 32
#define ORDER_BOOK_TEXT_MAX    40 /* of an order's id in messages */

enum order_breach {
	BREACH_UNANSWERED,
	BREACH_UNHEARD,
	BREACH_ACK_WITHOUT_RECORD,
	BREACH_TWO_REQUESTS,
	BREACH_DECIDED_OTHERWISE,
	BREACH_REQUEST_WITHOUT_ORDER,
	BREACH_REQUEST_DIFFERS,
	BREACH_BEYOND_SUPPLY,
	BREACH_RELEASE_OF_NOTHING,
	BREACH_NOT_RELEASED,
	BREACH_SNAPSHOT_DIFFERS,
	BREACH_SOLD_TWICE,
	BREACH_PAID_AND_RELEASED,
	BREACH_RESULT_MISSING,
	BREACH_RESULT_CHANGED,
	BREACH_TRANSITION,
	BREACH_UNFOUNDED,
	BREACH_HEARD_OTHERWISE,
	BREACH_PUSHED_BACK,
	BREACH_WRONG_JUDGEMENT,
	BREACH_UNREADABLE,
	BREACH_OVERRUN,
	BREACHES
};

struct breach_kind {
	const char *check; /* name in the summary that it breaks */
	const char *text;
};
extern const struct breach_kind breach_kinds[BREACHES];

enum booked_flag {
	BOOKED_OURS = 1,       /* a shopper of this run sent it */
	BOOKED_ACKED = 2,      /* and heard that the broker has it */
	BOOKED_MADE = 4,       /* it is on orders.v1 */
	BOOKED_REQUESTED = 8,  /* the first that was said of it is a request */
	BOOKED_REFUSED = 16,   /* the first that was said of it is a refusal */
	BOOKED_TAKEN = 32,     /* its request was within the supply */
	BOOKED_RELEASED = 64,  /* its unit was given back */
	BOOKED_TAMPERED = 128, /* must be refused as BAD_QUOTE */
	BOOKED_UNSUPPORTED = 256,
};

struct booked_item {
	uint64_t key[2];
	uint32_t next;
	bool has_supply, has_snapshot;
	struct version supply_ver;
	int64_t supply, supply_max, taken, finals;
	int64_t moved; /* offset of the last record that changed supply or taken */
	struct {
		struct version ver;
		int64_t supply, taken, through;
	} snapshot; /* the latest of stock.v1 */
};

struct booked_order {
	uint64_t key[2];
	uint32_t next;
	char id[ORDER_BOOK_TEXT_MAX];
	struct booked_item *item; /* NULL until a record names it */
	unsigned flags;
	uint8_t n;                              /* results seen, 1..n */
	uint8_t states[ORDER_BOOK_RESULTS_MAX]; /* enum order_state of result i + 1 */
	uint8_t heard_n, heard_state;
	uint8_t reason;                     /* of its last result: index, 0 = none */
	uint16_t ledger;                    /* 1 << enum order_state of each outcome */
	uint64_t value[2];                  /* digest of its request */
	uint64_t made_terms, request_terms; /* item and price of order and request */
};

struct order_book {
	struct booked_order *orders;
	struct booked_item *items;
	uint32_t n_orders, n_items;
	char reasons[ORDER_BOOK_REASONS_MAX][64]; /* [0] = "" */
	uint32_t n_reasons;
	struct {
		uint64_t n;
		char example[ORDER_BOOK_TEXT_MAX];
	} breaches[BREACHES];
	/* private */
	uint32_t *order_buckets, *item_buckets;
};

/* 0 or -ENOMEM. */
MUST_CHECK int order_book_new(struct order_book **ret);
struct order_book *order_book_free(struct order_book *b);
DEFINE_CLEANUP(struct order_book *, order_book_free)

/* Found or made; NULL if there is no room (counted). Valid until the book is freed. */
struct booked_order *order_book_order(struct order_book *b, struct str id);
struct booked_item *order_book_item(struct order_book *b, struct str item);
uint8_t order_book_reason(struct order_book *b, struct str reason);
/* 128 bits of SHA-256. */
void order_book_digest(uint64_t ret[2], struct str text);
/* Counts one; the first keeps its @id as the example. */
void order_book_breach(struct order_book *b, enum order_breach kind, const char *id);
/* Whether nothing of that check was broken. */
bool order_book_holds(const struct order_book *b, const char *check);

static inline bool order_state_is_over(unsigned state)
{
	return state == ORDER_FINAL || state == ORDER_REJECTED || state == ORDER_REVERTED ||
	       state == ORDER_EXPIRED || state == ORDER_CANCELLED;
}
