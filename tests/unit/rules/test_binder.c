#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>

#include "pricing/inputs.h"
#include "pricing/rules/fields.h"
#include "pricing/rules/fields_impl.h"

static const char *const color_names[] = { "", "red", "blue", NULL };

struct record {
	int64_t n, optional_time, time;
	bool is_set;
	int tri, optional_tri, color;
	struct str text, texts;
	struct money money;
	int64_t bps;
};

static struct cel_value made(const void *record)
{
	const struct record *r = record;

	return r->n < 0 ? cel_absent(0) : cel_string(STR("red"));
}

#define AT(member) .offset = offsetof(struct record, member), .help = "-"
static const struct schema_field fields[] = {
	{ .name = "n", .type = "int", .bind = FIELD_AT_I64, AT(n) },
	{ .name = "color",
		.type = "string",
		.values = color_names,
		.is_optional = true,
		.bind = FIELD_AT_ENUM,
		AT(color) },
	{ .name = "text", .type = "string", .is_optional = true, .bind = FIELD_AT_STR, AT(text) },
	{ .name = "texts", .type = "list(string)", .bind = FIELD_AT_TEXTS, AT(texts) },
	{ .name = "money",
		.type = "money",
		.is_optional = true,
		.bind = FIELD_AT_MONEY,
		AT(money) },
	{ .name = "time", .type = "timestamp", .bind = FIELD_AT_I64, AT(time) },
	{ .name = "later",
		.type = "timestamp",
		.is_optional = true,
		.bind = FIELD_AT_I64,
		AT(optional_time) },
	{ .name = "is_set", .type = "bool", .bind = FIELD_AT_BOOL, AT(is_set) },
	{ .name = "tri", .type = "bool", .bind = FIELD_AT_TRIBOOL, AT(tri) },
	{ .name = "maybe",
		.type = "bool",
		.is_optional = true,
		.bind = FIELD_AT_TRIBOOL,
		AT(optional_tri) },
	{ .name = "bps", .type = "bps", .bind = FIELD_AT_I64, AT(bps) },
	{ .name = "made",
		.type = "string",
		.is_optional = true,
		.bind = FIELD_AT_FN,
		.fn = made,
		.help = "-" },
	{ .name = "secret",
		.type = "string",
		.label = LABEL_SENSITIVE,
		.bind = FIELD_AT_NONE,
		.help = "-" },
};
enum { N, COLOR, TEXT, TEXTS, MONEY, TIME, LATER, IS_SET, TRI, MAYBE, BPS, MADE, SECRET, FIELDS };

static struct schema *schema;
static struct cel_symbols *symbols;
static struct arena *arena;
static struct cel_value slots[FIELDS];

static void setup(void)
{
	cr_assert(zero(int, schema_new(&schema, fields, FIELDS, sizeof(struct record))));
	cr_assert(zero(int, cel_symbols_new(&symbols)));
	cr_assert(zero(int, arena_new(&arena, 4096)));
}

static void teardown(void)
{
	schema = schema_free(schema);
	symbols = cel_symbols_free(symbols);
	arena = arena_free(arena);
}

TestSuite(binder, .init = setup, .fini = teardown);

/* Slots beforehand are null, which no field ever is. */
static void bind(const struct record *r, uint64_t used)
{
	const uint64_t bits[CEL_VARS_MAX / 64] = { used };
	struct binder *b = NULL;

	cr_assert(zero(int, binder_new(&b, schema, symbols, bits)));
	for (int i = 0; i < FIELDS; i++)
		slots[i] = cel_null();
	binder_bind(b, r, slots, arena);
	binder_free(b);
}

#define ALL ((UINT64_C(1) << FIELDS) - 1)

static bool is_absent(int slot)
{
	return slots[slot].kind == CEL_V_ERROR && slots[slot].sym == CEL_R_ABSENT &&
	       slots[slot].n == (uint32_t)slot + 1;
}

Test(binder, copies_every_kind_of_field)
{
	struct record r = {
		.n = -7,
		.time = 1500,
		.optional_time = -1,
		.is_set = true,
		.tri = TRI_TRUE,
		.optional_tri = TRI_FALSE,
		.color = 2,
		.text = STR("hall"),
		.texts = STR("[\"a\",\"b\\\"c\"]"),
		.money = { (u128)5 << 64 | 7, currency_find(STR("ETH")) },
		.bps = -250,
	};

	bind(&r, ALL);
	cr_expect(eq(int, slots[N].kind, CEL_V_INT));
	cr_expect(eq(i64, slots[N].i, -7));
	cr_expect(str_eqz(cel_str(slots[COLOR]), "blue"));
	cr_expect(str_eqz(cel_str(slots[TEXT]), "hall"));
	cr_assert(eq(int, slots[TEXTS].kind, CEL_V_LIST));
	cr_assert(eq(u32, slots[TEXTS].n, 2));
	cr_expect(str_eqz(cel_str(slots[TEXTS].list[0]), "a"));
	cr_expect(str_eqz(cel_str(slots[TEXTS].list[1]), "b\"c"));
	cr_expect(eq(u64, slots[MONEY].m.hi, 5));
	cr_expect(eq(u64, slots[MONEY].m.lo, 7));
	cr_expect(eq(int, slots[MONEY].currency, currency_find(STR("ETH"))));
	cr_expect(eq(int, slots[TIME].kind, CEL_V_TIMESTAMP));
	cr_expect(eq(i64, slots[TIME].i, 1));
	cr_expect(eq(u32, slots[TIME].n, 500000000));
	cr_expect(eq(i64, slots[LATER].i, -1)); /* 1 ms before 1970 */
	cr_expect(eq(u32, slots[LATER].n, 999000000));
	cr_expect(slots[IS_SET].kind == CEL_V_BOOL && slots[IS_SET].b);
	cr_expect(slots[TRI].kind == CEL_V_BOOL && slots[TRI].b);
	cr_expect(slots[MAYBE].kind == CEL_V_BOOL && !slots[MAYBE].b);
	cr_expect(eq(int, slots[BPS].kind, CEL_V_BPS));
	cr_expect(eq(i64, slots[BPS].i, -250));
}

Test(binder, what_is_not_there_is_absent_under_its_own_slot)
{
	struct record r = { .n = -1 };

	bind(&r, ALL);
	cr_expect(is_absent(COLOR));
	cr_expect(is_absent(TEXT));
	cr_expect(is_absent(MONEY));
	cr_expect(is_absent(LATER));
	cr_expect(is_absent(MAYBE));
	cr_expect(is_absent(MADE));
	cr_expect(slots[TRI].kind == CEL_V_BOOL && !slots[TRI].b);
	cr_expect(eq(int, slots[TIME].kind, CEL_V_TIMESTAMP));
	cr_expect(eq(int, slots[TEXTS].kind, CEL_V_LIST));
	cr_expect(eq(u32, slots[TEXTS].n, 0));
}

Test(binder, leaves_fields_that_nobody_reads_alone)
{
	struct record r = { .n = 5, .color = 1 };

	bind(&r, UINT64_C(1) << COLOR | UINT64_C(1) << SECRET);
	cr_expect(eq(int, slots[COLOR].kind, CEL_V_STRING));
	for (int i = 0; i < FIELDS; i++) {
		if (i != COLOR)
			cr_expect(eq(int, slots[i].kind, CEL_V_NULL));
	}
}

Test(binder, a_number_that_no_name_has_is_absent)
{
	struct record r = { .color = 3 };

	bind(&r, ALL);
	cr_expect(is_absent(COLOR));
	r.color = -1;
	bind(&r, ALL);
	cr_expect(is_absent(COLOR));
}

Test(binder, texts_carry_their_symbols)
{
	struct record r = { .color = 1, .text = STR("hall"), .texts = STR("[\"x\",\"gap\"]") };
	uint16_t red = cel_symbols_add(symbols, STR("red"));
	uint16_t hall = cel_symbols_add(symbols, STR("hall"));
	uint16_t gap = cel_symbols_add(symbols, STR("gap"));

	bind(&r, ALL);
	cr_expect(eq(u16, slots[COLOR].sym, red));
	cr_expect(eq(u16, slots[TEXT].sym, hall));
	cr_expect(eq(u16, slots[MADE].sym, red));
	cr_expect(eq(u16, slots[TEXTS].list[0].sym, CEL_SYM_OTHER));
	cr_expect(eq(u16, slots[TEXTS].list[1].sym, gap));
	r.color = 2;
	r.text = STR("yard");
	bind(&r, ALL);
	cr_expect(eq(u16, slots[COLOR].sym, CEL_SYM_OTHER));
	cr_expect(eq(u16, slots[TEXT].sym, CEL_SYM_OTHER));
}

Test(binder, lists_that_do_not_fit_or_are_none_are_error_values)
{
	static const char *const wrong[] = { "[\"a\",7]", "{}", "[\"a\"", "[\"a]", "[\"\\q\"]",
		"[\"\\u00e9\"]", "[\"a\"\"b\"]", "x", "[\"\\u00\"]", "[,]" };
	struct record r = { .texts = STR("[\"a\",\"b\"]") };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct cel_value v = fields_texts(str_of(wrong[i]), arena);

		cr_expect(v.kind == CEL_V_ERROR && v.sym == CEL_R_ARGUMENT, "%s", wrong[i]);
	}
	arena = arena_free(arena);
	cr_assert(zero(int, arena_new(&arena, 16)));
	bind(&r, ALL);
	cr_expect(slots[TEXTS].kind == CEL_V_ERROR && slots[TEXTS].sym == CEL_R_MEMORY);
}

Test(binder, escapes_in_lists_are_undone)
{
	struct cel_value v = fields_texts(STR("[\"a\\u0001\\n\\/\",\"\"]"), arena);

	cr_assert(eq(int, v.kind, CEL_V_LIST));
	cr_assert(eq(u32, v.n, 2));
	cr_expect(str_eq(cel_str(v.list[0]), STR("a\001\n/")));
	cr_expect(str_eq(cel_str(v.list[1]), STR("")));
}

Test(binder, of_production_reads_what_the_inputs_say)
{
	const struct schema *s = price_schema();
	const uint64_t all[CEL_VARS_MAX / 64] = { ~UINT64_C(0) };
	struct cel_value v[CEL_VARS_MAX];
	struct price_inputs in = {
		.loyalty = { .tier = TIER_PLATINUM, .points = 9 },
		.inventory = { .supply = 5, .collection = STR("apes") },
		.stock.taken = 2,
		.bestbid = { .age_ms = 40, .flags = STR("[\"no_fx\"]") },
	};
	struct binder *b = NULL;

	cr_assert(zero(int, binder_new(&b, s, symbols, all)));
	binder_bind(b, &in, v, arena);
	cr_expect(str_eqz(cel_str(v[cel_env_find(s->env, STR("customer.tier"))]), "platinum"));
	cr_expect(eq(i64, v[cel_env_find(s->env, STR("item.left"))].i, 3));
	cr_expect(v[cel_env_find(s->env, STR("market.no_fx"))].b);
	cr_expect(not(v[cel_env_find(s->env, STR("market.gap"))].b));
	cr_expect(eq(i64, v[cel_env_find(s->env, STR("market.age_ms"))].i, 40));
	cr_expect(eq(int, v[cel_env_find(s->env, STR("session.device"))].kind, CEL_V_ERROR));

	in.inventory.collection = STR_NONE;
	binder_bind(b, &in, v, arena);
	cr_expect(eq(int, v[cel_env_find(s->env, STR("market.age_ms"))].kind, CEL_V_ERROR));
	binder_free(b);
}
