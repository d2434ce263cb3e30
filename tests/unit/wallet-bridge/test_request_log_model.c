/*
 * The fold against a naive model, over thousands of logs made by chance (from fixed seeds).
 *
 * The model is written another way on purpose: it knows the records' meaning and not their bytes,
 * keeps no state, and answers every question by looking through the list of records again.
 *
 * Two kinds of logs. "Wild" ones hold anything: former owners, requests beyond the supply, releases
 * of nothing, repeats. "Honest" ones are written by processes that each fold the log as they know
 * it, are replaced without noticing, and go on writing for a while: for these it is shown that
 * nothing is sold twice.
 */
#include "tests/unit/wallet-bridge/requests_tape.h"

#define N_ITEMS  3
#define N_ORDERS 12
#define N_STEPS  48

static struct arena *arena;

static void setup(void)
{
	cr_assert(zero(int, arena_new(&arena, REQUEST_LOG_ARENA_MIN)));
}

static void teardown(void)
{
	arena = arena_free(arena);
}

TestSuite(request_log_model, .init = setup, .fini = teardown);

static uint64_t dice_state;

static void dice_seed(uint64_t seed)
{
	dice_state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

/* 0 .. n - 1 */
static int dice(int n)
{
	dice_state ^= dice_state << 13;
	dice_state ^= dice_state >> 7;
	dice_state ^= dice_state << 17;
	return (int)((dice_state >> 11) % (uint64_t)n);
}

static const char *const item_names[N_ITEMS] = { "a", "b", "c" };

/* ---- the model ---- */

struct model {
	const struct tape *t;
	bool is_valid[TAPE_MAX];   /* under the epoch of the last owner record before it */
	bool is_counted[TAPE_MAX]; /* a request that takes a unit */
	bool is_freeing[TAPE_MAX]; /* a release that frees one */
};

static bool epoch_is_right(const struct model *m, size_t k)
{
	char epoch[TAPE_WORD_MAX] = "nobody";

	for (size_t j = 0; j < k; j++)
		if (m->t->v[j].kind == TAPE_OWNER)
			snprintf(epoch, sizeof(epoch), "%lld", (long long)m->t->v[j].offset);
	return strcmp(epoch, m->t->v[k].epoch) == 0;
}

static bool is_same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* The supply record of @item in force before record @k: the first with the highest version. */
static const struct tape_record *model_supply(const struct model *m, const char *item, size_t k)
{
	const struct tape_record *best = NULL;

	for (size_t j = 0; j < k; j++) {
		const struct tape_record *r = &m->t->v[j];

		if (r->kind == TAPE_SUPPLY && is_same(r->item, item) && m->is_valid[j] &&
			(!best || r->ver > best->ver))
			best = r;
	}
	return best;
}

static int64_t model_units(const struct model *m, const char *item, size_t k)
{
	const struct tape_record *s = model_supply(m, item, k);

	return s ? s->supply : 0;
}

static int64_t model_taken(const struct model *m, const char *item, size_t k)
{
	int64_t n = 0;

	for (size_t j = 0; j < k; j++) {
		if (!is_same(m->t->v[j].item, item))
			continue;
		n += m->is_counted[j];
		n -= m->is_freeing[j];
	}
	return n;
}

/* The record that decided @order, of those before @k; -1 = none. */
static int model_decision(const struct model *m, const char *order, size_t k)
{
	for (size_t j = 0; j < k; j++) {
		const struct tape_record *r = &m->t->v[j];

		if ((r->kind == TAPE_REQUEST || r->kind == TAPE_REFUSAL) &&
			is_same(r->order, order) && m->is_valid[j])
			return (int)j;
	}
	return -1;
}

static bool model_is_freed(const struct model *m, const char *order, size_t k)
{
	for (size_t j = 0; j < k; j++)
		if (m->is_freeing[j] && is_same(m->t->v[j].order, order))
			return true;
	return false;
}

/* What record @k does; all before it have been judged. */
static enum log_effect model_judge(struct model *m, size_t k)
{
	const struct tape_record *r = &m->t->v[k];
	int first = model_decision(m, r->order, k);
	const struct tape_record *supply;

	if (r->kind == TAPE_OTHER)
		return LOG_UNREADABLE;
	if (r->kind == TAPE_OWNER)
		return LOG_OWNER;
	if (!m->is_valid[k])
		return LOG_VOID;
	switch (r->kind) {
	case TAPE_SUPPLY:
		supply = model_supply(m, r->item, k);
		return supply && r->ver <= supply->ver ? LOG_REPEAT : LOG_SUPPLY;
	case TAPE_REFUSAL:
		return first < 0 ? LOG_REFUSED : LOG_REPEAT;
	case TAPE_REQUEST:
		if (first >= 0)
			return LOG_REPEAT;
		m->is_counted[k] = model_taken(m, r->item, k) < model_units(m, r->item, k);
		return m->is_counted[k] ? LOG_TAKEN : LOG_BEYOND;
	default:
		break;
	}
	if (model_is_freed(m, r->order, k))
		return LOG_REPEAT;
	m->is_freeing[k] =
		first >= 0 && m->is_counted[first] && is_same(m->t->v[first].item, r->item);
	return m->is_freeing[k] ? LOG_RELEASED : LOG_UNREADABLE;
}

static struct model *model_of(const struct tape *t, enum log_effect effects[TAPE_MAX])
{
	struct model *m = calloc(1, sizeof(*m));

	cr_assert(m != NULL);
	m->t = t;
	for (size_t k = 0; k < t->n; k++)
		m->is_valid[k] = epoch_is_right(m, k);
	for (size_t k = 0; k < t->n; k++)
		effects[k] = model_judge(m, k);
	return m;
}

static struct model *model_free(struct model *m)
{
	free(m);
	return NULL;
}
DEFINE_CLEANUP(struct model *, model_free)

/* ---- comparing ---- */

static struct request_log *log_new(void)
{
	struct request_log *l = NULL;

	cr_assert(zero(
		int, request_log_new(&l, &(struct request_log_config){ N_ITEMS, TAPE_MAX, true })));
	return l;
}

/* Folds records @from .. @to - 1 and holds each effect against the model's. */
static void fold(struct request_log *l, const struct tape *t, size_t from, size_t to,
	const enum log_effect *want, uint64_t seed)
{
	for (size_t k = from; k < to; k++) {
		enum log_effect effect;

		cr_assert(zero(int, tape_apply(l, &t->v[k], arena, &effect, NULL)));
		if (want)
			cr_assert(eq(int, (int)effect, (int)want[k]), "seed %llu, record %zu",
				(unsigned long long)seed, k);
	}
}

static void check_items(const struct request_log *l, const struct model *m, size_t n, uint64_t seed)
{
	for (size_t i = 0; i < N_ITEMS; i++) {
		const struct log_item *item = request_log_item(l, tape_item(item_names[i]));
		const struct tape_record *supply = model_supply(m, item_names[i], n);
		int64_t taken = model_taken(m, item_names[i], n);
		int64_t left = supply && supply->supply > taken ? supply->supply - taken : 0;

		cr_assert(eq(int, item != NULL, supply != NULL), "seed %llu, item %s",
			(unsigned long long)seed, item_names[i]);
		cr_assert(eq(i64, request_log_free_units(l, tape_item(item_names[i])), left),
			"seed %llu, item %s behind %zu", (unsigned long long)seed, item_names[i],
			n);
		if (item)
			cr_assert(item->supply == supply->supply && item->taken == taken,
				"seed %llu, item %s", (unsigned long long)seed, item_names[i]);
	}
}

static int model_state(const struct model *m, const char *order, size_t n)
{
	int first = model_decision(m, order, n);

	if (first < 0)
		return -1;
	if (m->t->v[first].kind == TAPE_REFUSAL)
		return LOGGED_REFUSED;
	if (!m->is_counted[first])
		return LOGGED_BEYOND;
	return model_is_freed(m, order, n) ? LOGGED_RELEASED : LOGGED_TAKEN;
}

/* @from: decisions before it are not in the log that @l was given. */
static void check_orders(
	const struct request_log *l, const struct model *m, size_t from, size_t n, uint64_t seed)
{
	for (size_t k = 0; k < n; k++) {
		const char *id = m->t->v[k].order;
		const struct log_order *o = request_log_order(l, str_of(id));
		int first = model_decision(m, id, n);

		if (!id[0] || (first >= 0 && (size_t)first < from))
			continue;
		cr_assert(eq(int, o ? (int)o->state : -1, model_state(m, id, n)),
			"seed %llu, order %s", (unsigned long long)seed, id);
		if (!o)
			continue;
		cr_assert(eq(i64, o->offset, m->t->v[first].offset));
		cr_assert(eq(i64, o->ts_ms, m->t->v[first].ts_ms));
		cr_assert(eq(int, str_is_set(o->request), o->state == LOGGED_TAKEN));
		if (o->state == LOGGED_TAKEN)
			cr_assert(str_eq(o->request, buf_str(&m->t->v[first].value)));
	}
}

/* ---- wild logs ---- */

static void wild_epoch(struct tape *t, struct tape_record *r)
{
	int64_t epoch = t->owner;
	int way = dice(20);

	if (way == 0 || t->owner < 0)
		return; /* no header */
	if (way <= 3) {
		/* some former owner, if the record that is hit is one */
		const struct tape_record *any = &t->v[dice((int)t->n)];

		epoch = any->kind == TAPE_OWNER ? any->offset : t->owner_before;
	}
	snprintf(r->epoch, sizeof(r->epoch), "%lld", (long long)epoch);
}

static void wild_record(struct tape *t)
{
	static const enum tape_kind kinds[] = { TAPE_OWNER, TAPE_SUPPLY, TAPE_SUPPLY, TAPE_REQUEST,
		TAPE_REQUEST, TAPE_REQUEST, TAPE_REQUEST, TAPE_REQUEST, TAPE_REFUSAL, TAPE_RELEASE,
		TAPE_RELEASE, TAPE_RELEASE, TAPE_RELEASE, TAPE_OTHER };
	struct tape_record r = { .kind = kinds[dice(ARRAY_LEN(kinds))] };

	if (t->n == 0)
		r.kind = TAPE_OWNER;
	if (r.kind == TAPE_OTHER) {
		tape_say(t, dice(2) ? "raw {\"type\":\"request\"}" : "nil");
		return;
	}
	if (r.kind != TAPE_OWNER)
		wild_epoch(t, &r);
	if (r.kind != TAPE_OWNER)
		snprintf(r.item, sizeof(r.item), "%s", item_names[dice(N_ITEMS)]);
	if (r.kind == TAPE_SUPPLY) {
		r.ver = 1 + dice(6);
		r.supply = dice(4);
	} else if (r.kind != TAPE_OWNER) {
		snprintf(r.order, sizeof(r.order), "o%d", dice(N_ORDERS));
		/* most orders stay with their item */
		if (dice(8))
			snprintf(r.item, sizeof(r.item), "%s",
				item_names[(r.order[1] - '0') % N_ITEMS]);
		snprintf(r.reason, sizeof(r.reason), "EXPIRED");
	}
	tape_append(t, r);
}

static struct tape *wild_tape(uint64_t seed)
{
	struct tape *t = tape_new(0);

	dice_seed(seed);
	for (int k = 0; k < N_STEPS; k++)
		wild_record(t);
	return t;
}

#define N_WILD 600

Test(request_log_model, the_fold_is_the_model_after_every_record)
{
	size_t n_effects[LOG_RELEASED + 1] = { 0 };

	for (uint64_t seed = 0; seed < N_WILD; seed++) {
		CLEANUP(tape_free) struct tape *t = wild_tape(seed);
		CLEANUP(request_log_free) struct request_log *l = log_new();
		enum log_effect want[TAPE_MAX];
		CLEANUP(model_free) struct model *m = model_of(t, want);

		for (size_t k = 0; k < t->n; k++) {
			fold(l, t, k, k + 1, want, seed);
			check_items(l, m, k + 1, seed);
			n_effects[want[k]]++;
		}
		check_orders(l, m, 0, t->n, seed);
		cr_assert(eq(i64, request_log_epoch(l), t->owner));
	}
	/* Chance has met everything. */
	for (size_t e = 0; e < ARRAY_LEN(n_effects); e++)
		cr_expect(gt(sz, n_effects[e], N_WILD / 2), "effect %zu", e);
}

/* What the fold of the first @n records would write as item @i's snapshot. */
static void snapshot_of(struct request_log *into, const struct tape *t, size_t n, size_t i)
{
	CLEANUP(request_log_free) struct request_log *l = log_new();
	const struct log_item *item;
	struct stock s;

	fold(l, t, 0, n, NULL, 0);
	item = request_log_item(l, tape_item(item_names[i]));
	if (!item)
		return;
	s = (struct stock){ .item = item->item,
		.ver = { { 1, n } },
		.supply = item->supply,
		.taken = item->taken,
		/* either is true: nothing between the two moved it */
		.through = dice(2) ? item->through : t->v[0].offset + (int64_t)n };
	cr_assert(zero(int, request_log_snapshot(into, &s)));
}

Test(request_log_model, from_any_snapshots_the_fold_is_the_same)
{
	for (uint64_t seed = 0; seed < N_WILD / 3; seed++) {
		CLEANUP(tape_free) struct tape *t = wild_tape(seed);
		CLEANUP(request_log_free) struct request_log *l = log_new();
		enum log_effect want[TAPE_MAX];
		CLEANUP(model_free) struct model *m = model_of(t, want);

		/* Each item's at a place of its own; perhaps several, in no order. */
		for (int k = 0; k < 2 * N_ITEMS; k++)
			if (dice(4))
				snapshot_of(l, t, (size_t)dice((int)t->n + 1), (size_t)k % N_ITEMS);
		fold(l, t, 0, t->n, want, seed);
		check_items(l, m, t->n, seed);
		check_orders(l, m, 0, t->n, seed);
	}
}

Test(request_log_model, a_log_given_twice_or_in_parts_again_changes_nothing)
{
	for (uint64_t seed = 0; seed < N_WILD / 3; seed++) {
		CLEANUP(tape_free) struct tape *t = wild_tape(seed);
		CLEANUP(request_log_free) struct request_log *l = log_new();
		enum log_effect want[TAPE_MAX];
		CLEANUP(model_free) struct model *m = model_of(t, want);
		size_t at = 0;

		while (at < t->n) {
			size_t back = (size_t)dice((int)at + 1);
			size_t to = at + 1 + (size_t)dice((int)(t->n - at));

			for (size_t k = back; k < at; k++) {
				enum log_effect effect;

				cr_assert(zero(int, tape_apply(l, &t->v[k], arena, &effect, NULL)));
				cr_assert(eq(int, (int)effect, LOG_REPEAT));
			}
			fold(l, t, at, to, want, seed);
			at = to;
		}
		check_items(l, m, t->n, seed);
		check_orders(l, m, 0, t->n, seed);
	}
}

/* ---- honest logs ---- */

#define N_ACTORS      3
#define N_SNAPSHOTS   64
#define N_HONEST      300
#define N_ACTIONS     90
#define ORDERS_HONEST 40

/* A process: it knows the log up to `next`, and believes that it owns the partition while `epoch`
 * is not below 0. */
struct actor {
	struct request_log *log;
	size_t next;
	int64_t epoch;
};

struct snapshot {
	size_t item;
	struct stock stock;
};

struct world {
	struct tape *t;
	struct actor actors[N_ACTORS];
	struct snapshot snapshots[N_SNAPSHOTS];
	size_t n_snapshots, n_stale;
	int64_t inventory_ver[N_ITEMS], inventory[N_ITEMS]; /* what the shop consigns */
	bool may_lower;
};

static void actor_read(struct world *w, struct actor *a, size_t to)
{
	for (; a->next < to; a->next++) {
		enum log_effect effect;

		cr_assert(zero(int, tape_apply(a->log, &w->t->v[a->next], arena, &effect, NULL)));
	}
}

/* As a new process does: snapshots, then the log from its beginning. */
static void actor_restart(struct world *w, struct actor *a)
{
	request_log_free(a->log);
	*a = (struct actor){ .log = log_new(), .epoch = -1 };
	for (size_t i = 0; i < w->n_snapshots; i++) {
		struct stock s = w->snapshots[i].stock;

		s.item = tape_item(item_names[w->snapshots[i].item]);
		cr_assert(zero(int, request_log_snapshot(a->log, &s)));
	}
}

/* The group gave the partition to @a. Whoever had it is not told. */
static void actor_claim(struct world *w, struct actor *a)
{
	if (dice(2))
		actor_restart(w, a);
	a->epoch = tape_say(w->t, "own")->offset;
	actor_read(w, a, w->t->n);
}

/*
 * Writes under the epoch it believes in. The owner's report has the expected offset, and it folds
 * its own record. A replaced one may write more before a report tells it.
 */
static void actor_write(struct world *w, struct actor *a, struct tape_record r)
{
	bool is_owner = a->epoch == w->t->owner;

	snprintf(r.epoch, sizeof(r.epoch), "%lld", (long long)a->epoch);
	tape_append(w->t, r);
	if (is_owner) {
		actor_read(w, a, w->t->n);
		return;
	}
	w->n_stale++;
	if (dice(3) == 0) {
		a->epoch = -1;
		actor_read(w, a, w->t->n);
	}
}

static void actor_supply(struct world *w, struct actor *a, size_t item)
{
	const struct log_item *known = request_log_item(a->log, tape_item(item_names[item]));
	struct tape_record r = {
		.kind = TAPE_SUPPLY, .ver = w->inventory_ver[item], .supply = w->inventory[item]
	};

	if (known && known->supply_ver.part[0] >= (uint64_t)r.ver)
		return;
	snprintf(r.item, sizeof(r.item), "%s", item_names[item]);
	actor_write(w, a, r);
}

static void actor_decide(struct world *w, struct actor *a)
{
	struct tape_record r = { .kind = TAPE_REFUSAL, .reason = "SOLD_OUT" };
	int n = dice(ORDERS_HONEST);

	snprintf(r.order, sizeof(r.order), "o%d", n);
	snprintf(r.item, sizeof(r.item), "%s", item_names[n % N_ITEMS]);
	if (request_log_order(a->log, str_of(r.order)))
		return; /* decided, as far as it knows */
	if (request_log_free_units(a->log, tape_item(r.item)) > 0 && dice(10))
		r.kind = TAPE_REQUEST;
	actor_write(w, a, r);
}

static void actor_release(struct world *w, struct actor *a)
{
	struct tape_record r = { .kind = TAPE_RELEASE, .reason = "EXPIRED" };
	int n = dice(ORDERS_HONEST);
	const struct log_order *o;

	snprintf(r.order, sizeof(r.order), "o%d", n);
	snprintf(r.item, sizeof(r.item), "%s", item_names[n % N_ITEMS]);
	o = request_log_order(a->log, str_of(r.order));
	if (o && o->state == LOGGED_TAKEN)
		actor_write(w, a, r);
}

/* Also one that was replaced writes these: true as of its `through`. */
static void actor_snapshot(struct world *w, const struct actor *a)
{
	size_t i = (size_t)dice(N_ITEMS);
	const struct log_item *item = request_log_item(a->log, tape_item(item_names[i]));

	if (!item || w->n_snapshots == N_SNAPSHOTS)
		return;
	w->snapshots[w->n_snapshots] =
		(struct snapshot){ i, { .ver = { { (uint64_t)a->epoch, w->n_snapshots } },
					      .supply = item->supply,
					      .taken = item->taken,
					      .through = item->through } };
	w->n_snapshots++;
}

static void world_act(struct world *w)
{
	struct actor *a = &w->actors[dice(N_ACTORS)];
	size_t item = (size_t)dice(N_ITEMS);
	int what = dice(20);

	if (what == 0) {
		actor_claim(w, a);
	} else if (what == 1) {
		w->inventory_ver[item]++;
		w->inventory[item] = w->may_lower ? dice(5) : w->inventory[item] + dice(2);
	} else if (what == 2) {
		actor_restart(w, a);
	} else if (a->epoch < 0) {
		actor_read(w, a, a->next + (size_t)dice((int)(w->t->n - a->next) + 1));
	} else if (what < 6) {
		actor_supply(w, a, item);
	} else if (what < 14) {
		actor_decide(w, a);
	} else if (what < 18) {
		actor_release(w, a);
	} else {
		actor_snapshot(w, a);
	}
}

static struct world *world_run(uint64_t seed, bool may_lower)
{
	struct world *w = calloc(1, sizeof(*w));

	cr_assert(w != NULL);
	dice_seed(seed);
	w->t = tape_new(0);
	w->may_lower = may_lower;
	for (size_t i = 0; i < N_ITEMS; i++) {
		w->inventory_ver[i] = 1;
		w->inventory[i] = 1 + dice(3);
	}
	for (size_t i = 0; i < N_ACTORS; i++)
		actor_restart(w, &w->actors[i]);
	actor_claim(w, &w->actors[0]);
	for (int k = 0; k < N_ACTIONS; k++)
		world_act(w);
	return w;
}

static struct world *world_free(struct world *w)
{
	if (!w)
		return NULL;
	for (size_t i = 0; i < N_ACTORS; i++)
		request_log_free(w->actors[i].log);
	tape_free(w->t);
	free(w);
	return NULL;
}
DEFINE_CLEANUP(struct world *, world_free)

static void check_nothing_is_sold_twice(const struct world *w, const struct model *m, uint64_t seed)
{
	for (size_t k = 0; k < w->t->n; k++) {
		for (size_t i = 0; i < N_ITEMS; i++) {
			int64_t taken = model_taken(m, item_names[i], k + 1);
			int64_t units = model_units(m, item_names[i], k + 1);
			bool is_new = m->is_counted[k] && is_same(w->t->v[k].item, item_names[i]);

			cr_assert(ge(i64, taken, 0));
			if (is_new || !w->may_lower)
				cr_assert(le(i64, taken, units), "seed %llu, item %s at %zu",
					(unsigned long long)seed, item_names[i], k);
		}
	}
}

/* One answer each, and one request at most: the executor pays for no second one. */
static void check_answers(const struct world *w, const enum log_effect *effects, uint64_t seed)
{
	for (int n = 0; n < ORDERS_HONEST; n++) {
		char id[TAPE_WORD_MAX];
		int n_answers = 0, n_releases = 0;
		bool is_taken = false;

		snprintf(id, sizeof(id), "o%d", n);
		for (size_t k = 0; k < w->t->n; k++) {
			if (!is_same(w->t->v[k].order, id))
				continue;
			n_answers += effects[k] == LOG_TAKEN || effects[k] == LOG_REFUSED;
			n_releases += effects[k] == LOG_RELEASED;
			is_taken = is_taken || effects[k] == LOG_TAKEN;
			cr_assert(ne(int, (int)effects[k], LOG_BEYOND), "seed %llu, %s",
				(unsigned long long)seed, id);
		}
		cr_assert(le(int, n_answers, 1), "seed %llu, %s", (unsigned long long)seed, id);
		cr_assert(le(int, n_releases, is_taken), "seed %llu, %s", (unsigned long long)seed,
			id);
	}
}

static void check_world(struct world *w, uint64_t seed)
{
	enum log_effect effects[TAPE_MAX];
	CLEANUP(model_free) struct model *m = model_of(w->t, effects);
	CLEANUP(request_log_free) struct request_log *fresh = log_new();

	check_nothing_is_sold_twice(w, m, seed);
	check_answers(w, effects, seed);
	fold(fresh, w->t, 0, w->t->n, effects, seed);
	check_items(fresh, m, w->t->n, seed);
	check_orders(fresh, m, 0, w->t->n, seed);
	for (size_t i = 0; i < N_ACTORS; i++) {
		actor_read(w, &w->actors[i], w->t->n);
		check_items(w->actors[i].log, m, w->t->n, seed);
		check_orders(w->actors[i].log, m, 0, w->t->n, seed);
	}
}

Test(request_log_model, owners_that_are_replaced_unawares_never_sell_a_unit_twice)
{
	size_t n_stale = 0;

	for (uint64_t seed = 0; seed < N_HONEST; seed++) {
		CLEANUP(world_free) struct world *w = world_run(seed, false);

		check_world(w, seed);
		n_stale += w->n_stale;
	}
	cr_expect(gt(sz, n_stale, N_HONEST), "there were enough that did not know");
}

Test(request_log_model, with_a_supply_that_is_lowered_no_new_unit_is_taken_beyond_it)
{
	for (uint64_t seed = 10000; seed < 10000 + N_HONEST; seed++) {
		CLEANUP(world_free) struct world *w = world_run(seed, true);

		check_world(w, seed);
	}
}

/* Whether retention may take what lies before @from: no order reaches over it. */
static bool may_cut(const struct world *w, size_t from)
{
	for (size_t k = from; k < w->t->n; k++)
		for (size_t j = 0; j < from; j++)
			if (w->t->v[k].order[0] && is_same(w->t->v[j].order, w->t->v[k].order))
				return false;
	return true;
}

Test(request_log_model, without_its_beginning_the_log_and_its_snapshots_give_the_same_stock)
{
	size_t n_cut = 0;

	for (uint64_t seed = 20000; seed < 20000 + N_HONEST; seed++) {
		CLEANUP(world_free) struct world *w = world_run(seed, true);
		enum log_effect effects[TAPE_MAX];
		CLEANUP(model_free) struct model *m = model_of(w->t, effects);

		for (size_t from = 1; from < w->t->n; from++) {
			CLEANUP(request_log_free) struct request_log *l = NULL;

			if (w->t->v[from].kind != TAPE_OWNER || !may_cut(w, from))
				continue;
			l = log_new();
			n_cut++;
			for (size_t i = 0; i < N_ITEMS; i++) {
				size_t n = from + (size_t)dice((int)(w->t->n - from) + 1);

				snapshot_of(l, w->t, n, i);
			}
			fold(l, w->t, from, w->t->n, NULL, seed);
			check_items(l, m, w->t->n, seed);
			check_orders(l, m, from, w->t->n, seed);
		}
	}
	cr_expect(gt(sz, n_cut, N_HONEST / 10));
}
