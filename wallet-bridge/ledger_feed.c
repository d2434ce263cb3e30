#include "wallet-bridge/ledger_feed.h"

#include <errno.h>
#include <stdlib.h>

#include "common/model/offer.h"
#include "common/model/topics.h"

#define NOT_READ INT64_MAX

struct ledger_feed {
	struct bus_reader *reader;
	struct arena *scratch;
	struct counter *unreadable;
	const struct ledger_feed_ops *ops;
	void *ctx;
	int32_t n;
	int64_t *next; /* by partition; NOT_READ */
};

int ledger_feed_new(struct ledger_feed **ret, struct bus_reader *reader, struct arena *scratch,
	struct counter *unreadable, const struct ledger_feed_ops *ops, void *ctx)
{
	struct ledger_feed *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	*f = (struct ledger_feed){ .reader = reader,
		.scratch = scratch,
		.unreadable = unreadable,
		.ops = ops,
		.ctx = ctx };
	*ret = f;
	return 0;
}

struct ledger_feed *ledger_feed_free(struct ledger_feed *f)
{
	if (!f)
		return NULL;
	free(f->next);
	free(f);
	return NULL;
}

int ledger_feed_set_partitions(struct ledger_feed *f, int32_t n)
{
	f->next = calloc((size_t)n, sizeof(*f->next));
	if (!f->next)
		return -ENOMEM;
	for (int32_t i = 0; i < n; i++)
		f->next[i] = NOT_READ;
	f->n = n;
	return 0;
}

int32_t ledger_feed_partitions(const struct ledger_feed *f)
{
	return f->n;
}

int ledger_feed_want(struct ledger_feed *f, int32_t partition, int64_t from)
{
	int r;

	if (from >= f->next[partition])
		return 0;
	if (f->next[partition] != NOT_READ)
		bus_reader_remove(f->reader, TOPIC_LEDGER, partition);
	r = bus_reader_add(f->reader, TOPIC_LEDGER, partition, from ? from : BUS_FROM_BEGIN, -1);
	f->next[partition] = r ? NOT_READ : from;
	return r;
}

/* ---- records ---- */

/* Operations and attempts are the executor's own. */
static bool is_of_another_type(struct ledger_feed *f, struct str value)
{
	static const struct field fields[] = { { "type", FIELD_STR, FIELD_REQUIRED, 0, 32, NULL } };
	static const struct record_type any = { .name = "ledger record",
		.fields = fields,
		.n_fields = ARRAY_LEN(fields),
		.size = sizeof(struct str) };
	struct str type;

	return decode(&any, &type, value, f->scratch, NULL) == 0 && !str_eqz(type, "outcome") &&
	       !str_eqz(type, "owner");
}

/* Outcomes first: nearly all are. */
static void read_record(struct ledger_feed *f, const struct bus_record *r)
{
	struct outcome_record outcome;
	struct owner_record owner;

	arena_reset(f->scratch);
	if (!str_is_set(r->value)) {
		counter_add(f->unreadable, 1);
	} else if (decode(&outcome_record_type, &outcome, r->value, f->scratch, NULL) == 0) {
		f->ops->outcome(f->ctx, r->partition, r->offset, &outcome);
	} else if (decode(&owner_record_type, &owner, r->value, f->scratch, NULL) == 0) {
		if (owner.shard >= 0 && owner.shard <= INT32_MAX)
			f->ops->executor(f->ctx, (int32_t)owner.shard, r->partition, r->offset);
	} else if (!is_of_another_type(f, r->value)) {
		counter_add(f->unreadable, 1);
	}
}

void ledger_feed_records(struct ledger_feed *f, const struct bus_record *r, size_t n)
{
	int32_t partition = r->partition;

	if (partition >= f->n || f->next[partition] == NOT_READ)
		return;
	for (size_t i = 0; i < n; i++)
		read_record(f, &r[i]);
	f->next[partition] = r[n - 1].offset + 1;
	f->ops->passed(f->ctx, partition, f->next[partition]);
}

void ledger_feed_at_end(struct ledger_feed *f, int32_t partition, int64_t next_offset)
{
	if (partition >= f->n || f->next[partition] == NOT_READ)
		return;
	f->next[partition] = next_offset;
	f->ops->passed(f->ctx, partition, next_offset);
}
