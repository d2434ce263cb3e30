/* The static worst case, and that no evaluation counts more. */
#include "program_support.h"

TestSuite(cost, .init = program_begin, .fini = program_end);

static void expect_cost(const char *source, uint64_t want)
{
	struct cel_program *p = compile(source);

	cr_expect(eq(u64, cel_program_cost(p), want), "%s", source);
	cel_program_free(p);
}

Test(cost, units_are_as_the_header_says)
{
	expect_cost("1", 0);
	expect_cost("i", 1);
	expect_cost("customer.tier", 1);
	expect_cost("i + 1", 2);
	expect_cost("i > 3 && j > 4", 5);
	expect_cost("!flag", 2);
	expect_cost("[1, i]", 11);
	expect_cost("{'a': i}", 31);
	expect_cost("flag ? i + j : i", 5);
	expect_cost("s == 'gold'", 3);
	expect_cost("s == t", 1 + 1 + 1 + 26);
	expect_cost("s + t", 1 + 1 + 1 + 2 * 26);
	expect_cost("s.contains('gold')", 1 + 1 + 26 + 1);
	expect_cost("s.matches('^go+ld')", 1 + 1 + (256 * 6 + 39) / 40);
	expect_cost("i in ints", 1 + 1 + 1 + 16);
	expect_cost("ints.all(x, x > 3)", 1 + 2 + 16 * (2 + 2));
	expect_cost("ints.map(x, x + 1)", 1 + 10 + 16 * (2 + 2));
}

Test(cost, loops_multiply_and_literals_are_as_long_as_they_are)
{
	expect_cost("[1, 2, 3].all(x, x > 3)", 10 + 2 + 3 * (2 + 2));
	expect_cost("ints.all(x, ints.all(y, x > y))", 1 + 2 + 16 * (2 + 1 + 2 + 16 * (2 + 3)));
	expect_cost(
		"ints.filter(x, x > 3).all(x, x > 4)", 1 + 10 + 16 * (2 + 3) + 2 + 16 * (2 + 2));
}

Test(cost, it_is_counted_once_a_straight_line_and_by_turns_of_loops)
{
	struct cel_value numbers[3] = { cel_int(1), cel_int(2), cel_int(3) };
	struct cel_program *p = compile("i > 3 && ints.all(x, x > 0)");

	bind("i", cel_int(5));
	bind("ints", (struct cel_value){ .kind = CEL_V_LIST, .n = 3, .list = numbers });
	cel_eval(p, &context, slots);
	cr_expect(eq(u64, context.cost, 2 + 1 + 1 + 3 * 3));
	context.cost = 0;
	bind("i", cel_int(1));
	cel_eval(p, &context, slots);
	cr_expect(eq(u64, context.cost, 2 + 1 + 1), "the loop was left out");
	cel_program_free(p);
}

Test(cost, only_the_branch_taken_is_counted)
{
	struct cel_program *p = compile("flag ? i + i + i + i : j");

	bind("i", cel_int(5));
	bind("j", cel_int(5));
	bind("flag", cel_bool(true));
	cel_eval(p, &context, slots);
	cr_expect(eq(u64, context.cost, 2 + 7));
	context.cost = 0;
	bind("flag", cel_bool(false));
	cel_eval(p, &context, slots);
	cr_expect(eq(u64, context.cost, 2 + 1));
	cel_program_free(p);
}

/* ---- random typed expressions ---- */

enum kind { BOOL, INT, TEXT, INTS, TEXTS, N_KINDS };

struct writer {
	struct buf out;
	unsigned n_locals;
	enum kind locals[8];
};

static void write_any(struct writer *w, enum kind k, unsigned depth);

static void fill(struct writer *w, const char *form, unsigned depth)
{
	for (const char *p = form; *p; p++) {
		switch (*p) {
		case '@':
			write_any(w, BOOL, depth);
			break;
		case '#':
			write_any(w, INT, depth);
			break;
		case '$':
			write_any(w, TEXT, depth);
			break;
		case '^':
			write_any(w, INTS, depth);
			break;
		case '~':
			write_any(w, TEXTS, depth);
			break;
		default:
			buf_putc(&w->out, *p);
		}
	}
}

/* range.macro(vN, body), the variable in scope while the body is written */
static void write_loop(
	struct writer *w, enum kind range, const char *macro, const char *body, unsigned depth)
{
	write_any(w, range, depth);
	buf_printf(&w->out, ".%s(v%u, ", macro, w->n_locals);
	w->locals[w->n_locals++] = range == INTS ? INT : TEXT;
	fill(w, body, depth);
	w->n_locals--;
	buf_putc(&w->out, ')');
}

static void write_leaf(struct writer *w, enum kind k)
{
	static const char *const leaves[N_KINDS][4] = {
		[BOOL] = { "flag", "other", "true", "customer.blocked" },
		[INT] = { "i", "j", "7", "counts['a']" },
		[TEXT] = { "s", "t", "'constant text'", "customer.tier" },
		[INTS] = { "ints", "[1, 2, 3]", "ints", "[i]" },
		[TEXTS] = { "texts", "['a', 'b']", "texts", "[s, t]" },
	};

	if (w->n_locals && random_below(2)) {
		unsigned local = random_below(w->n_locals);

		if (w->locals[local] == k) {
			buf_printf(&w->out, "v%u", local);
			return;
		}
	}
	buf_printf(&w->out, "%s", leaves[k][random_below(4)]);
}

static void write_any(struct writer *w, enum kind k, unsigned depth)
{
	static const char *const forms[N_KINDS][12] = {
		[BOOL] = { "(@ && @)", "(@ || @)", "!@", "(@ ? @ : @)", "(# < #)", "($ == $)",
			"($ <= $)", "(# in ^)", "($ in ~)", "$.contains($)", "(^ == ^)",
			"$.startsWith($)" },
		[INT] = { "(# + #)", "(# * #)", "(# / #)", "size($)", "size(^)", "(@ ? # : #)",
			"^[0]", "int(string(#))", "math.least(#, #)", "(# - #)", "{'a': #}['a']",
			"size(~)" },
		[TEXT] = { "($ + $)", "string(#)", "(@ ? $ : $)", "~[0]", "$.lowerAscii()",
			"($ + $)", "'x'", "string(@)", "{1: $}[1]", "($ + $)", "$", "dyn($)" },
		[INTS] = { "(^ + ^)", "[#, #]", "(@ ? ^ : ^)", "^", "[#]", "(^ + ^)", "[[#], ^][1]",
			"^", "[#, #, #]", "^", "(^ + [#])", "^" },
		[TEXTS] = { "(~ + ~)", "[$, $]", "(@ ? ~ : ~)", "~", "[$]", "(~ + ~)",
			"[[$], ~][0]", "~", "[$, $, $]", "~", "(~ + [$])", "~" },
	};
	enum kind range = random_below(2) ? INTS : TEXTS;

	if (depth == 0) {
		write_leaf(w, k);
		return;
	}
	if (random_below(4) == 0 && w->n_locals < 3 && depth < 4) {
		static const char *const quantifiers[] = { "all", "exists", "exists_one" };

		if (k == BOOL) {
			write_loop(w, range, quantifiers[random_below(3)], "@", depth - 1);
			return;
		}
		if (k == INTS || k == TEXTS) {
			if (random_below(2))
				write_loop(w, k, "filter", "@", depth - 1);
			else
				write_loop(w, range, "map", k == INTS ? "#" : "$", depth - 1);
			return;
		}
	}
	fill(w, forms[k][random_below(12)], depth - 1);
}

/* Inputs as large as the estimate assumes, or smaller. */
static void bind_random(struct arena *a)
{
	static char text[CEL_TEXT_WORST];
	struct cel_value *ints = arena_alloc(a, CEL_LIST_WORST * sizeof(*ints)),
			 *texts = arena_alloc(a, CEL_LIST_WORST * sizeof(*texts));
	struct cel_map *map = arena_alloc(a, sizeof(*map));
	static const char *const names[] = { "s", "t", "customer.tier" };

	memset(text, 'a', sizeof(text));
	for (int k = 0; k < CEL_LIST_WORST; k++) {
		ints[k] = cel_int(random_below(5));
		texts[k] = cel_string(
			(struct str){ text, random_below(2) ? CEL_TEXT_WORST : random_below(20) });
	}
	for (size_t k = 0; k < ARRAY_LEN(names); k++)
		bind(names[k], cel_string((struct str){ text,
				       random_below(2) ? CEL_TEXT_WORST : random_below(20) }));
	*map = (struct cel_map){ .n = CEL_LIST_WORST, .keys = texts, .values = ints };
	bind("counts", (struct cel_value){ .kind = CEL_V_MAP, .map = map });
	bind("ints",
		(struct cel_value){
			.kind = CEL_V_LIST, .n = CEL_LIST_WORST - random_below(3), .list = ints });
	bind("texts", (struct cel_value){ .kind = CEL_V_LIST, .n = CEL_LIST_WORST, .list = texts });
	bind("i", cel_int(random_below(100)));
	bind("j", cel_int(random_below(3)));
	bind("flag", cel_bool(random_below(2)));
	bind("other", random_below(4) ? cel_bool(random_below(2)) : cel_absent(1));
	bind("customer.blocked", cel_bool(random_below(2)));
}

Test(cost, no_evaluation_counts_more_than_the_static_worst_case)
{
	CLEANUP(arena_free) struct arena *inputs = NULL;
	unsigned n_loops = 0, n_close = 0;

	context.arena = arena_free(context.arena);
	cr_assert(zero(int, arena_new(&context.arena, 16 * 1024 * 1024)));
	cr_assert(zero(int, arena_new(&inputs, 64 * 1024)));
	for (unsigned k = 0; k < 3000; k++) {
		struct writer w = { .out = BUF_INIT(1 << 18) };
		struct cel_program *p;

		random_state = k;
		write_any(&w, (enum kind)(k % N_KINDS), 1 + k / 600);
		buf_putc(&w.out, '\0');
		p = compile(w.out.p);
		n_loops += strstr(w.out.p, "v0") != NULL;
		for (int round = 0; round < 4; round++) {
			arena_reset(inputs);
			arena_reset(context.arena);
			bind_random(inputs);
			context.cost = 0;
			context.cost_max = 10000000; /* the time of the test */
			cel_eval(p, &context, slots);
			cr_assert(le(u64, context.cost, cel_program_cost(p)), "%s\n%s", w.out.p,
				code_of(p));
			n_close += context.cost * 2 >= cel_program_cost(p);
		}
		cel_program_free(p);
		buf_fini(&w.out);
	}
	cr_expect(gt(uint, n_loops, 300), "the expressions have loops");
	cr_expect(gt(uint, n_close, 3000), "the estimate is near what is counted");
}

/* Unchecked: the number of arguments may be any. What the stack held before must not count. */
Test(cost, a_call_without_its_arguments_has_a_cost_all_the_same)
{
	struct cel_program *p;

	cel_program_free(compile_unchecked("(s + t).matches(s + t)"));
	p = compile_unchecked("matches(s)");
	cr_expect(eq(u64, cel_program_cost(p), 2));
	cel_program_free(p);
}
