/* Programs as a whole: what guards become, that quick tests answer as the library does, names,
 * slots, and what a program keeps. */
#include "program_support.h"

TestSuite(program, .init = program_begin, .fini = program_end);

static struct cel_value eth(uint64_t units)
{
	return cel_money((struct money){ units, currency_find(STR("ETH")) });
}

static struct cel_value money_in(const char *code, uint64_t units)
{
	return cel_money((struct money){ units, currency_find(str_of(code)) });
}

#define GUARD \
	"customer.tier in ['gold', 'platinum'] && customer.points >= 5000 && now > " \
	"timestamp('2026-01-01T00:00:00Z') && !customer.blocked && price > eth('0')"

Test(program, a_guard_is_a_row_of_tests_and_one_answer)
{
	struct cel_program *p = compile(GUARD);

	cr_expect(eq(str, (char *)(uintptr_t)code_of(p),
		"   0  h_not_in_bits r0 customer.tier [\"gold\", \"platinum\"]\n"
		"   1  h_i64_lt r0 customer.points 5000\n"
		"   2  h_times r0 now not > timestamp(\"2026-01-01T00:00:00Z\")\n"
		"   3  h_is_true r0 customer.blocked\n"
		"   4  h_money r0 price not > eth(\"0\")\n"
		"   5  return_hit r0 false\n"
		"first true, 1 registers, cost 32 (at once 14)\n"));
	cel_program_free(p);
}

static void bind_passing(void)
{
	bind_text("customer.tier", "gold");
	bind("customer.points", cel_int(5000));
	bind("now", cel_timestamp_parse(STR("2026-01-01T00:00:00.000000001Z")));
	bind("customer.blocked", cel_bool(false));
	bind("price", eth(1));
}

Test(program, each_clause_of_a_guard_can_refuse_alone)
{
	static const char *const names[] = { "customer.tier", "customer.points", "now",
		"customer.blocked", "price" };
	struct cel_program *p = compile(GUARD);
	const struct cel_value refused[] = { cel_string(STR("silver")), cel_int(4999),
		cel_timestamp_parse(STR("2026-01-01T00:00:00Z")), cel_bool(true), eth(0) };

	bind_passing();
	cr_expect(cel_eval(p, &context, slots).b);
	for (size_t k = 0; k < ARRAY_LEN(names); k++) {
		struct cel_value v;

		bind_passing();
		bind(names[k], refused[k]);
		v = cel_eval(p, &context, slots);
		cr_expect(eq(int, v.kind, CEL_V_BOOL), "%s", names[k]);
		cr_expect(not(v.b), "%s", names[k]);
	}
	cel_program_free(p);
}

Test(program, an_absent_clause_is_the_answer_unless_another_refuses)
{
	static const char *const names[] = { "customer.tier", "customer.points", "now",
		"customer.blocked", "price" };
	struct cel_program *p = compile(GUARD);

	for (size_t k = 0; k < ARRAY_LEN(names); k++) {
		struct cel_value v;

		bind_passing();
		bind(names[k], cel_absent((uint32_t)slot_of(names[k])));
		v = cel_eval(p, &context, slots);
		cr_expect(eq(int, v.kind, CEL_V_ERROR), "%s", names[k]);
		cr_expect(eq(int, v.sym, CEL_R_ABSENT));
		cr_expect(eq(int, (int)v.n, slot_of(names[k]) + 1));
		bind(names[(k + 2) % 5],
			(struct cel_value[]){ cel_string(STR("x")), cel_int(0), cel_timestamp(0, 0),
				cel_bool(true), eth(0) }[(k + 2) % 5]);
		v = cel_eval(p, &context, slots);
		cr_expect(eq(int, v.kind, CEL_V_BOOL), "%s", names[k]);
		cr_expect(not(v.b), "%s", names[k]);
	}
	cel_program_free(p);
}

/* ---- quick tests against the library ---- */

static const struct {
	const char *variable, *constant;
} pairs[] = { { "i", "5" }, { "i", "-5" }, { "u", "5u" }, { "d", "1.5" }, { "s", "'gold'" },
	{ "s", "'never seen'" }, { "s", "''" }, { "now", "timestamp('2026-01-01T00:00:00.5Z')" },
	{ "age", "duration('90s')" }, { "price", "eth('1')" }, { "rate", "bps(250)" },
	{ "flag", "true" }, { "flag", "false" }, { "any", "5" }, { "any", "1.5" },
	{ "any", "'gold'" }, { "i", "j" }, { "s", "t" }, { "d", "d" }, { "now", "now + age" },
	{ "price", "price + eth('1')" }, { "any", "i" } };

static const char *const operators[] = { "==", "!=", "<", "<=", ">", ">=" };

static size_t samples(struct cel_value ret[32])
{
	size_t n = 0;

	for (int64_t k = 4; k <= 6; k++)
		ret[n++] = cel_int(k);
	ret[n++] = cel_int(-5);
	ret[n++] = cel_uint(5);
	ret[n++] = cel_double(1.5);
	ret[n++] = cel_double(-0.0);
	ret[n++] = cel_double(__builtin_nan(""));
	for (size_t k = 0; k < 4; k++) {
		ret[n] = cel_string(str_of((const char *[]){ "gold", "", "golden", "tin" }[k]));
		if (k != 3)
			ret[n].sym = cel_symbols_find(symbols, cel_str(ret[n]));
		n++;
	}
	ret[n++] = cel_timestamp_parse(STR("2026-01-01T00:00:00.5Z"));
	ret[n++] = cel_timestamp_parse(STR("2026-01-01T00:00:00.6Z"));
	ret[n++] = cel_timestamp_parse(STR("2025-12-31T00:00:00.9Z"));
	ret[n++] = cel_duration(90 * INT64_C(1000000000));
	ret[n++] = cel_duration(-1);
	ret[n++] = eth(1000000000000000000u);
	ret[n++] = eth(0);
	ret[n++] = money_in("WETH", 1000000000000000000u);
	ret[n++] = money_in("EUR", 100);
	ret[n++] = cel_bps(250);
	ret[n++] = cel_bps(-1);
	ret[n++] = cel_bool(true);
	ret[n++] = cel_bool(false);
	ret[n++] = cel_null();
	ret[n++] = cel_absent(0);
	ret[n++] = cel_error(CEL_R_DIVIDE, "division by zero");
	return n;
}

static void expect_answer(const char *source, struct cel_value want)
{
	struct cel_program *p = compile(source);
	struct cel_value have = cel_eval(p, &context, slots);

	cr_expect(eq(int, have.kind, want.kind), "%s\n%s", source, code_of(p));
	if (want.kind == CEL_V_ERROR)
		cr_expect(eq(int, have.sym, want.sym), "%s", source);
	else
		cr_expect(eq(int, have.b, want.b), "%s\n%s", source, code_of(p));
	cel_program_free(p);
}

static struct cel_value value_alone(const char *source)
{
	struct cel_program *p = compile(source);
	static struct cel_value
		ret; /* texts are borrowed from the program: kept by a leak-free copy */
	static char text[64];

	ret = cel_eval(p, &context, slots);
	if (ret.kind == CEL_V_STRING) {
		memcpy(text, ret.s, ret.n);
		ret.s = text;
		ret.sym = CEL_SYM_NONE;
	}
	cel_program_free(p);
	return ret;
}

static void compare_in_every_context(size_t pair, size_t op, struct cel_value v)
{
	const char *x = pairs[pair].variable, *y = pairs[pair].constant, *o = operators[op];
	struct cel_value args[2] = { v, value_alone(y) }, want;
	char source[256];

	/* Never bound so: a bool variable is asked itself; an int may be compared the other way
	 * round, which is not the same beside NaN. */
	if (strcmp(x, "flag") == 0 && v.kind != CEL_V_BOOL && v.kind != CEL_V_ERROR)
		return;
	if (strcmp(x, "i") == 0 && v.kind == CEL_V_DOUBLE)
		return;
	want = cel_call(&context, (enum cel_function)(CEL_F_EQ + op), args, 2);
	snprintf(source, sizeof(source), "%s %s %s", x, o, y);
	expect_answer(source, want);
	snprintf(source, sizeof(source), "other || %s %s %s", x, o, y);
	expect_answer(source, want);
	snprintf(source, sizeof(source), "!other && (%s %s %s) && !other", x, o, y);
	expect_answer(source, want);
	snprintf(source, sizeof(source), "(other || %s %s %s) && !other", x, o, y);
	expect_answer(source, want);
	snprintf(source, sizeof(source), "[%s %s %s][0]", x, o, y);
	expect_answer(source, want);
	if (want.kind == CEL_V_BOOL)
		want.b = !want.b;
	snprintf(source, sizeof(source), "!(%s %s %s)", x, o, y);
	expect_answer(source, want);
}

Test(program, quick_comparisons_answer_as_the_library_does)
{
	struct cel_value values[32];
	size_t n;

	bind("other", cel_bool(false));
	bind("j", cel_int(5));
	bind_text("t", "gold");
	cel_symbols_add(symbols, STR("gold"));
	cel_symbols_add(symbols, STR(""));
	n = samples(values);
	for (size_t pair = 0; pair < ARRAY_LEN(pairs); pair++)
		for (size_t op = 0; op < ARRAY_LEN(operators); op++)
			for (size_t k = 0; k < n; k++) {
				arena_reset(context.arena);
				bind("i", cel_int(5));
				bind("age", cel_duration(1));
				bind(pairs[pair].variable, values[k]);
				compare_in_every_context(pair, op, values[k]);
			}
}

Test(program, a_constant_on_the_left_is_the_same_comparison_mirrored)
{
	bind("i", cel_int(5));
	EXPECT_VALUE("true", "4 < i");
	EXPECT_VALUE("false", "5 < i");
	EXPECT_VALUE("true", "5 <= i && 5 >= i && 5 == i");
	EXPECT_VALUE("false", "6 <= i || 4 >= i || 5 != i");
}

Test(program, money_at_par_is_comparable_and_other_money_is_an_error)
{
	bind("price", money_in("WETH", 2000000000000000000u));
	EXPECT_VALUE("true", "price > eth('1.25')");
	EXPECT_VALUE("true", "price == eth('2')");
	bind("price", cel_money((struct money){ (u128)1 << 100, currency_find(STR("ETH")) }));
	EXPECT_VALUE("true", "price > eth('1.25')");
	bind("price", money_in("EUR", 200));
	EXPECT_VALUE("error: no-path", "price > eth('1.25')");
	EXPECT_VALUE("true", "price > eth('1.25') || true");
	EXPECT_VALUE("false", "price == eth('2')");
}

/* ---- texts ---- */

static void expect_in(const char *list, const char *text, bool with_symbol, bool want)
{
	char source[4096];
	struct cel_program *p;

	snprintf(source, sizeof(source), "s in %s", list);
	p = compile(source);
	if (with_symbol)
		bind_text("s", text);
	else
		bind("s", cel_string(str_of(text)));
	cr_expect(eq(int, cel_eval(p, &context, slots).b, want), "%s in %s", text, source);
	cel_program_free(p);
}

Test(program, a_text_in_a_list_is_found_by_symbol_and_by_bytes)
{
	char many[2048] = "[", one[16];

	/* far apart: symbols are given in between */
	for (int k = 0; k < 60; k++) {
		snprintf(one, sizeof(one), "text%d", k);
		cel_symbols_add(symbols, str_of(one));
		if (k % 2 == 0)
			snprintf(many + strlen(many), sizeof(many) - strlen(many), "%s'%s'",
				k ? ", " : "", one);
	}
	strcat(many, "]");
	for (int with_symbol = 0; with_symbol < 2; with_symbol++) {
		expect_in("['gold', 'platinum']", "gold", with_symbol, true);
		expect_in("['gold', 'platinum']", "platinum", with_symbol, true);
		expect_in("['gold', 'platinum']", "silver", with_symbol, false);
		expect_in("['gold', 'platinum']", "", with_symbol, false);
		expect_in("['']", "", with_symbol, true);
		expect_in("[]", "gold", with_symbol, false);
		expect_in(many, "text0", with_symbol, true);
		expect_in(many, "text58", with_symbol, true);
		expect_in(many, "text31", with_symbol, false);
		expect_in(many, "gold", with_symbol, false);
	}
}

Test(program, lists_that_are_no_texts_are_searched_by_value)
{
	bind("i", cel_int(2));
	bind("d", cel_double(2.0));
	EXPECT_VALUE("true", "i in [1, 2, 3]");
	EXPECT_VALUE("false", "i in [1, 3]");
	EXPECT_VALUE("true", "dyn(d) in [1, 2]");
	EXPECT_VALUE("true", "i in [i + 1, i]");
	EXPECT_VALUE("true", "'a' in {'a': i}");
	EXPECT_VALUE("error: absent", "j in [1, 2]");
	EXPECT_UNCHECKED("error: no-overload", "1 in 5");
	EXPECT_UNCHECKED("true", "'x' in [1, 'x']");
}

Test(program, without_symbols_texts_are_compared_by_their_bytes)
{
	struct cel_program *p = NULL;
	const struct cel_options o = { .scratch = scratch };

	cr_assert(zero(
		int, cel_compile(&p, STR("s == 'gold' || s in ['tin', 'iron']"), env, &o, &diags)));
	bind("s", cel_string(STR("gold")));
	cr_expect(cel_eval(p, &context, slots).b);
	bind("s", cel_string(STR("iron")));
	cr_expect(cel_eval(p, &context, slots).b);
	bind("s", cel_string(STR("iro")));
	cr_expect(not(cel_eval(p, &context, slots).b));
	cel_program_free(p);
}

/* ---- names ---- */

Test(program, has_asks_whether_a_variable_is_there)
{
	EXPECT_VALUE("false", "has(customer.tier)");
	EXPECT_VALUE("true", "!has(customer.tier)");
	EXPECT_VALUE("false", "has(customer.tier) && customer.tier == 'gold'");
	bind_text("customer.tier", "gold");
	EXPECT_VALUE("true", "has(customer.tier)");
	EXPECT_VALUE("true", "has(customer.tier) && customer.tier == 'gold'");
	bind("customer.tier", cel_error(CEL_R_NO_PATH, "no path"));
	EXPECT_VALUE("error: no-path", "has(customer.tier)");
}

Test(program, unchecked_names_are_the_longest_declared_or_selections)
{
	struct cel_value key = cel_string(STR("b")), inner = cel_int(7);
	struct cel_map map = { .n = 1, .keys = &key, .values = &inner };

	declare("m", &cel_type_dyn);
	declare("m.c", &cel_type_int);
	bind("m", (struct cel_value){ .kind = CEL_V_MAP, .map = &map });
	bind("m.c", cel_int(9));
	EXPECT_UNCHECKED("7", "m.b");
	EXPECT_UNCHECKED("9", "m.c");
	EXPECT_UNCHECKED("error: no-key", "m.d");
	EXPECT_UNCHECKED("true", "has(m.b)");
	EXPECT_UNCHECKED("false", "has(m.d)");
	EXPECT_UNCHECKED("[7]", "[{'b': 7}].map(m, m.b)");
	EXPECT_UNCHECKED("error: no-key", "[{'b': 7}].map(m, m.c)");
	EXPECT_UNCHECKED("[9]", "[1].map(m, .m.c)");
}

Test(program, what_nobody_declared_is_an_error_that_logic_absorbs)
{
	EXPECT_UNCHECKED("error: undeclared", "x");
	EXPECT_UNCHECKED("true", "x || true");
	EXPECT_UNCHECKED("true", "x.y.z == 5 || true");
	EXPECT_UNCHECKED("false", "f_unknown(17) && false");
	EXPECT_UNCHECKED("true", "f_unknown(17) || true");
	EXPECT_UNCHECKED("error: undeclared", "f_unknown(17)");
	EXPECT_UNCHECKED("error: no-overload", "size(1, 2)");
	EXPECT_UNCHECKED("error: no-overload", "1 + 'a'");
	EXPECT_UNCHECKED("true", "type(1) == int");
}

/* ---- values ---- */

Test(program, arithmetic_overflows_into_an_error)
{
	bind("i", cel_int(INT64_MAX));
	bind("j", cel_int(3));
	EXPECT_VALUE("error: overflow", "i + 1");
	EXPECT_VALUE("error: overflow", "-i - 2");
	EXPECT_VALUE("error: overflow", "i * 2");
	EXPECT_VALUE("13", "j * 4 + 1");
	EXPECT_VALUE("-1", "j - 4");
	EXPECT_VALUE("true", "i + 1 > 0 || true");
	bind("i", cel_double(1.5));
	EXPECT_UNCHECKED("3.0", "i + i");
}

Test(program, lists_and_maps_of_what_is_not_constant)
{
	bind("i", cel_int(1));
	bind_text("s", "k");
	EXPECT_VALUE("[1, 2]", "[i, i + 1]");
	EXPECT_VALUE("{\"k\": 1, \"b\": 2}", "{s: i, 'b': 2}");
	EXPECT_VALUE("1", "{s: i}.k");
	EXPECT_VALUE("error: no-key", "{s: i}.j");
	EXPECT_VALUE("error: repeated-key", "{s: i, 'k': 2}");
	EXPECT_VALUE("error: divide", "[i, 1 / (i - 1)]");
	EXPECT_VALUE("error: divide", "{s: 1 / (i - 1)}");
	EXPECT_VALUE("error: absent", "{t: 1 / (i - 1)}");
	EXPECT_VALUE("error: index", "[i][i]");
	EXPECT_UNCHECKED("error: undeclared", "some.Message{field: 1}");
}

Test(program, a_conditional_of_conditionals_returns_from_each_branch)
{
	struct cel_program *p =
		compile("i > 10 ? 'a' : i > 5 ? 'b' : flag && i > 2 ? s : [s, 'd'][1]");
	static const struct {
		int64_t i;
		const char *want;
	} cases[] = { { 11, "\"a\"" }, { 6, "\"b\"" }, { 3, "\"k\"" }, { 1, "\"d\"" } };

	bind("flag", cel_bool(true));
	bind_text("s", "k");
	for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
		bind("i", cel_int(cases[k].i));
		cr_expect(eq(str, (char *)(uintptr_t)shown(cel_eval(p, &context, slots)),
			(char *)(uintptr_t)cases[k].want));
	}
	cel_program_free(p);
}

/* ---- what a program keeps ---- */

Test(program, it_names_the_slots_that_it_reads_and_no_others)
{
	struct cel_program *p = compile("has(customer.tier) || i > 3 && texts.exists(x, x == t)");
	static const char *const read[] = { "customer.tier", "i", "texts", "t" };
	unsigned n = 0;

	for (size_t k = 0; k < ARRAY_LEN(read); k++)
		cr_expect(cel_program_reads(p, slot_of(read[k])), "%s", read[k]);
	for (int k = 0; k < CEL_VARS_MAX; k++)
		n += cel_program_reads(p, k);
	cr_expect(eq(uint, n, ARRAY_LEN(read)));
	cr_expect(not(cel_program_reads(p, -1)));
	cr_expect(not(cel_program_reads(p, CEL_VARS_MAX)));
	cr_expect(eq(u64, cel_program_slots(p)[0] >> slot_of("i") & 1, 1));
	cel_program_free(p);
}

Test(program, it_keeps_neither_source_nor_tree)
{
	char source[] = "texts.filter(x, x in ['gold', 'tin'] || x == s + 'suffix').map(x, [x])";
	struct cel_value texts[2] = { cel_string(STR("tin")), cel_string(STR("iron")) };
	CLEANUP(buf_fini) struct buf type = BUF_INIT(256);
	struct cel_program *p = compile(source);

	memset(source, '#', sizeof(source) - 1);
	for (void *m = arena_alloc(scratch, 4096); m; m = arena_alloc(scratch, 4096))
		memset(m, 0xa5, 4096);
	arena_reset(scratch);
	bind("texts", (struct cel_value){ .kind = CEL_V_LIST, .n = 2, .list = texts });
	bind("s", cel_string(STR("")));
	cr_expect(eq(str, (char *)(uintptr_t)shown(cel_eval(p, &context, slots)), "[[\"tin\"]]"));
	cel_type_print(&type, cel_program_type(p));
	buf_putc(&type, '\0');
	cr_expect(eq(str, type.p, "list(list(string))"));
	cel_program_free(p);
}

Test(program, it_gives_the_scratch_back)
{
	size_t before = arena_used(scratch);
	struct cel_program *p = compile(GUARD);

	cr_expect(eq(sz, arena_used(scratch), before));
	expect_refused("nobody > 5", CEL_E_UNDECLARED);
	cr_expect(eq(sz, arena_used(scratch), before));
	cel_program_free(p);
	cr_expect(cel_program_free(NULL) == NULL);
}
