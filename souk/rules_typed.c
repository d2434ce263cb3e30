/* Only what a plain value of JSON cannot say by itself is looked at here; the rest is
 * value_json.c's. */
#include "souk/rules_typed.h"

#include <errno.h>

#include "pricing/cel/lib.h"
#include "pricing/cel/value_json.h"
#include "pricing/rules/fields.h"

json_t *rules_plain(const char *text, const struct cel_type *t)
{
	json_t *json = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	bool is_text = t && t->kind == CEL_T_STRING && !json_is_string(json) && !json_is_null(json);

	if (json && !is_text)
		return json;
	json_decref(json);
	return json_string(text);
}

static int wanted(struct fault *f, const struct cel_type *t, const char *example)
{
	CLEANUP(buf_fini) struct buf name = BUF_INIT(256);

	cel_type_print(&name, t);
	return fault_set(f, FAULT_REJECT, -EINVAL, STR_FMT " is wanted%s%s",
		STR_ARG(buf_str(&name)), example[0] ? ", such as " : "", example);
}

/* "1.25 ETH" */
static int read_money(
	struct cel_value *ret, const struct cel_type *t, const char *text, struct fault *f)
{
	struct money m;

	if (!text || !fields_money(str_of(text), &m))
		return wanted(f, t, "\"1.25 ETH\"");
	*ret = cel_money(m);
	return 0;
}

static int read_list(struct cel_value *ret, const struct cel_type *t, const json_t *json,
	struct arena *a, struct fault *f)
{
	const size_t n = json_array_size(json);
	struct cel_value *v = arena_alloc(a, (n + 1) * sizeof(*v));

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const int r = rules_typed(&v[i], t->a, json_array_get(json, i), a, f);

		if (r)
			return r;
	}
	*ret = (struct cel_value){ .kind = CEL_V_LIST, .n = (uint32_t)n, .list = v };
	return 0;
}

/* -ENOENT: plain JSON says it. */
static int read_special(struct cel_value *ret, const struct cel_type *t, const json_t *json,
	struct arena *a, struct fault *f)
{
	const char *text = json_string_value(json);

	switch (t->kind) {
	case CEL_T_MONEY:
		return json_is_object(json) ? -ENOENT : read_money(ret, t, text, f);
	case CEL_T_BPS:
		if (!json_is_integer(json))
			return -ENOENT;
		*ret = cel_bps(json_integer_value(json));
		return 0;
	case CEL_T_UINT:
		if (!json_is_integer(json) || json_integer_value(json) < 0)
			return -ENOENT;
		*ret = cel_uint((uint64_t)json_integer_value(json));
		return 0;
	case CEL_T_DOUBLE:
		if (!json_is_number(json))
			return -ENOENT;
		*ret = cel_double(json_number_value(json));
		return 0;
	case CEL_T_TIMESTAMP:
		*ret = text ? cel_timestamp_parse(str_of(text)) : cel_null();
		return text && !cel_is_error(*ret) ? 0 : wanted(f, t, "\"2026-11-20T19:00:00Z\"");
	case CEL_T_DURATION:
		*ret = text ? cel_duration_parse(str_of(text)) : cel_null();
		return text && !cel_is_error(*ret) ? 0 : wanted(f, t, "\"1h30m\"");
	case CEL_T_LIST:
		return json_is_array(json) ? read_list(ret, t, json, a, f) : -ENOENT;
	default:
		return -ENOENT;
	}
}

int rules_typed(struct cel_value *ret, const struct cel_type *t, const json_t *json,
	struct arena *a, struct fault *f)
{
	int r = read_special(ret, t, json, a, f);

	if (r != -ENOENT)
		return r;
	r = cel_value_from_plain_json(ret, json, a, f);
	if (r)
		return r;
	return cel_value_fits(*ret, t) ? 0 : wanted(f, t, "");
}
