/* all, exists, exists_one, map and filter over lists and maps: values, absorption, what they
 * cost. */
#include "program_support.h"

static struct cel_value numbers[1000];

static void set_up(void)
{
	static const struct cel_value values[3] = { { .kind = CEL_V_INT, .i = 1 },
		{ .kind = CEL_V_INT, .i = 0 }, { .kind = CEL_V_INT, .i = 3 } };
	static struct cel_value keys[3];
	static struct cel_map map;

	program_begin();
	keys[0] = cel_string(STR("a"));
	keys[1] = cel_string(STR("b"));
	keys[2] = cel_string(STR("c"));
	map = (struct cel_map){ .n = 3, .keys = keys, .values = values };
	for (int k = 0; k < 1000; k++)
		numbers[k] = cel_int(k);
	bind("ints", (struct cel_value){ .kind = CEL_V_LIST, .n = 3, .list = values });
	bind("counts", (struct cel_value){ .kind = CEL_V_MAP, .map = &map });
	bind("i", cel_int(2));
}

TestSuite(comprehension, .init = set_up, .fini = program_end);

Test(comprehension, quantifiers_over_lists)
{
	EXPECT_VALUE("true", "ints.all(x, x >= 0)");
	EXPECT_VALUE("false", "ints.all(x, x > 0)");
	EXPECT_VALUE("true", "ints.exists(x, x == 3)");
	EXPECT_VALUE("false", "ints.exists(x, x == 4)");
	EXPECT_VALUE("true", "ints.exists_one(x, x > 2)");
	EXPECT_VALUE("false", "ints.exists_one(x, x > 0)");
	EXPECT_VALUE("false", "ints.exists_one(x, x > 5)");
	EXPECT_VALUE("true", "[].all(x, false)");
	EXPECT_VALUE("false", "[].exists(x, true)");
}

Test(comprehension, a_later_element_absorbs_an_error_in_all_and_exists)
{
	EXPECT_VALUE("true", "ints.exists(x, 6 / x == 2)");
	EXPECT_VALUE("error: divide", "ints.exists(x, 6 / x == 5)");
	EXPECT_VALUE("false", "ints.all(x, 6 / x == 6)");
	EXPECT_VALUE("error: divide", "ints.all(x, 6 / x > 0)");
	EXPECT_VALUE("false", "[0, 1, 2].all(x, 6 / x > 3)");
	EXPECT_VALUE("true", "[0, 0, 2].exists(x, 6 / x == 3)");
}

Test(comprehension, the_others_are_an_error_if_one_element_is)
{
	EXPECT_VALUE("error: divide", "ints.exists_one(x, 6 / x == 6)");
	EXPECT_VALUE("error: divide", "ints.map(x, 6 / x)");
	EXPECT_VALUE("error: divide", "ints.filter(x, 6 / x > 1)");
	EXPECT_VALUE("error: divide", "ints.map(x, x != 1, 6 / x)");
	EXPECT_VALUE("[6, 2]", "ints.map(x, x != 0, 6 / x)");
}

Test(comprehension, a_test_that_is_no_bool_is_an_error_like_any_other)
{
	EXPECT_UNCHECKED("error: no-overload", "[1, 2].all(x, x)");
	EXPECT_UNCHECKED("false", "[1, false].all(x, x)");
	EXPECT_UNCHECKED("true", "[1, true].exists(x, x)");
	EXPECT_UNCHECKED("error: no-overload", "[1, 2].filter(x, x)");
	EXPECT_UNCHECKED("error: no-overload", "[1, true].exists_one(x, x)");
}

Test(comprehension, map_and_filter_make_lists)
{
	EXPECT_VALUE("[2, 0, 6]", "ints.map(x, x * 2)");
	EXPECT_VALUE("[1, 3]", "ints.filter(x, x > 0)");
	EXPECT_VALUE("[]", "ints.filter(x, x > 9)");
	EXPECT_VALUE("[[1, 2], [0, 2], [3, 2]]", "ints.map(x, [x, i])");
	EXPECT_VALUE("4", "ints.filter(x, x > 0).map(x, x + 1)[1]");
	EXPECT_VALUE("5", "(ints.map(x, x) + [4, 5]).size()");
}

Test(comprehension, over_a_map_the_variable_is_the_key)
{
	EXPECT_VALUE("true", "counts.all(k, k.size() == 1)");
	EXPECT_VALUE("true", "counts.exists(k, counts[k] == 3)");
	EXPECT_VALUE("true", "counts.exists_one(k, counts[k] == 0)");
	EXPECT_VALUE("[\"a\", \"c\"]", "counts.filter(k, counts[k] > 0)");
	EXPECT_VALUE("[2, 0, 6]", "counts.map(k, counts[k] * 2)");
}

Test(comprehension, a_range_that_is_absent_or_none_is_the_result)
{
	EXPECT_VALUE("error: absent", "texts.all(x, x == 'a')");
	EXPECT_VALUE("error: absent", "texts.map(x, x)");
	EXPECT_VALUE("true", "texts.exists(x, x == 'a') || true");
	EXPECT_UNCHECKED("error: no-overload", "i.all(x, true)");
	EXPECT_UNCHECKED("error: no-overload", "'abc'.map(x, x)");
	EXPECT_UNCHECKED("error: no-overload", "(1 + 'a').exists(x, x)");
}

Test(comprehension, loops_inside_loops_see_the_nearest_variable)
{
	EXPECT_VALUE("true", "[1, 2].all(x, [3, 4].all(y, x < y))");
	EXPECT_VALUE("false", "[1, 3].all(x, [3, 4].all(y, x < y))");
	EXPECT_VALUE("[[2, 3], [3, 4]]", "[1, 2].map(x, [1, 2].map(y, x + y))");
	EXPECT_VALUE("[[10], [20]]", "[1, 2].map(x, [x * 10].map(x, x))");
	EXPECT_VALUE("true", "[[1], [2, 3]].exists(x, x.exists_one(x, x == 3))");
	EXPECT_VALUE("[1]", "[1, 2].filter(i, i < 2)");
	EXPECT_VALUE("2", "[1].map(i, i)[0] + 1");
}

Test(comprehension, texts_of_a_loop_are_compared_with_constants_by_symbol_or_bytes)
{
	struct cel_value texts[2] = { cel_string(STR("gold")), cel_string(STR("tin")) };

	bind("texts", (struct cel_value){ .kind = CEL_V_LIST, .n = 2, .list = texts });
	EXPECT_VALUE("true", "texts.exists(x, x == 'gold')");
	EXPECT_VALUE("false", "texts.all(x, x == 'gold')");
	EXPECT_VALUE("true", "texts.all(x, x in ['tin', 'gold', 'iron'])");
	texts[0].sym = cel_symbols_add(symbols, STR("gold"));
	texts[1].sym = CEL_SYM_OTHER;
	EXPECT_VALUE("true", "texts.exists(x, x == 'gold')");
	EXPECT_VALUE("[\"tin\"]", "texts.filter(x, x != 'gold')");
}

/* What @source takes over the first @n numbers: bytes of the arena, units. */
static void spent(const char *source, uint32_t n, size_t *bytes, uint64_t *units)
{
	struct cel_program *p = compile(source);
	struct cel_value v;

	arena_reset(context.arena);
	context.cost = 0;
	bind("ints", (struct cel_value){ .kind = CEL_V_LIST, .n = n, .list = numbers });
	v = cel_eval(p, &context, slots);
	cr_assert(eq(int, v.kind, CEL_V_LIST));
	cr_expect(eq(u32, v.n, n));
	*bytes = arena_used(context.arena);
	*units = context.cost;
	cel_program_free(p);
}

Test(comprehension, a_list_of_thousand_is_made_in_place)
{
	static const char *const sources[] = { "ints.map(x, x + 1)", "ints.filter(x, x >= 0)",
		"ints.map(x, x >= 0, x * 2)" };
	size_t bytes_100, bytes_1000;
	uint64_t units_100, units_1000;

	for (size_t k = 0; k < ARRAY_LEN(sources); k++) {
		spent(sources[k], 100, &bytes_100, &units_100);
		spent(sources[k], 1000, &bytes_1000, &units_1000);
		cr_expect(eq(sz, bytes_100, 100 * sizeof(struct cel_value)));
		cr_expect(eq(sz, bytes_1000, 1000 * sizeof(struct cel_value)));
		cr_expect(le(u64, units_1000, 10 * units_100));
	}
}

Test(comprehension, what_does_not_fit_the_arena_is_an_error_value)
{
	bind("ints", (struct cel_value){ .kind = CEL_V_LIST, .n = 1000, .list = numbers });
	EXPECT_VALUE("error: memory", "ints.map(x, ints.map(y, x + y)).size()");
	EXPECT_VALUE("true", "ints.map(x, ints.map(y, x + y)).size() == 1 || true");
}

/* No macro makes it, but the tree can: the sum of a list. */
Test(comprehension, the_general_form_is_done_as_it_is_written)
{
	struct cel_node accu = { .kind = CEL_N_IDENT, .slot = CEL_SLOT_NONE },
			var = { .kind = CEL_N_IDENT, .slot = CEL_SLOT_NONE },
			zero = { .kind = CEL_N_CONST, .constant = cel_int(0) },
			limit = { .kind = CEL_N_CONST, .constant = cel_int(3) };
	struct cel_node *add_args[] = { &accu, &var }, *less_args[] = { &accu, &limit };
	struct cel_node add = { .kind = CEL_N_CALL, .slot = CEL_SLOT_NONE },
			less = { .kind = CEL_N_CALL, .slot = CEL_SLOT_NONE };
	struct cel_node range = { .kind = CEL_N_IDENT, .slot = slot_of("ints") };
	struct cel_node sum = { .kind = CEL_N_COMPREHENSION, .slot = CEL_SLOT_NONE };
	struct cel_options o = { .limits.cost = UINT64_MAX, .symbols = symbols };
	struct cel_program *p = NULL;

	accu.ident.name = STR("@result");
	var.ident.name = STR("x");
	range.ident.name = STR("ints");
	add.call.function = CEL_F_ADD;
	add.call.args = add_args;
	less.call.function = CEL_F_LT;
	less.call.args = less_args;
	add.call.n_args = less.call.n_args = 2;
	sum.comprehension.var = STR("x");
	sum.comprehension.accu = STR("@result");
	sum.comprehension.range = &range;
	sum.comprehension.init = &zero;
	sum.comprehension.condition = &less;
	sum.comprehension.step = &add;
	sum.comprehension.result = &accu;
	bind("ints", (struct cel_value){ .kind = CEL_V_LIST, .n = 1000, .list = numbers });
	cr_assert(zero(int, cel_program_new(&p, &sum, env, &o, &diags)));
	cr_expect(eq(str, (char *)(uintptr_t)value_of(p), "3"));
}
