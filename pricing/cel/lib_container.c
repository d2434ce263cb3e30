/*
 * Elements of lists and entries of maps. The texts of the errors are cel-go's as far as they can
 * be without the key in them: an error carries a literal and no memory.
 */
#include <math.h>

#include "pricing/cel/lib_impl.h"

static struct cel_value no_such_key(void)
{
	return cel_error(CEL_R_NO_KEY, "no such key");
}

/* A double may be an index if it is whole. */
static bool place_of(struct cel_value key, uint64_t *ret)
{
	switch ((enum cel_value_kind)key.kind) {
	case CEL_V_INT: /* a negative one becomes one that no list is long enough for */
	case CEL_V_UINT:
		*ret = key.u;
		return true;
	case CEL_V_DOUBLE:
		*ret = fabs(key.d) < 0x1p53 ? (uint64_t)(int64_t)key.d : UINT64_MAX;
		return key.d == floor(key.d);
	default:
		return false;
	}
}

static struct cel_value list_index(struct cel_value list, struct cel_value key)
{
	uint64_t at;

	if (!place_of(key, &at))
		return cel_error(CEL_R_ARGUMENT, "unsupported index type or value in list");
	return at < list.n ? list.list[at] : cel_error(CEL_R_INDEX, "index out of bounds");
}

struct cel_value cel_index(struct cel_value container, struct cel_value key)
{
	const struct cel_value *v;

	if (cel_is_error(container) || cel_is_error(key))
		return cel_is_error(container) ? container : key;
	if (container.kind == CEL_V_LIST)
		return list_index(container, key);
	if (container.kind != CEL_V_MAP)
		return lib_no_overload();
	v = cel_map_find(container.map, key);
	return v ? *v : no_such_key();
}

struct cel_value cel_select(struct cel_value operand, struct str field)
{
	const struct cel_value *v;

	if (cel_is_error(operand))
		return operand;
	if (operand.kind != CEL_V_MAP)
		return lib_no_overload();
	v = cel_map_find(operand.map, cel_string(field));
	return v ? *v : no_such_key();
}

struct cel_value cel_has(struct cel_value operand, struct str field)
{
	if (cel_is_error(operand))
		return operand;
	if (operand.kind == CEL_V_LIST)
		return lib_no_overload();
	/* what is no container has no fields, says cel-go, and asking is no error */
	return cel_bool(
		operand.kind == CEL_V_MAP && cel_map_find(operand.map, cel_string(field)) != NULL);
}

struct cel_value cel_in(struct cel_value element, struct cel_value container)
{
	if (cel_is_error(element) || cel_is_error(container))
		return cel_is_error(element) ? element : container;
	if (container.kind == CEL_V_MAP)
		return cel_bool(cel_map_find(container.map, element) != NULL);
	if (container.kind != CEL_V_LIST)
		return lib_no_overload();
	for (uint32_t i = 0; i < container.n; i++)
		if (cel_equal(element, container.list[i]))
			return cel_bool(true);
	return cel_bool(false);
}
