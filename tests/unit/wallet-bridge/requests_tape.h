#pragma once

/*
 * A partition of payments.requests.v1 as a list of records, written in words:
 *
 *	own                      an owner record
 *	sup A 3 2                supply of item A, version 3: 2 units
 *	req o1 A                 request of order o1 for item A
 *	ref o1 A SOLD_OUT        refusal
 *	rel o1 A EXPIRED         release
 *	raw {"type":"supply"}    any value
 *	nil                      a record without value
 *
 * Each carries the epoch of the last owner record, as its writer would; `@old` in front takes the
 * one before, `@none` leaves the header out, `@7` is that very text.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>

#include "common/model/offer.h"
#include "common/model/order.h"
#include "wallet-bridge/request_log.h"

#define TAPE_PARTITION 3
#define TAPE_MAX       512
#define TAPE_WORD_MAX  32

enum tape_kind { TAPE_OWNER, TAPE_SUPPLY, TAPE_REQUEST, TAPE_REFUSAL, TAPE_RELEASE, TAPE_OTHER };

/* What was written, beside its bytes: the naive model reads this and never the JSON. */
struct tape_record {
	enum tape_kind kind;
	char order[TAPE_WORD_MAX], item[TAPE_WORD_MAX], reason[TAPE_WORD_MAX];
	int64_t ver, supply;
	char epoch[TAPE_WORD_MAX]; /* header, "" = none */
	int64_t offset, ts_ms;
	struct buf value;
	bool is_nil;
};

struct tape {
	struct tape_record v[TAPE_MAX];
	size_t n;
	int64_t next_offset;
	int64_t owner, owner_before; /* -1 = none */
};

static inline struct tape *tape_new(int64_t first_offset)
{
	struct tape *t = calloc(1, sizeof(*t));

	cr_assert(t != NULL);
	t->next_offset = first_offset;
	t->owner = t->owner_before = -1;
	return t;
}

static inline void tape_cut(struct tape *t, size_t n)
{
	while (t->n > n)
		buf_fini(&t->v[--t->n].value);
}

static inline struct tape *tape_free(struct tape *t)
{
	if (!t)
		return NULL;
	tape_cut(t, 0);
	free(t);
	return NULL;
}
DEFINE_CLEANUP(struct tape *, tape_free)

/* Valid until the next call with another item, twice over. */
static inline struct str tape_item(const char *name)
{
	static char text[4][64];
	static unsigned at;
	char *ret = text[at++ % 4];

	snprintf(ret, 64, "game:test/sword:iron/%s", name);
	return str_of(ret);
}

static inline void tape_write(struct tape_record *r)
{
	struct str item = tape_item(r->item), order = str_of(r->order), reason = str_of(r->reason);
	struct json_out j;

	r->value = BUF_INIT(4096);
	j = JSON_OUT(&r->value);
	switch (r->kind) {
	case TAPE_OWNER:
		owner_record_json(&j,
			&(struct owner_record){
				.shard = TAPE_PARTITION, .instance = STR("i-1"), .ts = r->ts_ms });
		break;
	case TAPE_SUPPLY:
		supply_record_json(&j, &(struct supply_record){ .item = item,
					       .ver = { { (uint64_t)r->ver } },
					       .supply = r->supply });
		break;
	case TAPE_REQUEST:
		payment_request_json(&j, &(struct payment_request){ .order = order,
						 .item = item,
						 .price = { 500, currency_find(STR("EUR")) },
						 .quote = STR("sha256:00"),
						 .pay = STR("{\"mode\":\"now\"}"),
						 .ts = 1 });
		break;
	case TAPE_REFUSAL:
		refusal_record_json(&j,
			&(struct refusal_record){ .order = order, .item = item, .reason = reason });
		break;
	case TAPE_RELEASE:
		release_record_json(&j,
			&(struct release_record){ .order = order, .item = item, .reason = reason });
		break;
	case TAPE_OTHER:
		break;
	}
}

/* Appends @r (its meaning and epoch are set) and gives it its place. */
static inline struct tape_record *tape_append(struct tape *t, struct tape_record r)
{
	cr_assert(lt(sz, t->n, TAPE_MAX));
	r.offset = t->next_offset++;
	r.ts_ms = 1000000 + r.offset;
	if (r.kind != TAPE_OTHER)
		tape_write(&r);
	if (r.kind == TAPE_OWNER) {
		t->owner_before = t->owner;
		t->owner = r.offset;
	}
	t->v[t->n] = r;
	return &t->v[t->n++];
}

static inline const char *tape_epoch(struct tape *t, struct tape_record *r, const char *say)
{
	char word[TAPE_WORD_MAX] = "";
	int n = 0;

	if (t->owner >= 0)
		snprintf(r->epoch, sizeof(r->epoch), "%lld", (long long)t->owner);
	if (sscanf(say, "@%31s %n", word, &n) != 1)
		return say;
	if (strcmp(word, "old") == 0)
		snprintf(r->epoch, sizeof(r->epoch), "%lld", (long long)t->owner_before);
	else
		snprintf(r->epoch, sizeof(r->epoch), "%s", strcmp(word, "none") ? word : "");
	return say + n;
}

static inline struct tape_record *tape_say(struct tape *t, const char *say)
{
	struct tape_record r = { .kind = TAPE_OTHER };
	const char *s = tape_epoch(t, &r, say);
	long long ver = 0, supply = 0;

	if (strcmp(s, "own") == 0) {
		r.kind = TAPE_OWNER;
		r.epoch[0] = '\0';
	} else if (sscanf(s, "sup %31s %lld %lld", r.item, &ver, &supply) == 3) {
		r.kind = TAPE_SUPPLY;
		r.ver = ver;
		r.supply = supply;
	} else if (sscanf(s, "req %31s %31s", r.order, r.item) == 2) {
		r.kind = TAPE_REQUEST;
	} else if (sscanf(s, "ref %31s %31s %31s", r.order, r.item, r.reason) == 3) {
		r.kind = TAPE_REFUSAL;
	} else if (sscanf(s, "rel %31s %31s %31s", r.order, r.item, r.reason) == 3) {
		r.kind = TAPE_RELEASE;
	} else if (strncmp(s, "raw ", 4) == 0) {
		r.value = BUF_INIT(1 << 20);
		buf_puts(&r.value, str_of(s + 4));
	} else {
		cr_assert(strcmp(s, "nil") == 0, "what is \"%s\"?", say);
		r.is_nil = true;
	}
	return tape_append(t, r);
}

static inline int tape_apply(struct request_log *l, const struct tape_record *r, struct arena *a,
	enum log_effect *ret_effect, const struct log_order **ret_order)
{
	struct bus_header header = { STR(REQUEST_EPOCH_HEADER), str_of(r->epoch) };
	struct bus_record record = {
		.topic = "payments.requests.v1",
		.partition = TAPE_PARTITION,
		.offset = r->offset,
		.ts_ms = r->ts_ms,
		.value = r->is_nil ? STR_NONE : buf_str(&r->value),
		.headers = &header,
		.n_headers = r->epoch[0] ? 1 : 0,
	};

	return request_log_apply(l, &record, a, ret_effect, ret_order);
}
