/*
 * Cases in the words of cache.h. Nothing here waits for a time: await() pumps until the answer is
 * there, and gives up after far more turns than any answer takes.
 */
#include "tests/conformance/cache_suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define TURNS_MAX 1000 /* of about 10 ms */

#define CHECK(cond) \
	do { \
		if (!(cond) && !h->failure[0]) \
			snprintf(h->failure, sizeof(h->failure), "line %d: %s", __LINE__, #cond); \
	} while (0)

/* 20 digits a part. */
#define VER(a, b, c, d) \
	("0000000000000000000" #a ".0000000000000000000" #b ".0000000000000000000" #c \
	 ".0000000000000000000" #d)
#define VER_10 "00000000000000000010.00000000000000000000.00000000000000000000.00000000000000000000"

struct answer {
	bool is_there;
	int err;
	bool yes;
	enum cache_outcome outcome;
	size_t n;
	enum cache_row_state state;
	char ver[128], src[64], a[256], b[256];
	size_t a_len;
	uint64_t gen;
	int64_t et;
	size_t n_fields;
};

static void await(struct cache_harness *h, const bool *done)
{
	for (int i = 0; i < TURNS_MAX && !*done; i++)
		h->pump(h->ctx);
	CHECK(*done);
}

static void copy_field(const struct row *row, const char *name, char ret[256])
{
	struct str s = row_get(row, name);

	snprintf(ret, 256, STR_FMT, STR_ARG(str_is_set(s) ? s : STR("-")));
}

static void on_read(void *ctx, int err, const struct cache_row *rows, size_t n)
{
	struct answer *a = ctx;

	a->is_there = true;
	a->err = err;
	a->n = n;
	if (!n)
		return;
	a->state = rows[0].state;
	a->gen = rows[0].gen;
	a->et = rows[0].et;
	a->n_fields = rows[0].row.n;
	a->a_len = row_get(&rows[0].row, "a").n;
	snprintf(a->ver, sizeof(a->ver), STR_FMT, STR_ARG(rows[0].ver));
	snprintf(a->src, sizeof(a->src), STR_FMT, STR_ARG(rows[0].src));
	copy_field(&rows[0].row, "a", a->a);
	copy_field(&rows[0].row, "b", a->b);
}

static void on_write(void *ctx, int err, enum cache_outcome outcome)
{
	struct answer *a = ctx;

	a->is_there = true;
	a->err = err;
	a->outcome = outcome;
}

static void on_bool(void *ctx, int err, bool yes)
{
	struct answer *a = ctx;

	a->is_there = true;
	a->err = err;
	a->yes = yes;
}

static struct cache *connected(struct cache_harness *h)
{
	struct cache *c = h->make(h->ctx);

	for (int i = 0; i < TURNS_MAX && !cache_is_up(c); i++)
		h->pump(h->ctx);
	CHECK(cache_is_up(c));
	return c;
}

static struct answer read_key(struct cache_harness *h, struct cache *c, const char *key)
{
	struct str k = str_of(key);
	struct answer a = { .err = 0 };

	CHECK(cache_read(c, &k, 1, on_read, &a) == 0);
	await(h, &a.is_there);
	CHECK(a.err == 0 && a.n == 1);
	return a;
}

static enum cache_outcome write_row(
	struct cache_harness *h, struct cache *c, const struct cache_write *w)
{
	struct answer a = { .err = 0 };

	CHECK(cache_write(c, w, on_write, &a) == 0);
	await(h, &a.is_there);
	CHECK(a.err == 0);
	return a.outcome;
}

/* Writes {a: value} at partition 1, offset 10. */
static enum cache_outcome put(struct cache_harness *h, struct cache *c, const char *key,
	uint64_t gen, const char *ver, const char *value)
{
	struct row row = { .n = 1, .field[0] = { STR("a"), str_of(value) } };

	return write_row(h, c,
		&(struct cache_write){ .key = str_of(key),
			.ver = str_of(ver),
			.gen = gen,
			.et = 1795334400123,
			.src_partition = 1,
			.src_offset = 10,
			.row = &row });
}

static enum cache_outcome del(struct cache_harness *h, struct cache *c, uint64_t gen,
	const char *ver, int32_t partition, int64_t offset)
{
	return write_row(h, c,
		&(struct cache_write){ .key = STR("profile:{u}"),
			.ver = str_of(ver),
			.gen = gen,
			.et = 7,
			.src_partition = partition,
			.src_offset = offset,
			.tombstone_ms = 60000 });
}

static bool feed_open(struct cache_harness *h, struct cache *c, const char *run)
{
	struct answer a = { .err = 0 };

	CHECK(cache_feed_open(c, STR("feed:{profile}:3"), str_of(run), on_bool, &a) == 0);
	await(h, &a.is_there);
	CHECK(a.err == 0);
	return a.yes;
}

static bool feed_beat(struct cache_harness *h, struct cache *c, const char *run, bool complete)
{
	struct answer a = { .err = 0 };
	struct cache_feed f = { .key = STR("feed:{profile}:3"),
		.run = str_of(run),
		.alive_at = 1795334400123,
		.lag_ms = 17,
		.gap = true,
		.complete = complete };

	CHECK(cache_feed_beat(c, &f, on_bool, &a) == 0);
	await(h, &a.is_there);
	CHECK(a.err == 0);
	return a.yes;
}

typedef int (*lease_fn)(struct cache *, struct str, struct str, int64_t, cache_bool_fn, void *);

static bool lease(
	struct cache_harness *h, struct cache *c, lease_fn fn, const char *value, int64_t ttl_ms)
{
	struct answer a = { .err = 0 };

	CHECK(fn(c, STR("gw:{7}"), str_of(value), ttl_ms, on_bool, &a) == 0);
	await(h, &a.is_there);
	CHECK(a.err == 0);
	return a.yes;
}

static bool lease_drop(struct cache_harness *h, struct cache *c, const char *value)
{
	struct answer a = { .err = 0 };

	CHECK(cache_lease_drop(c, STR("gw:{7}"), str_of(value), on_bool, &a) == 0);
	await(h, &a.is_there);
	return a.yes;
}

/* ---- rows ---- */

void cache_suite_a_row_is_read_back_with_its_version_and_source(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);
	struct answer a;

	CHECK(put(h, c, "profile:{u}", 3, VER(1, 2, 0, 0), "x") == CACHE_APPLIED);
	a = read_key(h, c, "profile:{u}");
	CHECK(a.state == CACHE_PRESENT);
	CHECK(!strcmp(a.ver, VER(1, 2, 0, 0)));
	CHECK(a.gen == 3 && a.et == 1795334400123);
	CHECK(!strcmp(a.src, "1:10"));
	CHECK(!strcmp(a.a, "x"));
	CHECK(a.n_fields == 1);
}

void cache_suite_a_missing_row_is_missing(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);
	struct answer a = read_key(h, c, "profile:{nobody}");

	CHECK(a.state == CACHE_MISSING);
	CHECK(a.n_fields == 0 && a.gen == 0 && !a.ver[0]);
}

void cache_suite_only_a_higher_version_replaces_a_row(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);

	CHECK(put(h, c, "profile:{u}", 1, VER(5, 0, 0, 0), "five") == CACHE_APPLIED);
	CHECK(put(h, c, "profile:{u}", 1, VER(4, 9, 0, 0), "four") == CACHE_STALE);
	CHECK(put(h, c, "profile:{u}", 1, VER(5, 0, 0, 0), "again") == CACHE_STALE);
	CHECK(!strcmp(read_key(h, c, "profile:{u}").a, "five"));
	CHECK(put(h, c, "profile:{u}", 1, VER(5, 0, 0, 1), "more") == CACHE_APPLIED);
	CHECK(!strcmp(read_key(h, c, "profile:{u}").a, "more"));
}

void cache_suite_versions_compare_as_numbers_part_by_part(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);

	CHECK(put(h, c, "profile:{u}", 1, VER(9, 9, 9, 9), "9") == CACHE_APPLIED);
	CHECK(put(h, c, "profile:{u}", 1, VER_10, "10") == CACHE_APPLIED);
	CHECK(put(h, c, "profile:{u}", 1, VER(9, 9, 9, 9), "9") == CACHE_STALE);
	CHECK(put(h, c, "profile:{v}", 1,
		      "18446744073709551615.00000000000000000000.00000000000000000000."
		      "00000000000000000001",
		      "max") == CACHE_APPLIED);
	CHECK(put(h, c, "profile:{v}", 1,
		      "18446744073709551614.99999999999999999999.00000000000000000000."
		      "00000000000000000001",
		      "below") == CACHE_STALE);
}

void cache_suite_a_write_replaces_the_whole_row(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);
	struct row row = { .n = 2, .field = { { STR("a"), STR("1") }, { STR("b"), STR("2") } } };
	struct answer a;

	CHECK(write_row(h, c,
		      &(struct cache_write){ .key = STR("profile:{u}"),
			      .ver = str_of(VER(1, 0, 0, 0)),
			      .gen = 1,
			      .row = &row }) == CACHE_APPLIED);
	a = read_key(h, c, "profile:{u}");
	CHECK(!strcmp(a.b, "2") && a.n_fields == 2);
	CHECK(put(h, c, "profile:{u}", 1, VER(2, 0, 0, 0), "3") == CACHE_APPLIED);
	a = read_key(h, c, "profile:{u}");
	CHECK(!strcmp(a.a, "3") && !strcmp(a.b, "-"));
	CHECK(a.n_fields == 1);
	CHECK(write_row(h, c,
		      &(struct cache_write){ .key = STR("profile:{u}"),
			      .ver = str_of(VER(3, 0, 0, 0)),
			      .gen = 1,
			      .row = &(struct row){ .n = 0 } }) == CACHE_APPLIED);
	a = read_key(h, c, "profile:{u}");
	CHECK(a.state == CACHE_PRESENT && a.n_fields == 0);
}

static enum cache_outcome put_ttl(
	struct cache_harness *h, struct cache *c, const char *ver, int64_t ttl_ms)
{
	struct row row = { .n = 1, .field[0] = { STR("a"), STR("x") } };

	return write_row(h, c,
		&(struct cache_write){ .key = STR("order:{o}"),
			.ver = str_of(ver),
			.gen = 1,
			.row = &row,
			.ttl_ms = ttl_ms });
}

/* About 300 ms. */
static struct answer read_later(struct cache_harness *h, struct cache *c)
{
	for (int i = 0; i < 30; i++)
		h->pump(h->ctx);
	return read_key(h, c, "order:{o}");
}

void cache_suite_a_row_with_a_ttl_expires(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);

	CHECK(put_ttl(h, c, VER(5, 0, 0, 0), 100) == CACHE_APPLIED);
	CHECK(read_later(h, c).state == CACHE_MISSING);
	/* Nothing is left that a lower version would have to beat. */
	CHECK(put_ttl(h, c, VER(1, 0, 0, 0), 60000) == CACHE_APPLIED);
	CHECK(!strcmp(read_later(h, c).ver, VER(1, 0, 0, 0)));
}

void cache_suite_a_later_write_replaces_the_ttl(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);

	CHECK(put_ttl(h, c, VER(1, 0, 0, 0), 100) == CACHE_APPLIED);
	CHECK(put_ttl(h, c, VER(2, 0, 0, 0), 0) == CACHE_APPLIED);
	CHECK(read_later(h, c).state == CACHE_PRESENT);
	CHECK(put_ttl(h, c, VER(3, 0, 0, 0), 60000) == CACHE_APPLIED);
	CHECK(read_later(h, c).state == CACHE_PRESENT);
	CHECK(put_ttl(h, c, VER(4, 0, 0, 0), 100) == CACHE_APPLIED);
	CHECK(read_later(h, c).state == CACHE_MISSING);
}

void cache_suite_a_stale_write_leaves_the_ttl(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);

	CHECK(put_ttl(h, c, VER(5, 0, 0, 0), 100) == CACHE_APPLIED);
	CHECK(put_ttl(h, c, VER(5, 0, 0, 0), 0) == CACHE_STALE);
	CHECK(put_ttl(h, c, VER(4, 0, 0, 0), 60000) == CACHE_STALE);
	CHECK(read_later(h, c).state == CACHE_MISSING);
}

void cache_suite_gen_beats_version_and_compares_as_a_number(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);

	CHECK(put(h, c, "profile:{u}", 9, VER(5, 0, 0, 0), "9") == CACHE_APPLIED);
	CHECK(put(h, c, "profile:{u}", 10, VER(1, 0, 0, 0), "10") == CACHE_APPLIED);
	CHECK(put(h, c, "profile:{u}", 9, VER(8, 0, 0, 0), "late") == CACHE_STALE);
	/* Beyond what a double tells apart. */
	CHECK(put(h, c, "profile:{u}", 9007199254740992, VER(1, 0, 0, 0), "x") == CACHE_APPLIED);
	CHECK(put(h, c, "profile:{u}", 9007199254740993, VER(1, 0, 0, 0), "y") == CACHE_APPLIED);
	CHECK(put(h, c, "profile:{u}", 9007199254740992, VER(9, 0, 0, 0), "z") == CACHE_STALE);
	CHECK(put(h, c, "profile:{u}", UINT64_MAX, VER(1, 0, 0, 0), "max") == CACHE_APPLIED);
	CHECK(read_key(h, c, "profile:{u}").gen == UINT64_MAX);
}

void cache_suite_values_are_bytes(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);
	struct row row = { .n = 2,
		.field = { { STR("a"), STR("line\r\n\0\xff$5\r\n") }, { STR("b"), STR("") } } };
	struct answer a;

	CHECK(write_row(h, c,
		      &(struct cache_write){ .key = STR("profile:{\xc3\xa4 \r\n}"),
			      .ver = str_of(VER(1, 0, 0, 0)),
			      .gen = 1,
			      .row = &row }) == CACHE_APPLIED);
	a = read_key(h, c, "profile:{\xc3\xa4 \r\n}");
	CHECK(a.state == CACHE_PRESENT && a.a_len == 12);
	CHECK(!strcmp(a.b, ""));
}

/* ---- tombstones ---- */

void cache_suite_a_versioned_delete_leaves_a_tombstone(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);
	struct answer a;

	put(h, c, "profile:{u}", 1, VER(3, 0, 0, 0), "x");
	CHECK(del(h, c, 1, VER(3, 0, 0, 0), 1, 11) == CACHE_STALE);
	CHECK(del(h, c, 1, VER(4, 0, 0, 0), 1, 11) == CACHE_APPLIED);
	a = read_key(h, c, "profile:{u}");
	CHECK(a.state == CACHE_TOMBSTONE && a.n_fields == 0);
	CHECK(!strcmp(a.ver, VER(4, 0, 0, 0)) && !strcmp(a.src, "1:11"));
	CHECK(a.gen == 1 && a.et == 7);
}

void cache_suite_a_late_update_does_not_resurrect(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);

	put(h, c, "profile:{u}", 1, VER(3, 0, 0, 0), "x");
	CHECK(del(h, c, 1, VER(5, 0, 0, 0), 1, 11) == CACHE_APPLIED);
	CHECK(put(h, c, "profile:{u}", 1, VER(4, 0, 0, 0), "late") == CACHE_STALE);
	CHECK(read_key(h, c, "profile:{u}").state == CACHE_TOMBSTONE);
}

void cache_suite_a_newer_update_replaces_a_tombstone(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);
	struct answer a;

	CHECK(write_row(h, c,
		      &(struct cache_write){ .key = STR("profile:{u}"),
			      .ver = str_of(VER(5, 0, 0, 0)),
			      .gen = 1,
			      .tombstone_ms = 100 }) == CACHE_APPLIED);
	CHECK(put(h, c, "profile:{u}", 1, VER(6, 0, 0, 0), "back") == CACHE_APPLIED);
	/* It does not inherit the tombstone's expiry. */
	for (int i = 0; i < 30; i++)
		h->pump(h->ctx);
	a = read_key(h, c, "profile:{u}");
	CHECK(a.state == CACHE_PRESENT && !strcmp(a.a, "back"));
	CHECK(a.n_fields == 1);
}

void cache_suite_a_tombstone_expires(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);

	CHECK(write_row(h, c,
		      &(struct cache_write){ .key = STR("profile:{u}"),
			      .ver = str_of(VER(5, 0, 0, 0)),
			      .gen = 1,
			      .tombstone_ms = 100 }) == CACHE_APPLIED);
	for (int i = 0; i < 30; i++)
		h->pump(h->ctx);
	CHECK(read_key(h, c, "profile:{u}").state == CACHE_MISSING);
}

void cache_suite_a_delete_by_offset_needs_the_same_partition_and_a_later_offset(
	struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);
	struct answer a;

	put(h, c, "profile:{u}", 2, VER(3, 0, 0, 0), "x"); /* 1:10 */
	CHECK(del(h, c, 2, NULL, 1, 10) == CACHE_STALE);
	CHECK(del(h, c, 2, NULL, 1, 9) == CACHE_STALE); /* 9 < 10 as numbers */
	CHECK(del(h, c, 2, NULL, 0, 100) == CACHE_STALE);
	CHECK(del(h, c, 1, NULL, 1, 100) == CACHE_STALE); /* an older gen */
	CHECK(read_key(h, c, "profile:{u}").state == CACHE_PRESENT);
	CHECK(del(h, c, 2, NULL, 1, 100) == CACHE_APPLIED);
	a = read_key(h, c, "profile:{u}");
	CHECK(a.state == CACHE_TOMBSTONE);
	CHECK(!strcmp(a.ver, VER(3, 0, 0, 0)) && !strcmp(a.src, "1:100"));
	/* The replay of what was deleted. */
	CHECK(put(h, c, "profile:{u}", 2, VER(3, 0, 0, 0), "x") == CACHE_STALE);
}

void cache_suite_a_delete_by_offset_of_nothing_lets_any_version_follow(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);
	struct answer a;

	CHECK(del(h, c, 1, NULL, 1, 5) == CACHE_APPLIED);
	a = read_key(h, c, "profile:{u}");
	CHECK(a.state == CACHE_TOMBSTONE && !a.ver[0] && !strcmp(a.src, "1:5"));
	CHECK(put(h, c, "profile:{u}", 1, VER(0, 0, 0, 0), "x") == CACHE_APPLIED);
	CHECK(read_key(h, c, "profile:{u}").state == CACHE_PRESENT);
}

void cache_suite_a_delete_by_offset_of_a_higher_gen_forgets_the_version(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);

	put(h, c, "profile:{u}", 1, VER(7, 0, 0, 0), "x");
	CHECK(del(h, c, 2, NULL, 0, 1) == CACHE_APPLIED);
	CHECK(put(h, c, "profile:{u}", 2, VER(1, 0, 0, 0), "new") == CACHE_APPLIED);
	CHECK(!strcmp(read_key(h, c, "profile:{u}").a, "new"));
}

/* ---- feeds ---- */

static void on_feed(void *ctx, int err, const struct cache_row *rows, size_t n)
{
	struct answer *a = ctx;
	const struct row *row = &rows[0].row;

	a->is_there = true;
	a->err = err;
	a->n = n;
	snprintf(a->a, sizeof(a->a), STR_FMT "/" STR_FMT "/" STR_FMT "/" STR_FMT "/" STR_FMT,
		STR_ARG(row_get(row, "run")), STR_ARG(row_get(row, "alive_at")),
		STR_ARG(row_get(row, "lag_ms")), STR_ARG(row_get(row, "gap")),
		STR_ARG(row_get(row, "complete")));
}

static struct answer read_feed(struct cache_harness *h, struct cache *c)
{
	struct str key = STR("feed:{profile}:3");
	struct answer a = { .err = 0 };

	CHECK(cache_read(c, &key, 1, on_feed, &a) == 0);
	await(h, &a.is_there);
	CHECK(a.err == 0 && a.n == 1);
	return a;
}

void cache_suite_a_feed_opens_beats_and_completes(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);

	CHECK(!feed_open(h, c, "r1"));
	CHECK(feed_beat(h, c, "r1", false));
	CHECK(!strcmp(read_feed(h, c).a, "r1/1795334400123/17/1/"));
	CHECK(feed_beat(h, c, "r1", true));
	CHECK(!strcmp(read_feed(h, c).a, "r1/1795334400123/17/1/1"));
	CHECK(feed_beat(h, c, "r1", false));
	CHECK(!strcmp(read_feed(h, c).a, "r1/1795334400123/17/1/1"));
}

void cache_suite_a_feed_beat_with_a_foreign_run_is_refused(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);

	CHECK(!feed_beat(h, c, "r1", true));
	CHECK(!feed_open(h, c, "r2"));
	CHECK(!feed_beat(h, c, "r1", true));
	CHECK(!strcmp(read_feed(h, c).a, "r2////"));
}

void cache_suite_a_feed_beat_after_a_flush_is_refused(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);

	CHECK(!feed_open(h, c, "r1"));
	CHECK(feed_beat(h, c, "r1", true));
	h->flush(h->ctx);
	CHECK(!feed_beat(h, c, "r1", true));
	CHECK(!feed_open(h, c, "r3"));
}

void cache_suite_a_feed_keeps_complete_on_takeover(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);

	CHECK(!feed_open(h, c, "r1"));
	CHECK(feed_beat(h, c, "r1", true));
	CHECK(feed_open(h, c, "r2"));
	CHECK(feed_beat(h, c, "r2", false));
	CHECK(!feed_beat(h, c, "r1", false));
	CHECK(!strcmp(read_feed(h, c).a, "r2/1795334400123/17/1/1"));
}

static void on_side(void *ctx, int err, const struct cache_row *rows, size_t n)
{
	struct answer *a = ctx;

	a->is_there = true;
	a->err = err;
	a->n = n;
	a->gen = rows[0].gen;
	snprintf(a->a, sizeof(a->a), STR_FMT, STR_ARG(row_get(&rows[0].row, "shards")));
}

static struct answer side_open(struct cache_harness *h, struct cache *c, int32_t shards)
{
	struct answer a = { .err = 0 };

	CHECK(cache_side_open(c, STR("profile"), shards, on_side, &a) == 0);
	await(h, &a.is_there);
	CHECK(a.err == 0 && a.n == 1);
	return a;
}

void cache_suite_a_side_opens_with_gen_1_and_keeps_a_higher_one(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);
	struct row raised = { .n = 1, .field[0] = { STR("gen"), STR("12") } };
	struct answer a = side_open(h, c, 4), done = { .err = 0 };

	CHECK(a.gen == 1 && !strcmp(a.a, "4"));
	CHECK(cache_view_put(c, STR("feed:{profile}"), &raised, 0, on_bool, &done) == 0);
	await(h, &done.is_there);
	a = side_open(h, c, 12);
	CHECK(a.gen == 12 && !strcmp(a.a, "12"));
}

static struct answer side_raise(struct cache_harness *h, struct cache *c, const char *side)
{
	struct answer a = { .err = 0 };

	CHECK(cache_side_raise(c, str_of(side), on_side, &a) == 0);
	await(h, &a.is_there);
	CHECK(a.err == 0 && a.n == 1);
	return a;
}

void cache_suite_a_raised_side_has_a_higher_gen_and_no_feeds(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);
	const struct cache_feed beat = {
		.key = STR("feed:{profile}:1"), .run = STR("run"), .alive_at = 1, .complete = true
	};
	const struct cache_feed other = {
		.key = STR("feed:{profiles}:1"), .run = STR("run"), .alive_at = 1
	};
	struct answer a = side_open(h, c, 4), opened = { .err = 0 }, beaten = { .err = 0 },
		      kept = { .err = 0 };

	CHECK(cache_feed_open(c, beat.key, beat.run, on_bool, &opened) == 0);
	await(h, &opened.is_there);
	opened = (struct answer){ .err = 0 };
	CHECK(cache_feed_open(c, other.key, other.run, on_bool, &opened) == 0);
	await(h, &opened.is_there);
	a = side_raise(h, c, "profile");
	CHECK(a.gen == 2 && !strcmp(a.a, "4"));
	CHECK(cache_feed_beat(c, &beat, on_bool, &beaten) == 0);
	await(h, &beaten.is_there);
	CHECK(!beaten.yes);
	CHECK(cache_feed_beat(c, &other, on_bool, &kept) == 0);
	await(h, &kept.is_there);
	CHECK(kept.yes);
	a = side_open(h, c, 4);
	CHECK(a.gen == 2);
}

void cache_suite_a_side_that_is_not_there_is_not_raised(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);

	CHECK(side_raise(h, c, "loyalty").gen == 0);
	CHECK(side_open(h, c, 3).gen == 1);
	CHECK(side_raise(h, c, "loyalty").gen == 0);
}

/* ---- leases and views ---- */

void cache_suite_a_lease_is_taken_once(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *one = connected(h);
	CLEANUP(cache_free) struct cache *two = connected(h);

	CHECK(lease(h, one, cache_lease_take, "one", 60000));
	CHECK(!lease(h, two, cache_lease_take, "two", 60000));
	CHECK(!lease(h, one, cache_lease_take, "one", 60000));
}

void cache_suite_a_lease_is_renewed_and_dropped_by_its_holder_only(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);

	CHECK(!lease(h, c, cache_lease_renew, "one", 60000));
	CHECK(lease(h, c, cache_lease_take, "one", 60000));
	CHECK(lease(h, c, cache_lease_renew, "one", 60000));
	CHECK(!lease(h, c, cache_lease_renew, "two", 60000));
	CHECK(!lease_drop(h, c, "two"));
	CHECK(lease_drop(h, c, "one"));
	CHECK(!lease_drop(h, c, "one"));
	CHECK(lease(h, c, cache_lease_take, "two", 60000));
}

void cache_suite_a_lease_expires(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);
	bool is_ours = false;

	CHECK(lease(h, c, cache_lease_take, "one", 60000));
	CHECK(lease(h, c, cache_lease_renew, "one", 100));
	for (int i = 0; i < 30; i++)
		h->pump(h->ctx);
	CHECK(!lease(h, c, cache_lease_renew, "one", 100));
	is_ours = lease(h, c, cache_lease_take, "two", 60000);
	CHECK(is_ours);
}

static bool view(struct cache_harness *h, struct cache *c, const struct row *row, int64_t ttl_ms)
{
	struct answer a = { .err = 0 };

	CHECK(cache_view_put(c, STR("stock:{i}"), row, ttl_ms, on_bool, &a) == 0);
	await(h, &a.is_there);
	CHECK(a.err == 0);
	return a.yes;
}

void cache_suite_a_view_replaces_and_expires(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);
	struct row one = { .n = 2,
		.field = { { STR("b"), STR("1") }, { STR("ver"), STR("7.2") } } };
	struct row two = { .n = 1, .field[0] = { STR("a"), STR("2") } };
	struct answer a;

	CHECK(view(h, c, &one, 0));
	a = read_key(h, c, "stock:{i}");
	CHECK(a.state == CACHE_PRESENT && a.n_fields == 2 && !strcmp(a.ver, "7.2"));
	CHECK(view(h, c, &two, 100));
	a = read_key(h, c, "stock:{i}");
	CHECK(a.n_fields == 1 && !strcmp(a.a, "2") && !a.ver[0]);
	for (int i = 0; i < 30; i++)
		h->pump(h->ctx);
	CHECK(read_key(h, c, "stock:{i}").state == CACHE_MISSING);
	CHECK(view(h, c, &two, 100));
	CHECK(view(h, c, &one, 0));
	for (int i = 0; i < 30; i++)
		h->pump(h->ctx);
	CHECK(read_key(h, c, "stock:{i}").state == CACHE_PRESENT);
}

/* ---- order ---- */

struct many {
	bool is_there;
	size_t n;
	size_t n_right;
};

static void on_many(void *ctx, int err, const struct cache_row *rows, size_t n)
{
	struct many *m = ctx;
	char want[32];

	m->is_there = true;
	m->n = err ? 0 : n;
	for (size_t i = 0; i < n; i++) {
		snprintf(want, sizeof(want), "v%zu", i);
		if (i % 3 == 0 ? rows[i].state == CACHE_MISSING
			       : str_eqz(row_get(&rows[i].row, "a"), want))
			m->n_right++;
	}
}

void cache_suite_rows_come_in_the_order_of_the_keys(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);
	static char names[CACHE_KEYS_MAX][32];
	static struct str keys[CACHE_KEYS_MAX];
	struct many m = { .n = 0 };

	for (size_t i = 0; i < CACHE_KEYS_MAX; i++) {
		char value[32];
		struct row row = { .n = 1, .field[0] = { STR("a"), { value, 0 } } };

		row.field[0].value.n = (size_t)snprintf(value, sizeof(value), "v%zu", i);
		keys[i].n = (size_t)snprintf(names[i], sizeof(names[i]), "profile:{%zu}", i);
		keys[i].p = names[i];
		if (i % 3 == 0)
			continue;
		CHECK(cache_write(c,
			      &(struct cache_write){ .key = keys[i],
				      .ver = str_of(VER(1, 0, 0, 0)),
				      .gen = 1,
				      .row = &row },
			      NULL, NULL) == 0);
	}
	CHECK(cache_read(c, keys, CACHE_KEYS_MAX, on_many, &m) == 0);
	await(h, &m.is_there);
	CHECK(m.n == CACHE_KEYS_MAX && m.n_right == CACHE_KEYS_MAX);
	CHECK(cache_in_flight(c) == 0);
}

struct order {
	char seen[16];
	size_t n;
	bool is_done;
};

static void note(struct order *o, char c)
{
	if (o->n < sizeof(o->seen) - 1)
		o->seen[o->n++] = c;
}

static void note_read(void *ctx, int err, const struct cache_row *rows, size_t n)
{
	struct order *o = ctx;

	/* The read stands behind the first write, before the second. */
	note(o, !err && n == 2 && str_eqz(row_get(&rows[0].row, "a"), "1") ? 'r' : '?');
}

static void note_write(void *ctx, int err, enum cache_outcome outcome)
{
	note(ctx, err || outcome != CACHE_APPLIED ? '?' : 'w');
}

static void note_lease(void *ctx, int err, bool yes)
{
	note(ctx, err || !yes ? '?' : 'l');
}

static void note_last(void *ctx, int err, bool yes)
{
	struct order *o = ctx;

	note(o, err || yes ? '?' : 'f');
	o->is_done = true;
}

void cache_suite_answers_come_in_the_order_of_the_commands(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);
	struct str keys[] = { STR("profile:{u}"), STR("profile:{none}") };
	struct row row = { .n = 1, .field[0] = { STR("a"), STR("1") } };
	struct cache_write w = {
		.key = keys[0], .ver = str_of(VER(1, 0, 0, 0)), .gen = 1, .row = &row
	};
	struct order o = { .n = 0 };

	CHECK(cache_write(c, &w, note_write, &o) == 0);
	CHECK(cache_read(c, keys, 2, note_read, &o) == 0);
	w.ver = str_of(VER(2, 0, 0, 0));
	row.field[0].value = STR("2");
	CHECK(cache_write(c, &w, note_write, &o) == 0);
	CHECK(cache_lease_take(c, STR("gw:{7}"), STR("x"), 60000, note_lease, &o) == 0);
	CHECK(cache_feed_open(c, STR("feed:{x}:0"), STR("r"), note_last, &o) == 0);
	CHECK(cache_in_flight(c) == 6);
	await(h, &o.is_done);
	CHECK(!strcmp(o.seen, "wrwlf"));
}

void cache_suite_no_callback_comes_from_inside_the_call(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);
	struct str key = STR("profile:{u}");
	struct answer a = { .err = 0 };

	CHECK(cache_read(c, &key, 1, on_read, &a) == 0);
	CHECK(!a.is_there);
	await(h, &a.is_there);
}

void cache_suite_a_callback_may_be_left_out(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);
	struct row row = { .n = 1, .field[0] = { STR("a"), STR("1") } };
	struct str key = STR("profile:{u}");

	CHECK(cache_write(c,
		      &(struct cache_write){
			      .key = key, .ver = str_of(VER(1, 0, 0, 0)), .gen = 1, .row = &row },
		      NULL, NULL) == 0);
	CHECK(cache_read(c, &key, 1, NULL, NULL) == 0);
	CHECK(cache_feed_open(c, STR("feed:{x}:0"), STR("r"), NULL, NULL) == 0);
	CHECK(!strcmp(read_key(h, c, "profile:{u}").a, "1"));
}

struct chain {
	struct cache *c;
	struct answer a;
	int err;
	bool was_freed;
};

static void on_first(void *ctx, int err, const struct cache_row *rows, size_t n)
{
	struct chain *chain = ctx;
	struct str key = STR("profile:{u}");

	(void)err;
	(void)rows;
	(void)n;
	chain->err = cache_read(chain->c, &key, 1, on_read, &chain->a);
}

void cache_suite_a_callback_may_give_a_command(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);
	struct chain chain = { .c = c };
	struct str key = STR("profile:{u}");

	CHECK(cache_read(c, &key, 1, on_first, &chain) == 0);
	await(h, &chain.a.is_there);
	CHECK(chain.err == 0 && chain.a.err == 0);
}

static void on_free(void *ctx, int err, const struct cache_row *rows, size_t n)
{
	struct chain *chain = ctx;

	(void)err;
	(void)rows;
	(void)n;
	chain->c = cache_free(chain->c);
	chain->was_freed = true;
}

void cache_suite_a_callback_may_free_the_cache(struct cache_harness *h)
{
	struct chain chain = { .c = connected(h) };
	struct str key = STR("profile:{u}");

	CHECK(cache_read(chain.c, &key, 1, on_free, &chain) == 0);
	CHECK(cache_read(chain.c, &key, 1, on_read, &chain.a) == 0);
	await(h, &chain.was_freed);
	for (int i = 0; i < 5; i++)
		h->pump(h->ctx);
	CHECK(!chain.a.is_there);
}

void cache_suite_freeing_drops_what_is_in_flight(struct cache_harness *h)
{
	struct cache *c = connected(h);
	struct str key = STR("profile:{u}");
	struct answer a = { .err = 0 };

	CHECK(cache_read(c, &key, 1, on_read, &a) == 0);
	cache_free(c);
	for (int i = 0; i < 5; i++)
		h->pump(h->ctx);
	CHECK(!a.is_there);
}

void cache_suite_too_many_in_flight_are_refused(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);
	static struct str keys[CACHE_KEYS_MAX];
	struct answer a = { .err = 0 };

	for (size_t i = 0; i < CACHE_KEYS_MAX; i++)
		keys[i] = STR("profile:{u}");
	for (size_t i = 0; i < CACHE_IN_FLIGHT_MAX; i += CACHE_KEYS_MAX)
		CHECK(cache_read(c, keys, CACHE_KEYS_MAX, on_read, &a) == 0);
	CHECK(cache_in_flight(c) == CACHE_IN_FLIGHT_MAX);
	CHECK(cache_read(c, keys, 1, on_read, &a) == -ENOBUFS);
	CHECK(cache_feed_open(c, STR("feed:{x}:0"), STR("r"), NULL, NULL) == -ENOBUFS);
	for (int i = 0; i < TURNS_MAX && cache_in_flight(c); i++)
		h->pump(h->ctx);
	CHECK(cache_in_flight(c) == 0);
	read_key(h, c, "profile:{u}");
}

/* ---- away and back ---- */

static void wait_down(struct cache_harness *h, struct cache *c)
{
	for (int i = 0; i < TURNS_MAX && cache_is_up(c); i++)
		h->pump(h->ctx);
	CHECK(!cache_is_up(c));
}

static void wait_up(struct cache_harness *h, struct cache *c)
{
	for (int i = 0; i < TURNS_MAX && !cache_is_up(c); i++)
		h->pump(h->ctx);
	CHECK(cache_is_up(c));
}

void cache_suite_commands_fail_at_once_while_the_server_is_away(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);
	struct str key = STR("profile:{u}");
	struct row row = { .n = 1, .field[0] = { STR("a"), STR("1") } };
	struct cache_write w = {
		.key = key, .ver = str_of(VER(1, 0, 0, 0)), .gen = 1, .row = &row
	};
	struct cache_feed f = { .key = STR("feed:{x}:0"), .run = STR("r") };

	h->down(h->ctx);
	wait_down(h, c);
	CHECK(cache_read(c, &key, 1, NULL, NULL) == -ENOTCONN);
	CHECK(cache_write(c, &w, NULL, NULL) == -ENOTCONN);
	CHECK(cache_feed_open(c, f.key, f.run, NULL, NULL) == -ENOTCONN);
	CHECK(cache_feed_beat(c, &f, NULL, NULL) == -ENOTCONN);
	CHECK(cache_side_open(c, STR("x"), 1, NULL, NULL) == -ENOTCONN);
	CHECK(cache_lease_take(c, key, key, 1, NULL, NULL) == -ENOTCONN);
	CHECK(cache_lease_renew(c, key, key, 1, NULL, NULL) == -ENOTCONN);
	CHECK(cache_lease_drop(c, key, key, NULL, NULL) == -ENOTCONN);
	CHECK(cache_view_put(c, key, &row, 0, NULL, NULL) == -ENOTCONN);
	h->up(h->ctx);
	wait_up(h, c);
}

struct reset {
	struct cache *c;
	struct str key;
	int n, n_reset, n_refused;
};

static void on_reset(void *ctx, int err, const struct cache_row *rows, size_t n)
{
	struct reset *r = ctx;

	(void)rows;
	(void)n;
	r->n++;
	r->n_reset += err == -ECONNRESET;
	r->n_refused += cache_read(r->c, &r->key, 1, NULL, NULL) == -ENOTCONN;
}

void cache_suite_commands_in_flight_are_reset_when_the_server_goes(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);
	struct reset r = { .c = c, .key = STR("profile:{u}") };

	/* Given, and before anything can be sent the server is gone. */
	for (int i = 0; i < 3; i++)
		CHECK(cache_read(c, &r.key, 1, on_reset, &r) == 0);
	h->down(h->ctx);
	wait_down(h, c);
	for (int i = 0; i < 5; i++)
		h->pump(h->ctx);
	CHECK(r.n == 3 && r.n_reset == 3);
	CHECK(r.n_refused == 3);
	CHECK(cache_in_flight(c) == 0);
	h->up(h->ctx);
	wait_up(h, c);
}

void cache_suite_it_works_again_when_the_server_is_back(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);

	h->down(h->ctx);
	wait_down(h, c);
	h->up(h->ctx);
	wait_up(h, c);
	CHECK(put(h, c, "profile:{u}", 1, VER(1, 0, 0, 0), "x") == CACHE_APPLIED);
	CHECK(!strcmp(read_key(h, c, "profile:{u}").a, "x"));
}

/* ---- tracking ---- */

struct changes {
	size_t n;
	bool any;
	char keys[16][64]; /* "*" = everything */
};

static void on_changed(void *ctx, struct str key)
{
	struct changes *ch = ctx;
	size_t i = ch->n++;

	ch->any = true;
	if (i < ARRAY_LEN(ch->keys))
		snprintf(ch->keys[i], sizeof(ch->keys[i]), STR_FMT,
			STR_ARG(str_is_set(key) ? key : STR("*")));
}

static void await_n(struct cache_harness *h, const struct changes *ch, size_t n)
{
	for (int i = 0; i < TURNS_MAX && ch->n < n; i++)
		h->pump(h->ctx);
	CHECK(ch->n == n);
	for (int i = 0; i < 3; i++)
		h->pump(h->ctx);
	CHECK(ch->n == n);
}

static const char *const tracked[] = { "profile:", "feed:" };

static struct cache *tracking(struct cache_harness *h, struct changes *ch)
{
	struct cache *c = h->make(h->ctx);

	CHECK(cache_track(c, tracked, 2, on_changed, ch) == 0);
	await_n(h, ch, 1);
	CHECK(cache_is_up(c));
	CHECK(!strcmp(ch->keys[0], "*"));
	ch->n = 0;
	return c;
}

void cache_suite_tracking_begins_with_forget_everything(struct cache_harness *h)
{
	struct changes ch = { .n = 0 };
	CLEANUP(cache_free) struct cache *c = tracking(h, &ch);

	(void)c;
}

void cache_suite_tracking_can_begin_late(struct cache_harness *h)
{
	struct changes ch = { .n = 0 };
	CLEANUP(cache_free) struct cache *c = connected(h);

	CHECK(cache_track(c, tracked, 2, on_changed, &ch) == 0);
	CHECK(cache_is_up(c) && ch.n == 0);
	await_n(h, &ch, 1);
	CHECK(!strcmp(ch.keys[0], "*"));
	put(h, c, "profile:{u}", 1, VER(1, 0, 0, 0), "x");
	await_n(h, &ch, 2);
	CHECK(!strcmp(ch.keys[1], "profile:{u}"));
}

void cache_suite_changes_by_anyone_are_told_in_order(struct cache_harness *h)
{
	struct changes ch = { .n = 0 };
	CLEANUP(cache_free) struct cache *c = tracking(h, &ch);
	CLEANUP(cache_free) struct cache *other = connected(h);

	put(h, other, "profile:{a}", 1, VER(1, 0, 0, 0), "x");
	await_n(h, &ch, 1);
	put(h, c, "profile:{b}", 1, VER(1, 0, 0, 0), "x");
	await_n(h, &ch, 2);
	put(h, other, "profile:{a}", 1, VER(2, 0, 0, 0), "x");
	await_n(h, &ch, 3);
	feed_open(h, other, "r1");
	await_n(h, &ch, 4);
	CHECK(!strcmp(ch.keys[0], "profile:{a}"));
	CHECK(!strcmp(ch.keys[1], "profile:{b}"));
	CHECK(!strcmp(ch.keys[2], "profile:{a}"));
	CHECK(!strcmp(ch.keys[3], "feed:{profile}:3"));
}

void cache_suite_changes_of_other_prefixes_are_not_told(struct cache_harness *h)
{
	struct changes ch = { .n = 0 };
	CLEANUP(cache_free) struct cache *c = tracking(h, &ch);

	put(h, c, "inventory:{i}", 1, VER(1, 0, 0, 0), "x");
	CHECK(lease(h, c, cache_lease_take, "one", 60000));
	put(h, c, "profile:{u}", 1, VER(1, 0, 0, 0), "x");
	await_n(h, &ch, 1);
	CHECK(!strcmp(ch.keys[0], "profile:{u}"));
}

void cache_suite_a_stale_write_is_not_told(struct cache_harness *h)
{
	struct changes ch = { .n = 0 };
	CLEANUP(cache_free) struct cache *c = tracking(h, &ch);

	put(h, c, "profile:{u}", 1, VER(2, 0, 0, 0), "x");
	await_n(h, &ch, 1);
	CHECK(put(h, c, "profile:{u}", 1, VER(1, 0, 0, 0), "x") == CACHE_STALE);
	await_n(h, &ch, 1);
}

void cache_suite_a_flush_forgets_everything(struct cache_harness *h)
{
	struct changes ch = { .n = 0 };
	CLEANUP(cache_free) struct cache *c = tracking(h, &ch);

	put(h, c, "profile:{u}", 1, VER(2, 0, 0, 0), "x");
	await_n(h, &ch, 1);
	h->flush(h->ctx);
	await_n(h, &ch, 2);
	CHECK(!strcmp(ch.keys[1], "*"));
	CHECK(read_key(h, c, "profile:{u}").state == CACHE_MISSING);
}

struct lost {
	struct changes ch;
	size_t n_answers_then; /* when the first "everything" came */
	size_t n_answers;
};

static void on_lost_change(void *ctx, struct str key)
{
	struct lost *l = ctx;

	if (l->ch.n == 0)
		l->n_answers_then = l->n_answers;
	on_changed(&l->ch, key);
}

static void on_lost_answer(void *ctx, int err, const struct cache_row *rows, size_t n)
{
	struct lost *l = ctx;

	(void)err;
	(void)rows;
	(void)n;
	l->n_answers++;
}

void cache_suite_a_lost_server_forgets_everything_and_again_when_back(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = h->make(h->ctx);
	struct lost l = { .n_answers = 0 };
	struct str key = STR("profile:{u}");

	CHECK(cache_track(c, tracked, 2, on_lost_change, &l) == 0);
	await_n(h, &l.ch, 1);
	l.ch.n = 0;
	CHECK(cache_read(c, &key, 1, on_lost_answer, &l) == 0);
	h->down(h->ctx);
	await_n(h, &l.ch, 1);
	CHECK(!cache_is_up(c));
	CHECK(l.n_answers == 1 && l.n_answers_then == 1);
	h->up(h->ctx);
	await_n(h, &l.ch, 2);
	CHECK(cache_is_up(c));
	CHECK(!strcmp(l.ch.keys[0], "*") && !strcmp(l.ch.keys[1], "*"));
	put(h, c, "profile:{u}", 1, VER(1, 0, 0, 0), "x");
	await_n(h, &l.ch, 3);
	CHECK(!strcmp(l.ch.keys[2], "profile:{u}"));
}

struct follow {
	struct cache *c;
	struct answer a;
};

static void on_follow(void *ctx, struct str key)
{
	struct follow *f = ctx;

	if (str_is_set(key))
		(void)cache_read(f->c, &key, 1, on_read, &f->a);
}

void cache_suite_a_read_after_an_invalidation_sees_the_change(struct cache_harness *h)
{
	CLEANUP(cache_free) struct cache *c = connected(h);
	CLEANUP(cache_free) struct cache *other = connected(h);
	struct follow f = { .c = c };

	CHECK(cache_track(c, tracked, 2, on_follow, &f) == 0);
	for (int i = 0; i < 20; i++)
		h->pump(h->ctx);
	for (int i = 1; i <= 9; i++) {
		char ver[84], value[2] = { (char)('0' + i), '\0' };

		snprintf(ver, sizeof(ver), "%s", VER(0, 0, 0, 0));
		ver[19] = value[0];
		f.a.is_there = false;
		put(h, other, "profile:{u}", 1, ver, value);
		await(h, &f.a.is_there);
		CHECK(!strcmp(f.a.a, value));
	}
}
