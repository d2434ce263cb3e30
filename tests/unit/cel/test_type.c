#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>
#include <stdio.h>

#include "pricing/cel/type.h"

static struct arena *arena;

static void setup(void)
{
	cr_assert(zero(int, arena_new(&arena, 4096)));
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(type, .init = setup, .fini = teardown);

static void expect_text(const struct cel_type *t, const char *text)
{
	struct buf b = BUF_INIT(1024);
	char got[1024];

	cel_type_print(&b, t);
	cr_assert(zero(int, str_copy(got, sizeof(got), buf_str(&b))));
	cr_expect(eq(str, got, (char *)text));
	buf_fini(&b);
}

static const struct cel_type *parse(const char *text)
{
	const struct cel_type *t = NULL;

	cr_assert(zero(int, cel_type_parse(&t, arena, str_of(text))), "%s", text);
	return t;
}

Test(type, texts_come_back_as_they_were)
{
	static const char *const texts[] = { "dyn", "null", "bool", "int", "uint", "double",
		"string", "bytes", "timestamp", "duration", "money", "money(ETH)", "bps",
		"list(string)", "list(money(WETH))", "map(string, list(int))", "type", "type(int)",
		"list(map(bool, map(int, dyn)))" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		expect_text(parse(texts[i]), texts[i]);
	expect_text(parse(" map ( string ,int ) "), "map(string, int)");
}

Test(type, primitive_types_and_lists_of_them_are_shared)
{
	cr_expect(eq(ptr, (void *)parse("int"), (void *)&cel_type_int));
	cr_expect(eq(ptr, (void *)parse("list(int)"), (void *)cel_type_list(arena, &cel_type_int)));
	cr_expect(zero(sz, arena_used(arena)));
	cr_expect(eq(ptr, (void *)parse("money(ETH)"),
		(void *)cel_type_money_of(currency_find(STR("ETH")))));
	cr_expect(eq(ptr, (void *)cel_type_money_of(0), (void *)&cel_type_money));
}

Test(type, texts_that_are_no_type_are_refused)
{
	static const char *const texts[] = { "", "strin", "list", "list()", "list(int",
		"list(int))", "int(int)", "map(int)", "map(int, int, int)", "money(XXX)", "money()",
		"list(,)", "int int", "type()" };
	const struct cel_type *t = &cel_type_error;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		cr_expect(eq(int, cel_type_parse(&t, arena, str_of(texts[i])), -EINVAL), "%s",
			texts[i]);
	cr_expect(eq(ptr, (void *)t, (void *)&cel_type_error), "what is refused gives nothing");
}

Test(type, nesting_has_an_end)
{
	char text[512] = "";
	const struct cel_type *t;

	for (int i = 0; i < 40; i++)
		strcat(text, "list(");
	strcat(text, "int");
	for (int i = 0; i < 40; i++)
		strcat(text, ")");
	cr_expect(eq(int, cel_type_parse(&t, arena, str_of(text)), -EINVAL));
}

Test(type, an_exhausted_arena_is_told)
{
	const struct cel_type *t;

	while (arena_alloc(arena, 8))
		continue;
	cr_expect(eq(int, cel_type_parse(&t, arena, STR("map(int, int)")), -ENOMEM));
	cr_expect(eq(int, cel_type_parse(&t, arena, STR("type(int)")), -ENOMEM));
	cr_expect(zero(ptr, (void *)cel_type_copy(arena, &(struct cel_type){ .kind = CEL_T_MAP,
								 .a = &cel_type_int,
								 .b = &cel_type_int })));
}

Test(type, equal_by_structure)
{
	cr_expect(cel_type_eq(
		parse("map(string, list(type(int)))"), parse("map(string, list(type(int)))")));
	cr_expect(not(cel_type_eq(parse("map(string, int)"), parse("map(string, uint)"))));
	cr_expect(not(cel_type_eq(parse("list(int)"), parse("int"))));
	cr_expect(not(cel_type_eq(parse("type"), parse("type(int)"))));
	cr_expect(cel_type_eq(parse("type"), parse("type")));
	cr_expect(not(cel_type_eq(parse("money(ETH)"), parse("money(WETH)"))));
	cr_expect(not(cel_type_eq(parse("money(ETH)"), parse("money"))));
}

Test(type, a_copy_outlives_what_it_was_made_of)
{
	struct cel_type inner = { .kind = CEL_T_LIST, .a = &cel_type_money };
	struct cel_type outer = { .kind = CEL_T_MAP, .a = &cel_type_string, .b = &inner };
	struct cel_type type = { .kind = CEL_T_TYPE, .a = &outer };
	const struct cel_type *copy = cel_type_copy(arena, &type);

	cr_assert(copy != NULL);
	inner.kind = outer.kind = type.kind = CEL_T_ERROR;
	expect_text(copy, "type(map(string, list(money)))");
}

Test(type, parameters_and_errors_have_texts_too)
{
	expect_text(&(struct cel_type){ .kind = CEL_T_PARAM, .param = 7 }, "_var7");
	expect_text(&cel_type_error, "!error!");
}
