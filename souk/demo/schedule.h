#pragma once

/*
 * The Foundation auctions of spring 2021 as a schedule: what happened when, in the data's own time.
 *
 * One auction per token (its first listing). An auction runs to max(first bid + 24 h, last bid + 15
 * min) and the last bid wins. Left out: bids that do not raise (14 in the data), self-bids, bids
 * after the end, listings with an absurd reserve (over 1,000 ETH), later listings by re-sellers.
 * Everything here is a pure function of the files and the window, so that a restarted process
 * continues the same story.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "common/model/money.h"

#define SCHEDULE_ADDRESS_MAX 43

struct bid {
	uint32_t bidder; /* index into schedule.users */
	u128 amount;     /* wei */
	int64_t at_s;
};

struct auction {
	int64_t token;
	char seller[SCHEDULE_ADDRESS_MAX];
	u128 reserve;
	int64_t listed_s;
	int64_t end_s; /* 0: nobody bid */
	const struct bid *bids;
	uint32_t n_bids;
};

enum schedule_kind { SCHEDULE_LIST, SCHEDULE_BID, SCHEDULE_SOLD };

struct schedule_event {
	int64_t at_s;
	enum schedule_kind kind;
	uint32_t auction; /* index */
	uint32_t bid;     /* SCHEDULE_BID: index; SCHEDULE_SOLD: the winning one */
};

struct schedule_user {
	char address[SCHEDULE_ADDRESS_MAX];
	uint32_t n_bids;
	u128 spent_before; /* wei won before the window */
};

struct schedule {
	int64_t from_s, until_s;  /* the window */
	struct auction *auctions; /* by token */
	uint32_t n_auctions;
	/* by time, then auction, then kind; the whole window and what is open at its start */
	struct schedule_event *events;
	uint32_t n_events;
	struct schedule_user *users; /* everyone who ever bid, most bids first */
	uint32_t n_users;
	struct bid *bids; /* storage */
};

/* Reads bids.csv and listings.csv under @dir. 0; -ENOENT, -EINVAL (file:line in @f), -ENOMEM. */
MUST_CHECK int schedule_load(
	struct schedule **ret, const char *dir, int64_t from_s, int64_t until_s, struct fault *f);
struct schedule *schedule_free(struct schedule *s);
DEFINE_CLEANUP(struct schedule *, schedule_free)

/* 0x3b3e…/token as an item id; @ret holds ITEM_MAX. */
size_t schedule_item(char *ret, const struct auction *a);

/* List price when the best bid is @best (0: none): the larger of 1.5 x reserve and 1.25 x best,
 * rounded up to 0.0001 ETH. */
u128 schedule_list_price(const struct auction *a, u128 best);

#define SCHEDULE_CONTRACT "0x3b3ee1931dc30c1957379fac9aba94d1c48a5405"
#define SCHEDULE_SLUG     "foundation"
