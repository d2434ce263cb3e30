/*
 * From a text to a row's place in its struct. A value is checked whether or not its section is
 * wanted: one file serves all programs, and a mistake in it should not wait for the program that
 * trips on it.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/config_internal.h"

static void *place(const struct config_section *s, const struct config_row *row)
{
	return (char *)s->base + row->offset;
}

void config_list_fini(struct config_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct config_list){ 0 };
}

int config_list_add(struct config_list *list, struct str item)
{
	char **items;
	char *copy;

	if (list->n == CONFIG_ITEMS_MAX)
		return -ENOSPC;
	items = reallocarray(list->items, list->n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	list->items = items;
	copy = strndup(item.n ? item.p : "", item.n);
	if (!copy)
		return -ENOMEM;
	items[list->n++] = copy;
	return 0;
}

void config_clear(const struct config_section *s, const struct config_row *row)
{
	char **text;

	if (!s->base)
		return;
	switch (row->type) {
	case CONFIG_STR:
		text = place(s, row);
		free(*text);
		*text = NULL;
		break;
	case CONFIG_INT:
	case CONFIG_ENUM:
		*(int64_t *)place(s, row) = 0;
		break;
	case CONFIG_BOOL:
		*(bool *)place(s, row) = false;
		break;
	case CONFIG_LIST:
	case CONFIG_MAP:
		config_list_fini(place(s, row));
		break;
	}
}

static int set_str(const struct config_slot *slot, struct str text)
{
	char *copy;

	if (!slot->section->base)
		return 0;
	copy = strndup(text.n ? text.p : "", text.n);
	if (!copy)
		return -ENOMEM;
	config_clear(slot->section, slot->row);
	*(char **)place(slot->section, slot->row) = copy;
	return 0;
}

/* A rejected value for an error text, unless it is a secret. */
static struct str shown(const struct config_row *row, struct str text)
{
	if (row->flags & CONFIG_SECRET)
		return STR("the value");
	return text.n > 40 ? (struct str){ text.p, 40 } : text;
}

static int set_int(const struct config_loader *l, const struct config_slot *slot,
	const struct config_origin *at, const char *key, struct str text)
{
	const struct config_row *row = slot->row;
	struct str show = shown(row, text);
	int64_t v = 0;
	int r = str_to_i64(text, &v);

	if (r == -EINVAL)
		return config_error(
			l, at, key, "must be a whole number, not \"" STR_FMT "\"", STR_ARG(show));
	if (r < 0 || v < row->min || v > row->max)
		return config_error(l, at, key, "must be %" PRId64 " to %" PRId64 ", not " STR_FMT,
			row->min, row->max, STR_ARG(show));
	if (slot->section->base)
		*(int64_t *)place(slot->section, row) = v;
	return 0;
}

static int set_bool(const struct config_loader *l, const struct config_slot *slot,
	const struct config_origin *at, const char *key, struct str text)
{
	struct str show = shown(slot->row, text);
	bool v = str_eqz(text, "true");

	if (!v && !str_eqz(text, "false"))
		return config_error(
			l, at, key, "must be true or false, not \"" STR_FMT "\"", STR_ARG(show));
	if (slot->section->base)
		*(bool *)place(slot->section, slot->row) = v;
	return 0;
}

static int set_enum(const struct config_loader *l, const struct config_slot *slot,
	const struct config_origin *at, const char *key, struct str text)
{
	CLEANUP(buf_fini) struct buf names = BUF_INIT(200);
	const struct config_row *row = slot->row;
	struct str show = shown(row, text);

	for (size_t i = 0; row->choices[i]; i++) {
		if (str_eqz(text, row->choices[i])) {
			if (slot->section->base)
				*(int64_t *)place(slot->section, row) = (int64_t)i;
			return 0;
		}
		buf_printf(&names, "%s%s", i ? ", " : "", row->choices[i]);
	}
	return config_error(l, at, key, "must be one of " STR_FMT ", not \"" STR_FMT "\"",
		STR_ARG(buf_str(&names)), STR_ARG(show));
}

static int set_separated(const struct config_loader *l, const struct config_slot *slot,
	const struct config_origin *at, const char *key, struct str text)
{
	CLEANUP(config_list_fini) struct config_list list = { 0 };
	struct str rest = str_trim(text);
	bool more = rest.n > 0;

	while (more) {
		const char *comma = memchr(rest.p, ',', rest.n);
		struct str item = { rest.p, comma ? (size_t)(comma - rest.p) : rest.n };
		int r;

		more = comma != NULL;
		rest.p += item.n + (more ? 1 : 0);
		rest.n -= item.n + (more ? 1 : 0);
		item = str_trim(item);
		if (item.n == 0)
			return config_error(l, at, key, "an item between commas is empty");
		r = config_list_add(&list, item);
		if (r == -ENOSPC)
			return config_error(l, at, key, "more than %d items", CONFIG_ITEMS_MAX);
		if (r < 0)
			return r;
	}
	return config_set_list(l, slot, at, key, &list);
}

int config_set_text(const struct config_loader *l, const struct config_slot *slot,
	const struct config_origin *at, const char *key, struct str text)
{
	int r = -EINVAL;

	if (!str_is_utf8(text))
		return config_error(l, at, key, "must be UTF-8");
	if (text.n && memchr(text.p, '\0', text.n))
		return config_error(l, at, key, "must not hold a NUL character");
	switch (slot->row->type) {
	case CONFIG_STR:
		r = set_str(slot, text);
		break;
	case CONFIG_INT:
		r = set_int(l, slot, at, key, text);
		break;
	case CONFIG_BOOL:
		r = set_bool(l, slot, at, key, text);
		break;
	case CONFIG_ENUM:
		r = set_enum(l, slot, at, key, text);
		break;
	case CONFIG_LIST:
	case CONFIG_MAP:
		r = set_separated(l, slot, at, key, text);
		break;
	}
	if (r == 0)
		*slot->origin = *at;
	return r;
}

static size_t entry_key_len(const char *entry)
{
	return strcspn(entry, "=");
}

static bool same_key(const char *a, const char *b)
{
	size_t n = entry_key_len(a);

	return n == entry_key_len(b) && memcmp(a, b, n) == 0;
}

static int check_map(const struct config_loader *l, const struct config_origin *at, const char *key,
	const struct config_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const char *entry = list->items[i];
		size_t n = entry_key_len(entry);

		if (n == 0 || !entry[n])
			return config_error(l, at, key, "an entry must have the form name=value");
		for (size_t k = 0; k < i; k++)
			if (same_key(list->items[k], entry))
				return config_error(
					l, at, key, "%.*s is given twice", (int)n, entry);
	}
	return 0;
}

int config_set_list(const struct config_loader *l, const struct config_slot *slot,
	const struct config_origin *at, const char *key, struct config_list *list)
{
	struct config_list *to;
	int r;

	assert(slot->row->type == CONFIG_LIST || slot->row->type == CONFIG_MAP);
	if (slot->row->type == CONFIG_MAP) {
		r = check_map(l, at, key, list);
		if (r < 0)
			return r;
	}
	*slot->origin = *at;
	if (!slot->section->base) {
		config_list_fini(list);
		return 0;
	}
	config_clear(slot->section, slot->row);
	to = place(slot->section, slot->row);
	*to = *list;
	*list = (struct config_list){ 0 };
	return 0;
}

int config_set_entry(const struct config_loader *l, const struct config_slot *slot,
	const struct config_origin *at, const char *key, struct str entry_key, struct str value)
{
	CLEANUP(config_list_fini) struct config_list one = { 0 };
	CLEANUP(buf_fini) struct buf entry = BUF_INIT(1 << 20);
	struct config_list *list;
	int r;

	if (!str_is_utf8(value))
		return config_error(l, at, key, "must be UTF-8");
	buf_printf(&entry, STR_FMT "=" STR_FMT, STR_ARG(entry_key), STR_ARG(value));
	if (entry.failed)
		return -ENOMEM;
	*slot->origin = *at;
	if (!slot->section->base)
		return 0;

	r = config_list_add(&one, buf_str(&entry));
	if (r < 0)
		return r;
	list = place(slot->section, slot->row);
	for (size_t i = 0; i < list->n; i++) {
		if (same_key(list->items[i], one.items[0])) {
			free(list->items[i]);
			list->items[i] = TAKE(one.items[0]);
			return 0;
		}
	}
	r = config_list_add(list, buf_str(&entry));
	return r == -ENOSPC ? config_error(l, at, key, "more than %d entries", CONFIG_ITEMS_MAX)
			    : r;
}
