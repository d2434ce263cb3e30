/* The checker as cel-go's: types, overloads, names. The conformance suite has the breadth; these
 * state what must not change. */
#include "tests/unit/cel/checked.h"

static const char declarations[] =
	"{\"fields\":["
	"{\"name\":\"a.b.c\",\"type\":\"string\"},{\"name\":\"a.b\",\"type\":\"map(string, int)\"},"
	"{\"name\":\"x\",\"type\":\"int\"},{\"name\":\"d\",\"type\":\"dyn\"},"
	"{\"name\":\"m\",\"type\":\"map(string, list(int))\"},"
	"{\"name\":\"items.list\",\"type\":\"list(string)\"},"
	"{\"name\":\"t\",\"type\":\"timestamp\"},{\"name\":\"int.min\",\"type\":\"int\"},"
	"{\"name\":\"u.opt\",\"type\":\"string\",\"optional\":true}]}";

static struct checked k;

static void setup(void)
{
	checked_env(&k, declarations, false);
}

static void teardown(void)
{
	checked_fini(&k);
}

TestSuite(check, .init = setup, .fini = teardown);

static void expect_type(const char *source, const char *type)
{
	char *got = checked_type(&k, source);

	cr_expect(eq(str, got, (char *)type), "%s", source);
}

static void expect_tree(const char *source, const char *tree)
{
	char *got = checked_tree(&k, source);

	cr_expect(eq(str, got, (char *)tree), "%s", source);
}

static void expect_errors(const char *source, const char *errors)
{
	char *got = checked_errors(&k, source);

	cr_expect(eq(str, got, (char *)errors), "%s", source);
}

Test(check, literals_have_their_types)
{
	expect_type("1", "int");
	expect_type("1u", "uint");
	expect_type("1.5", "double");
	expect_type("true", "bool");
	expect_type("null", "null");
	expect_type("'a'", "string");
	expect_type("b'a'", "bytes");
	expect_type("[]", "list(dyn)");
	expect_type("{}", "map(dyn, dyn)");
	expect_type("[1, 2]", "list(int)");
	expect_type("{'a': 1u}", "map(string, uint)");
}

Test(check, literals_of_mixed_types_are_dyn)
{
	expect_type("[1, 'a']", "list(dyn)");
	expect_type("[1, 'a', 2]", "list(dyn)");
	expect_type("{1: 'a', 'b': 2}", "map(dyn, dyn)");
	expect_type("{1: 'a', 2: 2}", "map(int, dyn)");
	expect_type("[[], [1], []]", "list(list(int))");
	expect_type("[t, null]", "list(null)");
}

Test(check, the_overload_is_the_one_for_the_types)
{
	expect_tree("1 + 2", "_+_( 1~int, 2~int )~int^add_int64");
	expect_tree("x >= 1", "_>=_( x~int^x, 1~int )~bool^greater_equals_int64");
	expect_tree("size('a') + 'a'.size()",
		"_+_( size( \"a\"~string )~int^size_string, \"a\"~string.size()~int^string_size "
		")~int^add_int64");
	expect_tree("t.getSeconds('UTC')",
		"t~timestamp^t.getSeconds( \"UTC\"~string )~int^timestamp_to_seconds_tz");
	expect_tree("t - t < duration('1h')",
		"_<_( _-_( t~timestamp^t, t~timestamp^t )~duration^subtract_timestamp_timestamp, "
		"duration( \"1h\"~string )~duration^string_to_duration )~bool^less_duration");
}

Test(check, dyn_fits_all_overloads_in_the_order_of_their_letters)
{
	expect_tree("null < null", "_<_( null~null, null~null )~bool^less_duration|less_timestamp");
	expect_tree("d + d",
		"_+_( d~dyn^d, d~dyn^d )~dyn^add_bytes|add_double|add_duration_duration|"
		"add_duration_timestamp|add_int64|add_list|add_string|"
		"add_timestamp_duration|add_uint64");
	expect_tree("1 in d", "@in( 1~int, d~dyn^d )~bool^in_list|in_map");
	expect_tree("d + 1", "_+_( d~dyn^d, 1~int )~int^add_int64");
	expect_tree("d.f[0]", "_[_]( d~dyn^d.f~dyn, 0~int )~dyn^index_list|index_map");
	expect_type("int(d)", "int");
}

Test(check, type_parameters_take_what_they_are_used_with)
{
	expect_type("[] + [1]", "list(int)");
	expect_type("[].map(n, n / 2)", "list(int)");
	expect_type("[1].map(v, [v, v]).map(v, [v])", "list(list(list(int)))");
	expect_type("{}.map(c, [c, type(c)])", "list(list(dyn))");
	expect_type("([].map(v, v))[0].foo", "dyn");
	expect_type("true ? [] : [1]", "list(int)");
	expect_type("m['a'][0]", "int");
	expect_type("m.a", "list(int)");
	expect_tree("[[]] == [[1]]",
		"_==_( [ []~list(int) ]~list(list(int)), [ [ 1~int ]~list(int) ]~list(list(int)) "
		")~bool^equals");
}

Test(check, types_are_values)
{
	expect_tree("type(1) == int", "_==_( type( 1~int )~type(int)^type, int~type(int)^int "
				      ")~bool^equals");
	expect_type("google.protobuf.Timestamp", "type(timestamp)");
	expect_type("[list, map]", "list(type(map(dyn, dyn)))"); /* as cel-go: the last one */
	expect_type("type(type)", "type(type(type))");
	expect_type("null_type", "type(null)");
}

Test(check, the_longest_declared_name_wins)
{
	expect_tree("a.b.c", "a.b.c~string^a.b.c");
	expect_tree("a.b.d", "a.b~map(string, int)^a.b.d~int");
	expect_tree("int.min", "int.min~int^int.min");
	expect_type("int", "type(int)");
	checked_run(&k, "a.b.c == 'x'", NULL);
	cr_expect(eq(int, k.root->call.args[0]->slot, 0));
	cr_expect(eq(int, k.root->call.args[1]->slot, CEL_SLOT_NONE));
}

Test(check, a_variable_of_a_macro_hides_declared_names)
{
	expect_type("[{'b': {'c': 1}}].map(a, a.b.c)", "list(int)");
	expect_type("[{'b': 1}].map(a, .a.b.c)", "list(string)");
	expect_type("['y'].all(x, x == 'y')", "bool");
	expect_type("[1].all(x, [true].all(x, x))", "bool");
	expect_errors("[1].exists(v, v > 0) && v > 0",
		"1:25 undeclared reference to 'v' (in container "
		"'') [undeclared]");
}

Test(check, has_asks_for_declared_names_and_for_keys)
{
	checked_run(&k, "has(a.b.c)", NULL);
	cr_assert(k.ok);
	cr_expect(eq(int, k.root->slot, 0));
	cr_expect(eq(ptr, (void *)k.root->type, (void *)&cel_type_bool));
	checked_run(&k, "has(a.b.other)", NULL);
	cr_assert(k.ok);
	cr_expect(eq(int, k.root->slot, CEL_SLOT_NONE));
	cr_expect(eq(int, k.root->select.operand->slot, 1));
	expect_errors("has(x.y)", "1:4 type 'int' does not support field selection [field]");
	expect_errors("has(google.protobuf.Timestamp)",
		"1:5 undeclared reference to 'google' (in container '') [undeclared]");
}

Test(check, selection_is_for_maps_and_dyn)
{
	expect_errors("x.y", "1:2 type 'int' does not support field selection [field]");
	expect_errors("items.list.size",
		"1:11 type 'list(string)' does not support field selection [field]");
	expect_errors(
		"[].length", "1:3 type 'list(_var0)' does not support field selection [field]");
	expect_type("d.e.f", "dyn");
}

Test(check, null_fits_moments_and_durations_only)
{
	expect_type("t == null", "bool");
	expect_type("null == duration('1s')", "bool");
	expect_type("null == null", "bool");
	expect_errors("x == null", "1:3 found no matching overload for '_==_' applied to "
				   "'(int, null)' [overload]");
}

Test(check, null_is_not_how_absence_is_asked)
{
	expect_errors("u.opt == null", "1:7 found no matching overload for '_==_' applied to "
				       "'(string, null)' [overload] it is never null: ask "
				       "has(u.opt)");
}

Test(check, ranges_are_lists_maps_or_dyn)
{
	expect_type("m.all(key, key == 'a')", "bool");
	expect_type("d.all(e, e > 1)", "bool");
	expect_errors("x.all(e, e > 0)", "1:1 expression of type 'int' cannot be range of a "
					 "comprehension (must be list, map, "
					 "or dynamic) [overload]");
}

Test(check, operands_of_logic_are_looked_at_one_by_one)
{
	expect_errors("'a' && 1", "1:1 expected type 'bool' but found 'string' [overload]\n"
				  "1:8 expected type 'bool' but found 'int' [overload]");
	expect_errors("u.opt || true", "1:2 expected type 'bool' but found 'string' [overload] "
				       "compare it, or ask has(u.opt)");
	expect_type("d && true", "bool");
}

Test(check, all_errors_are_told_and_none_twice)
{
	expect_errors("y + 1 == z && nope(y) > 'a'",
		"1:1 undeclared reference to 'y' (in container '') [undeclared]\n"
		"1:10 undeclared reference to 'z' (in container '') [undeclared]\n"
		"1:19 undeclared reference to 'nope' (in container '') [undeclared]\n"
		"1:20 undeclared reference to 'y' (in container '') [undeclared]");
}

Test(check, errors_beyond_the_maximum_are_counted)
{
	expect_errors("1", "");
	checked_run(&k, "[q1,q2,q3,q4,q5,q6,q7,q8,q9,q10,q11,q12,q13,q14,q15,q16,q17,q18]", NULL);
	cr_expect(not(k.ok));
	cr_expect(eq(sz, k.diags.n, CEL_DIAGS_MAX));
	cr_expect(eq(sz, k.diags.n_dropped, 2));
}

Test(check, there_are_no_messages)
{
	expect_errors("Msg{}", "1:4 undeclared reference to 'Msg' (in container '') [undeclared]");
	expect_errors("int{}", "1:4 'int' is not a message type [undeclared]");
	expect_errors("x{}", "1:2 'int' is not a type [undeclared]");
}

Test(check, the_whole_has_to_be_what_is_wanted)
{
	checked_run(&k, "x", &cel_type_bool);
	cr_expect(not(k.ok));
	cr_expect(eq(int, k.diags.v[0].code, CEL_E_TYPE));
	cr_expect(eq(str, k.diags.v[0].text, "expected type 'bool' but found 'int'"));
	checked_run(&k, "d", &cel_type_bool);
	cr_expect(k.ok, "dyn may be one");
	checked_run(&k, "[]", cel_type_list(k.arena, &cel_type_string));
	cr_assert(k.ok);
	cr_expect(cel_type_eq(k.root->type, cel_type_list(k.arena, &cel_type_string)));
}

Test(check, functions_are_suggested)
{
	expect_errors("'a'.contain('b')",
		"1:12 undeclared reference to 'contain' (in container '') "
		"[undeclared] did you mean `contains`?");
	expect_errors("length('a')", "1:7 undeclared reference to 'length' (in container '') "
				     "[undeclared] here it is `size`");
	expect_errors("contains('a', 'b')",
		"1:9 found no matching overload for 'contains' applied to '(string, string)' "
		"[overload] write x.contains(…)");
	expect_errors("'a'.string()", "1:11 found no matching overload for 'string' applied to "
				      "'string.()' [overload] write string(x)");
	expect_errors("'a'.contains('b', 'c')", "1:13 found no matching overload for 'contains' "
						"applied to 'string.(string, string)' "
						"[overload] it takes 1 argument, not 2");
	expect_errors(
		"eth('1')", "1:4 undeclared reference to 'eth' (in container '') [undeclared]");
	expect_errors("bps(1)", "1:4 undeclared reference to 'bps' (in container '') [undeclared]");
}

Test(check, numbers_do_not_mix_and_it_is_said_how_to_write_them)
{
	expect_errors("1.0 == 1", "1:5 found no matching overload for '_==_' applied to "
				  "'(double, int)' [overload] write 1.0");
	expect_errors("x > 5u", "1:3 found no matching overload for '_>_' applied to '(int, uint)' "
				"[overload] kinds of numbers do not mix: convert the int, with "
				"uint(…)");
	expect_errors("2u * 3", "1:4 found no matching overload for '_*_' applied to '(uint, int)' "
				"[overload] write 3u");
	expect_errors("47.5 % 5.5", "1:6 found no matching overload for '_%_' applied to "
				    "'(double, double)' [overload]");
	expect_errors("true ? 'cows' : 17",
		"1:6 found no matching overload for '_?_:_' applied to '(bool, string, int)' "
		"[overload] both branches have to be of one type");
}

Test(check, more_arguments_than_any_function_takes_are_an_error)
{
	expect_errors("math.least(1, 2, 3, 4, 5, 6, 7, 8, 9)",
		"1:11 found no matching overload for 'math.least' applied to '(int, int, int, int, "
		"int, int, int, int, int)' [overload] it takes 1 to 8 arguments, not 9");
	expect_type("math.least(1, 2, 3, 4, 5, 6, 7, 8)", "int");
	expect_type("math.greatest(1.5, 2.5)", "double");
	expect_type("math.greatest([1u, 2u])", "uint");
}

Test(check, types_that_double_at_each_step_end_in_an_error)
{
	char source[4096] = "[1]";

	for (int i = 0; i < 28; i++)
		strcat(source, ".map(v, {v: v})");
	checked_run(&k, source, NULL);
	cr_expect(not(k.ok));
	cr_expect(eq(int, k.diags.v[k.diags.n - 1].code, CEL_E_TOO_LARGE));
}

Test(check, an_exhausted_arena_ends_in_an_error)
{
	struct arena *small;
	struct cel_diags d = { 0 };

	checked_run(&k, "{1: [{}, {}, {2: [[], 3u]}]} == {4: [[{}]]}", NULL);
	cr_assert(zero(int, arena_new(&small, 64)));
	cr_expect(not(cel_check(k.root, k.env, NULL, small, &d)));
	cr_expect(eq(int, d.v[d.n - 1].code, CEL_E_TOO_LARGE));
	arena_free(small);
}

Test(check, a_guard_of_plain_types_allocates_nothing)
{
	size_t used;
	struct cel_diags d = { 0 };

	checked_run(
		&k, "x > 1 && a.b.c in ['a', 'b'] && has(u.opt) && u.opt.startsWith('q')", NULL);
	used = arena_used(k.arena);
	cr_assert(cel_check(k.root, k.env, &cel_type_bool, k.arena, &d));
	cr_expect(eq(sz, arena_used(k.arena), used));
}
