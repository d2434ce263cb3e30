#include "pricing/cel/function.h"
#include "tests/unit/cel/parsed.h"

Test(cel_parse, operators_bind_as_in_langdef)
{
	expect_tree("1 + 2 * 3 - 4", "_-_(_+_(1,_*_(2,3)),4)");
	expect_tree("a < b == c", "_==_(_<_(a,b),c)");
	expect_tree("a + b in c % d", "@in(_+_(a,b),_%_(c,d))");
	expect_tree("a / b / c", "_/_(_/_(a,b),c)");
	expect_tree("a || b && c", "_||_(a,_&&_(b,c))");
	expect_tree("a && !b == c", "_&&_(a,_==_(!_(b),c))");
	expect_tree("-a.b + c", "_+_(-_(a.b),c)");
	expect_tree("(a || b) && c", "_&&_(_||_(a,b),c)");
	expect_tree("a - (b - c)", "_-_(a,_-_(b,c))");
}

Test(cel_parse, a_chain_of_logic_is_balanced)
{
	expect_tree("a && b && c", "_&&_(_&&_(a,b),c)");
	expect_tree("a && b && c && d", "_&&_(_&&_(a,b),_&&_(c,d))");
	expect_tree("a || b || c || d || e", "_||_(_||_(_||_(a,b),c),_||_(d,e))");
	expect_tree("a && (b && c)", "_&&_(a,_&&_(b,c))");
}

Test(cel_parse, a_long_chain_of_logic_is_as_deep_as_its_logarithm)
{
	CLEANUP(buf_fini) struct buf text = BUF_INIT(65536);

	buf_puts(&text, STR("a"));
	for (int i = 0; i < 1023; i++)
		buf_puts(&text, STR("&&a"));
	CLEANUP(parsed_fini) struct parsed p = parse_limited(buf_str(&text), NULL);

	cr_assert(p.root != NULL);
	cr_expect(eq(int, p.root->depth, 11));
	cr_expect(eq(int, p.root->call.function, CEL_F_AND));
}

Test(cel_parse, conditionals_chain_to_the_right_only)
{
	expect_tree("a ? b : c ? d : e", "_?_:_(a,b,_?_:_(c,d,e))");
	expect_tree("a ? (b ? c : d) : e", "_?_:_(a,_?_:_(b,c,d),e)");
	expect_tree("a || b ? c && d : e", "_?_:_(_||_(a,b),_&&_(c,d),e)");
	expect_tree("a ? .5 : .b", "_?_:_(a,0.5,.b)");
}

Test(cel_parse, two_negations_are_none)
{
	expect_tree("!a", "!_(a)");
	expect_tree("!!a", "a");
	expect_tree("!!!a", "!_(a)");
	expect_tree("--a", "a");
	expect_tree("-(-a)", "-_(-_(a))");
	expect_tree("!(!a)", "!_(!_(a))");
}

Test(cel_parse, a_minus_before_a_number_is_its_sign)
{
	expect_tree("-1", "-1");
	expect_tree("- 1", "-1");
	expect_tree("--1", "1");
	expect_tree("---1", "-_(1)");
	expect_tree("4--4", "_-_(4,-4)");
	expect_tree("4 - - 4", "_-_(4,-4)");
	expect_tree("-1.5", "-1.5");
	expect_tree("-1u", "-_(1u)");
	expect_tree("!-1", "!_(-1)");
	expect_tree("-(1)", "-_(1)");
	expect_tree("-1 .x", "-1.x");
	expect_tree("-9223372036854775808", "-9223372036854775808");
	expect_tree("-0x8000000000000000", "-9223372036854775808");
}

Test(cel_parse, names_selections_indices_and_calls)
{
	expect_tree("a.b.c", "a.b.c");
	expect_tree(".a.b", ".a.b");
	expect_tree(". a", ".a");
	expect_tree("a.`b-c/d`.e", "a.b-c/d.e");
	expect_tree("a.if.function", "a.if.function");
	expect_tree("a[0][b]", "_[_](_[_](a,0),b)");
	expect_tree("a.b(c).d(e, f)", "a.b(c).d(e,f)");
	expect_tree("f()", "f()");
	expect_tree(".f(1)", ".f(1)");
	expect_tree("[1][0].x", "_[_]([1],0).x");
	expect_tree("\"a\".size()", "\"a\".size()");
	expect_tree("f(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)", "f(1,2,3,4,5,6,7,8,9,10)");
}

Test(cel_parse, functions_are_known_by_number)
{
	CLEANUP(parsed_fini) struct parsed p = parse("a.startsWith(size(.matches(b, f(c))))");
	const struct cel_node *n = p.root;

	cr_assert(n != NULL);
	cr_expect(eq(int, n->call.function, CEL_F_STARTS_WITH));
	cr_expect(n->call.target != NULL);
	n = n->call.args[0];
	cr_expect(eq(int, n->call.function, CEL_F_SIZE));
	cr_expect(n->call.target == NULL);
	n = n->call.args[0];
	cr_expect(eq(int, n->call.function, CEL_F_MATCHES));
	cr_expect(str_eqz(n->call.name, ".matches"));
	cr_expect(eq(int, n->call.args[1]->call.function, CEL_F_UNKNOWN));
}

Test(cel_parse, a_function_with_a_dot_in_its_name_is_a_global_one)
{
	CLEANUP(parsed_fini) struct parsed p = parse("math.least(1, 2) + money.max(a, b)");

	cr_assert(p.root != NULL);
	cr_expect(eq(int, p.root->call.args[0]->call.function, CEL_F_MATH_LEAST));
	cr_expect(p.root->call.args[0]->call.target == NULL);
	cr_expect(eq(int, p.root->call.args[1]->call.function, CEL_F_MONEY_MAX));
	expect_tree("math.other(1)", "math.other(1)");
	CLEANUP(parsed_fini) struct parsed braced = parse("(math).least(1)");

	cr_expect(braced.root->call.target != NULL);
}

Test(cel_parse, lists_and_maps_may_end_with_a_comma)
{
	expect_tree("[]", "[]");
	expect_tree("[,]", "[]");
	expect_tree("[1,]", "[1]");
	expect_tree("[1, [2, 3],]", "[1,[2,3]]");
	expect_tree("{}", "{}");
	expect_tree("{,}", "{}");
	expect_tree("{1: 'a', 'b': c ? 1 : 2,}", "{1:\"a\",\"b\":_?_:_(c,1,2)}");
	expect_tree("{1:1,2:2,3:3,4:4,5:5}", "{1:1,2:2,3:3,4:4,5:5}");
}

Test(cel_parse, messages_parse)
{
	expect_tree("A{}", "A{}");
	expect_tree("A{,}", "A{}");
	expect_tree("a.b.C{d: 1, `in`: 2,}", "a.b.C{d:1,in:2}");
	expect_tree(".a.B{if: 1}.c", ".a.B{if:1}.c");
	CLEANUP(parsed_fini) struct parsed p = parse("a . b{}");

	cr_assert(p.root != NULL);
	cr_expect(eq(int, p.root->kind, CEL_N_STRUCT));
	cr_expect(str_eqz(p.root->map.name, "a.b"));
}

Test(cel_parse, a_currency_s_name_makes_money)
{
	expect_tree("eth(\"1.25\")", "money(\"1.25\",\"ETH\")");
	expect_tree("usd('19.99') < a", "_<_(money(\"19.99\",\"USD\"),a)");
	expect_tree("jpy('500')", "money(\"500\",\"JPY\")");
	expect_tree("money('1', 'ETH')", "money(\"1\",\"ETH\")");
	expect_tree("xyz('1')", "xyz(\"1\")");
	expect_tree("ETH('1')", "ETH(\"1\")");
	expect_tree(".eth('1')", ".eth(\"1\")");
	expect_tree("a.eth('1')", "a.eth(\"1\")");
	expect_tree("eth('1', 2)", "eth(\"1\",2)");
	expect_tree("eth", "eth");
	CLEANUP(parsed_fini) struct parsed p = parse("eth(\"1.25\")");

	cr_expect(eq(int, p.root->call.function, CEL_F_MONEY));
	cr_expect(eq(u32, p.root->call.n_args, 2));
	cr_expect(eq(int, p.root->call.args[1]->kind, CEL_N_CONST));
	cr_expect(eq(int, p.root->call.args[1]->constant.kind, CEL_V_STRING));
}

Test(cel_parse, without_money_a_currency_is_a_name_like_any_other)
{
	struct arena *a;
	struct cel_diags d = { 0 };
	const struct cel_node *n;

	cr_assert(zero(int, arena_new(&a, CEL_PARSE_ARENA)));
	n = cel_parse(STR("eth('1')"), false, NULL, a, &d);
	cr_assert(n != NULL);
	cr_expect(str_eqz(n->call.name, "eth"));
	n = cel_parse(STR("money.min(a, b)"), false, NULL, a, &d);
	cr_assert(n != NULL);
	cr_expect(n->call.target != NULL);
	arena_free(a);
}

/* ---- places ---- */

static void expect_place(
	const struct cel_node *n, uint32_t offset, uint32_t begin, uint32_t end, const char *what)
{
	cr_expect(eq(u32, n->offset, offset), "place of %s", what);
	cr_expect(eq(u32, n->begin, begin), "begin of %s", what);
	cr_expect(eq(u32, n->end, end), "end of %s", what);
}

Test(cel_parse, a_node_s_place_is_where_cel_go_puts_its_caret)
{
	static const struct {
		const char *source;
		uint32_t offset, begin, end;
	} cases[] = {
		{ " abc ", 1, 1, 4 },
		{ " .abc", 2, 1, 5 },
		{ "  12", 2, 2, 4 },
		{ " - 12", 1, 1, 5 },
		{ " 'ab'", 1, 1, 5 },
		{ "a + b", 2, 0, 5 },
		{ "a  in b", 3, 0, 7 },
		{ " -a", 1, 1, 3 },
		{ " !a", 1, 1, 3 },
		{ "!!a", 2, 0, 3 },
		{ "a.bc", 1, 0, 4 },
		{ "a.`b`", 1, 0, 5 },
		{ "a [ b ]", 2, 0, 7 },
		{ "f(a)", 1, 0, 4 },
		{ ".f(a)", 2, 0, 5 },
		{ "a.f(b)", 3, 0, 6 },
		{ " [a]", 1, 1, 4 },
		{ " {a: b}", 1, 1, 7 },
		{ "a.B {}", 4, 0, 6 },
		{ "a ? b : c", 2, 0, 9 },
		{ "a && b && c", 7, 0, 11 },
		{ "a && b && c && d", 7, 0, 16 },
		{ "a.all(b, c)", 5, 0, 11 },
		{ "has(a.b)", 3, 0, 8 },
		{ "eth('1')", 3, 0, 8 },
		{ "( a )", 2, 0, 5 },
		{ "((a))", 2, 0, 5 },
		{ "(a + b) * c", 8, 0, 11 },
		{ "math.least(1)", 10, 0, 13 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(parsed_fini) struct parsed p = parse(cases[i].source);

		cr_expect(p.root != NULL, "%s", cases[i].source);
		if (p.root)
			expect_place(p.root, cases[i].offset, cases[i].begin, cases[i].end,
				cases[i].source);
	}
}

Test(cel_parse, an_entry_s_place_is_its_colon)
{
	CLEANUP(parsed_fini) struct parsed p = parse("{a : b, c: d}");

	cr_assert(p.root != NULL);
	cr_expect(eq(u32, p.root->map.v[0].offset, 3));
	cr_expect(eq(u32, p.root->map.v[1].offset, 9));
}

Test(cel_parse, parentheses_are_remembered_and_are_no_node)
{
	CLEANUP(parsed_fini) struct parsed p = parse("(a) + ((b + c))");

	cr_assert(p.root != NULL);
	cr_expect(not(p.root->is_braced));
	cr_expect(p.root->call.args[0]->is_braced);
	cr_expect(p.root->call.args[1]->is_braced);
	cr_expect(not(p.root->call.args[1]->call.args[0]->is_braced));
	cr_expect(eq(int, p.root->depth, 3));
	expect_place(p.root->call.args[1], 10, 6, 15, "((b + c))");
	CLEANUP(parsed_fini) struct parsed negated = parse("--(a)");

	cr_assert(negated.root != NULL);
	cr_expect(not(negated.root->is_braced));
	expect_place(negated.root, 3, 0, 5, "--(a)");
}

Test(cel_parse, the_checker_s_fields_are_empty)
{
	CLEANUP(parsed_fini) struct parsed p = parse("a.b");

	cr_assert(p.root != NULL);
	cr_expect(p.root->type == NULL);
	cr_expect(eq(int, p.root->slot, CEL_SLOT_NONE));
	cr_expect(zero(sz, p.root->ref.n));
	cr_expect(eq(int, p.root->select.operand->slot, CEL_SLOT_NONE));
}

Test(cel_parse, comments_and_lines_do_not_matter)
{
	expect_tree("a // one\n  && b // two", "_&&_(a,b)");
	expect_tree("\f\r\n\ta", "a");
}

/* ---- limits ---- */

static void repeat(struct buf *out, const char *text, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		buf_puts(out, str_of(text));
}

/* What @open @middle @close says with limits of @depth; 0 = parses. */
static int nested(
	const char *open, unsigned n, const char *middle, const char *close, uint32_t depth)
{
	CLEANUP(buf_fini) struct buf text = BUF_INIT(1 << 20);
	const struct cel_limits limits = { .source_bytes = 1 << 20, .depth = depth };

	repeat(&text, open, n);
	buf_puts(&text, str_of(middle));
	repeat(&text, close, n);
	CLEANUP(parsed_fini) struct parsed p = parse_limited(buf_str(&text), &limits);

	return p.root ? 0 : (int)p.diags.v[0].code;
}

Test(cel_parse, nesting_has_a_limit_wherever_it_can_nest)
{
	static const struct {
		const char *open, *middle, *close;
	} cases[] = { { "(", "7", ")" }, { "[", "7", "]" }, { "f(", "7", ")" }, { "{1:", "7", "}" },
		{ "a ? ", "b", "" }, { "a ? b : ", "c", "" }, { "a[", "0", "]" },
		{ "A{b:", "1", "}" }, { "a.f(", "1", ")" } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int r = nested(cases[i].open, 100000, cases[i].middle, cases[i].close, 250);

		cr_expect(r == CEL_E_TOO_DEEP || r == CEL_E_SYNTAX, "%s", cases[i].open);
		cr_expect(eq(int, nested(cases[i].open, 60, cases[i].middle, cases[i].close, 32),
				  i == 4 ? CEL_E_SYNTAX : CEL_E_TOO_DEEP),
			"%s", cases[i].open);
	}
	cr_expect(zero(int, nested("(", 32, "7", ")", 250)));
	cr_expect(zero(int, nested("(", 249, "7", ")", 250)));
	cr_expect(eq(int, nested("(", 250, "7", ")", 250), CEL_E_TOO_DEEP));
	cr_expect(zero(int, nested("[", 31, "7", "]", 32)));
	cr_expect(eq(int, nested("[", 32, "7", "]", 32), CEL_E_TOO_DEEP));
}

Test(cel_parse, a_tree_that_grows_to_the_left_has_the_same_limit)
{
	cr_expect(zero(int, nested("1+", 31, "1", "", 32)));
	cr_expect(eq(int, nested("1+", 32, "1", "", 32), CEL_E_TOO_DEEP));
	cr_expect(zero(int, nested("", 31, "a", ".b", 32)));
	cr_expect(eq(int, nested("", 32, "a", ".b", 32), CEL_E_TOO_DEEP));
	cr_expect(eq(int, nested("", 32, "a", "[0]", 32), CEL_E_TOO_DEEP));
	cr_expect(eq(int, nested("", 100000, "a", ".b()", 250), CEL_E_TOO_DEEP));
	cr_expect(zero(int, nested("!", 100000, "a", "", 32)), "an even number of negations");
	cr_expect(zero(int, nested("-", 100001, "a", "", 32)), "an odd number of negations");
}

Test(cel_parse, what_a_macro_writes_out_counts_as_depth)
{
	cr_expect(zero(int, nested("a.map(b,", 7, "b", ")", 32)));
	cr_expect(eq(int, nested("a.map(b,", 20, "b", ")", 32), CEL_E_TOO_DEEP));
}

Test(cel_parse, nobody_gets_more_depth_than_there_is)
{
	cr_expect(eq(int, nested("(", 300, "7", ")", UINT32_MAX), CEL_E_TOO_DEEP));
	cr_expect(eq(int, nested("(", 32, "7", ")", 0), CEL_E_TOO_DEEP), "0 is a ruleset's");
}

Test(cel_parse, a_source_over_its_limit_is_not_read)
{
	const struct cel_limits limits = { .source_bytes = 5 };
	CLEANUP(parsed_fini) struct parsed fits = parse_limited(STR("a + b"), &limits);
	CLEANUP(parsed_fini) struct parsed over = parse_limited(STR("a + bc"), &limits);

	cr_expect(fits.root != NULL);
	cr_assert(over.root == NULL);
	cr_expect(eq(int, (int)over.diags.v[0].code, CEL_E_TOO_LONG));
	cr_expect(eq(u32, over.diags.v[0].offset, 5));
	cr_expect(eq(str, over.diags.v[0].text,
		(char *)"expression size exceeds limit: size: 6, limit 5 bytes"));
}

Test(cel_parse, an_arena_that_is_used_up_is_an_error_at_every_size)
{
	struct str source = STR("a.b(c, [1.5, 'x\\n'], {d: .e, 2: A.B{f: g}}).exists(h, h[0] > "
				"eth('1')) && -i || !has(j.k) ? l : a1 && a2 && a3 && a4 && a5 && "
				"a6 && a7 && a8 && a9 && [1, 2, 3, 4, 5, 6, 7, 8, 9] == b");
	size_t enough = 0;

	for (size_t size = 0; !enough; size += 16) {
		struct cel_diags d = { 0 };
		struct arena *a;

		cr_assert(zero(int, arena_new(&a, size)));
		if (cel_parse(source, true, NULL, a, &d)) {
			enough = size;
		} else {
			cr_expect(eq(sz, d.n, 1), "%zu bytes", size);
			cr_expect(eq(int, (int)d.v[0].code, CEL_E_TOO_LARGE), "%zu bytes: %s", size,
				d.v[0].text);
		}
		arena_free(a);
	}
	cr_expect(lt(sz, enough, 32768));
}

/* The densest sources there are: nodes a byte. */
Test(cel_parse, the_arena_is_enough_for_any_source_of_a_ruleset)
{
	static const char *const units[] = { "a<a<a<a<a<a<a<a<a<a<a<a<a<a<a<a<a<a<a<a<a<a<a<a<a,",
		"a.map(b,b),", "a.all(b,b),", "a.map(b,b,b),", "!a,", "-a,", "a,",
		"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p,", "f(),", "[],", "a&&a,",
		"a&&a&&a&&a&&a&&a&&a&&a&&a&&a&&a&&a&&a&&a&&a&&a&&a,", "f(a,a,a,a,a,a,a,a,a,a),",
		"{a:a},", "eth(a),", "''," };

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		CLEANUP(buf_fini) struct buf text = BUF_INIT(CEL_SOURCE_BYTES_MAX);

		buf_putc(&text, '[');
		while (text.n + strlen(units[i]) + 1 < CEL_SOURCE_BYTES_MAX)
			buf_puts(&text, str_of(units[i]));
		buf_putc(&text, ']');
		CLEANUP(parsed_fini) struct parsed p = parse_limited(buf_str(&text), NULL);

		cr_expect(p.root != NULL, "%s: %s", units[i], p.diags.v[0].text);
	}
}

Test(cel_parse, texts_are_borrowed_where_they_can_be)
{
	const char *source = "abc.def == 'ghi'";
	CLEANUP(parsed_fini) struct parsed p = parse(source);

	cr_assert(p.root != NULL);
	cr_expect(eq(ptr, (void *)p.root->call.args[0]->select.field.p, (void *)(source + 4)));
	cr_expect(eq(ptr, (void *)p.root->call.args[1]->constant.s, (void *)(source + 12)));
}
