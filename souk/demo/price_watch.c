/*
 * Places are a ring, found by a digest of the three names; who comes in when it is full takes the
 * place of the one that came first.
 */
#include "souk/demo/price_watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "souk/demo/order_book.h"

#define NONE UINT32_MAX

struct shown {
	u128 price, bid_net;
	int64_t now_ms;
	currency in, bid_in; /* bid_in 0: no bid */
};

struct place {
	uint64_t key[2];
	uint32_t next;
	uint32_t n; /* shown so far; the latest are kept */
	struct shown shown[PRICE_WATCH_OFFERS];
};

struct price_watch {
	int64_t binds_ms, remembers_ms;
	struct place *places;
	uint32_t *buckets;
	uint32_t n; /* taken so far */
};

int price_watch_new(struct price_watch **ret, int64_t binds_ms, int64_t remembers_ms)
{
	CLEANUP(price_watch_free) struct price_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->binds_ms = binds_ms;
	w->remembers_ms = remembers_ms;
	w->places = calloc(PRICE_WATCH_MAX, sizeof(*w->places));
	w->buckets = malloc(PRICE_WATCH_MAX * sizeof(*w->buckets));
	if (!w->places || !w->buckets)
		return -ENOMEM;
	memset(w->buckets, 0xff, PRICE_WATCH_MAX * sizeof(*w->buckets));
	*ret = TAKE(w);
	return 0;
}

struct price_watch *price_watch_free(struct price_watch *w)
{
	if (w) {
		free(w->places);
		free(w->buckets);
		free(w);
	}
	return NULL;
}

static struct place *find(struct price_watch *w, const struct shown_price *s)
{
	char text[1024];
	uint64_t key[2];
	const int n = snprintf(text, sizeof(text), STR_FMT "\n" STR_FMT "\n" STR_FMT,
		STR_ARG(s->session), STR_ARG(s->user), STR_ARG(s->item));

	order_book_digest(
		key, (struct str){ text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1 });
	uint32_t *bucket = &w->buckets[key[0] % PRICE_WATCH_MAX];

	for (uint32_t i = *bucket; i != NONE; i = w->places[i].next)
		if (w->places[i].key[0] == key[0] && w->places[i].key[1] == key[1])
			return &w->places[i];

	const uint32_t at = w->n++ % PRICE_WATCH_MAX;
	struct place *p = &w->places[at];

	if (w->n > PRICE_WATCH_MAX) {
		uint32_t *old = &w->buckets[p->key[0] % PRICE_WATCH_MAX];

		while (*old != at)
			old = &w->places[*old].next;
		*old = p->next;
	}
	*p = (struct place){ .key = { key[0], key[1] }, .next = *bucket };
	*bucket = at;
	return p;
}

/* The lowest and highest best bid; with and without one, or across currencies, nothing can be said.
 */
struct range {
	bool is_begun, is_mixed;
	currency in;
	u128 low, high;
};

static void widen(struct range *r, currency in, u128 bid)
{
	if (!r->is_begun) {
		*r = (struct range){ true, false, in, bid, bid };
		return;
	}
	r->is_mixed = r->is_mixed || in != r->in;
	r->low = bid < r->low ? bid : r->low;
	r->high = bid > r->high ? bid : r->high;
}

static bool has_moved(const struct range *r, int64_t bps)
{
	return r->is_mixed ||
	       (r->in && (r->high - r->low) * 10000 >= r->low * (u128)(bps < 0 ? 0 : bps));
}

bool price_watch_rises(struct price_watch *w, const struct shown_price *s)
{
	struct place *p = find(w, s);
	struct range bids = { 0 };
	bool is_higher = false, is_whole = p->n <= PRICE_WATCH_OFFERS;
	const uint32_t kept = is_whole ? p->n : PRICE_WATCH_OFFERS;

	widen(&bids, s->bid_net.currency, s->bid_net.amount);
	for (uint32_t back = 1; back <= kept; back++) {
		const struct shown *before = &p->shown[(p->n - back) % PRICE_WATCH_OFFERS];

		if (before->now_ms < s->now_ms - w->remembers_ms) {
			is_whole = true; /* what is older is forgotten there, too */
			break;
		}
		widen(&bids, before->bid_in, before->bid_net);
		is_higher = is_higher || (before->now_ms >= s->now_ms - w->binds_ms &&
						 before->in == s->price.currency &&
						 before->price < s->price.amount);
	}
	p->shown[p->n++ % PRICE_WATCH_OFFERS] = (struct shown){ s->price.amount, s->bid_net.amount,
		s->now_ms, s->price.currency, s->bid_net.currency };
	return is_higher && is_whole && !has_moved(&bids, s->moved_bps);
}
