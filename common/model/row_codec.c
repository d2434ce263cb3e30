/*
 * The record's table once more, over flat texts. A row that Redis holds was written by us or by
 * another version of us, but anyone with access can write there, so every value passes the same
 * checks as one from a topic.
 */
#include "common/model/row_codec.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/model/field_value.h"
#include "common/model/json_gate.h"
#include "common/model/money.h"

#define NAME_MAX_     64
#define CURRENCY_TAIL "_currency"

static bool put(struct row *row, const char *name, struct str value)
{
	return value.p && row_put(row, str_of(name), value) == 0;
}

static struct str i64_text(int64_t v, struct arena *a)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRId64, v);

	return arena_copy(a, (struct str){ text, (size_t)n });
}

static bool put_money(struct row *row, const struct field *f, struct money m, struct arena *a)
{
	char amount[MONEY_TEXT_MAX], name[NAME_MAX_];
	struct str text = { amount, money_format_amount(amount, m.amount) };
	struct str tail = { name,
		(size_t)snprintf(name, sizeof(name), "%s" CURRENCY_TAIL, f->path) };

	text = arena_copy(a, text);
	tail = arena_copy(a, tail);
	return text.p && tail.p && put(row, f->path, text) &&
	       put(row, tail.p, str_of(currency_code(m.currency)));
}

static bool put_field(struct row *row, const struct field *f, const void *record, struct arena *a)
{
	const void *at = field_at(f, record);
	bool is_required = f->flags & FIELD_REQUIRED;

	switch (f->kind) {
	case FIELD_VERSION:
		return true;
	case FIELD_I64:
	case FIELD_TIME:
	case FIELD_COUNT:
		return (*(const int64_t *)at == 0 && !is_required) ||
		       put(row, f->path, i64_text(*(const int64_t *)at, a));
	case FIELD_BOOL:
		return *(const int *)at == TRI_ABSENT ||
		       put(row, f->path, *(const int *)at == TRI_TRUE ? STR("true") : STR("false"));
	case FIELD_ENUM:
		return !*f->names[*(const int *)at] ||
		       put(row, f->path, str_of(f->names[*(const int *)at]));
	case FIELD_MONEY:
		return !money_is_set(*(const struct money *)at) ||
		       put_money(row, f, *(const struct money *)at, a);
	default:
		return !str_is_set(*(const struct str *)at) ||
		       put(row, f->path, *(const struct str *)at);
	}
}

int row_encode(const struct record_type *type, const void *record, struct row *ret, struct arena *a)
{
	ret->n = 0;
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct field *f = &type->fields[i];

		assert(!strchr(f->path, '.'));
		if (!put_field(ret, f, record, a))
			return DECODE_E_TOO_LARGE;
	}
	return 0;
}

static int set_bool(const struct field *f, void *record, struct str text, struct field_why *why)
{
	bool is_true = str_eq(text, STR("true"));

	if (!is_true && !str_eq(text, STR("false"))) {
		snprintf(why->text, sizeof(why->text), "expected true or false");
		return DECODE_E_SHAPE;
	}
	*(int *)field_at(f, record) = is_true ? TRI_TRUE : TRI_FALSE;
	return 0;
}

static int set_raw(const struct field *f, void *record, struct str text, struct arena *a,
	struct field_why *why)
{
	struct json_problem problem;
	struct str copy;

	if (text.n > field_max(f)) {
		snprintf(why->text, sizeof(why->text), "%zu bytes, at most %zu", text.n,
			field_max(f));
		return DECODE_E_TOO_LARGE;
	}
	if (json_gate(text, false, &problem)) {
		snprintf(why->text, sizeof(why->text), "expected JSON: %s (byte %zu)", problem.what,
			problem.offset);
		return DECODE_E_SHAPE;
	}
	copy = arena_copy(a, text);
	if (!copy.p) {
		snprintf(why->text, sizeof(why->text), "no room left for this record");
		return DECODE_E_TOO_LARGE;
	}
	*(struct str *)field_at(f, record) = copy;
	return 0;
}

static int set_money(const struct field *f, void *record, struct str amount, const struct row *row,
	struct field_why *why)
{
	char name[NAME_MAX_];
	struct str code;

	snprintf(name, sizeof(name), "%s" CURRENCY_TAIL, f->path);
	code = row_get(row, name);
	if (!code.p) {
		snprintf(why->text, sizeof(why->text), "an amount without %s", name);
		return DECODE_E_SHAPE;
	}
	return field_set_money(f, record, amount, code, why);
}

static int set_field(const struct field *f, void *record, const struct row *row, struct arena *a,
	struct field_why *why)
{
	struct str value = row_get(row, f->path);

	if (f->kind == FIELD_VERSION)
		return 0;
	if (!value.p) {
		snprintf(why->text, sizeof(why->text), "missing");
		return f->flags & FIELD_REQUIRED ? DECODE_E_SHAPE : 0;
	}
	/* JSON texts passed the gate; a row's text comes as it is. */
	if (!str_is_utf8(value) || (value.n && memchr(value.p, '\0', value.n))) {
		snprintf(why->text, sizeof(why->text), "a text must be UTF-8 without U+0000");
		return DECODE_E_SHAPE;
	}
	if (field_is_text(f))
		return field_set_text(f, record, value, false, a, why);
	if (field_is_number(f))
		return field_set_number(f, record, value, why);
	if (f->kind == FIELD_BOOL)
		return set_bool(f, record, value, why);
	if (f->kind == FIELD_MONEY)
		return set_money(f, record, value, row, why);
	return set_raw(f, record, value, a, why);
}

int row_decode(const struct record_type *type, void *ret, const struct row *row, struct arena *a,
	struct fault *f)
{
	int first = 0;

	memset(ret, 0, type->size);
	for (size_t i = 0; i < type->n_fields; i++) {
		struct field_why why;
		int r;

		assert(!strchr(type->fields[i].path, '.'));
		r = set_field(&type->fields[i], ret, row, a, &why);
		if (r && !first)
			first = fault_set(f, FAULT_REJECT, r, "%s: %s: %s", type->name,
				type->fields[i].path, why.text);
	}
	return first;
}
