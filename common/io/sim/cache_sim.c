/*
 * A command lives twice on the way: it is carried out when it reaches the store, and answered
 * later. An invalidation needs no time between, so with latency it overtakes the replies of reads
 * that were carried out before the change, as it does with Redis, where the two travel on two
 * connections. Everything that happens later is an event in one list, ordered by time and then by
 * age; one timer walks it, one event a turn, with the callback as the last act, so that a callback
 * may free its cache.
 *
 * Tests only: out of memory is an assert.
 */
#include "common/io/sim/cache_sim.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#define BUCKETS 4096

struct node {
	struct node *next;
	char text[];
};

struct entry {
	struct entry *next;
	struct str key;
	struct str text; /* a lease; p == NULL: a hash */
	struct row row;
	int64_t expires_us; /* 0: never */
	struct node *kept;  /* every text of this entry */
};

enum kind {
	READ,
	WRITE,
	FEED_OPEN,
	FEED_BEAT,
	SIDE_OPEN,
	SIDE_RAISE,
	LEASE_TAKE,
	LEASE_RENEW,
	LEASE_DROP,
	VIEW
};

struct cmd {
	enum kind kind;
	struct node *kept;
	struct str *keys;
	size_t n;
	struct str key;
	struct str value;
	int64_t ttl_ms;
	int32_t shards;
	struct row row;
	struct cache_write write;
	struct cache_feed feed;
	union {
		cache_read_fn read;
		cache_write_fn write;
		cache_bool_fn yes;
	} fn;
	void *ctx;
	/* The answer. */
	int err;
	bool yes;
	enum cache_outcome outcome;
	struct cache_row *rows;
};

enum event_kind { EVENT_EXEC, EVENT_REPLY, EVENT_CHANGED, EVENT_UP };

struct event {
	TAILQ_ENTRY(event) link;
	enum event_kind kind;
	int64_t due_us;
	struct cache_sim *cache;
	struct cmd *cmd;
	struct node *key; /* EVENT_CHANGED; NULL: everything */
};

struct cache_sim {
	struct cache base;
	LIST_ENTRY(cache_sim) link;
	struct sim_store *store;
	bool is_up;
	size_t in_flight;
	int64_t last_due_us;
	char *prefixes[8];
	size_t n_prefixes;
	cache_changed_fn changed;
	void *changed_ctx;
};

struct sim_store {
	struct loop *loop;
	struct loop_timer *timer;
	struct entry *bucket[BUCKETS];
	TAILQ_HEAD(event_list, event) events;
	LIST_HEAD(, cache_sim) caches;
	int64_t latency_us;
	bool is_down;
};

static struct str keep(struct node **list, struct str s)
{
	struct node *node;

	if (!s.p)
		return s;
	node = malloc(sizeof(*node) + s.n + 1);
	assert(node);
	if (s.n)
		memcpy(node->text, s.p, s.n);
	node->text[s.n] = '\0';
	node->next = *list;
	*list = node;
	return (struct str){ node->text, s.n };
}

static void nodes_free(struct node *node)
{
	while (node) {
		struct node *next = node->next;

		free(node);
		node = next;
	}
}

static void cmd_free(struct cmd *cmd)
{
	if (!cmd)
		return;
	nodes_free(cmd->kept);
	free(cmd->keys);
	free(cmd->rows);
	free(cmd);
}

/* ---- events ---- */

static void event_free(struct event *e)
{
	cmd_free(e->cmd);
	nodes_free(e->key);
	free(e);
}

static void arm(struct sim_store *s)
{
	struct event *first = TAILQ_FIRST(&s->events);
	int64_t wait_us;

	if (!first) {
		loop_timer_stop(s->timer);
		return;
	}
	wait_us = first->due_us - loop_mono_us(s->loop);
	loop_timer_start_us(s->timer, wait_us > 0 ? wait_us : 0);
}

static struct event *event_add(struct cache_sim *c, enum event_kind kind, int64_t due_us)
{
	struct sim_store *s = c->store;
	struct event *e = calloc(1, sizeof(*e));
	struct event *before = TAILQ_LAST(&s->events, event_list);

	assert(e);
	e->kind = kind;
	e->due_us = due_us;
	e->cache = c;
	while (before && before->due_us > due_us)
		before = TAILQ_PREV(before, event_list, link);
	if (before)
		TAILQ_INSERT_AFTER(&s->events, before, e, link);
	else
		TAILQ_INSERT_HEAD(&s->events, e, link);
	if (TAILQ_FIRST(&s->events) == e)
		arm(s);
	return e;
}

/* Events of one cache never overtake each other, whatever happens to the latency meanwhile. */
static int64_t due_in(struct cache_sim *c, int64_t delay_us)
{
	int64_t due_us = loop_mono_us(c->store->loop) + delay_us;

	if (due_us < c->last_due_us)
		due_us = c->last_due_us;
	c->last_due_us = due_us;
	return due_us;
}

static void tell(struct cache_sim *c, struct str key)
{
	struct event *e;

	if (!c->changed || !c->is_up)
		return;
	e = event_add(c, EVENT_CHANGED, loop_mono_us(c->store->loop));
	if (str_is_set(key)) {
		struct str kept = keep(&e->key, key);

		assert(kept.n == strlen(kept.p));
	}
}

static void tell_all(struct sim_store *s, struct str key)
{
	struct cache_sim *c;

	LIST_FOREACH(c, &s->caches, link) {
		for (size_t i = 0; i < c->n_prefixes; i++) {
			if (str_starts(key, str_of(c->prefixes[i]))) {
				tell(c, key);
				break;
			}
		}
	}
}

/* ---- the data ---- */

static struct entry **slot(struct sim_store *s, struct str key)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < key.n; i++)
		h = (h ^ (unsigned char)key.p[i]) * 16777619u;
	struct entry **at = &s->bucket[h % BUCKETS];

	while (*at && !str_eq((*at)->key, key))
		at = &(*at)->next;
	return at;
}

static void entry_remove(struct entry **at)
{
	struct entry *e = *at;

	*at = e->next;
	nodes_free(e->kept);
	free(e);
}

static struct entry *find(struct sim_store *s, struct str key)
{
	struct entry **at = slot(s, key);

	if (*at && (*at)->expires_us && (*at)->expires_us <= loop_mono_us(s->loop)) {
		entry_remove(at);
		tell_all(s, key);
		return NULL;
	}
	return *at;
}

/* An empty entry in the place of whatever was there. */
static struct entry *entry_new(struct sim_store *s, struct str key, int64_t ttl_ms)
{
	struct entry **at = slot(s, key);
	struct entry *e = calloc(1, sizeof(*e));

	assert(e);
	if (*at)
		entry_remove(at);
	e->next = *at;
	e->key = keep(&e->kept, key);
	e->expires_us = ttl_ms > 0 ? loop_mono_us(s->loop) + ttl_ms * 1000 : 0;
	*at = e;
	return e;
}

static void field_set(struct entry *e, struct str name, struct str value)
{
	for (size_t i = 0; i < e->row.n; i++) {
		if (str_eq(e->row.field[i].name, name)) {
			e->row.field[i].value = keep(&e->kept, value);
			return;
		}
	}
	int err = row_put(&e->row, keep(&e->kept, name), keep(&e->kept, value));

	assert(!err);
}

static void field_set_i64(struct entry *e, struct str name, int64_t value)
{
	char text[24];

	field_set(e, name, (struct str){ text, (size_t)sprintf(text, "%" PRId64, value) });
}

static void row_set(struct entry *e, const struct row *row)
{
	for (size_t i = 0; i < row->n; i++)
		field_set(e, row->field[i].name, row->field[i].value);
}

static struct str field_get(const struct entry *e, const char *name)
{
	return e ? row_get(&e->row, name) : STR_NONE;
}

/* ---- what the commands do ---- */

static bool is_own(struct str name)
{
	static const char *const own[] = { "ver", "et", "gen", "src", "del" };

	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		if (str_eqz(name, own[i]))
			return true;
	}
	return false;
}

static void read_one(struct cmd *cmd, const struct entry *e, struct cache_row *ret)
{
	bool is_stored = str_is_set(field_get(e, "src"));

	if (!e)
		return;
	ret->state = str_is_set(field_get(e, "del")) ? CACHE_TOMBSTONE : CACHE_PRESENT;
	for (size_t i = 0; i < e->row.n; i++) {
		struct row_field f = { keep(&cmd->kept, e->row.field[i].name),
			keep(&cmd->kept, e->row.field[i].value) };

		if (str_eqz(f.name, "ver") && f.value.n)
			ret->ver = f.value;
		else if (str_eqz(f.name, "src"))
			ret->src = f.value;
		else if (str_eqz(f.name, "gen"))
			(void)str_to_u64(f.value, &ret->gen);
		else if (str_eqz(f.name, "et"))
			(void)str_to_i64(f.value, &ret->et);
		if (!is_stored || !is_own(f.name))
			(void)row_put(&ret->row, f.name, f.value);
	}
}

static void do_read(struct sim_store *s, struct cmd *cmd)
{
	cmd->rows = calloc(cmd->n ? cmd->n : 1, sizeof(*cmd->rows));
	assert(cmd->rows);
	for (size_t i = 0; i < cmd->n; i++) {
		struct entry *e = find(s, cmd->keys[i]);

		if (e && str_is_set(e->text))
			cmd->err = -EIO;
		else
			read_one(cmd, e, &cmd->rows[i]);
	}
}

static bool src_is_beyond(struct str src, const struct cache_write *w)
{
	const char *colon = src.p ? memchr(src.p, ':', src.n) : NULL;
	int64_t partition, offset;

	if (!colon || str_to_i64((struct str){ src.p, (size_t)(colon - src.p) }, &partition) ||
		str_to_i64((struct str){ colon + 1, src.n - (size_t)(colon - src.p) - 1 }, &offset))
		return true;
	return partition == w->src_partition && w->src_offset > offset;
}

/* (gen, ver) higher than what is stored; the offset rules for a delete without a version. */
static bool is_higher(const struct entry *e, const struct cache_write *w)
{
	uint64_t gen = 0;
	struct str ver = field_get(e, "ver");

	if (!e)
		return true;
	(void)str_to_u64(field_get(e, "gen"), &gen);
	if (w->gen != gen)
		return w->gen > gen;
	if (!str_is_set(w->ver))
		return src_is_beyond(field_get(e, "src"), w);
	return str_cmp(w->ver, ver) > 0;
}

static void do_write(struct sim_store *s, struct cmd *cmd)
{
	const struct cache_write *w = &cmd->write;
	struct entry *e = find(s, w->key);
	uint64_t gen = 0;
	struct str ver = w->ver;
	char src[48], text[24];

	cmd->outcome = CACHE_STALE;
	if (!is_higher(e, w))
		return;
	(void)str_to_u64(field_get(e, "gen"), &gen);
	if (!str_is_set(ver))
		ver = e && gen == w->gen ? keep(&cmd->kept, field_get(e, "ver")) : STR("");
	if (!str_is_set(ver))
		ver = STR("");
	e = entry_new(s, w->key, w->row ? w->ttl_ms : w->tombstone_ms);
	if (w->row)
		row_set(e, w->row);
	else
		field_set(e, STR("del"), STR("1"));
	field_set(e, STR("ver"), ver);
	field_set(e, STR("gen"), (struct str){ text, (size_t)sprintf(text, "%" PRIu64, w->gen) });
	field_set_i64(e, STR("et"), w->et);
	sprintf(src, "%" PRId32 ":%" PRId64, w->src_partition, w->src_offset);
	field_set(e, STR("src"), str_of(src));
	cmd->outcome = CACHE_APPLIED;
	tell_all(s, w->key);
}

/* The same entry afresh, without the texts of values that were replaced: a feed is beaten for
 * ever. */
static struct entry *entry_again(struct sim_store *s, struct cmd *cmd, const struct entry *e)
{
	struct row row = { .n = 0 };

	for (size_t i = 0; e && i < e->row.n; i++) {
		row.field[i].name = keep(&cmd->kept, e->row.field[i].name);
		row.field[i].value = keep(&cmd->kept, e->row.field[i].value);
		row.n++;
	}
	struct entry *again = entry_new(s, cmd->feed.key, 0);

	row_set(again, &row);
	return again;
}

static void do_feed(struct sim_store *s, struct cmd *cmd)
{
	const struct cache_feed *f = &cmd->feed;
	struct entry *e = find(s, f->key);

	if (cmd->kind == FEED_OPEN) {
		cmd->yes = str_eqz(field_get(e, "complete"), "1");
		e = entry_again(s, cmd, e);
		field_set(e, STR("run"), f->run);
	} else {
		cmd->yes = e && str_eq(field_get(e, "run"), f->run);
		if (!cmd->yes)
			return;
		e = entry_again(s, cmd, e);
		field_set_i64(e, STR("alive_at"), f->alive_at);
		field_set_i64(e, STR("lag_ms"), f->lag_ms);
		field_set(e, STR("gap"), f->gap ? STR("1") : STR("0"));
		if (f->complete)
			field_set(e, STR("complete"), STR("1"));
	}
	tell_all(s, f->key);
}

static void do_side_open(struct sim_store *s, struct cmd *cmd)
{
	struct entry *e = find(s, cmd->key);

	if (!e)
		e = entry_new(s, cmd->key, 0);
	field_set_i64(e, STR("shards"), cmd->shards);
	if (!str_is_set(field_get(e, "gen")))
		field_set(e, STR("gen"), STR("1"));
	cmd->n = 1;
	cmd->rows = calloc(1, sizeof(*cmd->rows));
	assert(cmd->rows);
	read_one(cmd, e, cmd->rows);
	tell_all(s, cmd->key);
}

/* Every key `<side>:…`. */
static void remove_shards(struct sim_store *s, struct str side)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct entry **at = &s->bucket[i]; *at;) {
			const struct str key = (*at)->key;

			if (key.n > side.n && str_starts(key, side) && key.p[side.n] == ':') {
				tell_all(s, key);
				entry_remove(at);
			} else {
				at = &(*at)->next;
			}
		}
	}
}

/* The side's gen goes up and its shards' feeds are gone, in one step. */
static void do_side_raise(struct sim_store *s, struct cmd *cmd)
{
	struct entry *e = find(s, cmd->key);
	uint64_t gen = 0;

	cmd->n = 1;
	cmd->rows = calloc(1, sizeof(*cmd->rows));
	assert(cmd->rows);
	if (e) {
		if (str_to_u64(field_get(e, "gen"), &gen))
			gen = 0;
		field_set_i64(e, STR("gen"), (int64_t)gen + 1);
		remove_shards(s, cmd->key);
		tell_all(s, cmd->key);
	}
	read_one(cmd, e, cmd->rows);
}

static void do_lease(struct sim_store *s, struct cmd *cmd)
{
	struct entry *e = find(s, cmd->key);

	if (cmd->kind == LEASE_TAKE)
		cmd->yes = !e;
	else
		cmd->yes = e && str_is_set(e->text) && str_eq(e->text, cmd->value);
	if (!cmd->yes)
		return;
	if (cmd->kind == LEASE_TAKE) {
		e = entry_new(s, cmd->key, cmd->ttl_ms);
		e->text = keep(&e->kept, cmd->value);
	} else if (cmd->kind == LEASE_RENEW) {
		e->expires_us = loop_mono_us(s->loop) + cmd->ttl_ms * 1000;
	} else {
		entry_remove(slot(s, cmd->key));
	}
	tell_all(s, cmd->key);
}

static void execute(struct sim_store *s, struct cmd *cmd)
{
	switch (cmd->kind) {
	case READ:
		do_read(s, cmd);
		break;
	case WRITE:
		do_write(s, cmd);
		break;
	case FEED_OPEN:
	case FEED_BEAT:
		do_feed(s, cmd);
		break;
	case SIDE_OPEN:
		do_side_open(s, cmd);
		break;
	case SIDE_RAISE:
		do_side_raise(s, cmd);
		break;
	case LEASE_TAKE:
	case LEASE_RENEW:
	case LEASE_DROP:
		do_lease(s, cmd);
		break;
	case VIEW:
		row_set(entry_new(s, cmd->key, cmd->ttl_ms), &cmd->row);
		cmd->yes = true;
		tell_all(s, cmd->key);
		break;
	}
}

static void answer(struct cmd *cmd)
{
	switch (cmd->kind) {
	case READ:
	case SIDE_OPEN:
	case SIDE_RAISE:
		if (cmd->fn.read)
			cmd->fn.read(cmd->ctx, cmd->err, cmd->err ? NULL : cmd->rows,
				cmd->err ? 0 : cmd->n);
		break;
	case WRITE:
		if (cmd->fn.write)
			cmd->fn.write(cmd->ctx, cmd->err, cmd->outcome);
		break;
	default:
		if (cmd->fn.yes)
			cmd->fn.yes(cmd->ctx, cmd->err, !cmd->err && cmd->yes);
	}
}

static size_t cost(const struct cmd *cmd)
{
	return cmd->kind == READ ? cmd->n : 1;
}

static void turn(void *ctx)
{
	struct sim_store *s = ctx;
	struct event *e = TAILQ_FIRST(&s->events);
	struct cache_sim *c = e->cache;

	TAILQ_REMOVE(&s->events, e, link);
	switch (e->kind) {
	case EVENT_EXEC:
		execute(s, e->cmd);
		event_add(c, EVENT_REPLY, due_in(c, s->latency_us - s->latency_us / 2))->cmd =
			TAKE(e->cmd);
		arm(s);
		break;
	case EVENT_REPLY:
		c->in_flight -= cost(e->cmd);
		arm(s);
		answer(e->cmd);
		break;
	case EVENT_UP:
		c->is_up = true;
		arm(s);
		if (c->changed)
			c->changed(c->changed_ctx, STR_NONE);
		break;
	case EVENT_CHANGED:
		arm(s);
		if (c->changed)
			c->changed(c->changed_ctx, e->key ? str_of(e->key->text) : STR_NONE);
		break;
	}
	event_free(e);
}

/* ---- the cache ---- */

static struct cache_sim *sim(struct cache *c)
{
	return (struct cache_sim *)c;
}

static int submit(struct cache_sim *c, const struct cmd *model, void *ctx)
{
	struct sim_store *s = c->store;
	struct cmd *cmd;

	if (!c->is_up)
		return -ENOTCONN;
	if (c->in_flight + cost(model) > CACHE_IN_FLIGHT_MAX)
		return -ENOBUFS;
	cmd = malloc(sizeof(*cmd));
	assert(cmd);
	*cmd = *model;
	cmd->ctx = ctx;
	if (model->keys) {
		cmd->keys = calloc(cmd->n, sizeof(*cmd->keys));
		assert(cmd->keys);
		for (size_t i = 0; i < cmd->n; i++)
			cmd->keys[i] = keep(&cmd->kept, model->keys[i]);
	}
	cmd->key = keep(&cmd->kept, cmd->key);
	cmd->value = keep(&cmd->kept, cmd->value);
	cmd->feed.key = keep(&cmd->kept, cmd->feed.key);
	cmd->feed.run = keep(&cmd->kept, cmd->feed.run);
	cmd->write.key = keep(&cmd->kept, cmd->write.key);
	cmd->write.ver = keep(&cmd->kept, cmd->write.ver);
	for (size_t i = 0; i < cmd->row.n; i++) {
		struct row_field *f = &cmd->row.field[i];

		f->name = keep(&cmd->kept, f->name);
		f->value = keep(&cmd->kept, f->value);
	}
	if (cmd->write.row)
		cmd->write.row = &cmd->row;
	c->in_flight += cost(cmd);
	event_add(c, EVENT_EXEC, due_in(c, s->latency_us / 2))->cmd = cmd;
	return 0;
}

static void sim_free(struct cache *base)
{
	struct cache_sim *c = sim(base);
	struct sim_store *s = c->store;
	struct event *e, *next;

	for (e = TAILQ_FIRST(&s->events); e; e = next) {
		next = TAILQ_NEXT(e, link);
		if (e->cache == c) {
			TAILQ_REMOVE(&s->events, e, link);
			event_free(e);
		}
	}
	arm(s);
	LIST_REMOVE(c, link);
	for (size_t i = 0; i < c->n_prefixes; i++)
		free(c->prefixes[i]);
	free(c);
}

static bool sim_is_up(const struct cache *c)
{
	return ((const struct cache_sim *)c)->is_up;
}

static size_t sim_in_flight(const struct cache *c)
{
	return ((const struct cache_sim *)c)->in_flight;
}

static int sim_read(struct cache *c, const struct str *keys, size_t n, cache_read_fn fn, void *ctx)
{
	struct cmd cmd = { .kind = READ, .keys = (struct str *)keys, .n = n, .fn.read = fn };

	assert(n > 0 && n <= CACHE_KEYS_MAX);
	return submit(sim(c), &cmd, ctx);
}

static int sim_write(struct cache *c, const struct cache_write *w, cache_write_fn fn, void *ctx)
{
	struct cmd cmd = { .kind = WRITE, .write = *w, .fn.write = fn };

	assert(str_is_set(w->ver) || !w->row);
	assert(w->row || w->tombstone_ms > 0);
	assert(w->ttl_ms >= 0 && (w->row || !w->ttl_ms));
	assert(!w->row || w->row->n <= CACHE_FIELDS_MAX);
	if (w->row)
		cmd.row = *w->row;
	return submit(sim(c), &cmd, ctx);
}

static int sim_feed_open(
	struct cache *c, struct str key, struct str run, cache_bool_fn fn, void *ctx)
{
	struct cmd cmd = { .kind = FEED_OPEN, .feed = { .key = key, .run = run }, .fn.yes = fn };

	return submit(sim(c), &cmd, ctx);
}

static int sim_feed_beat(struct cache *c, const struct cache_feed *f, cache_bool_fn fn, void *ctx)
{
	struct cmd cmd = { .kind = FEED_BEAT, .feed = *f, .fn.yes = fn };

	return submit(sim(c), &cmd, ctx);
}

static int sim_side_open(
	struct cache *c, struct str side, int32_t shards, cache_read_fn fn, void *ctx)
{
	char key[64];
	struct cmd cmd = { .kind = SIDE_OPEN, .shards = shards, .fn.read = fn };

	assert(side.n <= CACHE_SIDE_MAX);
	cmd.key = (struct str){ key, (size_t)sprintf(key, "feed:{" STR_FMT "}", STR_ARG(side)) };
	return submit(sim(c), &cmd, ctx);
}

static int sim_side_raise(struct cache *c, struct str side, cache_read_fn fn, void *ctx)
{
	char key[64];
	struct cmd cmd = { .kind = SIDE_RAISE, .fn.read = fn };

	assert(side.n <= CACHE_SIDE_MAX);
	cmd.key = (struct str){ key, (size_t)sprintf(key, "feed:{" STR_FMT "}", STR_ARG(side)) };
	return submit(sim(c), &cmd, ctx);
}

static int lease(struct cache *c, enum kind kind, struct str key, struct str value, int64_t ttl_ms,
	cache_bool_fn fn, void *ctx)
{
	struct cmd cmd = {
		.kind = kind, .key = key, .value = value, .ttl_ms = ttl_ms, .fn.yes = fn
	};

	assert(kind == LEASE_DROP || ttl_ms > 0);
	return submit(sim(c), &cmd, ctx);
}

static int sim_lease_take(struct cache *c, struct str key, struct str value, int64_t ttl_ms,
	cache_bool_fn fn, void *ctx)
{
	return lease(c, LEASE_TAKE, key, value, ttl_ms, fn, ctx);
}

static int sim_lease_renew(struct cache *c, struct str key, struct str value, int64_t ttl_ms,
	cache_bool_fn fn, void *ctx)
{
	return lease(c, LEASE_RENEW, key, value, ttl_ms, fn, ctx);
}

static int sim_lease_drop(
	struct cache *c, struct str key, struct str value, cache_bool_fn fn, void *ctx)
{
	return lease(c, LEASE_DROP, key, value, 0, fn, ctx);
}

static int sim_view_put(struct cache *c, struct str key, const struct row *row, int64_t ttl_ms,
	cache_bool_fn fn, void *ctx)
{
	struct cmd cmd = { .kind = VIEW, .key = key, .row = *row, .ttl_ms = ttl_ms, .fn.yes = fn };

	assert(row->n > 0);
	return submit(sim(c), &cmd, ctx);
}

static int sim_track(
	struct cache *base, const char *const *prefixes, size_t n, cache_changed_fn fn, void *ctx)
{
	struct cache_sim *c = sim(base);

	assert(!c->changed && n > 0 && n <= ARRAY_LEN(c->prefixes));
	for (size_t i = 0; i < n; i++) {
		c->prefixes[i] = strdup(prefixes[i]);
		assert(c->prefixes[i]);
	}
	c->n_prefixes = n;
	c->changed = fn;
	c->changed_ctx = ctx;
	tell(c, STR_NONE);
	return 0;
}

static const struct cache_ops sim_ops = {
	.free = sim_free,
	.is_up = sim_is_up,
	.read = sim_read,
	.write = sim_write,
	.feed_open = sim_feed_open,
	.feed_beat = sim_feed_beat,
	.side_open = sim_side_open,
	.side_raise = sim_side_raise,
	.lease_take = sim_lease_take,
	.lease_renew = sim_lease_renew,
	.lease_drop = sim_lease_drop,
	.view_put = sim_view_put,
	.track = sim_track,
	.in_flight = sim_in_flight,
};

int cache_sim_new(struct cache **ret, struct sim_store *store)
{
	struct cache_sim *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->base.ops = &sim_ops;
	c->store = store;
	c->is_up = !store->is_down;
	LIST_INSERT_HEAD(&store->caches, c, link);
	*ret = &c->base;
	return 0;
}

/* ---- the store ---- */

int sim_store_new(struct sim_store **ret, struct loop *loop)
{
	struct sim_store *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->loop = loop;
	s->timer = loop_timer_new(loop, turn, s);
	if (!s->timer) {
		free(s);
		return -ENOMEM;
	}
	TAILQ_INIT(&s->events);
	LIST_INIT(&s->caches);
	*ret = s;
	return 0;
}

static void clear(struct sim_store *s)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		while (s->bucket[i])
			entry_remove(&s->bucket[i]);
	}
}

struct sim_store *sim_store_free(struct sim_store *s)
{
	if (!s)
		return NULL;
	assert(LIST_EMPTY(&s->caches));
	clear(s);
	loop_timer_free(s->timer);
	free(s);
	return NULL;
}

/* What was in flight is answered with -ECONNRESET, done or not; invalidations on the way are
 * lost. */
static void lose(struct cache_sim *c)
{
	struct sim_store *s = c->store;
	int64_t now_us = loop_mono_us(s->loop);
	struct event *e, *next;
	struct event_list failed = TAILQ_HEAD_INITIALIZER(failed);

	for (e = TAILQ_FIRST(&s->events); e; e = next) {
		next = TAILQ_NEXT(e, link);
		if (e->cache != c)
			continue;
		TAILQ_REMOVE(&s->events, e, link);
		if (e->cmd)
			TAILQ_INSERT_TAIL(&failed, e, link);
		else
			event_free(e);
	}
	c->last_due_us = 0;
	while ((e = TAILQ_FIRST(&failed))) {
		TAILQ_REMOVE(&failed, e, link);
		e->cmd->err = -ECONNRESET;
		event_add(c, EVENT_REPLY, now_us)->cmd = TAKE(e->cmd);
		event_free(e);
	}
	if (c->is_up)
		tell(c, STR_NONE);
	c->is_up = false;
	arm(s);
}

void sim_store_set_down(struct sim_store *s, bool down)
{
	struct cache_sim *c;

	if (s->is_down == down)
		return;
	s->is_down = down;
	LIST_FOREACH(c, &s->caches, link) {
		if (down)
			lose(c);
		else
			event_add(c, EVENT_UP, due_in(c, s->latency_us));
	}
}

void sim_store_flush(struct sim_store *s)
{
	struct cache_sim *c;

	clear(s);
	LIST_FOREACH(c, &s->caches, link)
		tell(c, STR_NONE);
}

void sim_store_drop(struct sim_store *s, const char *key)
{
	struct entry **at = slot(s, str_of(key));

	if (*at)
		entry_remove(at);
}

void sim_cache_lose_tracking(struct cache *base)
{
	struct cache_sim *c = sim(base);

	if (!c->is_up)
		return;
	lose(c);
	event_add(c, EVENT_UP, due_in(c, c->store->latency_us));
}

void sim_store_set_latency(struct sim_store *s, int64_t us)
{
	s->latency_us = us;
}

struct str sim_store_get(struct sim_store *s, const char *key, const char *field)
{
	struct entry *e = find(s, str_of(key));

	if (!e)
		return STR_NONE;
	return field ? field_get(e, field) : e->text;
}
