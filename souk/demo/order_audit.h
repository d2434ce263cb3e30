#pragma once

/*
 * The auditor of orders: folds orders.v1, payments.requests.v1, payments.results.v1,
 * payments.ledger.v1 and stock.v1 by arithmetic of its own, and knows what shoppers sent and heard.
 *
 * Topics are read independently, so what one says of another is judged at the end
 * (order_audit_judge); what a single partition says is judged as it comes. Requests must be given
 * from the beginning of their partitions.
 */
#include "common/io/bus.h"
#include "souk/demo/order_book.h"

#define ORDER_AUDIT_STATES (ORDER_CANCELLED + 1)

enum order_expected {
	EXPECT_JUDGED,      /* a proper order */
	EXPECT_BAD_QUOTE,   /* REJECTED BAD_QUOTE */
	EXPECT_UNSUPPORTED, /* REJECTED UNSUPPORTED, if it is ever taken */
};

struct order_audit_counts {
	uint64_t orders;  /* on orders.v1, each once */
	uint64_t repeats; /* further records of the same orders */
	uint64_t requests, refusals, releases, supplies, results, outcomes;
	uint64_t conflicts; /* results CONFLICT */
	uint64_t voided;    /* said by a former owner */
	/* of the orders on orders.v1, by last state and its reason; set by order_audit_judge() */
	uint64_t states[ORDER_AUDIT_STATES];
	uint64_t reasons[ORDER_BOOK_REASONS_MAX]; /* index into the book's reasons */
};

struct order_audit;

/* 0 or -ENOMEM. */
MUST_CHECK int order_audit_new(struct order_audit **ret);
struct order_audit *order_audit_free(struct order_audit *a);
DEFINE_CLEANUP(struct order_audit *, order_audit_free)

/* A record of one of the topics above, in offset order for each partition. */
void order_audit_record(struct order_audit *a, const struct bus_record *r);
/* Records that the log no longer had. */
void order_audit_missed(struct order_audit *a, const char *topic);

/* What a shopper did and heard; @id is Souk's order id. */
void order_audit_sent(struct order_audit *a, struct str id, enum order_expected expected);
void order_audit_acked(struct order_audit *a, struct str id);
void order_audit_heard(struct order_audit *a, struct str id, int64_t n, struct str state);
void order_audit_pushed_back(struct order_audit *a, struct str id);
void order_audit_wrongly_refused(struct order_audit *a, struct str id);

/* Orders that are not over, or whose shopper does not know yet that they are. */
uint64_t order_audit_open(const struct order_audit *a);
/* Judges what is known now; may be repeated, each time anew. Returns the breaches. */
uint64_t order_audit_judge(struct order_audit *a);
const struct order_audit_counts *order_audit_counts(const struct order_audit *a);
/* Breaches up to the last judgement. */
const struct order_book *order_audit_book(const struct order_audit *a);
