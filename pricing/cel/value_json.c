/*
 * Reading. Numbers may come as texts or as numbers, as proto3 JSON has it. A number too large for
 * the reader's integers arrives as a double (the caller reads the line again that way), and then is
 * taken as an integer only while a double is exact: a value that differs in its last digits from
 * what was written is worse than an error.
 */
#include "pricing/cel/value_json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "pricing/cel/lib.h"
#include "pricing/cel/nearest.h"

#define EXACT_DOUBLE 9007199254740992.0 /* 2^53 */

typedef int read_fn(struct cel_value *ret, const json_t *json, struct arena *a, struct fault *f);

static int invalid(struct fault *f, const char *what)
{
	return fault_set(f, FAULT_REJECT, -EINVAL, "%s", what);
}

static struct str text_of(const json_t *json)
{
	return (struct str){ json_string_value(json), json_string_length(json) };
}

static int read_i64(int64_t *ret, const json_t *json)
{
	if (json_is_integer(json)) {
		*ret = json_integer_value(json);
		return 0;
	}
	if (json_is_real(json)) {
		const double d = json_real_value(json);

		if (d != floor(d) || fabs(d) > EXACT_DOUBLE)
			return -EINVAL;
		*ret = (int64_t)d;
		return 0;
	}
	return json_is_string(json) ? str_to_i64(text_of(json), ret) : -EINVAL;
}

static int read_int(struct cel_value *ret, const json_t *json, struct arena *a, struct fault *f)
{
	int64_t i;

	(void)a;
	if (read_i64(&i, json))
		return invalid(f, "int64Value: an integer of 64 bits, best as text");
	*ret = cel_int(i);
	return 0;
}

static int read_bps(struct cel_value *ret, const json_t *json, struct arena *a, struct fault *f)
{
	int64_t i;

	(void)a;
	if (read_i64(&i, json))
		return invalid(f, "bpsValue: an integer of basis points");
	*ret = cel_bps(i);
	return 0;
}

static int read_uint(struct cel_value *ret, const json_t *json, struct arena *a, struct fault *f)
{
	int64_t i;
	uint64_t u;

	(void)a;
	if (json_is_string(json) && !str_to_u64(text_of(json), &u)) {
		*ret = cel_uint(u);
		return 0;
	}
	if (json_is_string(json) || read_i64(&i, json) || i < 0)
		return invalid(f, "uint64Value: an unsigned integer of 64 bits, best as text");
	*ret = cel_uint((uint64_t)i);
	return 0;
}

static int read_double_text(double *ret, const char *text)
{
	char *end;

	if (strcmp(text, "NaN") == 0)
		*ret = NAN;
	else if (strcmp(text, "Infinity") == 0)
		*ret = INFINITY;
	else if (strcmp(text, "-Infinity") == 0)
		*ret = -INFINITY;
	else {
		if (text[0] == '\0' || text[strspn(text, "+-.0123456789eE")] != '\0')
			return -EINVAL;
		*ret = strtod(text, &end);
		return *end == '\0' && isfinite(*ret) ? 0 : -EINVAL;
	}
	return 0;
}

static int read_double(struct cel_value *ret, const json_t *json, struct arena *a, struct fault *f)
{
	double d;

	(void)a;
	if (json_is_number(json))
		d = json_number_value(json);
	else if (!json_is_string(json) || read_double_text(&d, json_string_value(json)))
		return invalid(f, "doubleValue: a number, or \"NaN\", \"Infinity\", \"-Infinity\"");
	*ret = cel_double(d);
	return 0;
}

static int read_string(struct cel_value *ret, const json_t *json, struct arena *a, struct fault *f)
{
	if (!json_is_string(json))
		return invalid(f, "stringValue: a text");
	const struct str s = arena_copy(a, text_of(json));

	if (!s.p)
		return -ENOMEM;
	*ret = cel_string(s);
	return 0;
}

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

/* Either alphabet, padded or not, as proto3 JSON reads it. */
static int read_base64(unsigned char *ret, size_t *ret_n, struct str s)
{
	uint32_t bits = 0;
	unsigned n_bits = 0;

	*ret_n = 0;
	while (s.n > 0 && s.p[s.n - 1] == '=')
		s.n--;
	for (size_t i = 0; i < s.n; i++) {
		const int digit = base64_digit(s.p[i]);

		if (digit < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)digit;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			ret[(*ret_n)++] = (unsigned char)(bits >> n_bits & 0xff);
		}
	}
	return s.n % 4 == 1 ? -EINVAL : 0;
}

static int read_bytes(struct cel_value *ret, const json_t *json, struct arena *a, struct fault *f)
{
	const struct str text = text_of(json);
	size_t n;

	if (!json_is_string(json))
		return invalid(f, "bytesValue: base64");
	unsigned char *p = arena_alloc(a, text.n + 1);

	if (!p)
		return -ENOMEM;
	if (read_base64(p, &n, text))
		return invalid(f, "bytesValue: base64");
	*ret = cel_string((struct str){ (const char *)p, n });
	ret->kind = CEL_V_BYTES;
	return 0;
}

static int read_bool(struct cel_value *ret, const json_t *json, struct arena *a, struct fault *f)
{
	(void)a;
	if (!json_is_boolean(json))
		return invalid(f, "boolValue: true or false");
	*ret = cel_bool(json_is_true(json));
	return 0;
}

static int read_null(struct cel_value *ret, const json_t *json, struct arena *a, struct fault *f)
{
	(void)a;
	if (!json_is_null(json) && strcmp(json_string_value(json) ?: "", "NULL_VALUE") != 0)
		return invalid(f, "nullValue: null");
	*ret = cel_null();
	return 0;
}

static int read_type(struct cel_value *ret, const json_t *json, struct arena *a, struct fault *f)
{
	static const char *const names[] = { "bool", "bps", "bytes", "double",
		"google.protobuf.Duration", "google.protobuf.Timestamp", "int", "list", "map",
		"money", "null_type", "string", "type", "uint", NULL };
	const int i = json_is_string(json) ? nearest_index(json_string_value(json), names) : -1;

	(void)a;
	if (i < 0)
		return invalid(
			f, "typeValue: the name of a type, such as \"int\" or \"null_type\"");
	*ret = cel_string(str_of(names[i]));
	ret->kind = CEL_V_TYPE;
	return 0;
}

static int read_list(struct cel_value *ret, const json_t *json, struct arena *a, struct fault *f)
{
	const json_t *values = json_object_get(json, "values");
	const size_t n = json_array_size(values);

	if (!json_is_object(json) || (values && !json_is_array(values)) ||
		json_object_size(json) > (values ? 1 : 0))
		return invalid(f, "listValue: {\"values\":[…]}");
	struct cel_value *v = arena_alloc(a, (n + 1) * sizeof(*v));

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const int r = cel_value_from_json(&v[i], json_array_get(values, i), a, f);

		if (r)
			return r;
	}
	*ret = (struct cel_value){ .kind = CEL_V_LIST, .n = (uint32_t)n, .list = v };
	return 0;
}

static int read_entry(struct cel_value *ret_key, struct cel_value *ret_value, const json_t *entry,
	struct arena *a, struct fault *f)
{
	const json_t *key = json_object_get(entry, "key");
	const json_t *value = json_object_get(entry, "value");
	int r;

	if (!key || !value || json_object_size(entry) != 2)
		return invalid(f, "mapValue: entries of {\"key\":…,\"value\":…}");
	r = cel_value_from_json(ret_key, key, a, f);
	return r ? r : cel_value_from_json(ret_value, value, a, f);
}

static int map_of(struct cel_value *ret, const struct cel_value *keys,
	const struct cel_value *values, size_t n, struct arena *a, struct fault *f)
{
	struct cel_context c = { .arena = a };

	*ret = cel_map_make(&c, keys, values, (uint32_t)n);
	if (!cel_is_error(*ret))
		return 0;
	return ret->sym == CEL_R_MEMORY
		       ? -ENOMEM
		       : fault_set(f, FAULT_REJECT, -EINVAL, "mapValue: %s", ret->text);
}

static int read_map(struct cel_value *ret, const json_t *json, struct arena *a, struct fault *f)
{
	const json_t *entries = json_object_get(json, "entries");
	const size_t n = json_array_size(entries);

	if (!json_is_object(json) || (entries && !json_is_array(entries)) ||
		json_object_size(json) > (entries ? 1 : 0))
		return invalid(f, "mapValue: {\"entries\":[{\"key\":…,\"value\":…}]}");
	struct cel_value *v = arena_alloc(a, (2 * n + 1) * sizeof(*v));

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const int r = read_entry(&v[i], &v[n + i], json_array_get(entries, i), a, f);

		if (r)
			return r;
	}
	return map_of(ret, v, v + n, n, a, f);
}

static int read_object(struct cel_value *ret, const json_t *json, struct arena *a, struct fault *f)
{
	const char *type = json_string_value(json_object_get(json, "@type")) ?: "";
	const json_t *value = json_object_get(json, "value");
	const bool is_duration = strcmp(type, DURATION_URL) == 0;

	(void)a;
	if (!is_duration && strcmp(type, TIMESTAMP_URL) != 0)
		return invalid(f, "objectValue: @type is " TIMESTAMP_URL " or …Duration");
	if (!json_is_string(value))
		return invalid(f, "objectValue: value is a text");
	*ret = is_duration ? cel_duration_parse(text_of(value))
			   : cel_timestamp_parse(text_of(value));
	return cel_is_error(*ret) ? fault_set(f, FAULT_REJECT, -EINVAL, "objectValue: %s: %s",
					    json_string_value(value), ret->text)
				  : 0;
}

static int read_money(struct cel_value *ret, const json_t *json, struct arena *a, struct fault *f)
{
	const json_t *amount = json_object_get(json, "amount");
	const json_t *code = json_object_get(json, "currency");
	struct money m;
	int r;

	(void)a;
	if (!json_is_string(amount) || !json_is_string(code) || json_object_size(json) != 2)
		return invalid(
			f, "moneyValue: {\"amount\":\"<smallest units>\",\"currency\":\"ETH\"}");
	r = money_make(&m, text_of(amount), text_of(code));
	if (r)
		return fault_set(f, FAULT_REJECT, -EINVAL, "moneyValue: %s", money_error(r));
	*ret = cel_money(m);
	return 0;
}

static const char *const value_names[] = { "int64Value", "uint64Value", "doubleValue",
	"stringValue", "bytesValue", "boolValue", "nullValue", "typeValue", "listValue", "mapValue",
	"objectValue", "moneyValue", "bpsValue", NULL };
static read_fn *const readers[] = { read_int, read_uint, read_double, read_string, read_bytes,
	read_bool, read_null, read_type, read_list, read_map, read_object, read_money, read_bps };
_Static_assert(ARRAY_LEN(value_names) == ARRAY_LEN(readers) + 1, "a reader for each");

int cel_value_from_json(struct cel_value *ret, const json_t *json, struct arena *a, struct fault *f)
{
	const char *name = json_object_iter_key(json_object_iter((json_t *)json));
	int i;

	if (!name || json_object_size(json) != 1)
		return invalid(f, "a value has exactly one member, such as {\"int64Value\":\"5\"}");
	i = nearest_index(name, value_names);
	if (i >= 0)
		return readers[i](ret, json_object_get(json, name), a, f);
	return fault_set(f, FAULT_REJECT, -EINVAL,
		"%s: no such kind of value: int64Value uint64Value doubleValue stringValue "
		"bytesValue boolValue nullValue typeValue listValue mapValue objectValue "
		"moneyValue "
		"bpsValue",
		name);
}

static int plain_list(struct cel_value *ret, const json_t *json, struct arena *a, struct fault *f)
{
	const size_t n = json_array_size(json);
	struct cel_value *v = arena_alloc(a, (n + 1) * sizeof(*v));

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const int r = cel_value_from_plain_json(&v[i], json_array_get(json, i), a, f);

		if (r)
			return r;
	}
	*ret = (struct cel_value){ .kind = CEL_V_LIST, .n = (uint32_t)n, .list = v };
	return 0;
}

static int plain_object(struct cel_value *ret, const json_t *json, struct arena *a, struct fault *f)
{
	const size_t n = json_object_size(json);
	struct cel_value *v = arena_alloc(a, (2 * n + 1) * sizeof(*v));
	const char *key;
	json_t *value;
	size_t i = 0;

	if (!v)
		return -ENOMEM;
	json_object_foreach((json_t *)json, key, value) {
		const struct str copy = arena_copy(a, str_of(key));
		int r;

		if (n == 1 && nearest_index(key, value_names) >= 0)
			return cel_value_from_json(ret, json, a, f);
		if (!copy.p)
			return -ENOMEM;
		v[i] = cel_string(copy);
		r = cel_value_from_plain_json(&v[n + i], value, a, f);
		if (r)
			return r;
		i++;
	}
	return map_of(ret, v, v + n, n, a, f);
}

int cel_value_from_plain_json(
	struct cel_value *ret, const json_t *json, struct arena *a, struct fault *f)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return plain_object(ret, json, a, f);
	case JSON_ARRAY:
		return plain_list(ret, json, a, f);
	case JSON_STRING:
		return read_string(ret, json, a, f);
	case JSON_INTEGER:
		return read_int(ret, json, a, f);
	case JSON_REAL:
		return read_double(ret, json, a, f);
	case JSON_TRUE:
	case JSON_FALSE:
		return read_bool(ret, json, a, f);
	case JSON_NULL:
		break;
	}
	*ret = cel_null();
	return 0;
}
