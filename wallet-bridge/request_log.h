#pragma once

/*
 * The fold of one partition of payments.requests.v1: who speaks, what each order got, how many
 * units of each item are left. The bridge and the executor fold the same records and get the same
 * answer.
 *
 * Records in offset order: owner, supply, request, refusal, release (common/model/order.h), with
 * the owner epoch in the header `x-souk-epoch`, but for the owner record itself, whose offset it
 * is. A record whose epoch is not that of the last owner record before it, or that has none, is
 * void. (Where the log's beginning is gone, and with it the owner records of what follows: until
 * the first of them, the highest epoch met counts.) The first request or refusal of an order
 * counts. A request beyond the supply counts for nobody. A release counts once, of an order that
 * is taken, for its own item; of any other it is unreadable and moves nothing. docs/adr/0008.
 *
 * Bounded: items and orders have a maximum. An order can be forgotten once it is finished and
 * nobody asks for it any more (request_log_forget); its unit stays counted.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/cleanup.h"
#include "common/base/str.h"
#include "common/io/bus.h"
#include "common/model/money.h"
#include "common/model/tables.h"
#include "common/model/version.h"

#define REQUEST_EPOCH_HEADER  "x-souk-epoch"
#define REQUEST_LOG_ARENA_MIN 16384

enum log_effect {
	LOG_UNREADABLE, /* nothing that this partition should hold, or a release of what is not
			   taken */
	LOG_VOID,       /* of a former owner */
	LOG_REPEAT,     /* said before: the order's first request or refusal, its release, an older
			   supply */
	LOG_OWNER,
	LOG_SUPPLY,
	LOG_TAKEN,  /* a request that counts */
	LOG_BEYOND, /* a request beyond the supply: counts for nobody */
	LOG_REFUSED,
	LOG_RELEASED,
};

enum log_state { LOGGED_TAKEN, LOGGED_BEYOND, LOGGED_REFUSED, LOGGED_RELEASED };

struct log_item {
	struct str item;
	struct version supply_ver; /* zero while only a snapshot told of the supply */
	bool has_supply;           /* a supply record or snapshot was met */
	int64_t supply, taken;
	int64_t through; /* offset behind the last record that moved its counts */
};

struct log_order {
	struct str id;
	const struct log_item
		*item; /* NULL: refused or beyond, before its item was ever supplied */
	enum log_state state;
	struct str reason; /* of the refusal or release, else STR_NONE */
	int64_t offset;    /* of the request or refusal */
	int64_t ts_ms;     /* that record's timestamp */
	int64_t end_ms;    /* the release's record timestamp, 0 = none */
	/* the request's value while it is taken, if the log keeps requests; else STR_NONE */
	struct str request;
};

struct request_log;

struct request_log_config {
	size_t items_max, orders_max;
	bool keeps_requests; /* the executor needs their text */
};

enum { REQUEST_LOG_E_FULL = 1 };

/* 0 or -ENOMEM, -EIO. */
MUST_CHECK int request_log_new(struct request_log **ret, const struct request_log_config *config);
struct request_log *request_log_free(struct request_log *l);
DEFINE_CLEANUP(struct request_log *, request_log_free)

/* A snapshot of stock.v1, before any record (assert): records of that item below `through` move its
 * counts no more. What they gave each order is still learned, by the counts as they were then;
 * where the log no longer has the supply of then, a request counts as taken. Of several for an item
 * the one with the highest `ver` is kept. Copies. 0, REQUEST_LOG_E_FULL, -ENOMEM. */
MUST_CHECK int request_log_snapshot(struct request_log *l, const struct stock *s);

/* Offsets must rise; one at or below the last is ignored (LOG_REPEAT). Copies what it needs. @a is
 * scratch for decoding, left as it was; it has REQUEST_LOG_ARENA_MIN bytes free, so that every
 * reader can read the same records. Sets *ret_effect; and *ret_order (may be NULL) to the order it
 * spoke of, NULL if none. 0, REQUEST_LOG_E_FULL (nothing was applied: make room, give it again),
 * -ENOMEM. */
MUST_CHECK int request_log_apply(struct request_log *l, const struct bus_record *r, struct arena *a,
	enum log_effect *ret_effect, const struct log_order **ret_order);

/* Offset of the last owner record, -1 = none. */
int64_t request_log_epoch(const struct request_log *l);
/* Valid until forgotten, or the log is freed. NULL: not known. */
const struct log_order *request_log_order(const struct request_log *l, struct str id);
const struct log_item *request_log_item(const struct request_log *l, struct str item);
/* supply - taken, never below 0; 0 for an item without supply. */
int64_t request_log_free_units(const struct request_log *l, struct str item);
/* @order is over and too old to be asked for. Its unit stays counted. */
void request_log_forget(struct request_log *l, struct str id);
size_t request_log_n_orders(const struct request_log *l);
size_t request_log_n_items(const struct request_log *l);
/* Walks all items, all orders, in no order: @fn returns false to stop. Nothing may be changed
 * meanwhile. */
void request_log_each_item(
	const struct request_log *l, bool (*fn)(void *ctx, const struct log_item *i), void *ctx);
void request_log_each_order(
	const struct request_log *l, bool (*fn)(void *ctx, const struct log_order *o), void *ctx);
