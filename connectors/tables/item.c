#include "connectors/tables/item.h"

#include <stdlib.h>

#include "connectors/tables/table_shard.h"

static struct str put(char **at, struct str s)
{
	struct str ret = { *at, s.n };

	if (!s.p)
		return STR_NONE;
	memcpy(*at, s.p, s.n);
	*at += s.n;
	return ret;
}

struct item *item_new(struct table_shard *s, const struct bus_record *r, bool keep)
{
	size_t n = keep ? r->key.n + r->value.n + 1 : 0;
	struct item *item = calloc(1, sizeof(*item) + n);
	char *at;

	if (!item)
		return NULL;
	item->loader = s->loader;
	item->shard = s;
	item->state = ITEM_OUT;
	if (!r)
		return item;
	item->offset = r->offset;
	item->ts_ms = r->ts_ms;
	item->is_kept = keep;
	item->record = *r;
	item->record.headers = NULL;
	item->record.n_headers = 0;
	at = item->text;
	item->record.key = keep ? put(&at, r->key) : STR_NONE;
	item->record.value = keep ? put(&at, r->value) : STR_NONE;
	return item;
}

void item_drop(struct item *item)
{
	if (item->state != ITEM_OUT) {
		free(item);
		return;
	}
	item->shard = NULL;
	TAILQ_INSERT_TAIL(&item->loader->orphans, item, link);
}
