/*
 * Every second the halls are filled up from the schedule and three rows of each item are read in
 * one pipeline; what readers get is the last complete answer. An item keeps its place until it is
 * sold: halls that were sorted anew each second would change under the visitor's finger. So only as
 * many walks over the auctions are made as places are free, few after the first time.
 */
#include "souk/demo/storefront/shelf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json_out.h"
#include "common/model/item.h"

#define REFRESH_MS    1000
#define ENDING_S      28800 /* data time: twenty seconds at the default speed */
#define ROWS_PER_ITEM 3     /* inventory, stock, bestbid */
#define KEY_MAX       (ITEM_MAX + 16)

enum hall { ARENA, ATRIUM, GALLERY, N_HALLS };

static const char *const hall_names[N_HALLS] = { "arena", "atrium", "gallery-1" };
static const size_t hall_max[N_HALLS] = { SHELF_ARENA_MAX, SHELF_ATRIUM_MAX, SHELF_GALLERY_MAX };

struct piece {
	uint32_t auction;
	enum hall hall;
	bool is_priced; /* the row is there */
	struct money list, bid;
	int64_t sold_ms; /* since when it is seen sold; 0: it is not */
};

struct choice {
	struct piece piece[SHELF_ITEMS_MAX];
	size_t n;
};

struct shelf {
	struct loop *loop;
	struct cache *cache;
	const struct schedule *schedule;
	const struct story *story;
	struct loop_timer *timer;
	struct choice chosen, known;
	bool *is_up, *is_gone; /* per auction */
	bool is_asking, is_known;
	char keys[SHELF_ITEMS_MAX * ROWS_PER_ITEM][KEY_MAX];
};

/* ---- choosing ---- */

static bool is_over(const struct auction *a, int64_t now_s)
{
	return a->end_s && a->end_s <= now_s;
}

/* Data time of the next bid or the end; 0: nothing is to come. */
static int64_t next_s(const struct auction *a, int64_t now_s)
{
	for (uint32_t b = 0; b < a->n_bids; b++)
		if (a->bids[b].at_s > now_s)
			return a->bids[b].at_s;
	return a->end_s > now_s ? a->end_s : 0;
}

static bool is_running(const struct auction *a, int64_t now_s)
{
	return a->n_bids && a->bids[0].at_s <= now_s;
}

/* May it be put up? An auction that is about to end would only come and go. */
static bool is_candidate(const struct shelf *h, uint32_t i, bool running, int64_t now_s)
{
	const struct auction *a = &h->schedule->auctions[i];

	return !h->is_up[i] && !h->is_gone[i] && a->listed_s <= now_s &&
	       is_running(a, now_s) == running && (!running || a->end_s > now_s + ENDING_S);
}

/* The best candidate: of running auctions the one with the next bid, of the others the latest
 * arrival. SIZE_MAX: none. */
static size_t best_candidate(const struct shelf *h, bool running, int64_t now_s)
{
	size_t best = SIZE_MAX;
	int64_t best_place = INT64_MAX;

	for (uint32_t i = 0; i < h->schedule->n_auctions; i++) {
		const struct auction *a = &h->schedule->auctions[i];

		if (!is_candidate(h, i, running, now_s))
			continue;
		const int64_t place = running ? next_s(a, now_s) : -a->listed_s;

		if (place < best_place) {
			best = i;
			best_place = place;
		}
	}
	return best;
}

/* What was up stays where it was, until it has been sold for a while. */
static void keep(struct shelf *h, int64_t now_ms, size_t n_in[N_HALLS])
{
	const size_t n = h->chosen.n;

	h->chosen.n = 0;
	for (size_t i = 0; i < n; i++) {
		struct piece p = h->chosen.piece[i];

		if (p.sold_ms && now_ms - p.sold_ms > SHELF_SOLD_MS) {
			h->is_up[p.auction] = false;
			h->is_gone[p.auction] = true;
			continue;
		}
		n_in[p.hall]++;
		h->chosen.piece[h->chosen.n++] = p;
	}
}

static void choose(struct shelf *h)
{
	const int64_t now_ms = loop_now_ms(h->loop), now_s = story_data_s(h->story, now_ms);
	size_t n_in[N_HALLS] = { 0 };

	keep(h, now_ms, n_in);
	for (enum hall hall = 0; hall < N_HALLS; hall++) {
		while (n_in[hall] < hall_max[hall]) {
			const size_t i = best_candidate(h, hall == ARENA, now_s);

			if (i == SIZE_MAX)
				break;
			h->is_up[i] = true;
			h->chosen.piece[h->chosen.n++] =
				(struct piece){ .auction = (uint32_t)i, .hall = hall };
			n_in[hall]++;
		}
	}
}

/* ---- asking ---- */

static struct money money_of(const struct cache_row *row, const char *field, const char *code_field)
{
	struct money m;
	const struct str amount = row_get(&row->row, field), code = row_get(&row->row, code_field);

	if (row->state != CACHE_PRESENT || !str_is_set(amount) || money_make(&m, amount, code))
		return (struct money){ 0 };
	return m;
}

/* Units left by the stock view, or as many as were consigned while there is none. */
static bool is_sold_out(const struct cache_row *inventory, const struct cache_row *stock)
{
	uint64_t supply = 0, taken = 0;

	str_to_u64(row_get(&inventory->row, "supply"), &supply);
	if (stock->state == CACHE_PRESENT)
		str_to_u64(row_get(&stock->row, "taken"), &taken);
	return taken >= supply;
}

static void take_rows(struct piece *p, const struct cache_row *r, bool over, int64_t now_ms)
{
	p->list = money_of(&r[0], "list", "list_currency");
	p->bid = money_of(&r[2], "bid", "bid_currency");
	p->is_priced = money_is_set(p->list);
	if (!over && !(p->is_priced && is_sold_out(&r[0], &r[1])))
		p->sold_ms = 0;
	else if (!p->sold_ms)
		p->sold_ms = now_ms;
}

static void answered(void *ctx, int err, const struct cache_row *rows, size_t n)
{
	struct shelf *h = ctx;
	const int64_t now_ms = loop_now_ms(h->loop), now_s = story_data_s(h->story, now_ms);

	h->is_asking = false;
	if (err)
		return;
	for (size_t i = 0; i * ROWS_PER_ITEM < n; i++) {
		struct piece *p = &h->chosen.piece[i];

		take_rows(p, rows + i * ROWS_PER_ITEM,
			is_over(&h->schedule->auctions[p->auction], now_s), now_ms);
	}
	h->known = h->chosen;
	h->is_known = true;
}

void shelf_refresh(struct shelf *h)
{
	static const char *const tables[ROWS_PER_ITEM] = { "inventory", "stock", "bestbid" };
	struct str keys[SHELF_ITEMS_MAX * ROWS_PER_ITEM];
	size_t n = 0;

	if (h->is_asking)
		return;
	choose(h);
	for (size_t i = 0; i < h->chosen.n; i++) {
		char item[ITEM_MAX];

		schedule_item(item, &h->schedule->auctions[h->chosen.piece[i].auction]);
		for (size_t t = 0; t < ROWS_PER_ITEM; t++, n++)
			keys[n] = (struct str){ h->keys[n],
				(size_t)snprintf(h->keys[n], KEY_MAX, "%s:{%s}", tables[t], item) };
	}
	h->is_asking = n && cache_read(h->cache, keys, n, answered, h) == 0;
}

static void on_timer(void *ctx)
{
	shelf_refresh(ctx);
}

/* ---- telling ---- */

/* Bids told by now. */
static uint32_t bids_by(const struct auction *a, int64_t now_s)
{
	uint32_t n = 0;

	while (n < a->n_bids && a->bids[n].at_s <= now_s)
		n++;
	return n;
}

static void write_in(const struct shelf *h, struct json_out *j, const char *key, int64_t data_s)
{
	const int64_t in_ms = story_our_ms(h->story, data_s) - loop_now_ms(h->loop);

	if (data_s)
		json_i64(j, key, in_ms > 0 ? in_ms : 0);
}

static void write_piece(const struct shelf *h, struct json_out *j, const struct piece *p)
{
	const struct auction *a = &h->schedule->auctions[p->auction];
	const int64_t now_s = story_data_s(h->story, loop_now_ms(h->loop));
	char item[ITEM_MAX], title[64];

	schedule_item(item, a);
	snprintf(title, sizeof(title), "Foundation #%lld", (long long)a->token);
	json_begin(j, NULL);
	json_strz(j, "item", item);
	json_strz(j, "title", title);
	json_strz(j, "hall", hall_names[p->hall]);
	money_json(j, "list", p->list);
	money_json(j, "bid", p->bid);
	json_u64(j, "bids", bids_by(a, now_s));
	write_in(h, j, "next_in_ms", next_s(a, now_s));
	if (is_running(a, now_s) && !p->sold_ms)
		write_in(h, j, "ends_in_ms", a->end_s);
	json_bool(j, "sold", p->sold_ms != 0);
	json_end(j);
}

int shelf_answer(void *ctx, struct str query, struct buf *body)
{
	const struct shelf *h = ctx;
	struct json_out j = JSON_OUT(body);

	(void)query;
	json_begin(&j, NULL);
	if (!h->is_known) {
		json_begin(&j, "error");
		json_strz(&j, "code", "unavailable");
		json_strz(&j, "title", "The shelves are being filled");
		json_end(&j);
		json_end(&j);
		return 503;
	}
	json_i64(&j, "now", loop_now_ms(h->loop));
	json_begin_array(&j, "items");
	for (size_t i = 0; i < h->known.n; i++)
		if (h->known.piece[i].is_priced)
			write_piece(h, &j, &h->known.piece[i]);
	json_end_array(&j);
	json_end(&j);
	return 200;
}

/* ---- life ---- */

int shelf_new(struct shelf **ret, struct loop *loop, struct cache *cache, const struct schedule *s,
	const struct story *story)
{
	CLEANUP(shelf_free) struct shelf *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->loop = loop;
	h->cache = cache;
	h->schedule = s;
	h->story = story;
	h->timer = loop_timer_new(loop, on_timer, h);
	h->is_up = calloc(s->n_auctions ? s->n_auctions : 1, sizeof(*h->is_up));
	h->is_gone = calloc(s->n_auctions ? s->n_auctions : 1, sizeof(*h->is_gone));
	if (!h->timer || !h->is_up || !h->is_gone)
		return -ENOMEM;
	loop_timer_repeat(h->timer, REFRESH_MS);
	*ret = TAKE(h);
	return 0;
}

struct shelf *shelf_free(struct shelf *h)
{
	if (h) {
		loop_timer_free(h->timer);
		free(h->is_up);
		free(h->is_gone);
		free(h);
	}
	return NULL;
}
