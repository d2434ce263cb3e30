#pragma once

/*
 * The orders of one shopper: what it means to buy (order_plan.h), what it has ordered, and the
 * client's part in "exactly once": the same id again until somebody has said that the broker has
 * it, the state asked for after every reconnect.
 *
 * Bounded: SHOPPER_ORDERS at once, SHOPPER_INTENTS that it thinks about; what is beyond is counted
 * and left.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"
#include "common/model/offer.h"

#define SHOPPER_ORDERS         48
#define SHOPPER_INTENTS        16
#define SHOPPER_ORDERS_FLIGHT  10
#define SHOPPER_ORDER_ASK_MS   3000  /* no answer: again */
#define SHOPPER_ORDER_QUIET_MS 10000 /* no news of an open order: ask */
#define SHOPPER_NOT_FOUND_MAX  4     /* then it is ordered again */

struct shopper;
struct shopper_orders;

struct shopper_order_counts {
	uint64_t placed;  /* orders, each once */
	uint64_t crowded; /* not placed: too many at once */
	uint64_t changed; /* thoughts that ended without an order: the offer was gone */
	uint64_t retries; /* the same again, without an ack */
	uint64_t twice;
	uint64_t first_quote; /* with the quote of a revision that was replaced */
	uint64_t tampered, unsupported;
	uint64_t conflicts_sent, conflicts_told, conflicts_lost;
	uint64_t asked;        /* order_status */
	uint64_t learned_late; /* states that only an order_status told, in a session that lasted */
	uint64_t refused;      /* errors that are final */
};

/* An `order` member as it is pushed or answered. */
struct told_order {
	struct str id, state, reason;
	int64_t n;
};

/* An `error` member. */
struct told_error {
	struct str code;
	bool is_temporary;
	int64_t retry_after_ms;
};

/* Borrows @s. 0 or -ENOMEM. */
MUST_CHECK int shopper_orders_new(struct shopper_orders **ret, struct shopper *s);
struct shopper_orders *shopper_orders_free(struct shopper_orders *o);

/* An offer of event @k: the first revision that it hears of it, or a later one. */
void shopper_orders_offer(
	struct shopper_orders *o, const struct offer *offer, uint64_t k, bool is_first);
void shopper_orders_withdrawn(struct shopper_orders *o, struct str offer);
void shopper_orders_connected(struct shopper_orders *o);
void shopper_orders_closed(struct shopper_orders *o);
/* Ack of command @id for order @name. */
void shopper_orders_acked(struct shopper_orders *o, uint64_t id, struct str name);
/* false: the command was not one of these. */
bool shopper_orders_error(struct shopper_orders *o, uint64_t id, const struct told_error *e);
/* @id: of the order_status that is answered; 0: a push. */
void shopper_orders_told(struct shopper_orders *o, uint64_t id, const struct told_order *t);
void shopper_orders_tick(struct shopper_orders *o, int64_t now_us);
/* Orders whose end it does not know yet, and conflicts without an answer. */
size_t shopper_orders_open(const struct shopper_orders *o);
/* The end: what is unanswered is handed to the audit. */
void shopper_orders_close_book(struct shopper_orders *o);
