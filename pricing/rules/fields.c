/*
 * A schema is a table; its environment is what the expression language sees of it, in the same
 * order, so that a field's slot is its index.
 */
#include "pricing/rules/fields.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json_out.h"

const char *const field_label_names[] = { "market", "item", "context", "member", "personal",
	"sensitive", NULL };

/* ---- schema ---- */

static const struct cel_type texts_type = { .kind = CEL_T_LIST, .a = &cel_type_string };

static const struct cel_type *type_of(const char *name)
{
	static const struct {
		const char *name;
		const struct cel_type *type;
	} types[] = {
		{ "bool", &cel_type_bool },
		{ "int", &cel_type_int },
		{ "string", &cel_type_string },
		{ "timestamp", &cel_type_timestamp },
		{ "money", &cel_type_money },
		{ "bps", &cel_type_bps },
		{ "list(string)", &texts_type },
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (strcmp(types[i].name, name) == 0)
			return types[i].type;
	}
	return NULL;
}

static int add_field(struct schema *s, const struct schema_field *field)
{
	struct cel_var v = {
		.name = str_of(field->name),
		.type = type_of(field->type),
		.values = field->values,
		.unit = field->unit,
		.is_optional = field->is_optional,
		.tag = (void *)field,
	};
	int slot;

	if (!v.type)
		return -EINVAL;
	if (field->label == LABEL_SENSITIVE)
		v.refused = "it is a protected trait, no price may depend on it";
	slot = cel_env_add(s->env, &v);
	if (slot < 0)
		return slot == -ENOMEM ? -ENOMEM : -EINVAL;
	assert(slot == (int)(field - s->fields));
	return 0;
}

int schema_new(struct schema **ret, const struct schema_field *fields, size_t n, size_t record_size)
{
	CLEANUP(schema_free) struct schema *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->fields = fields;
	s->n = n;
	s->record_size = record_size;
	r = cel_env_new(&s->env, true);
	for (size_t i = 0; i < n && r == 0; i++)
		r = add_field(s, &fields[i]);
	if (r != 0)
		return r;
	*ret = TAKE(s);
	return 0;
}

struct schema *schema_free(struct schema *s)
{
	if (!s)
		return NULL;
	cel_env_free(s->env);
	free(s);
	return NULL;
}

/* ---- for people and editors ---- */

static void markdown_text(struct buf *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '|')
			buf_putc(out, '\\');
		buf_putc(out, *s);
	}
}

static void markdown_values(struct buf *out, const struct schema_field *field)
{
	bool is_first = true;

	for (size_t i = 0; field->values && field->values[i]; i++) {
		if (!field->values[i][0])
			continue;
		buf_printf(out, "%s`%s`", is_first ? " One of " : ", ", field->values[i]);
		is_first = false;
	}
	if (!is_first)
		buf_putc(out, '.');
}

void schema_markdown(struct buf *out, const struct schema *s)
{
	buf_puts(out, STR("| field | type | label | what it is |\n|---|---|---|---|\n"));
	for (size_t i = 0; i < s->n; i++) {
		const struct schema_field *field = &s->fields[i];

		buf_printf(out, "| `%s` | %s%s%s%s | %s | ", field->name, field->type,
			field->unit ? ", " : "", cel_unit_names[field->unit],
			field->is_optional ? ", may be absent" : "",
			field_label_names[field->label]);
		markdown_text(out, field->help);
		markdown_values(out, field);
		if (field->proxy_of)
			buf_printf(out, " May stand in for %s: a rule needs a `note`.",
				field->proxy_of);
		buf_puts(out, STR(" |\n"));
	}
}

void schema_json(struct json_out *j, const char *key, const struct schema *s)
{
	json_begin_array(j, key);
	for (size_t i = 0; i < s->n; i++) {
		const struct schema_field *field = &s->fields[i];

		json_begin(j, NULL);
		json_strz(j, "name", field->name);
		json_strz(j, "type", field->type);
		json_strz(j, "label", field_label_names[field->label]);
		if (field->side && *field->side)
			json_strz(j, "side", field->side);
		if (field->unit)
			json_strz(j, "unit", cel_unit_names[field->unit]);
		if (field->values) {
			json_begin_array(j, "values");
			for (size_t v = 0; field->values[v]; v++) {
				if (field->values[v][0])
					json_strz(j, NULL, field->values[v]);
			}
			json_end_array(j);
		}
		if (field->is_optional)
			json_bool(j, "optional", true);
		if (field->proxy_of)
			json_strz(j, "proxy_of", field->proxy_of);
		json_strz(j, "help", field->help);
		json_end(j);
	}
	json_end_array(j);
}
