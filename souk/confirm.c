#include "souk/confirm.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/io/record_headers.h"
#include "common/model/item.h"
#include "common/model/tables.h"
#include "common/model/topics.h"

#define RETRY_MS      50
#define SCRATCH_BYTES (64 * 1024)
#define ROW_MAX       (1 << 20)
#define CONFIRM       "x-souk-confirm"
#define VERSION       "x-souk-ver"

struct confirm {
	LIST_ENTRY(confirm) link; /* given up, with reports due */
	bool is_given_up;
	struct loop *loop;
	struct bus *bus;
	struct bus_reader *reader;
	struct loop_timer *timer; /* begins, and tells the end */
	struct arena *scratch;
	char item[ITEM_MAX + 1];
	int32_t partition; /* -1: not known yet */
	/* The newest row. */
	bool has_ver, has_row;
	struct version ver;
	struct money list;
	struct buf value;
	int64_t next; /* offset behind what was read */
	bool is_written;
	unsigned n_due; /* reports */
	bool has_between, is_read_again;
	struct confirm_result result;
	bool is_over;
	confirm_fn fn;
	void *ctx;
};

/* Waiting for reports only; those of a bus that was freed never come. */
static LIST_HEAD(, confirm) given_up = LIST_HEAD_INITIALIZER(given_up);

static void tell(void *ctx)
{
	struct confirm *c = ctx;

	c->fn(c->ctx, &c->result);
}

/* On the next turn: never from inside. */
static void end(struct confirm *c, enum confirm_outcome outcome, int err)
{
	if (c->is_over)
		return;
	c->is_over = true;
	c->result.outcome = outcome;
	c->result.err = err;
	loop_timer_free(c->timer);
	c->timer = loop_timer_new(c->loop, tell, c);
	if (c->timer)
		loop_timer_start(c->timer, 0);
	else
		tell(c);
}

/* ---- the newest row ---- */

static void take_delete(struct confirm *c, const struct bus_record *r)
{
	struct str text = bus_header(r, VERSION);
	struct version ver;

	if (!str_is_set(text)) {
		c->has_row = false;
		return;
	}
	if (version_parse(&ver, text) != 0 || (c->has_ver && version_cmp(ver, c->ver) <= 0))
		return;
	c->has_ver = true;
	c->ver = ver;
	c->has_row = false;
}

static void take_row(struct confirm *c, const struct bus_record *r)
{
	struct inventory inv;
	int order;

	arena_reset(c->scratch);
	if (decode(&inventory_type, &inv, r->value, c->scratch, NULL) != 0 ||
		!str_eqz(inv.item, c->item))
		return; /* connectors takes it for a dead letter */
	order = c->has_ver ? version_cmp(inv.ver, c->ver) : 1;
	if (order < 0 || (order == 0 && !c->has_row))
		return;
	c->has_ver = c->has_row = true;
	c->ver = inv.ver;
	c->list = inv.list;
	buf_clear(&c->value);
	buf_puts(&c->value, r->value);
}

/* Whether somebody still wants to know of a report. */
static bool reported(struct confirm *c)
{
	c->n_due--;
	if (!c->is_given_up)
		return true;
	if (c->n_due == 0) {
		LIST_REMOVE(c, link);
		free(c);
	}
	return false;
}

/* ---- what came between ---- */

static void on_resent(void *ctx, int err, int32_t partition, int64_t offset)
{
	struct confirm *c = ctx;

	(void)partition;
	(void)offset;
	if (!reported(c))
		return;
	if (err != 0)
		end(c, CONFIRM_FAILED, err);
	else if (c->is_read_again && c->n_due == 0)
		end(c, CONFIRM_CHANGED, 0);
}

static void resend(struct confirm *c, const struct bus_record *r)
{
	struct record_headers headers = { .n = 0 };
	int err;

	(void)record_headers_copy(&headers, r, 0);
	err = bus_send(c->bus, &(struct bus_message){ .topic = TOPIC_INVENTORY,
				       .partition = c->partition,
				       .key = r->key,
				       .value = r->value,
				       .headers = headers.v,
				       .n_headers = headers.n,
				       .sent = on_resent,
				       .ctx = c });
	if (err != 0) {
		end(c, CONFIRM_FAILED, err);
		return;
	}
	c->has_between = true;
	c->n_due++;
}

static void on_records(void *ctx, const struct bus_record *r, size_t n)
{
	struct confirm *c = ctx;

	for (size_t i = 0; i < n && !c->is_over; i++) {
		if (!str_eqz(r[i].key, c->item))
			continue;
		if (c->is_written)
			resend(c, &r[i]);
		else if (str_is_set(r[i].value))
			take_row(c, &r[i]);
		else
			take_delete(c, &r[i]);
	}
}

/* ---- writing ---- */

static void read_between(struct confirm *c)
{
	int err =
		bus_reader_add(c->reader, TOPIC_INVENTORY, c->partition, c->next, c->result.offset);

	if (err != 0)
		end(c, CONFIRM_FAILED, err);
}

static void on_written(void *ctx, int err, int32_t partition, int64_t offset)
{
	struct confirm *c = ctx;

	if (!reported(c))
		return;
	if (err != 0) {
		end(c, CONFIRM_FAILED, err);
		return;
	}
	c->result.partition = partition;
	c->result.offset = offset;
	c->is_written = true;
	read_between(c);
}

static void write_copy(struct confirm *c)
{
	struct record_headers headers = { .n = 0 };
	char id[RECORD_ID_MAX], ver[VERSION_TEXT_MAX];
	int n, err;

	version_format(ver, c->ver);
	n = snprintf(id, sizeof(id), "%s:%s", c->item, ver);
	record_headers_put(&headers, CONFIRM, STR("1"));
	err = record_headers_cloud_event(&headers, (struct str){ id, (size_t)n },
		STR("souk." TOPIC_INVENTORY), "confirm", NULL, loop_now_ms(c->loop));
	if (err == 0)
		err = c->value.failed
			      ? -EMSGSIZE
			      : bus_send(c->bus, &(struct bus_message){ .topic = TOPIC_INVENTORY,
							 .partition = c->partition,
							 .key = str_of(c->item),
							 .value = buf_str(&c->value),
							 .headers = headers.v,
							 .n_headers = headers.n,
							 .sent = on_written,
							 .ctx = c });
	if (err != 0)
		end(c, CONFIRM_FAILED, err);
	else
		c->n_due++;
}

static void on_at_end(void *ctx, const char *topic, int32_t partition, int64_t next_offset)
{
	struct confirm *c = ctx;

	(void)topic;
	(void)partition;
	if (c->is_over || c->is_read_again)
		return;
	if (c->is_written) {
		c->is_read_again = true;
		if (c->n_due == 0)
			end(c, c->has_between ? CONFIRM_CHANGED : CONFIRM_DONE, 0);
		return;
	}
	if (c->next >= 0) /* the copy is on its way */
		return;
	c->next = next_offset;
	bus_reader_remove(c->reader, TOPIC_INVENTORY, c->partition);
	c->result.ver = c->ver;
	c->result.list = c->list;
	if (c->has_row)
		write_copy(c);
	else
		end(c, CONFIRM_NO_ITEM, 0);
}

/* ---- life ---- */

static void begin(void *ctx)
{
	struct confirm *c = ctx;
	int32_t n = bus_partitions(c->bus, TOPIC_INVENTORY);

	if (n > 0) {
		c->partition = bus_partition_of(str_of(c->item), n);
		if (bus_reader_add(c->reader, TOPIC_INVENTORY, c->partition, BUS_FROM_BEGIN, -1) ==
			0)
			return;
	}
	loop_timer_start(c->timer, RETRY_MS);
}

int confirm_new(struct confirm **ret, struct loop *loop, struct bus *bus, struct str item,
	confirm_fn fn, void *ctx)
{
	static const struct bus_reader_ops ops = { .records = on_records, .at_end = on_at_end };
	CLEANUP(confirm_free) struct confirm *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	assert(item_is_valid(item));
	c->loop = loop;
	c->bus = bus;
	c->partition = -1;
	c->next = -1;
	c->value = BUF_INIT(ROW_MAX);
	c->fn = fn;
	c->ctx = ctx;
	r = str_copy(c->item, sizeof(c->item), item);
	if (r == 0)
		r = arena_new(&c->scratch, SCRATCH_BYTES);
	c->timer = loop_timer_new(loop, begin, c);
	if (r == 0 && !c->timer)
		r = -ENOMEM;
	if (r == 0)
		r = bus_reader_open(bus, &c->reader, &ops, c);
	if (r != 0)
		return r;
	loop_timer_start(c->timer, 0);
	*ret = TAKE(c);
	return 0;
}

struct confirm *confirm_free(struct confirm *c)
{
	if (!c)
		return NULL;
	bus_reader_close(c->reader);
	loop_timer_free(c->timer);
	arena_free(c->scratch);
	buf_fini(&c->value);
	c->is_given_up = true;
	if (c->n_due)
		LIST_INSERT_HEAD(&given_up, c, link);
	else
		free(c);
	return NULL;
}
