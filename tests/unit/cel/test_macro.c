#include "tests/unit/cel/parsed.h"

#define LOOP(var, range, init, condition, step, result) \
	"__comprehension__(//Variable" var ",//Target" range ",//Accumulator@result,//Init" init \
	",//LoopCondition" condition ",//LoopStep" step ",//Result" result ")"

Test(cel_macro, has_makes_a_selection_that_only_tests)
{
	expect_tree("has(a.b.c)", "a.b.c~test-only~");
	expect_tree("has(a.`b-c`)", "a.b-c~test-only~");
	expect_tree("has(f(a)[0].b)", "_[_](f(a),0).b~test-only~");
	expect_tree("has({'a': 1}.a)", "{\"a\":1}.a~test-only~");
	CLEANUP(parsed_fini) struct parsed p = parse("has(a.b)");

	cr_assert(p.root != NULL);
	cr_expect(eq(int, p.root->kind, CEL_N_SELECT));
	cr_expect(p.root->is_test_only);
	cr_expect(not(p.root->select.operand->is_test_only));
}

Test(cel_macro, all_goes_on_while_nothing_is_false)
{
	expect_tree("a.all(b, c)", LOOP("b", "a", "true", "@not_strictly_false(@result)",
					   "_&&_(@result,c)", "@result"));
}

Test(cel_macro, exists_goes_on_while_nothing_is_true)
{
	expect_tree("a.exists(b, c)", LOOP("b", "a", "false", "@not_strictly_false(!_(@result))",
					      "_||_(@result,c)", "@result"));
}

Test(cel_macro, exists_one_counts)
{
	const char *expected =
		LOOP("b", "a", "0", "true", "_?_:_(c,_+_(@result,1),@result)", "_==_(@result,1)");

	expect_tree("a.exists_one(b, c)", expected);
}

Test(cel_macro, map_and_filter_append)
{
	expect_tree("a.map(b, c)", LOOP("b", "a", "[]", "true", "_+_(@result,[c])", "@result"));
	expect_tree("a.map(b, c, d)",
		LOOP("b", "a", "[]", "true", "_?_:_(c,_+_(@result,[d]),@result)", "@result"));
	expect_tree("a.filter(b, c)",
		LOOP("b", "a", "[]", "true", "_?_:_(c,_+_(@result,[b]),@result)", "@result"));
}

Test(cel_macro, macros_nest)
{
	expect_tree("a.all(b, b.exists(c, d))",
		LOOP("b", "a", "true", "@not_strictly_false(@result)",
			"_&&_(@result," LOOP("c", "b", "false", "@not_strictly_false(!_(@result))",
				"_||_(@result,d)", "@result") ")",
			"@result"));
	expect_tree("[1].map(b, c).size()",
		LOOP("b", "[1]", "[]", "true", "_+_(@result,[c])", "@result") ".size()");
}

Test(cel_macro, the_macro_that_was_written_is_remembered)
{
	static const struct {
		const char *source;
		enum cel_macro macro;
	} cases[] = { { "a.all(b, c)", CEL_M_ALL }, { "a.exists(b, c)", CEL_M_EXISTS },
		{ "a.exists_one(b, c)", CEL_M_EXISTS_ONE }, { "a.map(b, c)", CEL_M_MAP },
		{ "a.map(b, c, d)", CEL_M_MAP_FILTER }, { "a.filter(b, c)", CEL_M_FILTER } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(parsed_fini) struct parsed p = parse(cases[i].source);

		cr_assert(p.root != NULL, "%s", cases[i].source);
		cr_expect(eq(int, p.root->kind, CEL_N_COMPREHENSION), "%s", cases[i].source);
		cr_expect(eq(int, p.root->comprehension.macro, (int)cases[i].macro), "%s",
			cases[i].source);
	}
}

Test(cel_macro, what_a_macro_adds_lies_at_its_parenthesis)
{
	CLEANUP(parsed_fini) struct parsed p = parse("ab.all(c, d)");
	const struct cel_node *n = p.root;

	cr_assert(n != NULL);
	cr_expect(eq(u32, n->offset, 6));
	cr_expect(eq(u32, n->comprehension.init->offset, 6));
	cr_expect(eq(u32, n->comprehension.step->offset, 6));
	cr_expect(eq(u32, n->comprehension.step->begin, 0));
	cr_expect(eq(u32, n->comprehension.step->end, 12));
	cr_expect(eq(u32, n->comprehension.range->offset, 0));
	cr_expect(eq(u32, n->comprehension.step->call.args[1]->offset, 10), "its own place");
}

Test(cel_macro, other_numbers_of_arguments_are_calls)
{
	expect_tree("has()", "has()");
	expect_tree("has(a, b)", "has(a,b)");
	expect_tree("a.has(b.c)", "a.has(b.c)");
	expect_tree(".has(a.b)", ".has(a.b)");
	expect_tree("a.all(b)", "a.all(b)");
	expect_tree("a.all(b, c, d)", "a.all(b,c,d)");
	expect_tree("all(a, b)", "all(a,b)");
	expect_tree("a.map(b)", "a.map(b)");
	expect_tree("a.map(b, c, d, e)", "a.map(b,c,d,e)");
	expect_tree("a.filter(b, c, d)", "a.filter(b,c,d)");
}

Test(cel_macro, has_takes_a_selection)
{
	const char *hint = "has(…) takes one field, such as has(customer.tier)";

	expect_error("has(a)", CEL_E_MACRO, 4, "invalid argument to has() macro", hint);
	expect_error("has(a[0])", CEL_E_MACRO, 5, "invalid argument to has() macro", hint);
	expect_error("has(a.b())", CEL_E_MACRO, 7, "invalid argument to has() macro", hint);
}

Test(cel_macro, the_first_argument_is_a_name)
{
	const char *hint = "the first argument names the element: list.all(x, x > 0)";

	expect_error("1.all(2, 3)", CEL_E_MACRO, 6, "argument must be a simple name", hint);
	expect_error("a.exists(b.c, d)", CEL_E_MACRO, 10, "argument must be a simple name", hint);
	expect_error(
		"a.exists_one('b', d)", CEL_E_MACRO, 13, "argument must be a simple name", hint);
	expect_error("a.map(b.c, d)", CEL_E_MACRO, 7, "argument is not an identifier", hint);
	expect_error("a.map(b[0], d, e)", CEL_E_MACRO, 7, "argument is not an identifier", hint);
	expect_error("a.filter(b(), d)", CEL_E_MACRO, 10, "argument is not an identifier", hint);
	expect_error("a.all(.b, d)", CEL_E_MACRO, 7, "argument must be a simple name", hint);
}

Test(cel_macro, the_accumulator_s_old_name_is_taken)
{
	expect_error("a.map(__result__, b)", CEL_E_MACRO, 6,
		"iteration variable overwrites accumulator variable", "take another name");
	expect_tree("a.f(__result__)", "a.f(__result__)");
}
