#include "bidding/rows.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "bidding/opensea/decode.h"
#include "common/base/crypto.h"
#include "common/base/log.h"
#include "common/io/record_headers.h"
#include "common/model/topics.h"

#define RETRY_ERROR_MS   1000
#define RETRY_FULL_MS    50
#define ROW_BYTES_MAX    8192
#define ARENA_BYTES      16384
#define ASK_STEP_BPS     10 /* a moving ask is news when it moved 0.1 % */
#define ASK_STEP_TIME_MS 10000

/* What a row said, or says. */
struct said {
	struct book_value value;
	int64_t epoch, as_of;
	uint64_t n;
};

struct entry {
	TAILQ_ENTRY(entry) link; /* while it waits */
	struct book_item *item;
	bool is_waiting, is_flying, is_touched; /* touched: again while flying */
	bool is_forced;                         /* its last row may not be in the log */
	bool has_said, has_done;
	struct said said; /* sent last */
	struct said done; /* acknowledged last */
	int32_t partition;
	int64_t offset;
	int64_t since_ms; /* of the change that waits or flies */
	int64_t touched_ms;
};

/* A row in flight; outlives its entry. */
struct flight {
	LIST_ENTRY(flight) link;
	struct rows *rows;
	struct entry *entry; /* NULL: closed meanwhile */
};

struct rows {
	struct rows_env env;
	struct book *book; /* NULL while closed */
	int64_t epoch;
	uint64_t n;
	struct entry **entries;
	size_t n_entries, cap;
	TAILQ_HEAD(, entry) waiting;
	LIST_HEAD(, flight) flights;
	size_t n_flying;
	struct loop_timer *timer;
	bool is_armed;
	int64_t next_us; /* no flush before */
	struct arena *arena;
	struct counter *published, *failed;
	struct gauge *n_waiting;
};

static const struct metric_def PUBLISHED = { "souk_bidding_rows_published_total", METRIC_COUNTER,
	"Rows acknowledged by Kafka.", NULL };
static const struct metric_def FAILED = { "souk_bidding_rows_failed_total", METRIC_COUNTER,
	"Rows that Kafka did not take; the item's next row replaces them.", NULL };
static const struct metric_def WAITING = { "souk_bidding_rows_waiting", METRIC_GAUGE,
	"Items whose change is not written yet.", NULL };

static void arm(struct rows *r, int64_t at_least_ms)
{
	int64_t now = loop_mono_us(r->env.loop);
	int64_t delay = r->next_us > now ? r->next_us - now : 0;

	if (r->is_armed)
		return;
	r->is_armed = true;
	if (delay < at_least_ms * 1000)
		delay = at_least_ms * 1000;
	loop_timer_start_us(r->timer, delay);
}

static void wait_in(struct rows *r, struct entry *e, bool is_first)
{
	if (e->is_waiting)
		return;
	e->is_waiting = true;
	r->n_waiting->value++;
	if (is_first)
		TAILQ_INSERT_HEAD(&r->waiting, e, link);
	else
		TAILQ_INSERT_TAIL(&r->waiting, e, link);
}

static void wait_out(struct rows *r, struct entry *e)
{
	e->is_waiting = false;
	r->n_waiting->value--;
	TAILQ_REMOVE(&r->waiting, e, link);
}

/* ---- values ---- */

static bool is_same_money(struct money a, struct money b)
{
	return a.currency == b.currency && a.amount == b.amount;
}

static bool is_small_step(struct money was, struct money is)
{
	u128 step = was.amount > is.amount ? was.amount - is.amount : is.amount - was.amount;

	return money_is_set(was) && money_is_set(is) &&
	       step * 10000 < was.amount * ASK_STEP_BPS; /* both within 2^110 */
}

static bool is_same_ask(const struct said *was, const struct book_value *v, int64_t now_ms)
{
	if (is_same_money(was->value.ask, v->ask))
		return true;
	return was->value.is_ask_moving && v->is_ask_moving &&
	       now_ms - was->as_of < ASK_STEP_TIME_MS && is_small_step(was->value.ask, v->ask);
}

static bool is_news(const struct entry *e, const struct book_value *v, int64_t now_ms)
{
	static const struct book_value nothing = { 0 };
	const struct said none = { .value = nothing };
	const struct said *was = e->has_said ? &e->said : &none;
	const struct book_value *w = &was->value;

	return !is_same_money(w->bid, v->bid) || !is_same_money(w->bid_net, v->bid_net) ||
	       !is_same_money(w->last_sale, v->last_sale) || w->flags != v->flags ||
	       w->bid_expires != v->bid_expires || !is_same_ask(was, v, now_ms) ||
	       memcmp(w->bid_order, v->bid_order, BOOK_HASH_BYTES) != 0;
}

static struct str flags_text(unsigned flags, struct arena *a)
{
	static const struct name {
		unsigned flag;
		const char *text;
	} NAMES[] = {
		{ BOOK_GAP, "\"gap\"" },
		{ BOOK_NO_FX, "\"" OPENSEA_FLAG_NO_FX "\"" },
		{ BOOK_TOO_BIG, "\"" OPENSEA_FLAG_TOO_BIG "\"" },
		{ BOOK_NET_ESTIMATED, "\"" OPENSEA_FLAG_NET_ESTIMATED "\"" },
		{ BOOK_NO_END, "\"" OPENSEA_FLAG_NO_END "\"" },
	};
	CLEANUP(buf_fini) struct buf b = BUF_INIT(256);

	buf_putc(&b, '[');
	for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
		if (!(flags & NAMES[i].flag))
			continue;
		if (b.n > 1)
			buf_putc(&b, ',');
		buf_puts(&b, str_of(NAMES[i].text));
	}
	buf_putc(&b, ']');
	return arena_copy(a, buf_str(&b));
}

static void describe(const struct rows *r, const struct entry *e, const struct said *s,
	struct bestbid *ret, struct arena *a)
{
	char hash[2 + 2 * BOOK_HASH_BYTES + 1] = "0x";

	*ret = (struct bestbid){
		.item = book_item_id(e->item),
		.ver = { { (uint64_t)s->epoch, s->n } },
		.collection = str_of(r->env.collection->slug),
		.as_of = s->as_of,
		.bid = s->value.bid,
		.bid_net = s->value.bid_net,
		.ask = s->value.ask,
		.last_sale = s->value.last_sale,
		.bid_expires = s->value.bid_expires,
		.flags = flags_text(s->value.flags, a),
	};
	if (!money_is_set(s->value.bid))
		return;
	hex_encode(hash + 2, s->value.bid_order, BOOK_HASH_BYTES);
	ret->bid_order = arena_copy(a, str_of(hash));
}

/* ---- sending ---- */

static void on_sent(void *ctx, int err, int32_t partition, int64_t offset)
{
	struct flight *f = ctx;
	struct rows *r = f->rows;
	struct entry *e = f->entry;
	struct bestbid row;

	LIST_REMOVE(f, link);
	free(f);
	r->n_flying--;
	if (!err)
		counter_add(r->published, 1);
	if (!e) {
		if (!TAILQ_EMPTY(&r->waiting))
			arm(r, 0);
		return;
	}
	e->is_flying = false;
	if (err) {
		counter_add(r->failed, 1);
		log_warn("rows", "row not taken, sending again", "collection=%s error=%d",
			r->env.collection->slug, -err);
		e->is_forced = true;
		e->is_touched = false;
		wait_in(r, e, true); /* oldest first: rows_waiting_since_ms() */
		arm(r, RETRY_ERROR_MS);
		return;
	}
	e->has_done = true;
	e->done = e->said;
	e->partition = partition;
	e->offset = offset;
	if (e->is_touched) {
		e->is_touched = false;
		e->since_ms = e->touched_ms;
		wait_in(r, e, false);
	}
	if (!TAILQ_EMPTY(&r->waiting))
		arm(r, 0);
	arena_reset(r->arena);
	describe(r, e, &e->done, &row, r->arena);
	r->env.done(r->env.ctx, &(struct rows_done){ &row, partition, offset });
}

static int send_row(struct rows *r, struct entry *e, const struct said *s)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(ROW_BYTES_MAX);
	struct json_out j = JSON_OUT(&b);
	struct flight *f = malloc(sizeof(*f));
	struct record_headers h;
	char id[RECORD_ID_MAX];
	struct bestbid row;
	int err;

	if (!f)
		return -ENOBUFS;
	arena_reset(r->arena);
	describe(r, e, s, &row, r->arena);
	bestbid_json(&j, NULL, &row);
	*f = (struct flight){ .rows = r, .entry = e };
	h.n = 0;
	snprintf(
		id, sizeof(id), "%s:%" PRId64 ".%" PRIu64, r->env.collection->slug, s->epoch, s->n);
	err = record_headers_cloud_event(
		&h, str_of(id), STR("souk." TOPIC_BESTBID), "bidding", r->env.instance, s->as_of);
	if (!err)
		err = b.failed ? -EMSGSIZE
			       : bus_send(r->env.bus, &(struct bus_message){ .topic = TOPIC_BESTBID,
							      .partition = BUS_BY_KEY,
							      .key = row.item,
							      .value = buf_str(&b),
							      .headers = h.v,
							      .n_headers = h.n,
							      .sent = on_sent,
							      .ctx = f });
	if (err) {
		free(f);
		return err;
	}
	LIST_INSERT_HEAD(&r->flights, f, link);
	return 0;
}

/* false: Kafka takes nothing now. */
static bool publish(struct rows *r, struct entry *e, int64_t now_ms)
{
	struct said s = { .epoch = r->epoch, .as_of = now_ms, .n = r->n + 1 };
	int err;

	book_value(r->book, e->item, now_ms, &s.value);
	if (!e->is_forced && !is_news(e, &s.value, now_ms))
		return true;
	err = send_row(r, e, &s);
	if (err) {
		if (err != -ENOBUFS)
			log_error("rows", "row not sent, trying again", "collection=%s error=%d",
				r->env.collection->slug, -err);
		wait_in(r, e, true);
		arm(r, err == -ENOBUFS ? RETRY_FULL_MS : RETRY_ERROR_MS);
		return false;
	}
	r->n++;
	r->n_flying++;
	e->said = s;
	e->has_said = true;
	e->is_flying = true;
	e->is_forced = false;
	return true;
}

static void on_timer(void *ctx)
{
	struct rows *r = ctx;
	int64_t now_ms = loop_now_ms(r->env.loop);
	struct entry *e;

	r->is_armed = false;
	if (!r->book)
		return;
	r->next_us = loop_mono_us(r->env.loop) + r->env.publish_ms * 1000;
	book_advance(r->book, now_ms);
	while ((e = TAILQ_FIRST(&r->waiting)) && r->n_flying < r->env.in_flight_max) {
		wait_out(r, e);
		if (!publish(r, e, now_ms))
			return;
	}
}

/* ---- items ---- */

static struct entry *entry_of(struct rows *r, struct book_item *item)
{
	void **user = book_item_user(item);
	struct entry *e;

	if (*user)
		return *user;
	if (r->n_entries == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : 256;
		struct entry **v = realloc(r->entries, cap * sizeof(struct entry *));

		if (!v)
			return NULL;
		r->entries = v;
		r->cap = cap;
	}
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->item = item;
	r->entries[r->n_entries++] = e;
	*user = e;
	return e;
}

void rows_touch(struct rows *r, struct book_item *item)
{
	struct entry *e = r->book ? entry_of(r, item) : NULL;

	if (!e || e->is_waiting || (e->is_flying && e->is_touched))
		return;
	if (e->is_flying) {
		e->is_touched = true;
		e->touched_ms = loop_mono_ms(r->env.loop);
		return;
	}
	e->since_ms = loop_mono_ms(r->env.loop);
	wait_in(r, e, false);
	arm(r, 0);
}

/* ---- life ---- */

int rows_new(struct rows **ret, const struct rows_env *env)
{
	struct rows *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->env = *env;
	TAILQ_INIT(&r->waiting);
	LIST_INIT(&r->flights);
	r->published = metrics_counter(env->metrics, &PUBLISHED, NULL);
	r->failed = metrics_counter(env->metrics, &FAILED, NULL);
	r->n_waiting = metrics_gauge(env->metrics, &WAITING, NULL);
	r->timer = loop_timer_new(env->loop, on_timer, r);
	if (!r->timer || arena_new(&r->arena, ARENA_BYTES)) {
		rows_free(r);
		return -ENOMEM;
	}
	*ret = r;
	return 0;
}

struct rows *rows_free(struct rows *r)
{
	if (!r)
		return NULL;
	rows_close(r);
	while (!LIST_EMPTY(&r->flights)) {
		struct flight *f = LIST_FIRST(&r->flights);

		LIST_REMOVE(f, link);
		free(f);
	}
	loop_timer_free(r->timer);
	arena_free(r->arena);
	free(r);
	return NULL;
}

void rows_open(struct rows *r, struct book *book, int64_t epoch)
{
	r->book = book;
	r->epoch = epoch;
	r->n = 0;
}

void rows_close(struct rows *r)
{
	struct flight *f;

	LIST_FOREACH(f, &r->flights, link)
		f->entry = NULL;
	while (!TAILQ_EMPTY(&r->waiting))
		wait_out(r, TAILQ_FIRST(&r->waiting));
	for (size_t i = 0; i < r->n_entries; i++)
		free(r->entries[i]);
	free(r->entries);
	r->entries = NULL;
	r->n_entries = r->cap = 0;
	r->book = NULL;
	if (r->timer)
		loop_timer_stop(r->timer);
	r->is_armed = false;
}

bool rows_is_idle(const struct rows *r)
{
	return TAILQ_EMPTY(&r->waiting) && r->n_flying == 0;
}

int64_t rows_waiting_since_ms(const struct rows *r)
{
	const struct entry *e = TAILQ_FIRST(&r->waiting);
	const struct flight *f;
	int64_t since = e ? e->since_ms : 0;

	LIST_FOREACH(f, &r->flights, link) {
		if (f->entry && (since == 0 || f->entry->since_ms < since))
			since = f->entry->since_ms;
	}
	return since;
}

bool rows_next(
	struct rows *r, size_t *at, struct rows_done *ret, struct bestbid *row, struct arena *a)
{
	while (*at < r->n_entries) {
		const struct entry *e = r->entries[(*at)++];

		if (!e->has_done)
			continue;
		describe(r, e, &e->done, row, a);
		*ret = (struct rows_done){ row, e->partition, e->offset };
		return true;
	}
	return false;
}
