#include "tests/unit/cel/parsed.h"

static void expect_text(const struct cel_node *n, enum cel_ast_form form, const char *expected)
{
	CLEANUP(buf_fini) struct buf out = BUF_INIT(65536);

	cr_assert(n != NULL);
	cel_ast_print(&out, n, form);
	buf_putc(&out, '\0');
	cr_expect(eq(str, out.p, (char *)expected));
}

static void expect_parsed(const char *source, const char *expected)
{
	CLEANUP(parsed_fini) struct parsed p = parse(source);

	expect_text(p.root, CEL_AST_PARSED, expected);
}

static void expect_plain(const char *source, const char *expected)
{
	CLEANUP(parsed_fini) struct parsed p = parse(source);

	expect_text(p.root, CEL_AST_PLAIN, expected);
}

Test(cel_ast_print, the_parsed_form_names_the_kind_of_every_node)
{
	expect_parsed("1", "1^#*expr.Constant_Int64Value#");
	expect_parsed("a.b", "a^#*expr.Expr_IdentExpr#.b^#*expr.Expr_SelectExpr#");
	expect_parsed("f()", "f()^#*expr.Expr_CallExpr#");
	expect_parsed("a + null", "_+_(\n  a^#*expr.Expr_IdentExpr#,\n"
				  "  null^#*expr.Constant_NullValue#\n"
				  ")^#*expr.Expr_CallExpr#");
	expect_parsed("[true, 2u]", "[\n  true^#*expr.Constant_BoolValue#,\n"
				    "  2u^#*expr.Constant_Uint64Value#\n"
				    "]^#*expr.Expr_ListExpr#");
	expect_parsed("{'a': 1.5}", "{\n  \"a\"^#*expr.Constant_StringValue#:"
				    "1.5^#*expr.Constant_DoubleValue#"
				    "^#*expr.Expr_CreateStruct_Entry#\n"
				    "}^#*expr.Expr_StructExpr#");
	expect_parsed("A{b: b'c'}", "A{\n  b:b\"c\"^#*expr.Constant_BytesValue#"
				    "^#*expr.Expr_CreateStruct_Entry#\n"
				    "}^#*expr.Expr_StructExpr#");
	expect_parsed("{}", "{}^#*expr.Expr_StructExpr#");
}

Test(cel_ast_print, a_comprehension_says_what_its_parts_are)
{
	expect_plain("[a.all(b, c)]", "[\n"
				      "  __comprehension__(\n"
				      "    // Variable\n"
				      "    b,\n"
				      "    // Target\n"
				      "    a,\n"
				      "    // Accumulator\n"
				      "    @result,\n"
				      "    // Init\n"
				      "    true,\n"
				      "    // LoopCondition\n"
				      "    @not_strictly_false(\n"
				      "      @result\n"
				      "    ),\n"
				      "    // LoopStep\n"
				      "    _&&_(\n"
				      "      @result,\n"
				      "      c\n"
				      "    ),\n"
				      "    // Result\n"
				      "    @result)\n"
				      "]");
}

Test(cel_ast_print, doubles_are_written_as_go_does)
{
	expect_plain("1.0", "1");
	expect_plain("-0.0", "-0");
	expect_plain("0.1", "0.1");
	expect_plain("123.456", "123.456");
	expect_plain("100000.0", "100000");
	expect_plain("999999.5", "999999.5");
	expect_plain("1000000.0", "1e+06");
	expect_plain("1234567.0", "1.234567e+06");
	expect_plain("1e99", "1e+99");
	expect_plain("6.022e23", "6.022e+23");
	expect_plain("1e308", "1e+308");
	expect_plain("0.0001", "0.0001");
	expect_plain("0.00012", "0.00012");
	expect_plain("0.00001", "1e-05");
	expect_plain("0.1e-31", "1e-32");
	expect_plain("5e-324", "5e-324");
	expect_plain("9223372036854775807.0", "9.223372036854776e+18");
	expect_plain("0.30000000000000004", "0.30000000000000004");
}

Test(cel_ast_print, texts_are_escaped_as_go_does)
{
	expect_plain("'a\"b\\\\'", "\"a\\\"b\\\\\"");
	expect_plain("'\\a\\b\\f\\n\\r\\t\\v'", "\"\\a\\b\\f\\n\\r\\t\\v\"");
	expect_plain("'\\x00\\x1f\\x7f'", "\"\\x00\\x1f\\x7f\"");
	expect_plain("'\u00e9\u20ac\U0001F601'", "\"\u00e9\u20ac\U0001F601\"");
	expect_plain("'\\u00a0\\u200b\\ufeff'", "\"\\u00a0\\u200b\\ufeff\"");
	expect_plain("'\\U00088888\\U0010ffff'", "\"\\U00088888\\U0010ffff\"");
	expect_plain("'it\\'s'", "\"it's\"");
}

Test(cel_ast_print, bytes_that_are_no_characters_are_numbers)
{
	expect_plain("b'\\xff\\x80a'", "b\"\\xff\\x80a\"");
	expect_plain("b'\\303\\251'", "b\"\u00e9\"");
	expect_plain("b'\\303'", "b\"\\xc3\"");
	expect_plain("b'\\000\"'", "b\"\\x00\\\"\"");
}

Test(cel_ast_print, the_checked_form_has_types_and_references)
{
	CLEANUP(parsed_fini) struct parsed p = parse("a + 1");

	cr_assert(p.root != NULL);
	p.root->type = &cel_type_int;
	p.root->ref = STR("add_int64");
	p.root->call.args[0]->type = &cel_type_int;
	p.root->call.args[0]->ref = STR("a");
	p.root->call.args[1]->type = &cel_type_int;
	expect_text(p.root, CEL_AST_CHECKED, "_+_(\n  a~int^a,\n  1~int\n)~int^add_int64");
}

Test(cel_ast_print, a_variable_whose_name_has_dots_is_one_name_when_checked)
{
	CLEANUP(parsed_fini) struct parsed p = parse("a.b.c");

	cr_assert(p.root != NULL);
	p.root->select.operand->type = &cel_type_dyn;
	p.root->select.operand->ref = STR("a.b");
	p.root->select.operand->slot = 0;
	p.root->type = &cel_type_string;
	expect_text(p.root, CEL_AST_CHECKED, "a.b~dyn^a.b.c~string");
	p.root->is_test_only = true;
	expect_text(p.root, CEL_AST_CHECKED, "a.b~dyn^a.b.c~test-only~~string");
}

Test(cel_ast_print, a_full_buffer_is_a_failure_not_an_overrun)
{
	CLEANUP(parsed_fini) struct parsed p = parse("[1, 2, 3, 4, 5, 6]");
	CLEANUP(buf_fini) struct buf out = BUF_INIT(8);

	cr_assert(p.root != NULL);
	cel_ast_print(&out, p.root, CEL_AST_PARSED);
	cr_expect(out.failed);
	cr_expect(le(sz, out.n, 8));
}
