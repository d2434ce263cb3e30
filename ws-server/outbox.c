/*
 * One heap block an entry, its whole size charged against the bound, so that a flood of tiny
 * messages is bounded like a few large ones. Looking for a key is a scan: a queue within its bound
 * holds at most some hundred offers, and a client that keeps up has none.
 */
#include "ws-server/outbox.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

struct outbox_entry {
	STAILQ_ENTRY(outbox_entry) link;
	struct shown_key key;
	bool has_key;
	size_t seq_at;
	int64_t ts_ms;
	size_t n;
	char text[];
};

void outbox_init(
	struct outbox *o, size_t max, struct buf *scratch, const struct outbox_ops *ops, void *ctx)
{
	*o = (struct outbox){ .ops = ops, .ctx = ctx, .scratch = scratch, .max = max };
	STAILQ_INIT(&o->entries);
}

void outbox_fini(struct outbox *o)
{
	struct outbox_entry *e;

	while ((e = STAILQ_FIRST(&o->entries))) {
		STAILQ_REMOVE_HEAD(&o->entries, link);
		free(e);
	}
	o->bytes = 0;
}

static int send_now(struct outbox *o, struct str text, size_t seq_at, int64_t ts_ms)
{
	int r;

	if (seq_at == 0)
		return o->ops->write(o->ctx, text);
	buf_clear(o->scratch);
	buf_put(o->scratch, text.p, seq_at);
	buf_printf(o->scratch, ",\"seq\":%" PRIu64, o->seq + 1);
	buf_put(o->scratch, text.p + seq_at, text.n - seq_at);
	if (o->scratch->failed)
		return -ENOMEM;
	r = o->ops->write(o->ctx, buf_str(o->scratch));
	if (r < 0)
		return r;
	o->seq++;
	o->ops->sent(o->ctx, ts_ms);
	return 0;
}

static struct outbox_entry *entry_new(const struct outbox_message *m)
{
	struct outbox_entry *e = malloc(sizeof(*e) + m->text.n);

	if (!e)
		return NULL;
	*e = (struct outbox_entry){ .seq_at = m->seq_at, .ts_ms = m->ts_ms, .n = m->text.n };
	if (m->key) {
		e->key = *m->key;
		e->has_key = true;
	}
	memcpy(e->text, m->text.p, m->text.n);
	return e;
}

static size_t size_of(const struct outbox_entry *e)
{
	return sizeof(*e) + e->n;
}

static struct outbox_entry *find(struct outbox *o, const struct shown_key *key)
{
	struct outbox_entry *e;

	STAILQ_FOREACH(e, &o->entries, link)
		if (e->has_key && memcmp(&e->key, key, sizeof(*key)) == 0)
			return e;
	return NULL;
}

static void replace(struct outbox *o, struct outbox_entry *old, struct outbox_entry *e)
{
	STAILQ_INSERT_AFTER(&o->entries, old, e, link);
	STAILQ_REMOVE(&o->entries, old, outbox_entry, link);
	free(old);
	o->ops->replaced(o->ctx);
}

static int store(struct outbox *o, const struct outbox_message *m)
{
	struct outbox_entry *old = m->key ? find(o, m->key) : NULL;
	size_t bytes = o->bytes - (old ? size_of(old) : 0);
	struct outbox_entry *e;

	if (bytes + sizeof(*e) + m->text.n > o->max)
		return OUTBOX_E_FULL;
	e = entry_new(m);
	if (!e)
		return -ENOMEM;
	o->bytes = bytes + size_of(e);
	if (old)
		replace(o, old, e);
	else
		STAILQ_INSERT_TAIL(&o->entries, e, link);
	return 0;
}

int outbox_put(struct outbox *o, const struct outbox_message *m)
{
	if (STAILQ_EMPTY(&o->entries)) {
		int r = send_now(o, m->text, m->seq_at, m->ts_ms);

		if (r != -EAGAIN)
			return r;
	}
	return store(o, m);
}

int outbox_flush(struct outbox *o)
{
	struct outbox_entry *e;

	while ((e = STAILQ_FIRST(&o->entries))) {
		int r = send_now(o, (struct str){ e->text, e->n }, e->seq_at, e->ts_ms);

		if (r < 0)
			return r == -EAGAIN ? 0 : r;
		STAILQ_REMOVE_HEAD(&o->entries, link);
		o->bytes -= size_of(e);
		free(e);
	}
	return 0;
}
