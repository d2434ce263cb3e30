/*
 * Reads events, not libyaml's document tree: the tree has already followed aliases and lost anchors
 * and tags, and those are what must be refused. A configuration that says one thing in one place
 * needs none of them.
 *
 * The walk knows the table, so it never goes deeper than the keys do.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "common/base/buf.h"
#include "common/base/config_internal.h"

#define FILE_MAX (1 << 20)

struct reader {
	struct config_loader *l;
	yaml_parser_t parser;
	yaml_event_t event; /* the current one, ours */
	struct config_origin at;
	char key[CONFIG_NAME_MAX]; /* being read, for errors; "" above the first */
	struct buf groups;         /* "\nNAME\n" of every mapping met */
};

static int refuse(const struct reader *r, const char *what)
{
	return config_error(r->l, &r->at, r->key[0] ? r->key : NULL, "%s", what);
}

static void set_place(struct reader *r, yaml_mark_t mark)
{
	r->at.line = (unsigned)mark.line + 1;
	r->at.column = (unsigned)mark.column + 1;
}

static int refuse_syntax(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;

	if (p->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	set_place(r, p->error == YAML_READER_ERROR ? p->mark : p->problem_mark);
	return config_error(r->l, &r->at, NULL, "not YAML: %s%s%s",
		p->problem ? p->problem : "unreadable", p->context ? " " : "",
		p->context ? p->context : "");
}

static int check_properties(const struct reader *r, const void *anchor, const void *tag)
{
	if (anchor)
		return refuse(r, "anchors are not allowed");
	return tag ? refuse(r, "tags are not allowed") : 0;
}

/* Moves to the next event and refuses what no configuration needs. */
static int next(struct reader *r)
{
	yaml_event_t *e = &r->event;

	yaml_event_delete(e);
	if (!yaml_parser_parse(&r->parser, e))
		return refuse_syntax(r);
	set_place(r, e->start_mark);
	switch (e->type) {
	case YAML_ALIAS_EVENT:
		return refuse(r, "aliases are not allowed");
	case YAML_SCALAR_EVENT:
		if (strlen((char *)e->data.scalar.value) != e->data.scalar.length)
			return refuse(r, "must not hold a NUL character");
		return check_properties(r, e->data.scalar.anchor, e->data.scalar.tag);
	case YAML_SEQUENCE_START_EVENT:
		return check_properties(
			r, e->data.sequence_start.anchor, e->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return check_properties(r, e->data.mapping_start.anchor, e->data.mapping_start.tag);
	default:
		return 0;
	}
}

static struct str scalar(const struct reader *r)
{
	return (struct str){ (const char *)r->event.data.scalar.value,
		r->event.data.scalar.length };
}

/* A plain scalar that YAML reads as null. */
static bool is_null(const struct reader *r)
{
	struct str s = scalar(r);

	return r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (s.n == 0 || str_eqz(s, "~") || str_eqz(s, "null"));
}

static int need_scalar(const struct reader *r, const char *what)
{
	switch (r->event.type) {
	case YAML_SEQUENCE_START_EVENT:
		return config_error(
			r->l, &r->at, r->key, "%s must be a single value, not a list", what);
	case YAML_MAPPING_START_EVENT:
		return config_error(
			r->l, &r->at, r->key, "%s must be a single value, not a mapping", what);
	default:
		break;
	}
	if (is_null(r))
		return config_error(r->l, &r->at, r->key,
			"%s is empty; leave the key out, or write \"\" for an empty text", what);
	return 0;
}

static int add(const struct reader *r, struct config_list *list, struct str item)
{
	int code = config_list_add(list, item);

	if (code == -ENOSPC)
		return config_error(r->l, &r->at, r->key, "more than %d items", CONFIG_ITEMS_MAX);
	return code;
}

static bool has_key(const struct config_list *list, struct str key)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_starts(str_of(list->items[i]), key) && list->items[i][key.n] == '=')
			return true;
	return false;
}

static int check_pair_key(const struct reader *r, const struct config_list *pairs)
{
	struct str key = scalar(r);

	if (key.n == 0 || memchr(key.p, '=', key.n))
		return refuse(r, "a name must not be empty or hold '='");
	if (has_key(pairs, key))
		return config_error(r->l, &r->at, r->key, STR_FMT " is given twice", STR_ARG(key));
	return 0;
}

/* From a mapping's start to its end: one "k=v" per entry. */
static int read_pairs(struct reader *r, struct config_list *ret)
{
	int code;

	for (;;) {
		CLEANUP(buf_fini) struct buf pair = BUF_INIT(FILE_MAX);

		code = next(r);
		if (code < 0 || r->event.type == YAML_MAPPING_END_EVENT)
			return code;
		code = need_scalar(r, "a name");
		if (code == 0)
			code = check_pair_key(r, ret);
		if (code < 0)
			return code;
		buf_puts(&pair, scalar(r));
		buf_putc(&pair, '=');

		code = next(r);
		if (code == 0)
			code = need_scalar(r, "an entry");
		if (code < 0)
			return code;
		buf_puts(&pair, scalar(r));
		code = pair.failed ? -ENOMEM : add(r, ret, buf_str(&pair));
		if (code < 0)
			return code;
	}
}

/* A list item that is a mapping: its entries joined by ';'. */
static int read_item_mapping(struct reader *r, struct config_list *list)
{
	CLEANUP(config_list_fini) struct config_list pairs = { 0 };
	CLEANUP(buf_fini) struct buf item = BUF_INIT(FILE_MAX);
	int code = read_pairs(r, &pairs);

	if (code < 0)
		return code;
	for (size_t i = 0; i < pairs.n; i++) {
		if (strchr(pairs.items[i], ';'))
			return refuse(r, "an item's names and values must not hold ';'");
		buf_printf(&item, "%s%s", i ? ";" : "", pairs.items[i]);
	}
	if (item.failed)
		return -ENOMEM;
	return add(r, list, buf_str(&item));
}

static int read_items(struct reader *r, struct config_list *list)
{
	for (;;) {
		int code = next(r);

		if (code < 0 || r->event.type == YAML_SEQUENCE_END_EVENT)
			return code;
		if (r->event.type == YAML_MAPPING_START_EVENT) {
			code = read_item_mapping(r, list);
		} else {
			code = need_scalar(r, "an item");
			if (code == 0)
				code = add(r, list, scalar(r));
		}
		if (code < 0)
			return code;
	}
}

static int read_value(struct reader *r, const struct config_slot *slot)
{
	CLEANUP(config_list_fini) struct config_list list = { 0 };
	struct config_origin at = r->at; /* of the key: where the eye looks for it */
	enum config_type type = slot->row->type;
	int code;

	if (slot->origin->from == CONFIG_FROM_FILE)
		return config_error(r->l, &r->at, r->key, "given twice; the first is in line %u",
			slot->origin->line);
	code = next(r);
	if (code < 0)
		return code;
	if (type == CONFIG_MAP && r->event.type != YAML_MAPPING_START_EVENT)
		return refuse(r, "must be a mapping of names to values");
	if (type == CONFIG_MAP ||
		(type == CONFIG_LIST && r->event.type == YAML_SEQUENCE_START_EVENT)) {
		code = type == CONFIG_MAP ? read_pairs(r, &list) : read_items(r, &list);
		return code < 0 ? code : config_set_list(r->l, slot, &at, r->key, &list);
	}
	if (type == CONFIG_LIST && r->event.type == YAML_MAPPING_START_EVENT)
		return refuse(r, "must be a list, not a mapping");
	code = need_scalar(r, "the value");
	return code < 0 ? code : config_set_text(r->l, slot, &at, r->key, scalar(r));
}

static int read_mapping(struct reader *r, const char *prefix);

/* A section, or the mapping that the dots of a key stand for. */
static int read_group(struct reader *r, const char *name)
{
	char mark[CONFIG_NAME_MAX + 2];
	int n = snprintf(mark, sizeof(mark), "\n%s\n", name), code;

	if (memmem(buf_str(&r->groups).p, r->groups.n, mark, (size_t)n))
		return refuse(r, "given twice");
	buf_put(&r->groups, mark, (size_t)n);
	if (r->groups.failed)
		return -ENOMEM;
	code = next(r);
	if (code < 0)
		return code;
	if (r->event.type == YAML_MAPPING_START_EVENT)
		return read_mapping(r, name);
	if (r->event.type == YAML_SCALAR_EVENT && is_null(r))
		return 0; /* all its keys are commented out */
	return refuse(r, "must be a mapping of keys");
}

static int read_mapping(struct reader *r, const char *prefix)
{
	for (;;) {
		struct config_slot slot;
		char name[CONFIG_NAME_MAX];
		int code, n;

		snprintf(r->key, sizeof(r->key), "%s", prefix);
		code = next(r);
		if (code < 0 || r->event.type == YAML_MAPPING_END_EVENT)
			return code;
		if (r->event.type != YAML_SCALAR_EVENT)
			return refuse(r, "a key must be a text");
		n = snprintf(name, sizeof(name), "%s%s%s", prefix, prefix[0] ? "." : "",
			(const char *)r->event.data.scalar.value);
		snprintf(r->key, sizeof(r->key), "%s", name);
		if (n < (int)sizeof(name) && config_find(r->l, str_of(name), &slot))
			code = read_value(r, &slot);
		else if (n < (int)sizeof(name) && config_is_group(r->l, str_of(name)))
			code = read_group(r, name);
		else
			code = config_unknown(r->l, &r->at, name);
		if (code < 0)
			return code;
	}
}

static int read_document(struct reader *r)
{
	int code = next(r); /* the stream's start */

	if (code == 0)
		code = next(r);
	if (code < 0 || r->event.type == YAML_STREAM_END_EVENT)
		return code;
	if (r->event.data.document_start.version_directive ||
		r->event.data.document_start.tag_directives.start !=
			r->event.data.document_start.tag_directives.end)
		return refuse(r, "directives (%YAML, %TAG) are not allowed");
	code = next(r);
	if (code < 0)
		return code;
	if (r->event.type == YAML_MAPPING_START_EVENT)
		code = read_mapping(r, "");
	else if (r->event.type != YAML_SCALAR_EVENT || !is_null(r))
		code = refuse(r, "must be a mapping of sections");
	if (code == 0)
		code = next(r); /* the document's end */
	if (code == 0)
		code = next(r);
	if (code == 0 && r->event.type != YAML_STREAM_END_EVENT)
		return refuse(r, "a second document; the file may hold one");
	return code;
}

int config_yaml(struct config_loader *l, const char *path)
{
	struct reader r = { .l = l, .groups = BUF_INIT(FILE_MAX) };
	char *text = NULL;
	size_t n = 0;
	int code = file_read(path, FILE_MAX, &text, &n, l->f);

	if (code < 0)
		return code;
	r.at = (struct config_origin){ .from = CONFIG_FROM_FILE, .file = path };
	if (!yaml_parser_initialize(&r.parser)) {
		free(text);
		return -ENOMEM;
	}
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, n);
	code = read_document(&r);
	yaml_event_delete(&r.event);
	yaml_parser_delete(&r.parser);
	buf_fini(&r.groups);
	free(text);
	return code;
}
