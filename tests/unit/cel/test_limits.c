/* What is refused before it runs, and what stops while it does. */
#include "program_support.h"

TestSuite(limits, .init = program_begin, .fini = program_end);

static void expect_limit(
	const char *source, struct cel_limits limits, enum cel_code code, const char *numbers)
{
	const struct cel_options o = { .limits = limits };
	struct cel_program *p = compile_with(source, &o);

	cr_expect(p == NULL);
	cr_assert(gt(sz, diags.n, 0));
	cr_expect(eq(int, diags.v[0].code, (int)code), "%s", diags.v[0].text);
	cr_expect(strstr(diags.v[0].text, numbers) != NULL, "%s", diags.v[0].text);
	cel_program_free(p);
}

Test(limits, a_source_is_not_longer_than_allowed)
{
	char source[CEL_SOURCE_BYTES_MAX + 2];

	memset(source, ' ', sizeof(source));
	memcpy(source, "true", 4);
	source[sizeof(source) - 1] = '\0';
	expect_limit(source, (struct cel_limits){ 0 }, CEL_E_TOO_LONG, "8192");
	source[sizeof(source) - 2] = '\0';
	cel_program_free(compile_with(source, &(struct cel_options){ 0 }));
	cr_expect(zero(sz, diags.n));
	expect_limit("1 + 1", (struct cel_limits){ .source_bytes = 4 }, CEL_E_TOO_LONG, "4");
}

Test(limits, a_tree_is_not_deeper_than_allowed)
{
	char source[512] = "i";

	for (int k = 0; k < 40; k++)
		strcat(source, " + i");
	expect_limit(source, (struct cel_limits){ 0 }, CEL_E_TOO_DEEP, "");
	cel_program_free(compile(source));
	memset(source, '(', 300);
	strcpy(source + 300, "1");
	expect_limit(source, (struct cel_limits){ .depth = 1000 }, CEL_E_TOO_DEEP, "");
}

Test(limits, a_worst_case_is_not_dearer_than_allowed)
{
	const char *source = "ints.all(x, ints.all(y, ints.all(z, x + y > z)))";
	struct cel_program *p = compile(source);
	char numbers[32];

	cr_expect(gt(u64, cel_program_cost(p), CEL_COST_MAX));
	snprintf(numbers, sizeof(numbers), "%llu units", (unsigned long long)cel_program_cost(p));
	expect_limit(source, (struct cel_limits){ 0 }, CEL_E_COST, numbers);
	expect_limit(source, (struct cel_limits){ 0 }, CEL_E_COST, "2000");
	cel_program_free(p);
	p = compile_with("ints.all(x, ints.exists(y, x + y > 3))", &(struct cel_options){ 0 });
	cr_expect(p != NULL, "%s", diags.v[0].text);
	cel_program_free(p);
	expect_limit("i > 3", (struct cel_limits){ .cost = 1 }, CEL_E_COST, "2 units");
}

Test(limits, a_program_that_needs_too_many_registers_is_refused)
{
	char source[8192] = "";
	const struct cel_options o = { .limits = { .depth = CEL_DEPTH_HARD_MAX,
					       .cost = UINT64_MAX,
					       .source_bytes = 1 << 20 } };
	struct cel_program *p;

	/* the arguments before the last are held while that is made */
	for (int n = 31; n <= 32; n++) {
		source[0] = '\0';
		for (int k = 0; k < n; k++)
			strcat(source, "math.least(i, i, i, i, i, i, i, ");
		strcat(source, "j");
		for (int k = 0; k < n; k++)
			strcat(source, ")");
		if (n == 32)
			break;
		bind("i", cel_int(4));
		bind("j", cel_int(3));
		p = compile(source);
		cr_expect(eq(int, (int)cel_eval(p, &context, slots).i, 3));
		cel_program_free(p);
	}
	expect_limit(source, o.limits, CEL_E_TOO_LARGE, "256");
}

static struct cel_value run_with(const char *source, uint64_t cost_max)
{
	struct cel_program *p = compile(source);
	struct cel_value v;

	context.cost = 0;
	context.cost_max = cost_max;
	v = cel_eval(p, &context, slots);
	if (v.kind != CEL_V_BOOL && v.kind != CEL_V_ERROR)
		v = cel_null();
	cel_program_free(p);
	return v;
}

Test(limits, an_evaluation_over_its_cost_ends_with_that_error_and_nothing_absorbs_it)
{
	struct cel_value numbers[100], texts[2];
	struct cel_value v;

	for (int k = 0; k < 100; k++)
		numbers[k] = cel_int(k);
	bind("ints", (struct cel_value){ .kind = CEL_V_LIST, .n = 100, .list = numbers });
	bind("i", cel_int(1));
	v = run_with("ints.all(x, x >= 0)", 1000);
	cr_expect(eq(int, v.kind, CEL_V_BOOL));
	v = run_with("ints.all(x, x >= 0)", 50);
	cr_expect(eq(int, v.kind, CEL_V_ERROR));
	cr_expect(eq(int, v.sym, CEL_R_COST));
	v = run_with("ints.all(x, x >= 0) || true", 50);
	cr_expect(eq(int, v.sym, CEL_R_COST));
	v = run_with("i == 1", 1);
	cr_expect(eq(int, v.sym, CEL_R_COST));
	texts[0] = texts[1] = cel_string(STR("a text that is longer than ten bytes, by some"));
	bind("s", texts[0]);
	bind("t", texts[1]);
	v = run_with("s == t", 4);
	cr_expect(eq(int, v.sym, CEL_R_COST));
	v = run_with("s == t && i == 1", 8);
	cr_expect(eq(int, v.sym, CEL_R_COST));
	v = run_with("(s + t).contains('by') || true", 6);
	cr_expect(eq(int, v.sym, CEL_R_COST));
	v = run_with("s.matches('^a.*by some$')", 4);
	cr_expect(eq(int, v.sym, CEL_R_COST));
	v = run_with("i > 5 ? true : s + t + s + t == s", 5);
	cr_expect(eq(int, v.sym, CEL_R_COST));
}

Test(limits, a_cost_goes_on_from_evaluation_to_evaluation)
{
	struct cel_program *p = compile("i == 1");

	bind("i", cel_int(1));
	context.cost_max = 5;
	cr_expect(cel_eval(p, &context, slots).b);
	cr_expect(eq(u64, context.cost, 2));
	cr_expect(cel_eval(p, &context, slots).b);
	cr_expect(eq(int, cel_eval(p, &context, slots).sym, CEL_R_COST));
	cel_program_free(p);
}

/* "[", @item @n times, @last; the caller frees it. */
static char *repeated(const char *item, unsigned n, const char *last)
{
	struct buf b = BUF_INIT(1 << 20);

	buf_putc(&b, '[');
	for (unsigned k = 0; k < n; k++)
		buf_puts(&b, str_of(item));
	buf_puts(&b, str_of(last));
	buf_putc(&b, '\0');
	cr_assert(not(b.failed));
	return b.p;
}

Test(limits, a_program_whose_jumps_would_not_fit_is_refused)
{
	const struct cel_limits wide = { .source_bytes = 1 << 20, .cost = UINT64_MAX };
	char *fits = repeated("flag ? i : j, ", 7000, "4].exists(x, x == 4)");
	char *too_long = repeated("flag ? i : j, ", 14000, "4].exists(x, x == 4)");
	struct cel_program *p;

	scratch = arena_free(scratch);
	cr_assert(zero(int, arena_new(&scratch, 64 << 20)));
	bind("flag", cel_bool(true));
	bind("i", cel_int(1));
	p = compile(fits);
	cr_expect(eq(int, cel_eval(p, &context, slots).kind, CEL_V_BOOL));
	cel_program_free(p);
	expect_limit(too_long, wide, CEL_E_TOO_LARGE, "too much code");
	free(fits);
	free(too_long);
}

Test(limits, constants_that_do_not_fit_the_memory_of_the_compilation_are_no_error_value)
{
	const struct cel_limits wide = { .source_bytes = 1 << 20, .cost = UINT64_MAX };
	struct buf b = BUF_INIT(1 << 20);

	for (unsigned k = 0; k < 20; k++)
		buf_printf(&b, "%s'%02000u'", k ? " + " : "", k);
	buf_putc(&b, '\0');
	scratch = arena_free(scratch);
	cr_assert(zero(int, arena_new(&scratch, 128 * 1024)));
	expect_limit(b.p, wide, CEL_E_TOO_LARGE, "memory");
	buf_fini(&b);
}
