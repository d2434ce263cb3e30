#pragma once

/*
 * What connectors loads: a topic, its side and rows, and how one record becomes one row. No I/O
 * here.
 */
#include "common/base/arena.h"
#include "common/base/fault.h"
#include "common/base/row.h"
#include "common/io/bus.h"
#include "common/model/tables.h"

#define TABLE_KEY_MAX 300 /* "inventory:{" item "}" */

enum table_id { TABLE_PROFILE, TABLE_LOYALTY, TABLE_INVENTORY, TABLE_MARKET, TABLE_MAX };

struct table {
	const char *name; /* in `connectors.tables`; the side */
	const char *topic;
	const char *dead_letters;
	const char *prefix; /* rows are <prefix>:{<key>} */
	const struct record_type *type;
	const struct record_type *row_type;
	size_t key_offset; /* of the member that is the record's key */
	size_t ver_offset;
	bool (*key_is_valid)(struct str key);
	bool has_breaker;
	bool has_feeds; /* also carries feed records */
};

extern const struct table tables[TABLE_MAX];
/* NULL if there is none of that name. */
const struct table *table_find(struct str name);

enum table_kind { TABLE_ROW, TABLE_DELETE, TABLE_FEED, TABLE_NOTHING };

struct table_record {
	enum table_kind kind;
	struct str key; /* of the row in Redis */
	struct str ver; /* stored form; p == NULL: a delete by offset */
	bool is_confirmed;
	union {
		struct profile profile;
		struct loyalty loyalty;
		struct inventory inventory;
		struct bestbid bestbid;
		struct feed_record feed;
	} as;
};

/* Why a record is not one: the text of header x-souk-reason. */
enum table_reason {
	TABLE_E_KEY = 1, /* none, not valid, or not the one in the value */
	TABLE_E_JSON,
	TABLE_E_SHAPE,
	TABLE_E_TOO_LARGE,
	TABLE_E_VERSION, /* header x-souk-ver */
};
const char *table_reason_text(int reason);

/* Reads @r; texts are in @a or borrowed from @r. 0 or TABLE_E_* with @f. */
MUST_CHECK int table_read(const struct table *t, const struct bus_record *r,
	struct table_record *ret, struct arena *a, struct fault *f);
/* The row of a TABLE_ROW; borrows from @record and @a. 0 or TABLE_E_TOO_LARGE. */
MUST_CHECK int table_row(
	const struct table *t, const struct table_record *record, struct row *ret, struct arena *a);
