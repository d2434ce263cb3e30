#pragma once

/*
 * One record under way: from the log until Redis has the row or the dead-letter topic has the
 * record. A shard keeps its items in log order; what is done at the front moves the shard's applied
 * offset.
 */
#include <sys/queue.h>

#include "connectors/tables/loader.h"

struct table_shard;

enum item_state {
	ITEM_WAITING, /* no answer is due: an older record of its key comes first, or it failed */
	ITEM_OUT,     /* an answer will come for it */
	ITEM_DONE,
};

struct item {
	TAILQ_ENTRY(item) link;
	struct loader *loader;
	struct table_shard *shard; /* NULL: among the orphans */
	enum item_state state;
	int64_t offset;
	int64_t ts_ms;
	/* Of tables with a breaker: the record itself, because the row is read first. */
	LIST_ENTRY(item) same_bucket;
	struct item *next_same; /* waits for us */
	uint32_t hash;
	bool is_kept;
	struct bus_record record; /* headers left out */
	bool is_confirmed;
	bool is_held;               /* by the breaker, if it is applied */
	char ver[VERSION_TEXT_MAX]; /* of a delete, stored form; "" = by offset */
	char text[];
};

/* With a copy of @r's key and value, if @keep. NULL when out of memory. */
struct item *item_new(struct table_shard *s, const struct bus_record *r, bool keep);
/* Nobody waits for it: freed now, or when its answer comes. Not linked anywhere but in its shard's
 * list. */
void item_drop(struct item *item);
