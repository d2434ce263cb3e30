/*
 * A record's key decides where it goes, its value says what is there, and both must agree: a source
 * that keys by another id would otherwise write rows that nobody finds, or overwrite someone
 * else's.
 */
#include "connectors/tables/table.h"

#include <stdio.h>

#include "common/model/item.h"
#include "common/model/row_codec.h"
#include "common/model/topics.h"

#define FEED_PREFIX "feed:"

static bool key_is_item(struct str key)
{
	return item_is_valid(key);
}

const struct table tables[TABLE_MAX] = {
	[TABLE_PROFILE] = {
		.name = "profile",
		.topic = TOPIC_PROFILE,
		.dead_letters = TOPIC_PROFILE TOPIC_DLQ_SUFFIX,
		.prefix = "profile",
		.type = &profile_type,
		.row_type = &profile_type,
		.key_offset = offsetof(struct profile, user),
		.ver_offset = offsetof(struct profile, ver),
		.key_is_valid = user_is_valid,
	},
	[TABLE_LOYALTY] = {
		.name = "loyalty",
		.topic = TOPIC_LOYALTY,
		.dead_letters = TOPIC_LOYALTY TOPIC_DLQ_SUFFIX,
		.prefix = "loyalty",
		.type = &loyalty_type,
		.row_type = &loyalty_type,
		.key_offset = offsetof(struct loyalty, user),
		.ver_offset = offsetof(struct loyalty, ver),
		.key_is_valid = user_is_valid,
	},
	[TABLE_INVENTORY] = {
		.name = "inventory",
		.topic = TOPIC_INVENTORY,
		.dead_letters = TOPIC_INVENTORY TOPIC_DLQ_SUFFIX,
		.prefix = "inventory",
		.type = &inventory_type,
		.row_type = &inventory_row_type,
		.key_offset = offsetof(struct inventory, item),
		.ver_offset = offsetof(struct inventory, ver),
		.key_is_valid = key_is_item,
		.has_breaker = true,
	},
	[TABLE_MARKET] = {
		.name = "market",
		.topic = TOPIC_BESTBID,
		.dead_letters = TOPIC_BESTBID TOPIC_DLQ_SUFFIX,
		.prefix = "bestbid",
		.type = &bestbid_type,
		.row_type = &bestbid_type,
		.key_offset = offsetof(struct bestbid, item),
		.ver_offset = offsetof(struct bestbid, ver),
		.key_is_valid = key_is_item,
		.has_feeds = true,
	},
};

const struct table *table_find(struct str name)
{
	for (size_t i = 0; i < TABLE_MAX; i++) {
		if (str_eqz(name, tables[i].name))
			return &tables[i];
	}
	return NULL;
}

const char *table_reason_text(int reason)
{
	static const char *const texts[] = {
		[TABLE_E_KEY] = "BAD_KEY",
		[TABLE_E_JSON] = "BAD_JSON",
		[TABLE_E_SHAPE] = "BAD_SHAPE",
		[TABLE_E_TOO_LARGE] = "TOO_LARGE",
		[TABLE_E_VERSION] = "BAD_VERSION",
	};

	return texts[reason];
}

static int reason_of(int decode_error)
{
	return decode_error == DECODE_E_JSON    ? TABLE_E_JSON
	       : decode_error == DECODE_E_SHAPE ? TABLE_E_SHAPE
						: TABLE_E_TOO_LARGE;
}

static int stored_version(struct str *ret, struct version v, struct arena *a, struct fault *f)
{
	char text[VERSION_TEXT_MAX];

	*ret = arena_copy(a, (struct str){ text, version_format_stored(text, v) });
	if (str_is_set(*ret))
		return 0;
	return fault_set(f, FAULT_REJECT, TABLE_E_TOO_LARGE, "no room left for this record");
}

static int read_delete(
	const struct bus_record *r, struct table_record *ret, struct arena *a, struct fault *f)
{
	struct str text = bus_header(r, "x-souk-ver");
	struct version v;

	ret->kind = TABLE_DELETE;
	if (!str_is_set(text))
		return 0;
	if (version_parse(&v, text))
		return fault_set(f, FAULT_REJECT, TABLE_E_VERSION,
			"header x-souk-ver: not 1 to 4 numbers joined by '.'");
	return stored_version(&ret->ver, v, a, f);
}

static int read_feed(
	const struct bus_record *r, struct table_record *ret, struct arena *a, struct fault *f)
{
	struct str slug = { r->key.p + strlen(FEED_PREFIX), r->key.n - strlen(FEED_PREFIX) };
	int err;

	ret->kind = TABLE_NOTHING;
	if (!str_is_set(r->value))
		return 0;
	err = decode(&feed_record_type, &ret->as.feed, r->value, a, f);
	if (err)
		return reason_of(err);
	if (!str_eq(ret->as.feed.collection, slug))
		return fault_set(f, FAULT_REJECT, TABLE_E_KEY, "the key is not feed:<collection>");
	ret->kind = TABLE_FEED;
	return 0;
}

static int read_row(const struct table *t, const struct bus_record *r, struct table_record *ret,
	struct arena *a, struct fault *f)
{
	const char *record = (const char *)&ret->as;
	int err = decode(t->type, &ret->as, r->value, a, f);

	if (err)
		return reason_of(err);
	if (!str_eq(*(const struct str *)(record + t->key_offset), r->key))
		return fault_set(f, FAULT_REJECT, TABLE_E_KEY, "the key is not the %s of the value",
			t->type->fields[0].path);
	ret->is_confirmed = str_eqz(bus_header(r, "x-souk-confirm"), "1");
	return stored_version(&ret->ver, *(const struct version *)(record + t->ver_offset), a, f);
}

static int row_key(
	const struct table *t, struct str key, struct str *ret, struct arena *a, struct fault *f)
{
	char text[TABLE_KEY_MAX];
	int n = snprintf(text, sizeof(text), "%s:{" STR_FMT "}", t->prefix, STR_ARG(key));

	*ret = arena_copy(a, (struct str){ text, (size_t)n });
	if (str_is_set(*ret))
		return 0;
	return fault_set(f, FAULT_REJECT, TABLE_E_TOO_LARGE, "no room left for this record");
}

int table_read(const struct table *t, const struct bus_record *r, struct table_record *ret,
	struct arena *a, struct fault *f)
{
	int err;

	*ret = (struct table_record){ .kind = TABLE_ROW };
	if (!str_is_set(r->key))
		return fault_set(f, FAULT_REJECT, TABLE_E_KEY, "the record has no key");
	if (!t->key_is_valid(r->key)) {
		if (t->has_feeds && str_starts(r->key, STR(FEED_PREFIX)))
			return read_feed(r, ret, a, f);
		return fault_set(f, FAULT_REJECT, TABLE_E_KEY, "the key is not a valid %s",
			t->type->fields[0].path);
	}
	err = row_key(t, r->key, &ret->key, a, f);
	if (err)
		return err;
	return str_is_set(r->value) ? read_row(t, r, ret, a, f) : read_delete(r, ret, a, f);
}

int table_row(
	const struct table *t, const struct table_record *record, struct row *ret, struct arena *a)
{
	return row_encode(t->row_type, &record->as, ret, a) ? TABLE_E_TOO_LARGE : 0;
}
