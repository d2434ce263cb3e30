/*
 * The two files are read whole, bids are grouped by token by sorting, and each token's story is
 * walked once. Sorting instead of hashing: 29,000 rows, once, and the order that comes out is the
 * order everything else wants.
 */
#include "souk/demo/schedule.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/config.h"

#define FILE_MAX_BYTES  (16u << 20)
#define DAY_S           86400
#define OVERTIME_S      900
#define RESERVE_MAX_ETH 1000

struct raw_bid {
	int64_t token;
	char bidder[SCHEDULE_ADDRESS_MAX];
	u128 amount;
	int64_t at_s;
};

struct raw_listing {
	int64_t token;
	char seller[SCHEDULE_ADDRESS_MAX];
	u128 reserve;
	int64_t at_s;
};

/* One line of a CSV without quoting into its fields; the number found, at most @max. */
static size_t split(struct str line, struct str *fields, size_t max)
{
	size_t n = 0;
	const char *start = line.p, *end = line.p + line.n;

	while (n < max) {
		const char *comma = memchr(start, ',', (size_t)(end - start));

		fields[n++] = (struct str){ start, (size_t)((comma ? comma : end) - start) };
		if (!comma)
			break;
		start = comma + 1;
	}
	return n;
}

/* "2.0" and "2" are token 2. */
static int parse_token(struct str s, int64_t *ret)
{
	const char *dot = memchr(s.p, '.', s.n);

	if (dot)
		s.n = (size_t)(dot - s.p);
	return str_to_i64(s, ret);
}

static int parse_eth(struct str s, u128 *ret)
{
	struct money m;

	if (money_parse_decimal(&m, s, currency_find(STR("ETH"))))
		return -EINVAL;
	*ret = m.amount;
	return 0;
}

static int parse_bid(const struct str *f, size_t n, void *ret)
{
	struct raw_bid *b = ret;

	if (n != 5 || parse_token(f[0], &b->token) ||
		str_copy(b->bidder, sizeof(b->bidder), f[1]) || parse_eth(f[3], &b->amount) ||
		str_to_i64(f[4], &b->at_s))
		return -EINVAL;
	/* A self-bid is marked by an empty bidder and dropped with the others later. */
	if (str_eq(f[1], f[2]))
		b->bidder[0] = '\0';
	return 0;
}

static int parse_listing(const struct str *f, size_t n, void *ret)
{
	struct raw_listing *l = ret;

	if (n != 4 || parse_token(f[0], &l->token) ||
		str_copy(l->seller, sizeof(l->seller), f[1]) || str_to_i64(f[2], &l->at_s) ||
		parse_eth(f[3], &l->reserve))
		return -EINVAL;
	return 0;
}

static int read_rows(const char *dir, const char *name, size_t row_size,
	int (*parse)(const struct str *, size_t, void *), void **ret, size_t *ret_n,
	struct fault *f)
{
	char path[512];
	char *text = NULL;
	size_t text_n = 0, cap = 0, n = 0, line_no = 0;
	char *rows = NULL;
	int r;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	r = file_read(path, FILE_MAX_BYTES, &text, &text_n, f);
	if (r)
		return r;
	for (const char *p = text, *end = text + text_n; p < end;) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		struct str line = { p, (size_t)((nl ? nl : end) - p) };
		struct str fields[8];

		p = nl ? nl + 1 : end;
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		if (++line_no == 1 || line.n == 0)
			continue;
		if (n == cap) {
			cap = cap ? cap * 2 : 8192;
			char *more = realloc(rows, cap * row_size);

			if (!more) {
				r = -ENOMEM;
				goto out;
			}
			rows = more;
		}
		memset(rows + n * row_size, 0, row_size);
		if (parse(fields, split(line, fields, ARRAY_LEN(fields)), rows + n * row_size)) {
			r = fault_set(f, FAULT_FATAL, -EINVAL, "%s:%zu: not a row of this file",
				path, line_no);
			goto out;
		}
		n++;
	}
	*ret = TAKE(rows);
	*ret_n = n;
out:
	free(rows);
	free(text);
	return r;
}

static int by_token_time_bid(const void *x, const void *y)
{
	const struct raw_bid *a = x, *b = y;

	if (a->token != b->token)
		return a->token < b->token ? -1 : 1;
	if (a->at_s != b->at_s)
		return a->at_s < b->at_s ? -1 : 1;
	return a->amount < b->amount ? -1 : a->amount > b->amount;
}

static int by_token_time_listing(const void *x, const void *y)
{
	const struct raw_listing *a = x, *b = y;

	if (a->token != b->token)
		return a->token < b->token ? -1 : 1;
	return a->at_s < b->at_s ? -1 : a->at_s > b->at_s;
}

static int by_address(const void *x, const void *y)
{
	return strcmp(((const struct schedule_user *)x)->address,
		((const struct schedule_user *)y)->address);
}

static int by_activity(const void *x, const void *y)
{
	const struct schedule_user *a = x, *b = y;

	if (a->n_bids != b->n_bids)
		return a->n_bids > b->n_bids ? -1 : 1;
	return strcmp(a->address, b->address);
}

static int by_time(const void *x, const void *y)
{
	const struct schedule_event *a = x, *b = y;

	if (a->at_s != b->at_s)
		return a->at_s < b->at_s ? -1 : 1;
	if (a->auction != b->auction)
		return a->auction < b->auction ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return a->bid < b->bid ? -1 : a->bid > b->bid;
}

/* Everyone who ever bid, sorted by address for look-up. */
static int collect_users(struct schedule *s, const struct raw_bid *raw, size_t n)
{
	uint32_t out = 0;

	s->users = calloc(n ? n : 1, sizeof(*s->users));
	if (!s->users)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (raw[i].bidder[0]) {
			strcpy(s->users[s->n_users].address, raw[i].bidder);
			s->users[s->n_users++].n_bids = 1;
		}
	}
	qsort(s->users, s->n_users, sizeof(*s->users), by_address);
	for (uint32_t i = 0; i < s->n_users; i++) {
		if (out && strcmp(s->users[out - 1].address, s->users[i].address) == 0)
			s->users[out - 1].n_bids++;
		else
			s->users[out++] = s->users[i];
	}
	s->n_users = out;
	return 0;
}

static uint32_t user_index(const struct schedule *s, const char *address)
{
	struct schedule_user key = { 0 };

	strcpy(key.address, address);
	const struct schedule_user *u =
		bsearch(&key, s->users, s->n_users, sizeof(key), by_address);

	return (uint32_t)(u - s->users);
}

/* The bids of one token that count, appended to s->bids; sets the auction's end. */
static void take_bids(struct schedule *s, struct auction *a, uint32_t *n_stored,
	const struct raw_bid *raw, size_t n)
{
	struct bid *first = s->bids + *n_stored;
	int64_t end = 0;

	for (size_t i = 0; i < n; i++) {
		u128 best = a->n_bids ? first[a->n_bids - 1].amount : 0;

		if (!raw[i].bidder[0] || raw[i].amount <= best || raw[i].at_s < a->listed_s ||
			(end && raw[i].at_s > end))
			continue;
		first[a->n_bids++] =
			(struct bid){ user_index(s, raw[i].bidder), raw[i].amount, raw[i].at_s };
		if (!end)
			end = raw[i].at_s + DAY_S;
		if (raw[i].at_s + OVERTIME_S > end)
			end = raw[i].at_s + OVERTIME_S;
	}
	a->bids = first;
	a->end_s = end;
	*n_stored += a->n_bids;
}

/* Is there anything of this auction to tell in the window? */
static bool is_in_window(const struct schedule *s, const struct auction *a)
{
	if (a->listed_s > s->until_s || (a->end_s && a->end_s <= s->from_s))
		return false;
	/* Listed before and never bid on: one in eight, as shelf-warmers; all would drown the rest.
	 */
	if (!a->n_bids)
		return a->token % 8 == 0 && a->listed_s > s->from_s - 20 * DAY_S;
	return a->bids[0].at_s < s->until_s;
}

static int build_auctions(struct schedule *s, struct raw_listing *listings, size_t n_listings,
	struct raw_bid *raw, size_t n_raw)
{
	uint32_t n_stored = 0;
	size_t bid = 0;
	const u128 reserve_max = (u128)RESERVE_MAX_ETH * 1000000000000000000ull;

	s->auctions = calloc(n_listings ? n_listings : 1, sizeof(*s->auctions));
	s->bids = calloc(n_raw ? n_raw : 1, sizeof(*s->bids));
	if (!s->auctions || !s->bids)
		return -ENOMEM;
	for (size_t i = 0; i < n_listings; i++) {
		struct auction a = { .token = listings[i].token,
			.reserve = listings[i].reserve,
			.listed_s = listings[i].at_s };
		size_t from;

		if (i && listings[i - 1].token == a.token)
			continue; /* listed again by a re-seller */
		strcpy(a.seller, listings[i].seller);
		while (bid < n_raw && raw[bid].token < a.token)
			bid++;
		for (from = bid; bid < n_raw && raw[bid].token == a.token;)
			bid++;
		if (a.reserve > reserve_max || a.reserve == 0)
			continue;
		take_bids(s, &a, &n_stored, raw + from, bid - from);
		if (a.n_bids && a.end_s <= s->from_s)
			s->users[a.bids[a.n_bids - 1].bidder].spent_before +=
				a.bids[a.n_bids - 1].amount;
		if (is_in_window(s, &a))
			s->auctions[s->n_auctions++] = a;
	}
	return 0;
}

static int build_events(struct schedule *s)
{
	size_t cap = 0;

	for (uint32_t i = 0; i < s->n_auctions; i++)
		cap += s->auctions[i].n_bids + 2u;
	s->events = calloc(cap ? cap : 1, sizeof(*s->events));
	if (!s->events)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->n_auctions; i++) {
		const struct auction *a = &s->auctions[i];

		s->events[s->n_events++] =
			(struct schedule_event){ a->listed_s, SCHEDULE_LIST, i, 0 };
		for (uint32_t b = 0; b < a->n_bids; b++)
			s->events[s->n_events++] =
				(struct schedule_event){ a->bids[b].at_s, SCHEDULE_BID, i, b };
		if (a->n_bids)
			s->events[s->n_events++] = (struct schedule_event){ a->end_s, SCHEDULE_SOLD,
				i, a->n_bids - 1 };
	}
	qsort(s->events, s->n_events, sizeof(*s->events), by_time);
	return 0;
}

/* Users by activity; bids keep pointing at them through the permutation. */
static int rank_users(struct schedule *s)
{
	uint32_t *place = calloc(s->n_users ? s->n_users : 1, sizeof(*place));
	struct schedule_user *ranked = malloc((s->n_users ? s->n_users : 1) * sizeof(*ranked));

	if (!place || !ranked) {
		free(place);
		free(ranked);
		return -ENOMEM;
	}
	memcpy(ranked, s->users, s->n_users * sizeof(*ranked));
	qsort(ranked, s->n_users, sizeof(*ranked), by_activity);
	for (uint32_t i = 0; i < s->n_users; i++)
		place[user_index(s, ranked[i].address)] = i;
	for (uint32_t i = 0; i < s->n_auctions; i++) {
		struct bid *bids = s->bids + (s->auctions[i].bids - s->bids);

		for (uint32_t b = 0; b < s->auctions[i].n_bids; b++)
			bids[b].bidder = place[bids[b].bidder];
	}
	free(place);
	free(s->users);
	s->users = ranked;
	return 0;
}

int schedule_load(
	struct schedule **ret, const char *dir, int64_t from_s, int64_t until_s, struct fault *f)
{
	CLEANUP(schedule_free) struct schedule *s = calloc(1, sizeof(*s));
	struct raw_bid *bids = NULL;
	struct raw_listing *listings = NULL;
	size_t n_bids = 0, n_listings = 0;
	int r;

	if (!s)
		return -ENOMEM;
	s->from_s = from_s;
	s->until_s = until_s;
	r = read_rows(dir, "bids.csv", sizeof(*bids), parse_bid, (void **)&bids, &n_bids, f);
	if (!r)
		r = read_rows(dir, "listings.csv", sizeof(*listings), parse_listing,
			(void **)&listings, &n_listings, f);
	if (!r) {
		qsort(bids, n_bids, sizeof(*bids), by_token_time_bid);
		qsort(listings, n_listings, sizeof(*listings), by_token_time_listing);
		r = collect_users(s, bids, n_bids);
	}
	if (!r)
		r = build_auctions(s, listings, n_listings, bids, n_bids);
	if (!r)
		r = build_events(s);
	if (!r)
		r = rank_users(s);
	free(bids);
	free(listings);
	if (!r)
		*ret = TAKE(s);
	return r;
}

struct schedule *schedule_free(struct schedule *s)
{
	if (s) {
		free(s->auctions);
		free(s->events);
		free(s->users);
		free(s->bids);
		free(s);
	}
	return NULL;
}

size_t schedule_item(char *ret, const struct auction *a)
{
	return (size_t)sprintf(
		ret, "eip155:1/erc721:" SCHEDULE_CONTRACT "/%lld", (long long)a->token);
}

u128 schedule_list_price(const struct auction *a, u128 best)
{
	const u128 step = 100000000000000ull; /* 0.0001 ETH */
	u128 by_reserve = a->reserve + a->reserve / 2, by_bid = best + best / 4;
	u128 list = by_reserve > by_bid ? by_reserve : by_bid;

	return (list + step - 1) / step * step;
}
