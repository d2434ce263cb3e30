/*
 * Two maps of entries that do not move, so that an order may point to its item and the caller to
 * both.
 *
 * A record is decoded twice: for its type, then under that type's own table, so that what counts
 * here is exactly what every other reader can decode.
 *
 * Snapshots. Retention takes the beginning of the log, and a snapshot has an item's counts without
 * it. Records below its `through` must not move the counts again, yet what each order got has to be
 * learned from them: a request is TAKEN or BEYOND by the counts as they were then. Those are folded
 * beside, in `seen`, from the records themselves. Where retention took the supply record too,
 * nothing says what they were, and the request counts as taken: an owner writes none that it has no
 * unit for.
 *
 * Epochs. A reader that meets the log from its first offset has met every owner. One that begins
 * behind what retention took has not: until the first owner record, it believes the highest epoch
 * met in headers, if that owner record would have been below the first record it was given.
 */
#include "wallet-bridge/request_log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "common/model/offer.h"
#include "common/model/order.h"
#include "wallet-bridge/bridge_map.h"

#define REASON_MAX 64 /* as in the records' tables */

struct counts {
	bool has_supply;
	int64_t supply, taken;
};

struct item {
	struct bridge_map_node node; /* comes first */
	struct log_item pub;
	bool has_ver; /* of the supply: false where only a snapshot told of it */
	struct version snapshot_ver;
	int64_t snapshot_through; /* 0 = none */
	struct counts seen;       /* fold of the records below snapshot_through */
	char key[];
};

struct order_entry {
	struct bridge_map_node node; /* comes first */
	struct log_order pub;
	char *request; /* NULL = not kept */
	char reason[REASON_MAX + 1];
	char key[];
};

struct request_log {
	struct bridge_map items, orders;
	size_t items_max, orders_max;
	bool keeps_requests;
	int64_t first, last; /* offsets given, -1 = none */
	int64_t owner;       /* offset of the last owner record, -1 = none */
	int64_t believed;    /* epoch while no owner record was met, -1 = none */
};

/* ---- entries ---- */

static struct item *item_find(const struct request_log *l, struct str key)
{
	return (struct item *)bridge_map_get(&l->items, key);
}

static struct order_entry *order_find(const struct request_log *l, struct str key)
{
	return (struct order_entry *)bridge_map_get(&l->orders, key);
}

static struct str name(struct bridge_map_node *e, char *to, struct str key)
{
	memcpy(to, key.p, key.n);
	to[key.n] = '\0';
	e->key = (struct str){ to, key.n };
	return e->key;
}

static int item_add(struct request_log *l, struct str key, struct item **ret)
{
	struct item *i;

	if (l->items.n >= l->items_max)
		return REQUEST_LOG_E_FULL;
	i = calloc(1, sizeof(*i) + key.n + 1);
	if (!i)
		return -ENOMEM;
	i->pub.item = name(&i->node, i->key, key);
	bridge_map_put(&l->items, &i->node);
	*ret = i;
	return 0;
}

static void order_drop_request(struct order_entry *o)
{
	free(o->request);
	o->request = NULL;
	o->pub.request = STR_NONE;
}

static int order_keep_request(struct order_entry *o, struct str value)
{
	o->request = malloc(value.n ? value.n : 1);
	if (!o->request)
		return -ENOMEM;
	memcpy(o->request, value.p, value.n);
	o->pub.request = (struct str){ o->request, value.n };
	return 0;
}

static void order_set_reason(struct order_entry *o, struct str reason)
{
	int r = str_copy(o->reason, sizeof(o->reason), reason);

	assert(r == 0);
	(void)r;
	o->pub.reason = str_of(o->reason);
}

static void order_free(struct order_entry *o)
{
	free(o->request);
	free(o);
}

/* ---- life ---- */

int request_log_new(struct request_log **ret, const struct request_log_config *config)
{
	CLEANUP(request_log_free) struct request_log *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	l->items_max = config->items_max;
	l->orders_max = config->orders_max;
	l->keeps_requests = config->keeps_requests;
	l->first = l->last = l->owner = l->believed = -1;
	r = bridge_map_init(&l->items);
	if (r == 0)
		r = bridge_map_init(&l->orders);
	if (r < 0)
		return r;
	*ret = TAKE(l);
	return 0;
}

static void free_item(void *ctx, struct bridge_map_node *e)
{
	(void)ctx;
	free(e);
}

static void free_order(void *ctx, struct bridge_map_node *e)
{
	(void)ctx;
	order_free((struct order_entry *)e);
}

struct request_log *request_log_free(struct request_log *l)
{
	if (!l)
		return NULL;
	bridge_map_empty(&l->orders, free_order, NULL);
	bridge_map_empty(&l->items, free_item, NULL);
	bridge_map_fini(&l->orders);
	bridge_map_fini(&l->items);
	free(l);
	return NULL;
}

int request_log_snapshot(struct request_log *l, const struct stock *s)
{
	struct item *i = item_find(l, s->item);
	int r;

	assert(l->last < 0);
	if (i && version_cmp(s->ver, i->snapshot_ver) <= 0)
		return 0;
	if (!i) {
		r = item_add(l, s->item, &i);
		if (r != 0)
			return r;
	}
	i->snapshot_ver = s->ver;
	i->snapshot_through = s->through;
	i->pub.has_supply = true;
	i->pub.supply = s->supply;
	i->pub.taken = s->taken;
	i->pub.through = s->through;
	return 0;
}

/* ---- the fold ---- */

struct head {
	struct str type;
};

static const struct field head_fields[] = {
	{ "type", FIELD_ID, FIELD_REQUIRED, offsetof(struct head, type), 0, NULL },
};
static const struct record_type head_type = {
	.name = "record",
	.fields = head_fields,
	.n_fields = ARRAY_LEN(head_fields),
	.size = sizeof(struct head),
};

/* What a record did: the effect, and the order it spoke of. */
struct outcome {
	enum log_effect effect;
	const struct log_order *order;
};

/* The record moves the counts; else it lies below the item's snapshot, which has counted it. */
static bool counts_now(const struct item *i, int64_t offset)
{
	return offset >= i->snapshot_through;
}

static void move_supply(struct item *i, int64_t supply, int64_t offset)
{
	if (!counts_now(i, offset)) {
		i->seen.has_supply = true;
		i->seen.supply = supply;
		return;
	}
	i->pub.has_supply = true;
	i->pub.supply = supply;
	i->pub.through = offset + 1;
}

/* Only a snapshot that does not belong to this log can make it go below zero. */
static void move_taken(struct item *i, int64_t by, int64_t offset)
{
	int64_t *taken = counts_now(i, offset) ? &i->pub.taken : &i->seen.taken;

	*taken = *taken + by > 0 ? *taken + by : 0;
	if (counts_now(i, offset))
		i->pub.through = offset + 1;
}

static bool has_unit(const struct request_log *l, const struct item *i, int64_t offset)
{
	if (counts_now(i, offset))
		return i->pub.has_supply && i->pub.taken < i->pub.supply;
	if (!i->seen.has_supply)
		return l->first > 0; /* retention may have taken it */
	return i->seen.taken < i->seen.supply;
}

static int add_order(struct request_log *l, const struct bus_record *r, struct str id,
	const struct item *item, enum log_state state, struct order_entry **ret)
{
	struct order_entry *o;

	if (l->orders.n >= l->orders_max)
		return REQUEST_LOG_E_FULL;
	o = calloc(1, sizeof(*o) + id.n + 1);
	if (!o)
		return -ENOMEM;
	if (state == LOGGED_TAKEN && l->keeps_requests && order_keep_request(o, r->value) < 0) {
		order_free(o);
		return -ENOMEM;
	}
	o->pub.id = name(&o->node, o->key, id);
	o->pub.item = item ? &item->pub : NULL;
	o->pub.state = state;
	o->pub.offset = r->offset;
	o->pub.ts_ms = r->ts_ms;
	bridge_map_put(&l->orders, &o->node);
	*ret = o;
	return 0;
}

static int apply_supply(
	struct request_log *l, const struct bus_record *r, struct arena *a, struct outcome *out)
{
	struct supply_record s;
	struct item *i;
	int err;

	if (decode(&supply_record_type, &s, r->value, a, NULL) != 0)
		return 0;
	out->effect = LOG_REPEAT;
	i = item_find(l, s.item);
	if (i && i->has_ver && version_cmp(s.ver, i->pub.supply_ver) <= 0)
		return 0;
	if (!i) {
		err = item_add(l, s.item, &i);
		if (err != 0)
			return err;
	}
	i->has_ver = true;
	i->pub.supply_ver = s.ver;
	move_supply(i, s.supply, r->offset);
	out->effect = LOG_SUPPLY;
	return 0;
}

static int apply_request(
	struct request_log *l, const struct bus_record *r, struct arena *a, struct outcome *out)
{
	struct payment_request q;
	struct order_entry *o;
	struct item *i;
	bool is_taken;
	int err;

	if (decode(&payment_request_type, &q, r->value, a, NULL) != 0)
		return 0;
	o = order_find(l, q.order);
	if (o) {
		*out = (struct outcome){ LOG_REPEAT, &o->pub };
		return 0;
	}
	i = item_find(l, q.item);
	is_taken = i && has_unit(l, i, r->offset);
	err = add_order(l, r, q.order, i, is_taken ? LOGGED_TAKEN : LOGGED_BEYOND, &o);
	if (err != 0)
		return err;
	if (is_taken)
		move_taken(i, 1, r->offset);
	*out = (struct outcome){ is_taken ? LOG_TAKEN : LOG_BEYOND, &o->pub };
	return 0;
}

static int apply_refusal(
	struct request_log *l, const struct bus_record *r, struct arena *a, struct outcome *out)
{
	struct refusal_record n;
	struct order_entry *o;
	int err;

	if (decode(&refusal_record_type, &n, r->value, a, NULL) != 0)
		return 0;
	o = order_find(l, n.order);
	if (o) {
		*out = (struct outcome){ LOG_REPEAT, &o->pub };
		return 0;
	}
	err = add_order(l, r, n.order, item_find(l, n.item), LOGGED_REFUSED, &o);
	if (err != 0)
		return err;
	order_set_reason(o, n.reason);
	*out = (struct outcome){ LOG_REFUSED, &o->pub };
	return 0;
}

static int apply_release(
	struct request_log *l, const struct bus_record *r, struct arena *a, struct outcome *out)
{
	struct release_record n;
	struct order_entry *o;

	if (decode(&release_record_type, &n, r->value, a, NULL) != 0)
		return 0;
	o = order_find(l, n.order);
	if (!o)
		return 0;
	out->order = &o->pub;
	if (o->pub.state == LOGGED_RELEASED)
		out->effect = LOG_REPEAT;
	if (o->pub.state != LOGGED_TAKEN || !str_eq(o->pub.item->item, n.item))
		return 0;
	move_taken(item_find(l, n.item), -1, r->offset);
	o->pub.state = LOGGED_RELEASED;
	o->pub.end_ms = r->ts_ms;
	order_set_reason(o, n.reason);
	order_drop_request(o);
	out->effect = LOG_RELEASED;
	return 0;
}

static void apply_owner(
	struct request_log *l, const struct bus_record *r, struct arena *a, struct outcome *out)
{
	struct owner_record o;

	if (decode(&owner_record_type, &o, r->value, a, NULL) != 0 || o.shard != r->partition)
		return;
	l->owner = r->offset;
	out->effect = LOG_OWNER;
}

static int64_t epoch_of(const struct bus_record *r)
{
	int64_t epoch;

	for (size_t i = r->n_headers; i-- > 0;)
		if (str_eqz(r->headers[i].name, REQUEST_EPOCH_HEADER))
			return str_to_i64(r->headers[i].value, &epoch) == 0 ? epoch : -1;
	return -1;
}

/* Whether the record is its owner's. */
static bool has_voice(struct request_log *l, const struct bus_record *r)
{
	int64_t epoch = epoch_of(r);

	if (epoch < 0)
		return false;
	if (l->owner >= 0)
		return epoch == l->owner;
	if (epoch >= l->first || epoch < l->believed)
		return false;
	l->believed = epoch;
	return true;
}

typedef int (*apply_fn)(
	struct request_log *l, const struct bus_record *r, struct arena *a, struct outcome *out);

static apply_fn apply_of(struct str type)
{
	static const struct {
		const char *type;
		apply_fn fn;
	} rows[] = {
		{ "request", apply_request },
		{ "refusal", apply_refusal },
		{ "release", apply_release },
		{ "supply", apply_supply },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (str_eqz(type, rows[i].type))
			return rows[i].fn;
	return NULL;
}

static int apply_any(
	struct request_log *l, const struct bus_record *r, struct arena *a, struct outcome *out)
{
	struct head head;
	apply_fn fn;

	if (!str_is_set(r->value) || decode(&head_type, &head, r->value, a, NULL) != 0)
		return 0;
	if (str_eqz(head.type, "owner")) {
		apply_owner(l, r, a, out);
		return 0;
	}
	fn = apply_of(head.type);
	if (!fn)
		return 0;
	out->effect = LOG_VOID;
	if (!has_voice(l, r))
		return 0;
	out->effect = LOG_UNREADABLE;
	return fn(l, r, a, out);
}

int request_log_apply(struct request_log *l, const struct bus_record *r, struct arena *a,
	enum log_effect *ret_effect, const struct log_order **ret_order)
{
	struct outcome out = { .effect = LOG_UNREADABLE };
	size_t mark = arena_used(a);
	int err = 0;

	if (l->first < 0)
		l->first = r->offset;
	if (r->offset <= l->last)
		out.effect = LOG_REPEAT;
	else
		err = apply_any(l, r, a, &out);
	arena_rewind(a, mark);
	if (err != 0)
		return err;
	if (r->offset > l->last)
		l->last = r->offset;
	*ret_effect = out.effect;
	if (ret_order)
		*ret_order = out.order;
	return 0;
}

/* ---- questions ---- */

int64_t request_log_epoch(const struct request_log *l)
{
	return l->owner;
}

const struct log_order *request_log_order(const struct request_log *l, struct str id)
{
	const struct order_entry *o = order_find(l, id);

	return o ? &o->pub : NULL;
}

const struct log_item *request_log_item(const struct request_log *l, struct str item)
{
	const struct item *i = item_find(l, item);

	return i ? &i->pub : NULL;
}

int64_t request_log_free_units(const struct request_log *l, struct str item)
{
	const struct item *i = item_find(l, item);

	return i && i->pub.supply > i->pub.taken ? i->pub.supply - i->pub.taken : 0;
}

void request_log_forget(struct request_log *l, struct str id)
{
	struct order_entry *o = order_find(l, id);

	if (!o)
		return;
	bridge_map_remove(&l->orders, &o->node);
	order_free(o);
}

size_t request_log_n_orders(const struct request_log *l)
{
	return l->orders.n;
}

size_t request_log_n_items(const struct request_log *l)
{
	return l->items.n;
}

struct walk {
	bool (*item)(void *ctx, const struct log_item *i);
	bool (*order)(void *ctx, const struct log_order *o);
	void *ctx;
	bool is_over;
};

static void walk_item(void *ctx, struct bridge_map_node *e)
{
	struct walk *w = ctx;

	w->is_over = w->is_over || !w->item(w->ctx, &((struct item *)e)->pub);
}

static void walk_order(void *ctx, struct bridge_map_node *e)
{
	struct walk *w = ctx;

	w->is_over = w->is_over || !w->order(w->ctx, &((struct order_entry *)e)->pub);
}

void request_log_each_item(
	const struct request_log *l, bool (*fn)(void *ctx, const struct log_item *i), void *ctx)
{
	bridge_map_each(&l->items, walk_item, &(struct walk){ .item = fn, .ctx = ctx });
}

void request_log_each_order(
	const struct request_log *l, bool (*fn)(void *ctx, const struct log_order *o), void *ctx)
{
	bridge_map_each(&l->orders, walk_order, &(struct walk){ .order = fn, .ctx = ctx });
}
