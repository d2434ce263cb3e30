/*
 * Values as people write them, into a record. Only tests of documents and the command line come
 * this way, so it is Jansson, and every refusal says what would have been right.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/model/decode.h"
#include "pricing/cel/lib.h"
#include "pricing/rules/fields_impl.h"
#include "pricing/cel/nearest.h"

bool fields_time_ms(struct str text, int64_t *ret)
{
	struct cel_value v = cel_timestamp_parse(text);

	if (v.kind != CEL_V_TIMESTAMP)
		return false;
	*ret = v.i * 1000 + v.n / 1000000;
	return true;
}

bool fields_money(struct str text, struct money *ret)
{
	const char *blank = text.n ? memrchr(text.p, ' ', text.n) : NULL;
	struct str amount, code;

	if (!blank)
		return false;
	amount = (struct str){ text.p, (size_t)(blank - text.p) };
	code = (struct str){ blank + 1, text.n - amount.n - 1 };
	return money_parse_decimal(ret, amount, currency_find(code)) == 0;
}

/* ---- lists of texts in a record: compact JSON ---- */

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* The four digits of \uXXXX at @s. Decoding has already refused half pairs; ours are written
 * without escapes but for controls. */
static int unescape_unit(struct str s, char *ret, size_t *ret_n)
{
	unsigned c = 0;

	if (s.n < 4)
		return -EINVAL;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(s.p[i]);

		if (digit < 0)
			return -EINVAL;
		c = c << 4 | (unsigned)digit;
	}
	if (c >= 0x80)
		return -EINVAL;
	ret[(*ret_n)++] = (char)c;
	return 0;
}

/* One text from behind its quote; *ret_used counts its closing one. */
static int read_text(struct str s, char *ret, size_t *ret_n, size_t *ret_used)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	size_t i = 0;

	for (*ret_n = 0; i < s.n && s.p[i] != '"'; i++) {
		const char *at;

		if (s.p[i] != '\\') {
			ret[(*ret_n)++] = s.p[i];
			continue;
		}
		if (++i == s.n)
			return -EINVAL;
		at = memchr(from, s.p[i], sizeof(from) - 1);
		if (at) {
			ret[(*ret_n)++] = to[at - from];
		} else if (s.p[i] == 'u') {
			if (unescape_unit((struct str){ s.p + i + 1, s.n - i - 1 }, ret, ret_n) !=
				0)
				return -EINVAL;
			i += 4;
		} else {
			return -EINVAL;
		}
	}
	*ret_used = i + 1;
	return i < s.n ? 0 : -EINVAL;
}

static size_t most_texts(struct str json)
{
	size_t quotes = 0;

	for (size_t i = 0; i < json.n; i++)
		quotes += json.p[i] == '"';
	return quotes / 2;
}

static struct cel_value no_texts(void)
{
	return cel_error(CEL_R_ARGUMENT, "not a list of texts");
}

struct cel_value fields_texts(struct str json, struct arena *a)
{
	size_t most = most_texts(json), i = 1, used;
	struct cel_value ret = { .kind = CEL_V_LIST };
	struct cel_value *v;
	char *text;

	if (!str_is_set(json) || str_eqz(json, "[]"))
		return ret;
	if (json.n < 2 || json.p[0] != '[' || json.p[json.n - 1] != ']')
		return no_texts();
	v = arena_alloc(a, (most ? most : 1) * sizeof(*v));
	text = arena_alloc(a, json.n);
	if (!v || !text)
		return cel_error(CEL_R_MEMORY, "out of memory");
	while (i < json.n - 1) {
		size_t n;

		if (json.p[i] != '"' || ret.n == most ||
			read_text((struct str){ json.p + i + 1, json.n - i - 1 }, text, &n,
				&used) != 0)
			return no_texts();
		v[ret.n++] = cel_string((struct str){ text, n });
		text += n;
		i += 1 + used;
		if (json.p[i] != ',' && i != json.n - 1)
			return no_texts();
		i += json.p[i] == ',';
	}
	ret.list = v;
	return ret;
}

/* ---- setting ---- */

struct setter {
	const struct schema_field *field;
	const json_t *value;
	struct arena *a;
	struct fault *fault;
};

static int refuse(const struct setter *s, const char *what)
{
	return fault_set(s->fault, FAULT_REJECT, -EINVAL, "%s: must be %s", s->field->name, what);
}

static int copy_text(const struct setter *s, struct str text, struct str *ret)
{
	*ret = arena_copy(s->a, text);
	if (str_is_set(*ret))
		return 0;
	return fault_set(
		s->fault, FAULT_REJECT, -EINVAL, "%s: no room for so much text", s->field->name);
}

static struct str text_of(const json_t *v)
{
	return json_is_string(v) ? (struct str){ json_string_value(v), json_string_length(v) }
				 : STR_NONE;
}

static int set_i64(const struct setter *s, int64_t *ret)
{
	if (strcmp(s->field->type, "timestamp") == 0)
		return fields_time_ms(text_of(s->value), ret)
			       ? 0
			       : refuse(s, "a time such as \"2026-11-20T19:00:00Z\"");
	if (!json_is_integer(s->value))
		return refuse(s, "an integer");
	*ret = json_integer_value(s->value);
	return 0;
}

/* A name of the field's closed list; its number. */
static int name_of(const struct setter *s, const json_t *value, int *ret)
{
	const char *name = json_string_value(value);

	*ret = name ? nearest_index(name, s->field->values) : -1;
	if (*ret >= 0)
		return 0;
	return fault_set(s->fault, FAULT_REJECT, -EINVAL,
		"%s: unknown value \"%.40s\", nearest is \"%s\"", s->field->name, name ? name : "",
		nearest_name(name ? name : "", s->field->values));
}

static int set_str(const struct setter *s, struct str *ret)
{
	struct str text = text_of(s->value);
	int number;

	if (!str_is_set(text))
		return refuse(s, "a text");
	if (s->field->values && name_of(s, s->value, &number) != 0)
		return -EINVAL;
	return copy_text(s, text, ret);
}

static int set_texts(const struct setter *s, struct str *ret)
{
	char *json;
	int number, r = 0;

	if (!json_is_array(s->value))
		return refuse(s, "an array of texts");
	for (size_t i = 0; i < json_array_size(s->value); i++) {
		const json_t *v = json_array_get(s->value, i);

		if (!json_is_string(v))
			return refuse(s, "an array of texts");
		if (s->field->values && name_of(s, v, &number) != 0)
			return -EINVAL;
	}
	json = json_dumps(s->value, JSON_COMPACT);
	r = json ? copy_text(s, str_of(json), ret) : refuse(s, "an array of texts");
	free(json);
	return r;
}

static int set_absent(const struct setter *s, void *at)
{
	static const size_t sizes[] = {
		[FIELD_AT_I64] = sizeof(int64_t),
		[FIELD_AT_BOOL] = sizeof(bool),
		[FIELD_AT_TRIBOOL] = sizeof(int),
		[FIELD_AT_ENUM] = sizeof(int),
		[FIELD_AT_STR] = sizeof(struct str),
		[FIELD_AT_MONEY] = sizeof(struct money),
		[FIELD_AT_TEXTS] = sizeof(struct str),
	};

	if (!s->field->is_optional)
		return fault_set(s->fault, FAULT_REJECT, -EINVAL,
			"%s: is never absent, null is no value for it", s->field->name);
	memset(at, 0, sizes[s->field->bind]);
	return 0;
}

static int set_at(const struct setter *s, char *at)
{
	switch (s->field->bind) {
	case FIELD_AT_I64:
		return set_i64(s, (int64_t *)(void *)at);
	case FIELD_AT_BOOL:
		if (!json_is_boolean(s->value))
			return refuse(s, "true or false");
		*(bool *)at = json_is_true(s->value);
		return 0;
	case FIELD_AT_TRIBOOL:
		if (!json_is_boolean(s->value))
			return refuse(s, "true or false");
		*(int *)(void *)at = json_is_true(s->value) ? TRI_TRUE : TRI_FALSE;
		return 0;
	case FIELD_AT_ENUM:
		return name_of(s, s->value, (int *)(void *)at);
	case FIELD_AT_STR:
		return set_str(s, (struct str *)(void *)at);
	case FIELD_AT_MONEY:
		return fields_money(text_of(s->value), (struct money *)(void *)at)
			       ? 0
			       : refuse(s, "an amount such as \"1.25 ETH\"");
	case FIELD_AT_TEXTS:
		return set_texts(s, (struct str *)(void *)at);
	case FIELD_AT_FN:
	case FIELD_AT_NONE:
		break;
	}
	return -EINVAL;
}

static int unknown_field(const struct schema *s, const char *name, struct fault *f)
{
	struct str nearest = cel_env_nearest(s->env, str_of(name));

	if (str_is_set(nearest))
		return fault_set(f, FAULT_REJECT, -EINVAL,
			"unknown field \"%.80s\", nearest is \"" STR_FMT "\"", name,
			STR_ARG(nearest));
	return fault_set(f, FAULT_REJECT, -EINVAL, "unknown field \"%.80s\"", name);
}

int schema_set(const struct schema *s, void *record, const char *name, const json_t *value,
	struct arena *a, struct fault *f)
{
	int slot = cel_env_find(s->env, str_of(name));
	struct setter setter = { .value = value, .a = a, .fault = f };

	if (slot < 0)
		return unknown_field(s, name, f);
	setter.field = &s->fields[slot];
	if (setter.field->label == LABEL_SENSITIVE || setter.field->bind == FIELD_AT_NONE)
		return fault_set(
			f, FAULT_REJECT, -EINVAL, "%s: a protected trait has no value here", name);
	if (setter.field->bind == FIELD_AT_FN) {
		if (!setter.field->set)
			return fault_set(
				f, FAULT_REJECT, -EINVAL, "%s: is derived, it cannot be set", name);
		return setter.field->set(record, value, a)
			       ? 0
			       : fault_set(f, FAULT_REJECT, -EINVAL, "%s: must be of type %s", name,
					 setter.field->type);
	}
	if (json_is_null(value))
		return set_absent(&setter, (char *)record + setter.field->offset);
	return set_at(&setter, (char *)record + setter.field->offset);
}
