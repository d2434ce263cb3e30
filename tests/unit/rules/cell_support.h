#pragma once

/* Fields, and random cells over them, for tests of cells and tables. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

#include "pricing/rules/cell.h"

enum { POINTS, TIER, VIP, FLOOR, RATE, NOW, LEFT, N_VARS };

static const char *const tiers[] = { "", "gold", "platinum", "none", NULL };

struct world {
	struct cel_env *env;
	struct cel_symbols *symbols;
	struct arena *arena, *results;
	struct cel_diags diags;
};

static inline void world_fini(struct world *w)
{
	cel_env_free(w->env);
	cel_symbols_free(w->symbols);
	arena_free(w->arena);
	arena_free(w->results);
}

static inline void world_finip(struct world *w)
{
	world_fini(w);
}

static inline const struct cel_node *checked(struct world *w, const char *text)
{
	const struct cel_limits limits = { 0 };
	struct cel_node *root = cel_parse(str_of(text), true, &limits, w->arena, &w->diags);

	cr_assert(root != NULL, "%s", text);
	cr_assert(cel_check(root, w->env, NULL, w->arena, &w->diags), "%s: %s", text,
		w->diags.v[0].text);
	return root;
}

static inline void world_init(struct world *w)
{
	const struct cel_var vars[N_VARS] = {
		[POINTS] = { .name = STR("customer.points"),
			.type = &cel_type_int,
			.unit = CEL_UNIT_POINTS,
			.is_optional = true },
		[TIER] = { .name = STR("customer.tier"),
			.type = &cel_type_string,
			.values = tiers,
			.is_optional = true },
		[VIP] = { .name = STR("vip"), .type = &cel_type_bool, .is_optional = true },
		[FLOOR] = { .name = STR("floor"),
			.type = cel_type_money_of(currency_find(STR("ETH"))),
			.is_optional = true },
		[RATE] = { .name = STR("rate"), .type = &cel_type_bps, .is_optional = true },
		[NOW] = { .name = STR("now"), .type = &cel_type_timestamp },
		[LEFT] = { .name = STR("item.left"), .type = &cel_type_int },
	};

	*w = (struct world){ 0 };
	cr_assert(zero(int, cel_env_new(&w->env, true)));
	for (int i = 0; i < N_VARS; i++)
		cr_assert(eq(int, cel_env_add(w->env, &vars[i]), i));
	cr_assert(zero(int, cel_symbols_new(&w->symbols)));
	cr_assert(zero(int, arena_new(&w->arena, 2 * CEL_PARSE_ARENA)));
	cr_assert(zero(int, arena_new(&w->results, 65536)));
}

static inline bool is_true(
	struct world *w, const struct cel_program *p, const struct cel_value *slots)
{
	struct cel_context c = { .arena = w->results };
	struct cel_value v = cel_eval(p, &c, slots);

	arena_reset(w->results);
	return v.kind == CEL_V_BOOL && v.b;
}

/* ---- random cells ---- */

static uint64_t state;

static inline uint64_t below(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % n;
}

static inline void some_constant(struct buf *out, const char *input)
{
	static const char *const texts[] = { "'gold'", "'none'", "\"platinum\"" };
	static const char *const amounts[] = { "eth('1')", "units('5', 'ETH')", "eth('0')" };
	static const char *const moments[] = { "'1970-01-01T00:00:01Z'",
		"timestamp('1970-01-01T00:00:02.5Z')" };

	if (strcmp(input, "customer.tier") == 0)
		buf_puts(out, str_of(texts[below(3)]));
	else if (strcmp(input, "vip") == 0)
		buf_puts(out, below(2) ? STR("true") : STR("false"));
	else if (strcmp(input, "floor") == 0)
		buf_puts(out, str_of(amounts[below(3)]));
	else if (strcmp(input, "now") == 0)
		buf_puts(out, str_of(moments[below(2)]));
	else
		buf_printf(out, "%d", (int)below(9) - 4);
}

static inline void some_cell(struct buf *out, const char *input, unsigned depth)
{
	static const char *const operators[] = { "", "==", "!=", "<", "<= ", "> ", ">=" };
	bool has_order = strcmp(input, "customer.tier") != 0 && strcmp(input, "vip") != 0;
	size_t n = 1 + below(3);

	for (size_t i = 0; i < n; i++) {
		buf_puts(out, i ? STR(", ") : STR(""));
		switch (below(has_order ? 5 : 3)) {
		case 0:
			if (depth > 0) {
				buf_puts(out, STR("not("));
				some_cell(out, input, depth - 1);
				buf_puts(out, STR(")"));
				break;
			}
			/* fall through */
		case 1:
		case 2:
			buf_puts(out, str_of(operators[below(has_order ? 7 : 3)]));
			some_constant(out, input);
			break;
		case 3:
			buf_printf(out, "%c", "[(]"[below(3)]);
			some_constant(out, input);
			buf_puts(out, STR(".."));
			some_constant(out, input);
			buf_printf(out, "%c", "])["[below(3)]);
			break;
		default:
			buf_puts(out, below(2) ? STR("_ == _") : STR("item.left > 2"));
		}
	}
}

static inline struct cel_value some_value(struct world *w, const char *input)
{
	struct cel_value v;

	if (below(8) == 0)
		return cel_absent(0);
	if (strcmp(input, "customer.tier") == 0) {
		v = cel_string(str_of(tiers[1 + below(3)]));
		v.sym = cel_symbols_find(w->symbols, cel_str(v));
		return v;
	}
	if (strcmp(input, "vip") == 0)
		return cel_bool(below(2));
	if (strcmp(input, "floor") == 0)
		return cel_money((struct money){
			below(2) ? below(9) : (u128)1000000000000000000 - 1 + below(3),
			currency_find(STR("ETH")) });
	if (strcmp(input, "now") == 0)
		return (struct cel_value){ .kind = CEL_V_TIMESTAMP,
			.i = (int64_t)below(4),
			.n = (uint32_t)below(3) * 500000000 / 2 };
	v = cel_int((int64_t)below(11) - 5);
	if (strcmp(input, "rate") == 0)
		v.kind = CEL_V_BPS;
	return v;
}
