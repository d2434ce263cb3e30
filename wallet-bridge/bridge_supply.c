/*
 * The partition's inventory and market rows, as their topics have them: the bridge judges by these
 * and not by a cache. Each inventory version is taken over as a supply record. Those are conflated
 * for each item while too many are on their way, but never behind an order for the item.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/model/item.h"
#include "common/model/topics.h"
#include "wallet-bridge/bridge_shard_impl.h"

#define SUPPLY_MAX 1024

/* ---- rows ---- */

/* NULL: not an item, or one too many. */
static struct goods *goods_of(struct bridge_shard *s, struct str item)
{
	struct goods *g;
	int r;

	if (!str_is_set(item) || !item_is_valid(item)) {
		counter_add(s->env->metrics.unreadable, 1);
		return NULL;
	}
	r = goods_put(&s->goods, item, &g);
	if (r == GOODS_E_FULL)
		counter_add(s->env->metrics.no_room, 1);
	else if (r)
		bridge_fail(s, "out of memory", r);
	return r ? NULL : g;
}

/* Whether @r is a row of @type for its key, or a delete. */
static bool read_row(struct bridge_shard *s, const struct bus_record *r,
	const struct record_type *type, void *row, const struct str *item)
{
	arena_reset(s->env->scratch);
	if (!str_is_set(r->value))
		return true;
	if (decode(type, row, r->value, s->env->scratch, NULL) == 0 && str_eq(*item, r->key))
		return true;
	counter_add(s->env->metrics.unreadable, 1);
	return false;
}

void bridge_inventory(struct bridge_shard *s, const struct bus_record *r)
{
	struct inventory inv = { 0 };
	struct goods *g;

	if (!read_row(s, r, &inventory_type, &inv, &inv.item))
		return;
	g = goods_of(s, r->key);
	if (!g)
		return;
	if (goods_inventory(
		    g, str_is_set(r->value) ? &inv : NULL, bus_header(r, "x-souk-ver"), r->offset))
		bridge_fail(s, "out of memory", -ENOMEM);
	else if (s->state == BRIDGE_RUNNING)
		bridge_supply_check(s, g);
}

void bridge_market(struct bridge_shard *s, const struct bus_record *r)
{
	struct bestbid bid = { 0 };
	struct goods *g;

	if (str_starts(r->key, STR("feed:")))
		return;
	if (!read_row(s, r, &bestbid_type, &bid, &bid.item))
		return;
	g = goods_of(s, r->key);
	if (g)
		goods_bid(g, str_is_set(r->value) ? &bid : NULL, bus_header(r, "x-souk-ver"),
			r->offset);
}

/* ---- supplies ---- */

static int post_supply(struct bridge_shard *s, struct goods *g, struct version ver, int64_t supply)
{
	CLEANUP(buf_fini) struct buf value = BUF_INIT(SUPPLY_MAX);
	struct json_out j = JSON_OUT(&value);
	char text[VERSION_TEXT_MAX], id[ITEM_MAX + VERSION_TEXT_MAX + 2];
	struct message *m;

	version_format(text, ver);
	snprintf(id, sizeof(id), STR_FMT ":%s", STR_ARG(g->item), text);
	supply_record_json(
		&j, &(struct supply_record){ .item = g->item, .ver = ver, .supply = supply });
	m = value.failed ? NULL
			 : bridge_message_new(s, MESSAGE_DECISION, g->item, buf_str(&value),
				   str_of(id), STR_NONE);
	if (!m)
		return -ENOMEM;
	m->type = "supply";
	m->effect = LOG_SUPPLY;
	m->goods = g;
	g->has_supply = true;
	g->supply_ver = ver;
	g->supply = supply;
	s->n_supplies++;
	counter_add(s->env->metrics.supplies, 1);
	bridge_post(s, m);
	return 0;
}

int bridge_supply_now(struct bridge_shard *s, struct goods *g)
{
	struct version ver;
	int64_t supply;

	if (!g->is_due)
		return 0;
	g->is_due = false;
	TAILQ_REMOVE(&s->due, g, due);
	return goods_supply_due(g, &ver, &supply) ? post_supply(s, g, ver, supply) : 0;
}

void bridge_supply_pump(struct bridge_shard *s)
{
	struct goods *g;

	while (s->state == BRIDGE_RUNNING && s->n_supplies < SUPPLIES_MAX &&
		(g = TAILQ_FIRST(&s->due))) {
		if (bridge_supply_now(s, g))
			bridge_fail(s, "out of memory", -ENOMEM);
	}
}

void bridge_supply_check(struct bridge_shard *s, struct goods *g)
{
	struct version ver;
	int64_t supply;

	if (g->is_due || !goods_supply_due(g, &ver, &supply))
		return;
	g->is_due = true;
	TAILQ_INSERT_TAIL(&s->due, g, due);
	bridge_supply_pump(s);
}
