#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>
#include <stdio.h>

#include "pricing/cel/ast.h"
#include "pricing/cel/env.h"

static struct cel_env *env;

static void setup(void)
{
	cr_assert(zero(int, cel_env_new(&env, true)));
}

static void teardown(void)
{
	cel_env_free(env);
}

TestSuite(env, .init = setup, .fini = teardown);

static int add(const char *name, const struct cel_type *type)
{
	return cel_env_add(env, &(struct cel_var){ .name = str_of(name), .type = type });
}

static void expect_str(struct str s, const char *text)
{
	cr_expect(str_eqz(s, text), "\"" STR_FMT "\" is not \"%s\"", STR_ARG(s), text);
}

Test(env, slots_are_given_in_order_and_found_by_name)
{
	cr_expect(eq(int, add("customer.tier", &cel_type_string), 0));
	cr_expect(eq(int, add("customer.points", &cel_type_int), 1));
	cr_expect(eq(int, add("now", &cel_type_timestamp), 2));
	cr_expect(eq(sz, cel_env_n(env), 3));
	cr_expect(eq(int, cel_env_find(env, STR("customer.points")), 1));
	cr_expect(eq(int, cel_env_find(env, STR("customer")), CEL_SLOT_NONE));
	cr_expect(eq(int, cel_env_find(env, STR("")), CEL_SLOT_NONE));
	expect_str(cel_env_var(env, 2)->name, "now");
	cr_expect(cel_env_has_money(env));
}

Test(env, name_and_type_are_copied)
{
	char name[] = "a.b";
	struct cel_type list = { .kind = CEL_T_LIST, .a = &cel_type_int };

	cr_assert(eq(int, add(name, &list), 0));
	name[0] = 'x';
	list.kind = CEL_T_ERROR;
	cr_expect(eq(int, cel_env_find(env, STR("a.b")), 0));
	cr_expect(eq(int, cel_env_var(env, 0)->type->kind, CEL_T_LIST));
}

Test(env, a_name_is_declared_once)
{
	cr_assert(eq(int, add("a", &cel_type_int), 0));
	cr_expect(eq(int, add("a", &cel_type_string), -EEXIST));
	cr_expect(eq(sz, cel_env_n(env), 1));
}

Test(env, names_are_identifiers_with_dots_between)
{
	static const char *const bad[] = { "", ".a", "a.", "a..b", "1a", "a.1", "a-b", "a b", "ä" };
	char longest[CEL_VAR_NAME_MAX + 2];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_expect(eq(int, add(bad[i], &cel_type_int), -EINVAL), "%s", bad[i]);
	memset(longest, 'a', sizeof(longest));
	longest[CEL_VAR_NAME_MAX + 1] = '\0';
	cr_expect(eq(int, add(longest, &cel_type_int), -EINVAL));
	longest[CEL_VAR_NAME_MAX] = '\0';
	cr_expect(eq(int, add(longest, &cel_type_int), 0));
	cr_expect(eq(int, add("_a1._2", &cel_type_int), 1));
}

Test(env, there_is_a_most_of_variables)
{
	char name[32];

	for (int i = 0; i < CEL_VARS_MAX; i++) {
		snprintf(name, sizeof(name), "group%d.field%d", i % 7, i);
		cr_assert(eq(int, add(name, &cel_type_int), i));
	}
	cr_expect(eq(int, add("one.more", &cel_type_int), -ENOSPC));
	for (int i = 0; i < CEL_VARS_MAX; i++) {
		snprintf(name, sizeof(name), "group%d.field%d", i % 7, i);
		cr_expect(eq(int, cel_env_find(env, str_of(name)), i));
	}
}

Test(env, what_stands_before_a_dot_is_a_prefix)
{
	cr_assert(eq(int, add("a.b.c", &cel_type_int), 0));
	cr_expect(cel_env_is_prefix(env, STR("a")));
	cr_expect(cel_env_is_prefix(env, STR("a.b")));
	cr_expect(not(cel_env_is_prefix(env, STR("a.b.c"))));
	cr_expect(not(cel_env_is_prefix(env, STR("b"))));
	cr_expect(not(cel_env_is_prefix(env, STR(""))));
}

Test(env, the_nearest_name_needs_few_edits)
{
	cr_assert(eq(int, add("customer.tier", &cel_type_string), 0));
	cr_assert(eq(int, add("customer.points", &cel_type_int), 1));
	expect_str(cel_env_nearest(env, STR("customer.teir")), "customer.tier");
	expect_str(cel_env_nearest(env, STR("custmer.tier")), "customer.tier");
	expect_str(cel_env_nearest(env, STR("customer.point")), "customer.points");
	cr_expect(not(str_is_set(cel_env_nearest(env, STR("customer.colour")))));
	cr_expect(not(str_is_set(cel_env_nearest(env, STR("x")))));
}

/* ---- declarations as JSON ---- */

Test(env, declarations_are_read)
{
	struct fault f = { 0 };
	const struct cel_var *v;

	cr_assert(
		zero(int,
			cel_env_load(env,
				STR("{\"fields\":[{\"name\":\"customer.tier\",\"type\":\"string\","
				    "\"values\":[\"gold\",\"none\"],\"optional\":true,"
				    "\"label\":\"member\"},"
				    "{\"name\":\"session.dwell\",\"type\":\"int\",\"unit\":\"ms\"},"
				    "{\"name\":\"tags\",\"type\":\"list(string)\","
				    "\"values\":[\"x\"]},"
				    "{\"name\":\"customer.email\",\"type\":\"string\","
				    "\"label\":\"sensitive\"}]}"),
				&f)),
		"%s", f.text);
	v = cel_env_var(env, cel_env_find(env, STR("customer.tier")));
	cr_expect(eq(str, (char *)v->values[0], "gold"));
	cr_expect(eq(str, (char *)v->values[1], "none"));
	cr_expect(zero(ptr, (void *)v->values[2]));
	cr_expect(v->is_optional);
	cr_expect(zero(ptr, (void *)v->refused));
	v = cel_env_var(env, cel_env_find(env, STR("session.dwell")));
	cr_expect(eq(int, v->unit, CEL_UNIT_MS));
	cr_expect(not(v->is_optional));
	v = cel_env_var(env, cel_env_find(env, STR("customer.email")));
	cr_expect(v->refused != NULL);
}

static void expect_fault(const char *json, const char *part)
{
	struct fault f = { 0 };

	cr_expect(eq(int, cel_env_load(env, str_of(json), &f), -EINVAL), "%s", json);
	cr_expect(strstr(f.text, part) != NULL, "\"%s\" is not in \"%s\"", part, f.text);
}

Test(env, what_is_wrong_in_declarations_is_named)
{
	expect_fault("{", "line 1");
	expect_fault("[]", "one object");
	expect_fault("{\"fields\":[],\"x\":1}", "one object");
	expect_fault("{\"fields\":[1]}", "fields[0]: a field is an object");
	expect_fault("{\"fields\":[{\"type\":\"int\"}]}", "name is missing");
	expect_fault("{\"fields\":[{\"name\":\"a\"}]}", "fields[0] a: type is missing");
	expect_fault("{\"fields\":[{\"name\":\"a\",\"type\":\"strng\"}]}", "type \"strng\"");
	expect_fault("{\"fields\":[{\"name\":\"a\",\"type\":\"int\",\"untt\":\"ms\"}]}",
		"unknown member \"untt\", nearest is \"unit\"");
	expect_fault("{\"fields\":[{\"name\":\"b\",\"type\":\"int\",\"unit\":\"pints\"}]}",
		"unit \"pints\", nearest is \"points\"");
	expect_fault("{\"fields\":[{\"name\":\"c\",\"type\":\"int\",\"label\":\"membr\"}]}",
		"label \"membr\", nearest is \"member\"");
	expect_fault("{\"fields\":[{\"name\":\"d\",\"type\":\"int\",\"values\":[\"x\"]}]}",
		"values is an array of texts");
	expect_fault("{\"fields\":[{\"name\":\"e\",\"type\":\"string\",\"values\":[1]}]}",
		"values is an array of texts");
	expect_fault("{\"fields\":[{\"name\":\"f\",\"type\":\"int\",\"optional\":1}]}",
		"optional is true or false");
	expect_fault("{\"fields\":[{\"name\":\"g.\",\"type\":\"int\"}]}", "identifiers");
	expect_fault("{\"fields\":[{\"name\":\"h\",\"type\":\"int\"},"
		     "{\"name\":\"h\",\"type\":\"int\"}]}",
		"fields[1] h: declared twice");
}
