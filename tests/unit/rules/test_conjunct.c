#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

#include "pricing/cel/program.h"
#include "pricing/rules/accept.h"
#include "pricing/rules/conjunct.h"

enum { POINTS, RANK, TIER, VIP, ETHER, FLOOR, RATE, NOW, N_VARS };

struct world {
	struct cel_env *env;
	struct cel_symbols *symbols;
	struct arena *arena, *results;
	struct cel_diags diags;
};

static void world_fini(struct world *w)
{
	cel_env_free(w->env);
	cel_symbols_free(w->symbols);
	arena_free(w->arena);
	arena_free(w->results);
}

static void world_finip(struct world *w)
{
	world_fini(w);
}

static void world_init(struct world *w)
{
	const struct cel_var vars[N_VARS] = {
		[POINTS] = { .name = STR("points"), .type = &cel_type_int, .is_optional = true },
		[RANK] = { .name = STR("item.rank"), .type = &cel_type_int, .is_optional = true },
		[TIER] = { .name = STR("tier"), .type = &cel_type_string, .is_optional = true },
		[VIP] = { .name = STR("vip"), .type = &cel_type_bool, .is_optional = true },
		[ETHER] = { .name = STR("ether"),
			.type = cel_type_money_of(currency_find(STR("ETH"))),
			.is_optional = true },
		[FLOOR] = { .name = STR("floor"), .type = &cel_type_money, .is_optional = true },
		[RATE] = { .name = STR("rate"), .type = &cel_type_bps, .is_optional = true },
		[NOW] = { .name = STR("now"), .type = &cel_type_timestamp, .is_optional = true },
	};

	*w = (struct world){ 0 };
	cr_assert(zero(int, cel_env_new(&w->env, true)));
	for (int i = 0; i < N_VARS; i++)
		cr_assert(eq(int, cel_env_add(w->env, &vars[i]), i));
	cr_assert(zero(int, cel_symbols_new(&w->symbols)));
	cr_assert(zero(int, arena_new(&w->arena, 2 * CEL_PARSE_ARENA)));
	cr_assert(zero(int, arena_new(&w->results, 65536)));
}

static struct cel_node *checked(struct world *w, const char *text)
{
	const struct cel_limits limits = { 0 };
	struct cel_node *root;
	struct buf out = BUF_INIT(4096);

	w->diags.n = 0;
	root = cel_parse(str_of(text), true, &limits, w->arena, &w->diags);
	if (!root || !cel_check(root, w->env, &cel_type_bool, w->arena, &w->diags)) {
		for (size_t i = 0; i < w->diags.n; i++)
			cel_diag_print(&out, &w->diags.v[i], "<input>", str_of(text), true);
		cr_fatal("%s\n" STR_FMT, text, STR_ARG(buf_str(&out)));
	}
	buf_fini(&out);
	return root;
}

static struct conjuncts taken(struct world *w, const char *text)
{
	struct conjuncts c;

	cr_assert(zero(int, conjuncts_of(&c, checked(w, text), w->symbols, w->arena)), "%s", text);
	return c;
}

/* ---- what it knows ---- */

static void one_test(struct world *w, const char *text, int slot, enum column_kind kind,
	struct conjunct_test *ret)
{
	struct conjuncts c = taken(w, text);

	cr_assert(c.n_tests == 1 && c.n_rest == 0, "%s: %zu tests, %zu rest", text, c.n_tests,
		c.n_rest);
	cr_assert(c.tests[0].slot == slot && c.tests[0].kind == kind, "%s", text);
	*ret = c.tests[0];
}

static void expect_stretch(struct world *w, const char *text, int64_t lo, int64_t hi)
{
	struct conjunct_test t;

	one_test(w, text, POINTS, COLUMN_INT, &t);
	cr_assert(eq(int, (int)t.test.n, 1), "%s", text);
	cr_expect(t.test.v[0].i.lo == lo && t.test.v[0].i.hi == hi, "%s: %ld..%ld", text,
		(long)t.test.v[0].i.lo, (long)t.test.v[0].i.hi);
}

Test(conjunct, comparisons_of_integers_are_stretches)
{
	CLEANUP(world_fini) struct world w;

	world_init(&w);
	expect_stretch(&w, "points == 5", 5, 5);
	expect_stretch(&w, "points < 5", INT64_MIN, 4);
	expect_stretch(&w, "points <= -5", INT64_MIN, -5);
	expect_stretch(&w, "5 <= points", 5, INT64_MAX);
	expect_stretch(&w, "5 > points", INT64_MIN, 4);
	expect_stretch(&w, "points >= 5 && points < 10", 5, 9);
	expect_stretch(&w, "points > 60 * 60 && 7200 != points && points < 7200", 3601, 7199);
	expect_stretch(&w, "!(points < 5)", 5, INT64_MAX);
	expect_stretch(&w, "points in [4, 5, 6]", 4, 6);
	expect_stretch(&w, "points == 1 || points == 2 || points == 3", 1, 3);
	expect_stretch(&w, "!(points < 5 || points > 9)", 5, 9);
	expect_stretch(&w, "points <= 9223372036854775807", INT64_MIN, INT64_MAX);
	expect_stretch(&w, "points >= -9223372036854775808", INT64_MIN, INT64_MAX);
}

Test(conjunct, texts_and_truth_are_symbols)
{
	CLEANUP(world_fini) struct world w;
	struct conjunct_test t;

	world_init(&w);
	one_test(&w, "tier in ['gold', \"platinum\"]", TIER, COLUMN_SYMBOL, &t);
	cr_assert(eq(int, (int)t.test.n, 2));
	cr_expect(not(t.test.is_negated));
	cr_expect(str_eqz(cel_symbols_text(w.symbols, (uint16_t)t.test.v[0].i.lo), "gold"));
	cr_expect(str_eqz(cel_symbols_text(w.symbols, (uint16_t)t.test.v[1].i.lo), "platinum"));
	one_test(&w, "tier != 'gold' && !(tier == 'none')", TIER, COLUMN_SYMBOL, &t);
	cr_expect(t.test.is_negated && t.test.n == 2);
	one_test(&w, "vip", VIP, COLUMN_SYMBOL, &t);
	cr_expect(t.test.n == 1 && t.test.v[0].i.lo == 1 && !t.test.is_negated);
	one_test(&w, "!vip", VIP, COLUMN_SYMBOL, &t);
	cr_expect(t.test.n == 1 && t.test.v[0].i.lo == 0);
	one_test(&w, "vip == false", VIP, COLUMN_SYMBOL, &t);
	cr_expect(t.test.n == 1 && t.test.v[0].i.lo == 0);
}

Test(conjunct, money_basis_points_and_moments_are_worked_out)
{
	CLEANUP(world_fini) struct world w;
	struct conjunct_test t;
	u128 ether = (u128)1000000000000000000;

	world_init(&w);
	one_test(&w, "floor > eth(\"1\")", FLOOR, COLUMN_MONEY, &t);
	cr_assert(eq(int, (int)t.test.n, 1));
	cr_expect(t.test.v[0].m.lo == ether + 1 && t.test.v[0].m.hi == ~(u128)0);
	cr_expect(eq(int, t.test.currency, currency_find(STR("ETH"))));
	one_test(&w, "ether != eth(\"1\")", ETHER, COLUMN_MONEY, &t);
	cr_expect(eq(int, (int)t.test.n, 2));
	one_test(&w, "rate <= bps(-250)", RATE, COLUMN_INT, &t);
	cr_expect(eq(i64, t.test.v[0].i.hi, -250));
	one_test(&w, "now >= timestamp('1970-01-01T00:00:01.5Z')", NOW, COLUMN_INT, &t);
	cr_expect(eq(i64, t.test.v[0].i.lo, 1500));
	one_test(&w, "now < timestamp('1969-12-31T23:59:59Z')", NOW, COLUMN_INT, &t);
	cr_expect(eq(i64, t.test.v[0].i.hi, -1001));
}

Test(conjunct, what_an_index_cannot_say_exactly_is_left)
{
	static const char *const rest[] = {
		"points + 1 > 5", "points == item.rank", "tier < 'gold'", "tier.startsWith('g')",
		"floor != eth('1')", /* true of dollars too */
		"!(floor == eth('1'))",
		"now > timestamp('1970-01-01T00:00:01Z')",      /* 1.0005 s is later */
		"now < timestamp('1970-01-01T00:00:01.0005Z')", /* no whole millisecond */
		"[1, 2].exists(points, points > 1)",            /* not the field */
	};
	CLEANUP(world_fini) struct world w;

	world_init(&w);
	for (size_t i = 0; i < ARRAY_LEN(rest); i++) {
		struct conjuncts c = taken(&w, rest[i]);

		cr_expect(c.n_tests == 0 && c.n_rest == 1, "%s", rest[i]);
	}
}

Test(conjunct, a_test_that_accepts_nothing_is_kept)
{
	CLEANUP(world_fini) struct world w;
	struct conjunct_test t;

	world_init(&w);
	one_test(&w, "points > 5 && points < 3", POINTS, COLUMN_INT, &t);
	cr_expect(t.test.n == 0 && !t.test.is_negated);
	one_test(&w, "tier == 'gold' && tier == 'none'", TIER, COLUMN_SYMBOL, &t);
	cr_expect(t.test.n == 0 && !t.test.is_negated);
}

Test(conjunct, presence_says_nothing_beside_a_test)
{
	CLEANUP(world_fini) struct world w;
	struct conjuncts c;
	struct conjunct_test t;

	world_init(&w);
	one_test(&w, "has(item.rank) && item.rank < 100 && true", RANK, COLUMN_INT, &t);
	c = taken(&w, "has(item.rank) && points < 100");
	cr_expect(c.n_tests == 1 && c.n_rest == 1);
}

Test(conjunct, a_test_of_too_many_values_is_left)
{
	CLEANUP(world_fini) struct world w;
	struct conjuncts c;
	char text[1024] = "points in [0";

	world_init(&w);
	for (int i = 1; i < 65; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), ", %d", i * 2);
	strcat(text, "]");
	c = taken(&w, text);
	cr_expect(c.n_tests == 0 && c.n_rest == 1);
}

Test(conjunct, without_symbols_texts_are_left)
{
	CLEANUP(world_fini) struct world w;
	struct conjuncts c;

	world_init(&w);
	cr_assert(zero(
		int, conjuncts_of(&c, checked(&w, "tier == 'gold' && points > 1"), NULL, w.arena)));
	cr_expect(c.n_tests == 1 && c.n_rest == 1);
}

/* ---- random conditions ---- */

static uint64_t state;

static uint64_t below(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % n;
}

static const char *const amounts[] = { "eth('0')", "eth('1')",
	"units('1000000000000000001', 'WETH')", "usd('1')", "usd('20')" };
static const char *const moments[] = { "timestamp('1970-01-01T00:00:01Z')",
	"timestamp('1970-01-01T00:00:01.001Z')", "timestamp('1969-12-31T23:59:59.9995Z')" };
static const char *const operators[] = { "==", "!=", "<", "<=", ">", ">=" };
static const char *const texts[] = { "'gold'", "'none'", "'silver'", "''" };

static void atom(struct buf *out)
{
	const char *op = operators[below(6)];
	bool is_turned = below(4) == 0;
	char constant[64] = "", name[16];

	switch (below(10)) {
	case 0:
	case 1:
		strcpy(name, below(2) ? "points" : "item.rank");
		snprintf(constant, sizeof(constant), "%d", (int)below(7) - 3);
		break;
	case 2:
		strcpy(name, "tier");
		strcpy(constant, texts[below(4)]);
		break;
	case 3:
		buf_printf(out, "%s", below(2) ? "vip" : "vip == false");
		return;
	case 4:
		strcpy(name, "ether");
		strcpy(constant, amounts[below(3)]);
		break;
	case 5:
		strcpy(name, "floor");
		strcpy(constant, amounts[below(5)]);
		break;
	case 6:
		strcpy(name, "rate");
		snprintf(constant, sizeof(constant), "bps(%d)", (int)below(5) - 2);
		break;
	case 7:
		strcpy(name, "now");
		strcpy(constant, moments[below(3)]);
		break;
	case 8:
		buf_printf(out, "%s", below(2) ? "has(item.rank)" : "points + item.rank > 1");
		return;
	default:
		buf_printf(out, below(2) ? "points in [%d, %d, 7]" : "!(item.rank in [%d, %d])",
			(int)below(5) - 2, (int)below(5));
		return;
	}
	buf_printf(out, "%s %s %s", is_turned ? constant : name, op, is_turned ? name : constant);
}

static void condition(struct buf *out, unsigned depth)
{
	if (depth == 0) {
		atom(out);
		return;
	}
	switch (below(6)) {
	case 0:
		buf_puts(out, STR("!("));
		condition(out, depth - 1);
		buf_puts(out, STR(")"));
		return;
	case 1:
		atom(out);
		return;
	default:
		buf_puts(out, STR("("));
		condition(out, depth - 1);
		buf_puts(out, below(2) ? STR(" && ") : STR(" || "));
		condition(out, depth - 1);
		buf_puts(out, STR(")"));
	}
}

static struct cel_value some_value(struct world *w, int slot)
{
	static const char *const tiers[] = { "gold", "none", "silver", "bronze", "" };
	static const char *const codes[] = { "ETH", "WETH", "USD" };
	u128 ether = (u128)1000000000000000000;
	struct cel_value v;

	if (below(8) == 0)
		return below(5) ? cel_absent((uint32_t)slot) : cel_error(CEL_R_NO_PATH, "no path");
	switch (slot) {
	case POINTS:
	case RANK:
		return cel_int((int64_t)below(10) - 4);
	case TIER:
		v = cel_string(str_of(tiers[below(5)]));
		v.sym = cel_symbols_find(w->symbols, cel_str(v));
		return v;
	case VIP:
		return cel_bool(below(2));
	case ETHER:
		return cel_money((struct money){ ether - 1 + below(4), currency_find(STR("ETH")) });
	case FLOOR:
		return cel_money((struct money){ below(2) ? ether - 1 + below(4) : below(3) * 1000,
			currency_find(str_of(codes[below(3)])) });
	case RATE:
		return cel_bps((int64_t)below(6) - 3);
	default:
		return (struct cel_value){ .kind = CEL_V_TIMESTAMP,
			.i = (int64_t)below(4) - 2,
			.n = (uint32_t)(below(3) * 999500 + below(2) * 500000) };
	}
}

static struct cel_program *compiled(struct world *w, const struct cel_node *node)
{
	struct cel_program *p = NULL;

	w->diags.n = 0;
	cr_assert(zero(int, cel_program_new(&p, node, w->env,
				    &(struct cel_options){ .symbols = w->symbols }, &w->diags)));
	return p;
}

static bool is_true(struct world *w, const struct cel_program *p, const struct cel_value *slots)
{
	struct cel_context c = { .arena = w->results };
	struct cel_value v = cel_eval(p, &c, slots);

	arena_reset(w->results);
	return v.kind == CEL_V_BOOL && v.b;
}

#define REST_MAX 64

static size_t n_true, n_tested;

static void compare(struct world *w, const char *text)
{
	const struct cel_node *root = checked(w, text);
	struct cel_program *whole, *rest[REST_MAX];
	struct conjuncts c;

	cr_assert(zero(int, conjuncts_of(&c, root, w->symbols, w->arena)));
	cr_assert(c.n_rest <= REST_MAX);
	whole = compiled(w, root);
	for (size_t i = 0; i < c.n_rest; i++)
		rest[i] = compiled(w, c.rest[i]);
	for (int n = 0; n < 60; n++) {
		struct cel_value slots[N_VARS];
		bool holds = true;

		for (int i = 0; i < N_VARS; i++)
			slots[i] = some_value(w, i);
		for (size_t i = 0; i < c.n_tests; i++)
			holds &= test_accepts(
				&c.tests[i].test, c.tests[i].kind, &slots[c.tests[i].slot]);
		for (size_t i = 0; i < c.n_rest; i++)
			holds &= is_true(w, rest[i], slots);
		cr_assert(holds == is_true(w, whole, slots), "%s", text);
		n_true += holds;
		n_tested += c.n_tests > 0;
	}
	cel_program_free(whole);
	for (size_t i = 0; i < c.n_rest; i++)
		cel_program_free(rest[i]);
}

Test(conjunct, tests_and_rest_are_together_what_the_condition_is)
{
	CLEANUP(world_fini) struct world w;

	world_init(&w);
	for (uint64_t seed = 1; seed <= 3000; seed++) {
		struct buf text = BUF_INIT(8000);

		state = seed * 0x9e3779b97f4a7c15;
		condition(&text, (unsigned)below(5));
		buf_putc(&text, '\0');
		cr_assert(not(text.failed));
		arena_reset(w.arena);
		compare(&w, text.p);
		buf_fini(&text);
	}
	cr_expect(n_true > 20000 && n_tested > 20000, "it says something: %zu, %zu", n_true,
		n_tested);
}
