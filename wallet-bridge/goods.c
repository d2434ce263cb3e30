/*
 * Rows and deletes follow the rule of every table: a higher version wins, and a delete without one
 * wins by its offset. A deleted row keeps its version, so that an older row does not come back.
 */
#include "wallet-bridge/goods.h"

#include <errno.h>
#include <stdlib.h>

int goods_table_init(struct goods_table *t, size_t max)
{
	*t = (struct goods_table){ .max = max };
	return bridge_map_init(&t->by_item);
}

static void free_goods(void *ctx, struct bridge_map_node *node)
{
	struct goods *g = goods_entry(node);

	(void)ctx;
	free(g->seller);
	free(g->collection);
	free(g);
}

void goods_table_fini(struct goods_table *t)
{
	bridge_map_empty(&t->by_item, free_goods, NULL);
	bridge_map_fini(&t->by_item);
}

struct goods *goods_get(const struct goods_table *t, struct str item)
{
	struct bridge_map_node *node = bridge_map_get(&t->by_item, item);

	return node ? goods_entry(node) : NULL;
}

int goods_put(struct goods_table *t, struct str item, struct goods **ret)
{
	struct goods *g = goods_get(t, item);

	*ret = g;
	if (g)
		return 0;
	if (t->by_item.n >= t->max)
		return GOODS_E_FULL;
	g = calloc(1, sizeof(*g) + item.n + 1);
	if (!g)
		return -ENOMEM;
	memcpy(g->text, item.p, item.n);
	g->item = g->node.key = (struct str){ g->text, item.n };
	g->row_offset = g->bid_offset = -1;
	bridge_map_put(&t->by_item, &g->node);
	*ret = g;
	return 0;
}

static int replace(char **text, struct str with)
{
	char *copy = NULL;

	if (str_is_set(with) && !(copy = strndup(with.p, with.n)))
		return -ENOMEM;
	free(*text);
	*text = copy;
	return 0;
}

/* Whether a delete counts; @ret_ver is the version that stays. */
static bool delete_counts(struct str ver, int64_t offset, bool is_known, struct version stored,
	int64_t stored_offset, struct version *ret_ver)
{
	*ret_ver = stored;
	if (!str_is_set(ver))
		return offset > stored_offset;
	return version_parse(ret_ver, ver) == 0 && (!is_known || version_cmp(*ret_ver, stored) > 0);
}

static int take_row(struct goods *g, const struct inventory *inv)
{
	int r;

	if (g->is_known && version_cmp(inv->ver, g->row_ver) <= 0)
		return 0;
	r = replace(&g->seller, inv->seller);
	if (!r)
		r = replace(&g->collection, inv->collection);
	if (r)
		return r;
	g->row_ver = inv->ver;
	g->row_supply = inv->supply;
	g->cost = inv->cost;
	g->has_row = g->is_known = true;
	return 0;
}

int goods_inventory(struct goods *g, const struct inventory *inv, struct str ver, int64_t offset)
{
	struct version stays;
	int r = 0;

	if (inv) {
		r = take_row(g, inv);
	} else if (delete_counts(ver, offset, g->is_known, g->row_ver, g->row_offset, &stays)) {
		g->row_ver = stays;
		g->row_supply = 0;
		g->has_row = false;
		g->is_known = true;
	}
	if (!r && offset > g->row_offset)
		g->row_offset = offset;
	return r;
}

void goods_bid(struct goods *g, const struct bestbid *bid, struct str ver, int64_t offset)
{
	bool is_known = g->bid_offset >= 0;
	struct version stays;

	if (bid && (!is_known || version_cmp(bid->ver, g->bid_ver) > 0)) {
		g->bid_ver = bid->ver;
		g->bid_net = bid->bid_net;
	} else if (!bid &&
		   delete_counts(ver, offset, is_known, g->bid_ver, g->bid_offset, &stays)) {
		g->bid_ver = stays;
		g->bid_net = (struct money){ 0 };
	}
	if (offset > g->bid_offset)
		g->bid_offset = offset;
}

bool goods_supply_due(const struct goods *g, struct version *ret_ver, int64_t *ret_supply)
{
	*ret_supply = g->row_supply;
	*ret_ver = g->row_ver;
	if (!g->is_known)
		return false;
	if (g->has_row)
		return !g->has_supply || version_cmp(g->row_ver, g->supply_ver) > 0;
	if (!g->has_supply || g->supply == 0)
		return false;
	if (version_cmp(g->row_ver, g->supply_ver) <= 0) {
		*ret_ver = g->supply_ver;
		ret_ver->part[VERSION_PARTS - 1]++;
	}
	return true;
}
