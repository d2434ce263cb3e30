#include "tests/conformance/bus_tape.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static struct str copy(struct str s)
{
	if (!s.p)
		return STR_NONE;

	char *p = malloc(s.n + 1);
	assert(p);
	if (s.n)
		memcpy(p, s.p, s.n);
	return (struct str){ p, s.n };
}

static struct tape_item *add(
	struct tape *t, enum tape_kind kind, const char *topic, int32_t partition, int64_t offset)
{
	struct tape_item *i = calloc(1, sizeof(*i));

	assert(i && t->n < TAPE_MAX);
	i->kind = kind;
	i->partition = partition;
	i->offset = offset;
	snprintf(i->topic, sizeof(i->topic), "%s", topic);
	return t->v[t->n++] = i;
}

static void on_records(void *ctx, const struct bus_record *r, size_t n)
{
	struct tape *t = ctx;

	assert(n >= 1 && n <= BUS_BATCH_MAX);
	for (; n; n--, r++) {
		struct tape_item *i = add(t, TAPE_RECORD, r->topic, r->partition, r->offset);

		i->key = copy(r->key);
		i->value = copy(r->value);
		i->ts_ms = r->ts_ms;
		i->n_headers = r->n_headers;
		i->headers = calloc(r->n_headers + 1, sizeof(*i->headers));
		assert(i->headers);
		for (size_t h = 0; h < r->n_headers; h++)
			i->headers[h] = (struct bus_header){ copy(r->headers[h].name),
				copy(r->headers[h].value) };
	}
	if (t->close_reader)
		bus_reader_close(TAKE(t->close_reader));
	if (t->holds_after_first && t->start)
		bus_group_hold(t->start, t->v[t->n - 1]->topic, t->v[t->n - 1]->partition, true);
}

static void on_end(void *ctx, const char *topic, int32_t partition, int64_t next_offset)
{
	add(ctx, TAPE_END, topic, partition, next_offset);
}

static void on_out_of_range(void *ctx, const char *topic, int32_t partition, int64_t next_offset)
{
	add(ctx, TAPE_OUT_OF_RANGE, topic, partition, next_offset);
}

static void on_assigned(
	void *ctx, const char *topic, int32_t partition, int64_t committed, struct str metadata)
{
	struct tape *t = ctx;

	add(t, TAPE_ASSIGNED, topic, partition, committed)->metadata = copy(metadata);
	if (t->start)
		bus_group_start(t->start, topic, partition, committed);
}

static void on_revoked(void *ctx, const char *topic, int32_t partition)
{
	struct tape *t = ctx;

	add(t, TAPE_REVOKED, topic, partition, -1);
	if (!t->last_word)
		return;
	bus_group_start(t->last_word, topic, partition, BUS_FROM_BEGIN);
	t->last_word_err |=
		bus_group_commit(t->last_word, topic, partition, 100 + partition, STR("last"));
}

void tape_sent(void *ctx, int err, int32_t partition, int64_t offset)
{
	add(ctx, TAPE_SENT, "", partition, offset)->err = err;
}

const struct bus_reader_ops TAPE_READER = {
	.records = on_records, .at_end = on_end, .out_of_range = on_out_of_range
};
const struct bus_group_ops TAPE_GROUP = {
	.assigned = on_assigned, .revoked = on_revoked, .records = on_records, .at_end = on_end
};

void tape_fini(struct tape *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct tape_item *x = t->v[i];

		for (size_t h = 0; h < x->n_headers; h++) {
			free((char *)x->headers[h].name.p);
			free((char *)x->headers[h].value.p);
		}
		free(x->headers);
		free((char *)x->key.p);
		free((char *)x->value.p);
		free((char *)x->metadata.p);
		free(x);
	}
	*t = (struct tape){ 0 };
}

size_t tape_count(const struct tape *t, enum tape_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += t->v[i]->kind == kind;
	return n;
}

const struct tape_item *tape_at(const struct tape *t, enum tape_kind kind, size_t wanted)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i]->kind == kind && wanted-- == 0)
			return t->v[i];
	return NULL;
}

const struct tape_item *tape_last(const struct tape *t, enum tape_kind kind)
{
	size_t n = tape_count(t, kind);

	return n ? tape_at(t, kind, n - 1) : NULL;
}

static bool has_goal(void *ctx)
{
	const struct tape *t = ctx;

	return tape_count(t, t->goal) >= t->goal_n;
}

bool tape_wait(struct tape *t, struct bus_harness *h, enum tape_kind kind, size_t n)
{
	t->goal = kind;
	t->goal_n = n;
	return h->pump(h, has_goal, t);
}
