#pragma once

/*
 * Money: an unsigned integer of the smallest unit, and its currency. Never floating point, never a
 * JSON number.
 *
 * Input is at most 2^96 - 1 (MONEY_INPUT_BITS), so that an amount times basis points, and the sum
 * of any two, fit 128 bits; every operation is checked all the same.
 *
 * Currencies are a process-wide table, set once at start from the configuration (`currencies`),
 * shipped with ETH, WETH, GHST (18), USDC (6), EUR, USD (2), JPY (0). ETH and WETH are one parity
 * class: 1:1 by definition of the wrapper.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/json_out.h"
#include "common/base/str.h"

__extension__ typedef unsigned __int128 u128;

#define MONEY_INPUT_BITS 96
#define MONEY_TEXT_MAX   40 /* 39 digits and a NUL */

typedef uint8_t currency; /* index into the table; 0 = none */

struct money {
	u128 amount;
	currency currency; /* 0: absent */
};

enum {
	MONEY_E_SYNTAX = 1, /* not a plain decimal integer text */
	MONEY_E_RANGE,      /* over the input limit, or the result does not fit 128 bits */
	MONEY_E_CURRENCY,   /* unknown, or two different ones without parity */
	MONEY_E_NEGATIVE,   /* a difference below zero */
};

enum rounding {
	ROUND_DOWN,      /* toward zero */
	ROUND_UP,        /* away from zero */
	ROUND_HALF_UP,   /* ties away from zero */
	ROUND_HALF_DOWN, /* ties toward zero */
	ROUND_HALF_EVEN, /* ties to the even neighbour */
};

const char *money_error(int code); /* text for MONEY_E_* */

/* Adds or replaces a currency before any role starts: code is 2..8 of A-Z 0-9, decimals 0..36,
 * parity 0 = alone; all of one parity class have the same decimals. 0, -EINVAL or -ENOSPC (63
 * entries). */
int currency_define(struct str code, unsigned decimals, unsigned parity);
currency currency_find(struct str code); /* 0 if unknown */
currency currency_last(void);            /* they are 1 to this */
const char *currency_code(currency c);   /* "" for 0 */
unsigned currency_decimals(currency c);
/* same, or same parity class; 0 is at par with nothing */
bool currency_is_par(currency a, currency b);

static inline bool money_is_set(struct money m)
{
	return m.currency != 0;
}

/* Amount text: "0" or digits without a leading zero, <= 2^96 - 1. 0 or MONEY_E_*. */
int money_parse_amount(u128 *ret, struct str text);
/* The same up to 2^128 - 1: for what we wrote ourselves. */
int money_parse_amount_wide(u128 *ret, struct str text);
int money_make(struct money *ret, struct str amount, struct str code);
/* Writes the decimal text and a NUL into ret[MONEY_TEXT_MAX], returns the length. */
size_t money_format_amount(char *ret, u128 amount);
/* For people: "1.25 ETH" (all significant decimals, at least 0). @ret holds 64. */
size_t money_format_human(char *ret, struct money m);
/* Decimal text in whole units ("1.25") into the smallest unit; too many decimals is MONEY_E_SYNTAX.
 * For configuration and data files. */
int money_parse_decimal(struct money *ret, struct str text, currency c);

/* {"amount":"…","currency":"…"}; absent money writes nothing, or null with _or_null. */
void money_json(struct json_out *j, const char *key, struct money m);
void money_json_or_null(struct json_out *j, const char *key, struct money m);

/* 0 or MONEY_E_*; the result has @a's currency where the two differ but are at par. */
int money_add(struct money *ret, struct money a, struct money b);
int money_sub(struct money *ret, struct money a, struct money b); /* MONEY_E_NEGATIVE */
/* -1, 0, 1. Both must be set and at par (assert). */
int money_cmp(struct money a, struct money b);

/* value * num / den with a 256-bit intermediate; den != 0 (assert). 0 or MONEY_E_RANGE. */
int u128_mul_div(u128 *ret, u128 value, u128 num, u128 den, enum rounding mode);
/* m * (10000 + bps) / 10000; bps >= -10000, below is MONEY_E_NEGATIVE. */
int money_add_bps(struct money *ret, struct money m, int32_t bps, enum rounding mode);
/* To a multiple of @quantum smallest units (>= 1). */
int money_round(struct money *ret, struct money m, u128 quantum, enum rounding mode);
