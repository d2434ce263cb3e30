#pragma once

/*
 * What a shopper does with an offer: a pure function of the seed and the event's number, so that
 * two runs with one seed want the same things, whatever the servers do meanwhile.
 */
#include <stdbool.h>
#include <stdint.h>

#define ORDER_PLAN_LATE_MS 31500 /* longer than an offer lives */

enum order_misuse {
	MISUSE_NONE,
	MISUSE_TAMPER,      /* a price that was never quoted: REJECTED BAD_QUOTE */
	MISUSE_INSTALMENTS, /* not to be had: unsupported */
	MISUSE_OTHER_BODY,  /* a proper order, then its id with another body: conflict */
};

struct order_plan {
	bool orders;         /* false: nothing else is set */
	int64_t hesitate_ms; /* 0: at once */
	bool first_quote;    /* the one of the offer's first revision, whatever followed */
	bool stubborn;       /* orders also what was withdrawn meanwhile */
	bool twice;          /* two clicks */
	bool leaves;         /* disconnects right after */
	bool names_wallet;
	enum order_misuse misuse;
};

/* Of @one_in offers heard one is ordered; 0: none. */
struct order_plan order_plan(uint64_t seed, uint64_t k, uint32_t one_in);
