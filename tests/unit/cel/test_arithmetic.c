#include <math.h>

#include "lib_support.h"

TestSuite(cel_arithmetic, .init = lib_begin, .fini = lib_end);

Test(cel_arithmetic, integers_that_fit_are_exact)
{
	EXPECT_CALL("42", ADD, Int(40), Int(2));
	EXPECT_CALL("-6", ADD, Int(-4), Int(-2));
	EXPECT_CALL("-30", SUB, Int(-42), Int(-12));
	EXPECT_CALL("60", MUL, Int(-30), Int(-2));
	EXPECT_CALL("-9223372036854775808", SUB, Int(-INT64_MAX), Int(1));
	EXPECT_CALL("9223372036854775807", ADD, Int(INT64_MAX), Int(0));
	EXPECT_CALL("9223372036854775807", SUB, Int(-1), Int(INT64_MIN));
	EXPECT_CALL("-9223372036854775808", MUL, Int(INT64_MIN), Int(1));
	EXPECT_CALL("44u", ADD, U(42), U(2));
	EXPECT_CALL("0u", SUB, U(42), U(42));
	EXPECT_CALL("18446744073709551615u", MUL, U(UINT64_MAX), U(1));
}

Test(cel_arithmetic, division_goes_toward_zero_and_the_rest_has_the_sign_of_the_dividend)
{
	EXPECT_CALL("3", DIV, Int(7), Int(2));
	EXPECT_CALL("-3", DIV, Int(-7), Int(2));
	EXPECT_CALL("-3", DIV, Int(7), Int(-2));
	EXPECT_CALL("40", DIV, Int(-80), Int(-2));
	EXPECT_CALL("-7", DIV, Int(7), Int(-1));
	EXPECT_CALL("3", MOD, Int(43), Int(-5));
	EXPECT_CALL("-2", MOD, Int(-42), Int(-5));
	EXPECT_CALL("-3", MOD, Int(-3), Int(5));
	EXPECT_CALL("0", MOD, Int(7), Int(-1));
	EXPECT_CALL("30u", DIV, U(60), U(2));
	EXPECT_CALL("2u", MOD, U(42), U(5));
}

Test(cel_arithmetic, what_does_not_fit_64_bits_is_an_overflow)
{
	EXPECT_CALL("error: integer overflow", ADD, Int(INT64_MAX), Int(1));
	EXPECT_ERROR(OVERFLOW, ADD, Int(INT64_MIN), Int(-1));
	EXPECT_ERROR(OVERFLOW, SUB, Int(INT64_MIN), Int(1));
	EXPECT_ERROR(OVERFLOW, SUB, Int(1), Int(-INT64_MAX));
	EXPECT_ERROR(OVERFLOW, SUB, Int(0), Int(INT64_MIN));
	EXPECT_ERROR(OVERFLOW, MUL, Int(5000000000), Int(5000000000));
	EXPECT_ERROR(OVERFLOW, MUL, Int(-5000000000), Int(5000000000));
	EXPECT_ERROR(OVERFLOW, MUL, Int(INT64_MIN), Int(-1));
	EXPECT_ERROR(OVERFLOW, DIV, Int(INT64_MIN), Int(-1));
	EXPECT_ERROR(OVERFLOW, MOD, Int(INT64_MIN), Int(-1));
	EXPECT_ERROR(OVERFLOW, NEGATE, Int(INT64_MIN));
	EXPECT_CALL("error: unsigned integer overflow", ADD, U(UINT64_MAX), U(1));
	EXPECT_ERROR(OVERFLOW, SUB, U(0), U(1));
	EXPECT_ERROR(OVERFLOW, MUL, U(5000000000), U(5000000000));
}

Test(cel_arithmetic, zero_divides_no_integer_but_a_double)
{
	EXPECT_CALL("error: division by zero", DIV, Int(15), Int(0));
	EXPECT_CALL("error: modulus by zero", MOD, Int(34), Int(0));
	EXPECT_CALL("error: division by zero", DIV, U(15), U(0));
	EXPECT_CALL("error: modulus by zero", MOD, U(34), U(0));
	EXPECT_CALL("double(\"Infinity\")", DIV, D(15.75), D(0));
	EXPECT_CALL("double(\"-Infinity\")", DIV, D(15.75), D(-0.0));
	EXPECT_CALL("double(\"NaN\")", DIV, D(0), D(0));
}

Test(cel_arithmetic, doubles_are_ieee)
{
	EXPECT_CALL("19.5", ADD, D(4.25), D(15.25));
	EXPECT_CALL("-91.6875", MUL, D(40.75), D(-2.25));
	EXPECT_CALL("31.25", DIV, D(0.0625), D(0.002));
	EXPECT_CALL("double(\"Infinity\")", MUL, D(2.0), D(8.988466e+307 * 1.0000001));
	EXPECT_CALL("-0.0", NEGATE, D(0.0));
	EXPECT_CALL("0.30000000000000004", ADD, D(0.1), D(0.2));
	EXPECT_ERROR(NO_OVERLOAD, MOD, D(47.5), D(5.5));
}

Test(cel_arithmetic, kinds_do_not_mix)
{
	EXPECT_CALL("error: no such overload", ADD, Int(1), U(1));
	EXPECT_ERROR(NO_OVERLOAD, ADD, Int(1), D(1));
	EXPECT_ERROR(NO_OVERLOAD, MUL, D(1), Int(1));
	EXPECT_ERROR(NO_OVERLOAD, ADD, S("a"), B("b"));
	EXPECT_ERROR(NO_OVERLOAD, SUB, S("a"), S("a"));
	EXPECT_ERROR(NO_OVERLOAD, DIV, cel_null(), Int(1));
	EXPECT_ERROR(NO_OVERLOAD, NEGATE, U(5));
	EXPECT_ERROR(NO_OVERLOAD, NEGATE, cel_bool(false));
	EXPECT_ERROR(NO_OVERLOAD, NOT, Int(0));
	EXPECT_CALL("false", NOT, cel_bool(true));
}

Test(cel_arithmetic, texts_and_lists_are_joined)
{
	EXPECT_CALL("\"hello\"", ADD, S("he"), S("llo"));
	EXPECT_CALL("\"abc\"", ADD, S("abc"), S(""));
	EXPECT_CALL("\"\"", ADD, S(""), S(""));
	EXPECT_CALL("b\"\\xffoo\"", ADD, B("\xff"), B("oo"));
	EXPECT_CALL("[0, 1, 2]", ADD, LIST(Int(0)), LIST(Int(1), Int(2)));
	EXPECT_CALL("[3]", ADD, EMPTY_LIST, LIST(Int(3)));
	EXPECT_CALL("[]", ADD, EMPTY_LIST, EMPTY_LIST);
}

Test(cel_arithmetic, the_leftmost_error_is_the_result)
{
	struct cel_value first = cel_error(CEL_R_RANGE, "first");
	struct cel_value second = cel_error(CEL_R_INDEX, "second");

	EXPECT_CALL("error: first", ADD, first, second);
	EXPECT_CALL("error: second", ADD, Int(1), second);
	EXPECT_CALL("error: first", EQ, first, second);
	EXPECT("error: first", cel_add(&lib_context, first, second));
	EXPECT("error: second", cel_add(&lib_context, Int(1), second));
	EXPECT("error: first", cel_index(first, second));
	EXPECT("error: second", cel_in(Int(1), second));
	EXPECT("error: first", cel_select(first, STR("x")));
	EXPECT("error: first", cel_has(first, STR("x")));
	EXPECT("error: absent", CALL(SIZE, cel_absent(7)));
	cr_expect(eq(u32, CALL(SIZE, cel_absent(7)).n, 8));
}

Test(cel_arithmetic, a_call_with_the_wrong_number_of_arguments_is_no_overload)
{
	EXPECT_ERROR(NO_OVERLOAD, ADD, Int(1));
	EXPECT_ERROR(NO_OVERLOAD, SIZE, S("a"), S("b"));
	EXPECT_ERROR(NO_OVERLOAD, AND, cel_bool(true), cel_bool(true));
	EXPECT_ERROR(NO_OVERLOAD, UNKNOWN, Int(1));
}

Test(cel_arithmetic, a_used_up_arena_is_an_error_and_no_crash)
{
	CLEANUP(arena_free) struct arena *small = NULL;
	struct cel_context c = { 0 };

	cr_assert(zero(int, arena_new(&small, 16)));
	c.arena = small;
	lib_expect_error(__LINE__, cel_add(&c, S("0123456789"), S("0123456789")), CEL_R_MEMORY);
	lib_expect_error(__LINE__, cel_add(&c, LIST(Int(1)), LIST(Int(2))), CEL_R_MEMORY);
	lib_expect_error(__LINE__, cel_call(&c, CEL_F_STRING, V(T("2026-01-01T00:00:00Z")), 1),
		CEL_R_MEMORY);
	lib_expect_error(__LINE__, cel_call(&c, CEL_F_UPPER_ASCII, V(S("abcdefghijklmnopqrst")), 1),
		CEL_R_MEMORY);
	lib_expect_error(__LINE__, cel_call(&c, CEL_F_DOUBLE, V(S("1.00000000000000000000")), 1),
		CEL_R_MEMORY);
	lib_expect_error(__LINE__, cel_map_make(&c, V(Int(1)), V(Int(2)), 1), CEL_R_MEMORY);
}

Test(cel_arithmetic, a_call_costs_one_and_a_tenth_of_the_bytes_it_reads)
{
	char long_text[256];
	struct cel_value text = { .kind = CEL_V_STRING, .n = sizeof(long_text), .s = long_text };

	memset(long_text, 'x', sizeof(long_text));
	cr_expect(eq(u64, cel_call_cost(CEL_F_ADD, V(Int(1), Int(2)), 2), 1));
	cr_expect(eq(u64, cel_call_cost(CEL_F_ADD, V(S("a"), S("b")), 2), 2));
	cr_expect(eq(u64, cel_call_cost(CEL_F_SIZE, V(text), 1), 1 + 26));
	cr_expect(eq(u64, cel_call_cost(CEL_F_EQ, V(text, S("gold")), 2), 1 + 1));
	cr_expect(eq(u64, cel_call_cost(CEL_F_EQ, V(text, text), 2), 1 + 26));
	cr_expect(eq(u64, cel_call_cost(CEL_F_EQ, V(text, Int(1)), 2), 1));
	cr_expect(eq(u64, cel_call_cost(CEL_F_MATCHES, V(text, S("ab")), 2), 1 + 13));
	cr_expect(eq(
		u64, cel_call_cost(CEL_F_IN, V(Int(1), LIST(Int(1), Int(2), Int(3))), 2), 1 + 3));
	cr_expect(eq(u64,
		cel_call_cost(CEL_F_IN, V(LIST(Int(1), Int(2)), LIST(Int(1), Int(2), Int(3))), 2),
		1 + 9));
	cr_expect(eq(u64, cel_call_cost(CEL_F_EQ, V(LIST(Int(1), text), LIST(Int(1), text)), 2),
		1 + 1 + 1 + 26));
	cr_expect(
		eq(u64, cel_call_cost(CEL_F_ADD, V(LIST(Int(1), Int(2)), LIST(Int(1))), 2), 1 + 3));
}

Test(cel_arithmetic, a_call_over_the_cost_limit_is_not_made)
{
	lib_context.cost_max = 3;
	EXPECT_CALL("3", ADD, Int(1), Int(2));
	EXPECT_CALL("3", ADD, Int(1), Int(2));
	EXPECT_CALL("3", ADD, Int(1), Int(2));
	EXPECT_ERROR(COST, ADD, Int(1), Int(2));
	cr_expect(eq(u64, lib_context.cost, 4));
	lib_context.cost = 0;
	EXPECT_ERROR(COST, SIZE, S("a text that is longer than thirty bytes"));
}
