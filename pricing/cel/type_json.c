/* Types as the conformance suite writes them, and the types of values. */
#include <errno.h>

#include "pricing/cel/value_json.h"

struct named_type {
	const char *name;
	const struct cel_type *type;
};

static const struct named_type primitives[] = {
	{ "BOOL", &cel_type_bool },
	{ "INT64", &cel_type_int },
	{ "UINT64", &cel_type_uint },
	{ "DOUBLE", &cel_type_double },
	{ "STRING", &cel_type_string },
	{ "BYTES", &cel_type_bytes },
};
static const struct named_type well_known[] = {
	{ "ANY", &cel_type_dyn },
	{ "TIMESTAMP", &cel_type_timestamp },
	{ "DURATION", &cel_type_duration },
	{ "google.protobuf.Timestamp", &cel_type_timestamp },
	{ "google.protobuf.Duration", &cel_type_duration },
};

static int find_type(const struct cel_type **ret, const struct named_type *types, size_t n,
	const json_t *name, struct fault *f)
{
	for (size_t i = 0; json_is_string(name) && i < n; i++)
		if (strcmp(types[i].name, json_string_value(name)) == 0) {
			*ret = types[i].type;
			return 0;
		}
	return fault_set(f, FAULT_REJECT, -EINVAL, "type %s: no such type, or none that Souk has",
		json_string_value(name) ?: "without a name");
}

static int list_type(
	const struct cel_type **ret, const json_t *json, struct arena *a, struct fault *f)
{
	const struct cel_type *element = &cel_type_dyn;
	int r = 0;

	if (json_object_get(json, "elemType"))
		r = cel_type_from_json(&element, json_object_get(json, "elemType"), a, f);
	if (r)
		return r;
	*ret = cel_type_list(a, element);
	return *ret ? 0 : -ENOMEM;
}

static int map_type(
	const struct cel_type **ret, const json_t *json, struct arena *a, struct fault *f)
{
	const struct cel_type *key = &cel_type_dyn, *value = &cel_type_dyn;
	int r = 0;

	if (json_object_get(json, "keyType"))
		r = cel_type_from_json(&key, json_object_get(json, "keyType"), a, f);
	if (!r && json_object_get(json, "valueType"))
		r = cel_type_from_json(&value, json_object_get(json, "valueType"), a, f);
	if (r)
		return r;
	*ret = cel_type_map(a, key, value);
	return *ret ? 0 : -ENOMEM;
}

static int type_type(
	const struct cel_type **ret, const json_t *json, struct arena *a, struct fault *f)
{
	const struct cel_type *of = NULL;
	int r = 0;

	if (json_object_size(json) > 0)
		r = cel_type_from_json(&of, json, a, f);
	if (r)
		return r;
	*ret = cel_type_of_type(a, of);
	return *ret ? 0 : -ENOMEM;
}

int cel_type_from_json(
	const struct cel_type **ret, const json_t *json, struct arena *a, struct fault *f)
{
	const json_t *v;

	if (json_object_get(json, "null")) {
		*ret = &cel_type_null;
		return 0;
	}
	if (json_object_get(json, "dyn")) {
		*ret = &cel_type_dyn;
		return 0;
	}
	v = json_object_get(json, "primitive");
	if (v)
		return find_type(ret, primitives, ARRAY_LEN(primitives), v, f);
	v = json_object_get(json, "messageType") ?: json_object_get(json, "wellKnown");
	if (v)
		return find_type(ret, well_known, ARRAY_LEN(well_known), v, f);
	v = json_object_get(json, "listType");
	if (v)
		return list_type(ret, v, a, f);
	v = json_object_get(json, "mapType");
	if (v)
		return map_type(ret, v, a, f);
	v = json_object_get(json, "type");
	if (v)
		return type_type(ret, v, a, f);
	return fault_set(f, FAULT_REJECT, -EINVAL,
		"a type is primitive, null, dyn, listType, mapType, messageType, wellKnown or "
		"type");
}

/* The one type of all of them, dyn if there is none or more than one. */
static const struct cel_type *common_type(const struct cel_value *v, uint32_t n, struct arena *a)
{
	const struct cel_type *first = n > 0 ? cel_type_of_value(v[0], a) : &cel_type_dyn;

	for (uint32_t i = 1; first && i < n; i++) {
		const struct cel_type *t = cel_type_of_value(v[i], a);

		if (!t || !cel_type_eq(first, t))
			return t ? &cel_type_dyn : NULL;
	}
	return first;
}

static const struct cel_type *map_type_of(const struct cel_map *m, struct arena *a)
{
	const struct cel_type *key = common_type(m->keys, m->n, a);
	const struct cel_type *value = common_type(m->values, m->n, a);

	return key && value ? cel_type_map(a, key, value) : NULL;
}

const struct cel_type *cel_type_of_value(struct cel_value v, struct arena *a)
{
	switch ((enum cel_value_kind)v.kind) {
	case CEL_V_NULL:
		return &cel_type_null;
	case CEL_V_BOOL:
		return &cel_type_bool;
	case CEL_V_INT:
		return &cel_type_int;
	case CEL_V_UINT:
		return &cel_type_uint;
	case CEL_V_DOUBLE:
		return &cel_type_double;
	case CEL_V_STRING:
		return &cel_type_string;
	case CEL_V_BYTES:
		return &cel_type_bytes;
	case CEL_V_TIMESTAMP:
		return &cel_type_timestamp;
	case CEL_V_DURATION:
		return &cel_type_duration;
	case CEL_V_MONEY:
		return cel_type_money_of(v.currency);
	case CEL_V_BPS:
		return &cel_type_bps;
	case CEL_V_TYPE:
		return cel_type_of_type(a, NULL);
	case CEL_V_LIST: {
		const struct cel_type *element = common_type(v.list, v.n, a);

		return element ? cel_type_list(a, element) : NULL;
	}
	case CEL_V_MAP:
		return map_type_of(v.map, a);
	case CEL_V_ERROR:
		break;
	}
	return &cel_type_dyn;
}

static bool all_fit(const struct cel_value *v, uint32_t n, const struct cel_type *t)
{
	for (uint32_t i = 0; i < n; i++)
		if (!cel_value_fits(v[i], t))
			return false;
	return true;
}

bool cel_value_fits(struct cel_value v, const struct cel_type *t)
{
	static const uint8_t kinds[] = {
		[CEL_T_NULL] = CEL_V_NULL,
		[CEL_T_BOOL] = CEL_V_BOOL,
		[CEL_T_INT] = CEL_V_INT,
		[CEL_T_UINT] = CEL_V_UINT,
		[CEL_T_DOUBLE] = CEL_V_DOUBLE,
		[CEL_T_STRING] = CEL_V_STRING,
		[CEL_T_BYTES] = CEL_V_BYTES,
		[CEL_T_TIMESTAMP] = CEL_V_TIMESTAMP,
		[CEL_T_DURATION] = CEL_V_DURATION,
		[CEL_T_MONEY] = CEL_V_MONEY,
		[CEL_T_BPS] = CEL_V_BPS,
		[CEL_T_LIST] = CEL_V_LIST,
		[CEL_T_MAP] = CEL_V_MAP,
		[CEL_T_TYPE] = CEL_V_TYPE,
	};

	if (t->kind == CEL_T_DYN)
		return true;
	if (t->kind >= ARRAY_LEN(kinds) || kinds[t->kind] != v.kind)
		return false;
	if (t->kind == CEL_T_LIST)
		return all_fit(v.list, v.n, t->a);
	if (t->kind == CEL_T_MAP)
		return all_fit(v.map->keys, v.map->n, t->a) &&
		       all_fit(v.map->values, v.map->n, t->b);
	return t->kind != CEL_T_MONEY || t->currency == 0 || t->currency == v.currency;
}
