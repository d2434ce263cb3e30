/*
 * What the machine calls for values: mostly the library, with the cost that has been counted ahead
 * taken off.
 */
#include "pricing/cel/program_impl.h"

struct cel_value cel_vm_binary(struct cel_context *c, enum cel_function f,
	const struct cel_value *x, const struct cel_value *y)
{
	struct cel_value args[] = { *x, *y };

	c->cost--;
	return cel_call(c, f, args, 2);
}

struct cel_value cel_vm_matches(struct cel_context *c, const struct cel_pattern *p,
	uint32_t pattern_bytes, struct cel_value text)
{
	if (text.kind != CEL_V_STRING) {
		struct cel_value e = cel_null();

		cel_vm_note(&e, &text);
		return e;
	}
	if (!cel_spend(c, ((uint64_t)text.n * pattern_bytes + 39) / 40))
		return cel_cost_error();
	return cel_bool(cel_pattern_matches(p, cel_str(text)));
}

bool cel_vm_list(struct cel_context *c, struct cel_value *ret, uint32_t room)
{
	void *v = arena_alloc(c->arena, (size_t)room * sizeof(struct cel_value));

	*ret = v ? (struct cel_value){ .kind = CEL_V_LIST, .list = v }
		 : cel_error(CEL_R_MEMORY, "out of memory");
	return v != NULL;
}

struct cel_value cel_vm_in_zone(unsigned function, struct cel_value moment, const void *zone)
{
	struct cel_value e = cel_null();

	if (moment.kind != CEL_V_TIMESTAMP) {
		cel_vm_note(&e, &moment);
		return e;
	}
	return cel_time_part((enum cel_function)function, moment, cel_zone_offset(zone, moment.i));
}
