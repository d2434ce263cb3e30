/*
 * stock.v1: what the fold of an item has come to, so that it can be told without the records that
 * retention took. At most one an item in SNAPSHOT_US; a lost one costs nothing as long as the
 * requests are there.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/model/item.h"
#include "wallet-bridge/bridge_shard_impl.h"

#define SNAPSHOT_US   5000000
#define SNAPSHOTS_MAX 512 /* a tick */
#define VALUE_MAX     1024

void bridge_snapshot_late(struct bridge_shard *s, struct goods *g)
{
	if (g->is_late)
		return;
	g->is_late = true;
	g->snapshot_us = loop_mono_us(s->env->loop) + SNAPSHOT_US;
	TAILQ_INSERT_TAIL(&s->late, g, late);
}

void bridge_stock_changed(struct bridge_shard *s, struct goods *g)
{
	g->n = ++s->n_changes;
	bridge_view_stock(s, g);
	bridge_snapshot_late(s, g);
}

static int post_snapshot(struct bridge_shard *s, struct goods *g, const struct log_item *item)
{
	CLEANUP(buf_fini) struct buf value = BUF_INIT(VALUE_MAX);
	struct json_out j = JSON_OUT(&value);
	const struct stock stock = {
		.item = g->item,
		.ver = { .part = { (uint64_t)s->epoch, g->n } },
		.supply = item->supply,
		.taken = item->taken,
		.through = item->through,
	};
	char text[VERSION_TEXT_MAX], id[ITEM_MAX + VERSION_TEXT_MAX + 2];
	struct message *m;

	version_format(text, stock.ver);
	snprintf(id, sizeof(id), STR_FMT ":%s", STR_ARG(g->item), text);
	stock_json(&j, NULL, &stock);
	m = value.failed ? NULL
			 : bridge_message_new(s, MESSAGE_SNAPSHOT, g->item, buf_str(&value),
				   str_of(id), STR_NONE);
	if (!m)
		return -ENOMEM;
	m->type = "snapshot";
	m->goods = g;
	g->is_sending = true;
	g->snapshot_through = item->through;
	bridge_post(s, m);
	return 0;
}

void bridge_snapshots_pump(struct bridge_shard *s, bool all)
{
	int64_t now_us = loop_mono_us(s->env->loop);
	struct goods *g, *next;
	size_t n = 0;

	for (g = TAILQ_FIRST(&s->late); g && n < SNAPSHOTS_MAX && s->state == BRIDGE_RUNNING;
		g = next) {
		const struct log_item *item = request_log_item(s->log, g->item);

		next = TAILQ_NEXT(g, late);
		if (!all && g->snapshot_us > now_us)
			break;
		if (g->is_sending)
			continue;
		g->is_late = false;
		TAILQ_REMOVE(&s->late, g, late);
		n++;
		if (item && post_snapshot(s, g, item))
			bridge_fail(s, "out of memory", -ENOMEM);
	}
	if (n)
		bridge_pump(s);
}
