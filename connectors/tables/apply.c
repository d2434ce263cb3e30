/*
 * A record's way: read, then written to Redis with its version, or sent to the dead letters. Redis
 * answers one cache's commands in order, so records of one key need no care, except where the row
 * is read before it is written: there the next record of a key waits for the one before.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/io/dead_letter.h"
#include "connectors/tables/breaker.h"
#include "connectors/tables/market_feeds.h"
#include "connectors/tables/table_shard.h"

static void add(struct table_shard *s, struct item *item)
{
	TAILQ_INSERT_TAIL(&s->items, item, link);
	s->n_items++;
}

static bool took(struct table_shard *s, int err, const char *what)
{
	if (!err)
		return true;
	table_shard_stall(s, err == -ENOTCONN, what, err);
	return false;
}

/* The answer's item, if its shard still waits for it; its loader's orphan is freed. */
static struct table_shard *claim(struct item *item)
{
	struct table_shard *s = item->shard;

	if (!s) {
		TAILQ_REMOVE(&item->loader->orphans, item, link);
		free(item);
	}
	return s;
}

static int start_kept(struct item *item);

/* Takes @item out of its bucket; the next record of its key may go. */
static bool release(struct table_shard *s, struct item *item)
{
	struct item *next = item->next_same;

	if (!item->is_kept)
		return true;
	LIST_REMOVE(item, same_bucket);
	item->is_kept = false;
	return !next || took(s, start_kept(next), "row not read");
}

static void done(struct table_shard *s, struct item *item)
{
	item->state = ITEM_DONE;
	if (release(s, item))
		table_shard_progress(s);
}

/* What needs no answer still takes its turn. */
static bool pass(struct table_shard *s, const struct bus_record *r)
{
	struct item *item = item_new(s, r, false);

	if (!item)
		return took(s, -ENOMEM, "no memory");
	item->state = ITEM_DONE;
	add(s, item);
	table_shard_progress(s);
	return true;
}

/* ---- dead letters ---- */

static void on_dead_letter(void *ctx, int err, int32_t partition, int64_t offset)
{
	struct item *item = ctx;
	struct table_shard *s = claim(item);

	(void)partition;
	(void)offset;
	if (!s)
		return;
	if (err) {
		item->state = ITEM_WAITING;
		table_shard_stall(s, false, "dead letter not taken", err);
		return;
	}
	counter_add(s->loader->n.dead_letters, 1);
	done(s, item);
}

static bool bad(struct table_shard *s, const struct bus_record *r, int reason, const char *why)
{
	struct item *item;
	int err;

	counter_add(s->loader->n.bad, 1);
	if (r->offset < s->lettered)
		return pass(s, r);
	item = item_new(s, r, false);
	if (!item)
		return took(s, -ENOMEM, "no memory");
	err = dead_letter_send(s->loader->bus, s->table->dead_letters, r, table_reason_text(reason),
		why, on_dead_letter, item);
	if (err) {
		free(item);
		return took(s, err, "dead letter not taken");
	}
	log_warn("tables", "bad record, sent to the dead letters",
		"topic=%s partition=%d offset=%lld reason=%s why=%s", r->topic, (int)r->partition,
		(long long)r->offset, table_reason_text(reason), log_quote(str_of(why)));
	add(s, item);
	return true;
}

/* ---- rows ---- */

static void tell_held(const struct table_shard *s, const struct item *item)
{
	counter_add(s->loader->n.held, 1);
	log_warn("tables", "list price held by the breaker", "item=%s partition=%d offset=%lld",
		log_quote(item->record.key), (int)s->partition, (long long)item->offset);
}

static void on_written(void *ctx, int err, enum cache_outcome outcome)
{
	struct item *item = ctx;
	struct table_shard *s = claim(item);

	if (!s)
		return;
	if (err) {
		item->state = ITEM_WAITING;
		table_shard_stall(s, err == -ECONNRESET, "row not written", err);
		return;
	}
	counter_add(outcome == CACHE_APPLIED ? s->loader->n.applied : s->loader->n.stale, 1);
	if (outcome == CACHE_APPLIED && item->is_held)
		tell_held(s, item);
	s->n_rows++;
	done(s, item);
}

/* What is common to all writes; the caller adds the row. */
static int write_to(struct table_shard *s, const struct table_record *record, const struct row *row,
	struct item *item)
{
	struct cache_write w = { .key = record->key,
		.ver = record->ver,
		.gen = s->gen,
		.et = item->ts_ms,
		.src_partition = s->partition,
		.src_offset = item->offset,
		.row = row,
		.tombstone_ms = s->loader->tombstone_ms };

	return cache_write(s->loader->cache, &w, on_written, item);
}

static bool write_plain(
	struct table_shard *s, const struct bus_record *r, const struct table_record *record)
{
	struct item *item;
	struct row row;
	int err;

	if (record->kind == TABLE_ROW && table_row(s->table, record, &row, s->loader->arena))
		return bad(s, r, TABLE_E_TOO_LARGE, "no room left for this row");
	item = item_new(s, r, false);
	if (!item)
		return took(s, -ENOMEM, "no memory");
	err = write_to(s, record, record->kind == TABLE_ROW ? &row : NULL, item);
	if (err) {
		free(item);
		return took(s, err, "row not written");
	}
	add(s, item);
	return true;
}

/* ---- rows behind the breaker ---- */

/* The record in full again, judged by the row that is stored now. */
static int write_judged(struct table_shard *s, struct item *item, const struct cache_row *stored)
{
	struct arena *a = s->loader->arena;
	struct table_record record;
	char ver[VERSION_TEXT_MAX];
	struct inventory *inv = &record.as.inventory;
	struct row row;

	arena_reset(a);
	if (table_read(s->table, &item->record, &record, a, NULL))
		return -EINVAL;
	breaker_judge(inv, stored, item->is_confirmed);
	if (table_row(s->table, &record, &row, a))
		return -EINVAL;
	record.ver.n = version_format_stored(
		ver, breaker_version(inv->ver, s->gen, stored, item->is_confirmed));
	record.ver.p = ver;
	item->is_held = inv->held;
	return write_to(s, &record, &row, item);
}

static void on_stored(void *ctx, int err, const struct cache_row *rows, size_t n)
{
	struct item *item = ctx;
	struct table_shard *s = claim(item);

	(void)n;
	if (!s)
		return;
	if (!err)
		err = write_judged(s, item, &rows[0]);
	if (err) {
		item->state = ITEM_WAITING;
		table_shard_stall(s, err == -ECONNRESET || err == -ENOTCONN, "row not read", err);
	}
}

static int start_kept(struct item *item)
{
	struct table_shard *s = item->shard;
	struct table_record record = { .kind = TABLE_DELETE };
	char text[TABLE_KEY_MAX];
	int err;

	record.key = (struct str){ text, (size_t)snprintf(text, sizeof(text), "%s:{" STR_FMT "}",
						 s->table->prefix, STR_ARG(item->record.key)) };
	if (item->ver[0])
		record.ver = str_of(item->ver);
	if (str_is_set(item->record.value))
		err = cache_read(s->loader->cache, &record.key, 1, on_stored, item);
	else
		err = write_to(s, &record, NULL, item);
	item->state = err ? ITEM_WAITING : ITEM_OUT;
	return err;
}

static uint32_t hash_of(struct str s)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 16777619u;
	return h;
}

/* The youngest record of the same key that is under way. */
static struct item *same_key(struct table_shard *s, const struct item *item)
{
	struct item *other;

	LIST_FOREACH(other, &s->bucket[item->hash % SHARD_BUCKETS], same_bucket) {
		if (other->hash == item->hash && str_eq(other->record.key, item->record.key))
			return other;
	}
	return NULL;
}

static bool write_kept(
	struct table_shard *s, const struct bus_record *r, struct table_record *record)
{
	struct item *item, *before;
	struct row row;

	if (record->kind == TABLE_ROW) {
		record->as.inventory.list_ok = record->as.inventory.list;
		if (table_row(s->table, record, &row, s->loader->arena))
			return bad(s, r, TABLE_E_TOO_LARGE, "no room left for this row");
	}
	item = item_new(s, r, true);
	if (!item)
		return took(s, -ENOMEM, "no memory");
	item->is_confirmed = record->is_confirmed;
	if (record->kind == TABLE_DELETE && str_is_set(record->ver))
		memcpy(item->ver, record->ver.p, record->ver.n);
	item->hash = hash_of(r->key);
	item->state = ITEM_WAITING;
	before = same_key(s, item);
	LIST_INSERT_HEAD(&s->bucket[item->hash % SHARD_BUCKETS], item, same_bucket);
	add(s, item);
	if (before) {
		before->next_same = item;
		return true;
	}
	return took(s, start_kept(item), "row not read");
}

bool apply_record(struct table_shard *s, const struct bus_record *r)
{
	struct loader *loader = s->loader;
	struct table_record record;
	struct fault f = { .kind = FAULT_NONE };
	int reason;

	arena_reset(loader->arena);
	reason = table_read(s->table, r, &record, loader->arena, &f);
	if (reason)
		return bad(s, r, reason, f.text);
	if (record.kind == TABLE_ROW || record.kind == TABLE_DELETE) {
		return s->table->has_breaker ? write_kept(s, r, &record)
					     : write_plain(s, r, &record);
	}
	if (record.kind == TABLE_FEED) {
		counter_add(loader->n.feeds, 1);
		market_feeds_note(loader->feeds, s->partition, &record.as.feed);
	}
	return pass(s, r);
}
