/*
 * && || ! ?: over true, false, errors, absent variables and values that are no bool: every
 * combination in every form that the compiler has instructions for, and random trees of them,
 * against the definition written down.
 */
#include "program_support.h"

enum leaf { YES, NO, DIVIDED, MISSING, NUMBER, N_LEAVES };
enum form { VARIABLE, COMPARED, COMPUTED, CONSTANT, IN_A_LIST, N_FORMS };

/* What a leaf is written as. */
static const char *const leaves[N_FORMS][N_LEAVES] = {
	[VARIABLE] = { "flag", "other", "divided", "missing", "number" },
	[COMPARED] = { "i == 3", "i == 4", "1 / i0 == 1", "absent_i > 3", "number" },
	[COMPUTED] = { "s.size() == 4", "s.size() == 5", "1 / i0 > 3", "absent_s.size() > 1",
		"i + 4" },
	[CONSTANT] = { "true", "false", "1 / 0 > 0", "missing", "7" },
	[IN_A_LIST] = { "s in ['gold', 'tin']", "s in ['tin', 'iron']", "1 / i0 in [1, 2]",
		"absent_s in ['gold', 'tin']", "number" },
};

static void set_up(void)
{
	program_begin();
	declare("divided", &cel_type_bool);
	declare("missing", &cel_type_bool);
	declare("number", &cel_type_dyn);
	declare("i0", &cel_type_int);
	declare("absent_i", &cel_type_int);
	declare("absent_s", &cel_type_string);
	bind("flag", cel_bool(true));
	bind("other", cel_bool(false));
	bind("divided", cel_error(CEL_R_DIVIDE, "division by zero"));
	bind("number", cel_int(7));
	bind("i", cel_int(3));
	bind("i0", cel_int(0));
	bind_text("s", "gold");
}

TestSuite(logic, .init = set_up, .fini = program_end);

static struct cel_value leaf_value(enum leaf l)
{
	switch (l) {
	case YES:
		return cel_bool(true);
	case NO:
		return cel_bool(false);
	case DIVIDED:
		return cel_error(CEL_R_DIVIDE, "");
	case MISSING:
		return cel_absent(0);
	default:
		return cel_int(7);
	}
}

/* A value as an operand: one that is no bool is an error. */
static struct cel_value as_operand(struct cel_value v)
{
	return v.kind == CEL_V_BOOL || v.kind == CEL_V_ERROR ? v : cel_error(CEL_R_NO_OVERLOAD, "");
}

/* && for @absorbing false, || for true: that one wins over everything, then the first error. */
static struct cel_value either(struct cel_value a, struct cel_value b, bool absorbing)
{
	a = as_operand(a);
	b = as_operand(b);
	if ((a.kind == CEL_V_BOOL && a.b == absorbing) ||
		(b.kind == CEL_V_BOOL && b.b == absorbing))
		return cel_bool(absorbing);
	if (cel_is_error(a) || cel_is_error(b))
		return cel_is_error(a) ? a : b;
	return cel_bool(!absorbing);
}

static bool same(struct cel_value a, struct cel_value b)
{
	if (a.kind != b.kind)
		return false;
	return a.kind == CEL_V_ERROR ? a.sym == b.sym : cel_equal(a, b);
}

static void expect_same(const char *source, struct cel_value want)
{
	struct cel_program *p = compile_unchecked(source);
	struct cel_value have;

	arena_reset(context.arena);
	have = cel_eval(p, &context, slots);
	cr_expect(same(have, want), "%s is %s\n%s", source, shown(have), code_of(p));
	cel_program_free(p);
}

Test(logic, every_pair_of_operands_in_every_form_is_as_defined)
{
	char source[256];

	for (int a = 0; a < N_LEAVES * N_FORMS; a++)
		for (int b = 0; b < N_LEAVES * N_FORMS; b++)
			for (int is_or = 0; is_or < 2; is_or++) {
				snprintf(source, sizeof(source), "%s %s %s",
					leaves[a / N_LEAVES][a % N_LEAVES], is_or ? "||" : "&&",
					leaves[b / N_LEAVES][b % N_LEAVES]);
				expect_same(source, either(leaf_value(a % N_LEAVES),
							    leaf_value(b % N_LEAVES), is_or));
			}
}

/* The nine of langdef by name, and their mirror images. */
Test(logic, errors_are_absorbed_by_false_of_and_and_by_true_of_or)
{
	EXPECT_VALUE("false", "flag && other");
	EXPECT_VALUE("false", "other && 1 / i0 > 0");
	EXPECT_VALUE("false", "1 / i0 > 0 && other");
	EXPECT_VALUE("error: divide", "flag && 1 / i0 > 0");
	EXPECT_VALUE("error: divide", "1 / i0 > 0 && flag");
	EXPECT_VALUE("true", "flag || 1 / i0 > 0");
	EXPECT_VALUE("true", "1 / i0 > 0 || flag");
	EXPECT_VALUE("error: divide", "other || 1 / i0 > 0");
	EXPECT_VALUE("error: divide", "1 / i0 > 0 || other");
}

Test(logic, of_two_errors_the_first_is_kept)
{
	EXPECT_VALUE("error: absent", "absent_i > 1 && 1 / i0 > 0");
	EXPECT_VALUE("error: divide", "1 / i0 > 0 && absent_i > 1");
	EXPECT_VALUE("error: absent", "missing || 1 / i0 > 0");
	EXPECT_VALUE("error: divide", "flag && 1 / i0 > 0 && absent_i > 1 && flag");
}

Test(logic, an_error_absorbed_inside_is_forgotten_outside)
{
	EXPECT_VALUE("true", "(1 / i0 > 0 || flag) && flag");
	EXPECT_VALUE("error: absent", "(1 / i0 > 0 || flag) && missing");
	EXPECT_VALUE("false", "(1 / i0 > 0 && other) || other");
	EXPECT_VALUE("error: divide", "(1 / i0 > 0 || other) && flag");
	EXPECT_VALUE("error: absent", "absent_i > 0 && (1 / i0 > 0 || flag)");
}

Test(logic, not_keeps_an_error_and_refuses_what_is_no_bool)
{
	EXPECT_VALUE("false", "!flag");
	EXPECT_VALUE("true", "!other");
	EXPECT_VALUE("error: absent", "!missing");
	EXPECT_VALUE("error: divide", "!(1 / i0 > 0 && flag)");
	EXPECT_VALUE("true", "!(1 / i0 > 0 && other)");
	EXPECT_UNCHECKED("error: no-overload", "!number");
	EXPECT_UNCHECKED("error: no-overload", "!7");
}

Test(logic, a_conditional_needs_its_condition_and_only_the_branch_taken)
{
	EXPECT_VALUE("1", "flag ? 1 : 1 / i0");
	EXPECT_VALUE("1", "other ? 1 / i0 : 1");
	EXPECT_VALUE("error: absent", "missing ? 1 : 2");
	EXPECT_VALUE("error: divide", "(1 / i0 > 0 ? 1 : 2) + 1");
	EXPECT_VALUE("3", "1 + (1 / i0 > 0 || flag ? 2 : 4)");
	EXPECT_VALUE("true", "(other ? missing : flag) && flag");
	EXPECT_UNCHECKED("error: no-overload", "number ? 1 : 2");
	EXPECT_UNCHECKED("error: no-overload", "'x' ? 1 : 2");
}

Test(logic, a_chain_is_left_at_its_first_false_operand)
{
	struct cel_program *p = compile("other && texts.all(x, x.size() > 0) && counts.size() > 0");
	struct cel_value texts[4] = { cel_string(STR("a")), cel_string(STR("b")),
		cel_string(STR("c")), cel_string(STR("d")) };
	uint64_t stopped, whole;

	bind("texts", (struct cel_value){ .kind = CEL_V_LIST, .n = 4, .list = texts });
	cel_eval(p, &context, slots);
	stopped = context.cost;
	bind("other", cel_bool(true));
	cel_eval(p, &context, slots);
	whole = context.cost - stopped;
	cr_expect(lt(u64, stopped, whole));
	cel_program_free(p);
}

/* ---- random trees ---- */

static struct cel_value grow(struct buf *out, unsigned depth)
{
	struct cel_value a, b, c;
	unsigned form, leaf;

	if (depth == 0 || random_below(4) == 0) {
		form = random_below(N_FORMS);
		leaf = random_below(8);
		leaf = leaf < N_LEAVES ? leaf : leaf % 2;
		buf_printf(out, "%s", leaves[form][leaf]);
		return leaf_value((enum leaf)leaf);
	}
	switch (random_below(6)) {
	case 0:
		buf_printf(out, "!(");
		a = as_operand(grow(out, depth - 1));
		buf_putc(out, ')');
		return a.kind == CEL_V_BOOL ? cel_bool(!a.b) : a;
	case 1:
		buf_putc(out, '(');
		a = as_operand(grow(out, depth - 1));
		buf_printf(out, " ? ");
		b = grow(out, depth - 1);
		buf_printf(out, " : ");
		c = grow(out, depth - 1);
		buf_putc(out, ')');
		return cel_is_error(a) ? a : a.b ? b : c;
	case 2:
	case 3:
		buf_putc(out, '(');
		a = grow(out, depth - 1);
		buf_printf(out, " && ");
		b = grow(out, depth - 1);
		buf_putc(out, ')');
		return either(a, b, false);
	default:
		buf_putc(out, '(');
		a = grow(out, depth - 1);
		buf_printf(out, " || ");
		b = grow(out, depth - 1);
		buf_putc(out, ')');
		return either(a, b, true);
	}
}

Test(logic, random_trees_are_as_defined)
{
	for (unsigned k = 0; k < 4000; k++) {
		CLEANUP(buf_fini) struct buf source = BUF_INIT(65536);
		struct cel_value want;

		random_state = k;
		want = grow(&source, 1 + k % 6);
		buf_putc(&source, '\0');
		expect_same(source.p, want);
	}
}

/* Two operands of the same polarity are one row of tests; long rows are cut. */
Test(logic, long_rows_of_tests_are_as_defined)
{
	for (unsigned n = 1; n < 40; n++)
		for (unsigned k = 0; k < 30; k++) {
			CLEANUP(buf_fini) struct buf source = BUF_INIT(65536);
			bool is_or = k % 2;
			struct cel_value want = cel_bool(!is_or);

			random_state = n * 1000 + k;
			for (unsigned m = 0; m < n; m++) {
				unsigned leaf = random_below(n + 3);

				leaf = leaf < N_LEAVES ? leaf : is_or ? NO : YES;
				buf_printf(&source, "%s%s", m ? is_or ? " || " : " && " : "",
					leaves[random_below(2)][leaf]);
				want = either(want, leaf_value((enum leaf)leaf), is_or);
			}
			buf_putc(&source, '\0');
			expect_same(source.p, want);
		}
}
