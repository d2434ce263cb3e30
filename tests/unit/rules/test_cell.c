#include "cell_support.h"

#include <errno.h>

#include "pricing/rules/accept.h"

struct column { /* and the input of its cells */
	struct world w;
	struct cell_input in;
};

static void column_fini(struct column *c)
{
	cell_input_fini(&c->in);
	world_fini(&c->w);
}

static void column_finip(struct column *c)
{
	column_fini(c);
}

static void column_init(struct column *c, const char *input)
{
	world_init(&c->w);
	cr_assert(zero(int, cell_input_init(&c->in, c->w.env, checked(&c->w, input))));
}

static void compile(struct column *w, const char *text, struct cell *ret)
{
	w->w.diags.n = 0;
	cr_assert(zero(int, cell_compile(ret, str_of(text), &w->in, w->w.symbols, w->w.arena,
				    &w->w.diags)),
		"%s: %s", text, w->w.diags.n ? w->w.diags.v[0].text : "no memory");
}

static enum column_kind kind_of(const struct column *w)
{
	switch (w->in.type->kind) {
	case CEL_T_STRING:
	case CEL_T_BOOL:
		return COLUMN_SYMBOL;
	case CEL_T_MONEY:
		return COLUMN_MONEY;
	default:
		return COLUMN_INT;
	}
}

static bool holds(
	struct column *w, const struct cell *c, struct cel_value v, const struct cel_value *slots)
{
	if (v.kind == CEL_V_STRING)
		v.sym = cel_symbols_find(w->w.symbols, cel_str(v));
	if (c->has_test && !test_accepts(&c->test, kind_of(w), &v))
		return false;
	return !c->program || is_true(&w->w, c->program, slots);
}

/* Whether a cell that is only a test takes the value. */
static bool takes(struct column *w, const char *text, struct cel_value v)
{
	CLEANUP(cell_fini) struct cell c = { 0 };

	compile(w, text, &c);
	cr_assert(c.has_test && !c.program, "%s is no test", text);
	return holds(w, &c, v, NULL);
}

/* ---- forms ---- */

Test(cell, a_number_is_equality_and_operators_are_themselves)
{
	CLEANUP(column_fini) struct column w;

	column_init(&w, "customer.points");
	cr_expect(takes(&w, "5000", cel_int(5000)) && !takes(&w, "5000", cel_int(4999)));
	cr_expect(takes(&w, " -5 ", cel_int(-5)) && !takes(&w, "-5", cel_int(5)));
	cr_expect(takes(&w, ">= 5", cel_int(5)) && !takes(&w, ">=5", cel_int(4)));
	cr_expect(takes(&w, "> 5", cel_int(6)) && !takes(&w, ">5", cel_int(5)));
	cr_expect(takes(&w, "<= 5", cel_int(5)) && !takes(&w, "<=5", cel_int(6)));
	cr_expect(takes(&w, "< 5", cel_int(4)) && !takes(&w, "<5", cel_int(5)));
	cr_expect(takes(&w, "!= 5", cel_int(4)) && !takes(&w, "!=5", cel_int(5)));
	cr_expect(takes(&w, "== 5", cel_int(5)));
	cr_expect(takes(&w, "60 * 60", cel_int(3600)));
	cr_expect(not(takes(&w, "!= 5", cel_absent(0))));
}

Test(cell, ranges_are_open_or_closed_at_each_end)
{
	CLEANUP(column_fini) struct column w;

	column_init(&w, "customer.points");
	cr_expect(takes(&w, "[1..100]", cel_int(1)) && takes(&w, "[1..100]", cel_int(100)));
	cr_expect(not(takes(&w, "(1..100]", cel_int(1))));
	cr_expect(not(takes(&w, "]1..100]", cel_int(1))));
	cr_expect(takes(&w, "]1..100]", cel_int(2)) && takes(&w, "(1..100)", cel_int(99)));
	cr_expect(not(takes(&w, "[1..100)", cel_int(100))));
	cr_expect(not(takes(&w, "[1..100[", cel_int(100))));
	cr_expect(takes(&w, "[ -5 .. -1 ]", cel_int(-5)) && !takes(&w, "[-5..-1]", cel_int(0)));
	cr_expect(not(takes(&w, "[5..1]", cel_int(3))), "it accepts nothing");
	cr_expect(takes(&w, "[1..2], [4..5[, >= 9", cel_int(4)));
	cr_expect(not(takes(&w, "[1..2], [4..5[, >= 9", cel_int(5))));
	cr_expect(takes(&w, "[1..2], [4..5[, >= 9", cel_int(9)));
}

Test(cell, texts_are_listed_or_excluded)
{
	CLEANUP(column_fini) struct column w;

	column_init(&w, "customer.tier");
	cr_expect(takes(&w, "'gold','platinum'", cel_string(STR("platinum"))));
	cr_expect(not(takes(&w, "\"gold\", 'platinum'", cel_string(STR("none")))));
	cr_expect(takes(&w, "not('gold')", cel_string(STR("none"))));
	cr_expect(not(takes(&w, "not ( 'gold', 'none' )", cel_string(STR("none")))));
	cr_expect(not(takes(&w, "not('gold')", cel_absent(1))), "absence is no text");
	cr_expect(takes(&w, "not(not('gold'), 'none')", cel_string(STR("gold"))));
}

Test(cell, quotes_and_nesting_hide_commas_and_dots)
{
	CLEANUP(column_fini) struct column w;

	column_init(&w, "customer.tier + ''");
	cr_expect(takes(&w, "'a,b', \"c..d\"", cel_string(STR("a,b"))));
	cr_expect(takes(&w, "'a,b', \"c..d\"", cel_string(STR("c..d"))));
	cr_expect(takes(&w, "'it\\'s', 'x'", cel_string(STR("it's"))));
	cr_expect(takes(&w, "r'\\', 'x'", cel_string(STR("\\"))));
	cr_expect(takes(&w, "'''a'b,c''', 'x'", cel_string(STR("a'b,c"))));
	cr_expect(takes(&w, "'', 'x'", cel_string(STR(""))));
}

Test(cell, truth_money_basis_points_and_moments_have_their_forms)
{
	CLEANUP(column_fini) struct column vip, floor, rate, now;
	struct cel_value t = { .kind = CEL_V_TIMESTAMP, .i = 1793491200 };
	currency eth = currency_find(STR("ETH"));

	column_init(&vip, "vip");
	cr_expect(takes(&vip, "true", cel_bool(true)) && takes(&vip, "!= true", cel_bool(false)));
	cr_expect(takes(&vip, "not(true)", cel_bool(false)));
	column_init(&floor, "floor");
	cr_expect(takes(&floor, "[eth(\"1\")..eth('2'))",
		cel_money((struct money){ (u128)1500000000000000000, eth })));
	cr_expect(not(
		takes(&floor, "not(> units('5', 'ETH'))", cel_money((struct money){ 6, eth }))));
	column_init(&rate, "rate");
	cr_expect(takes(&rate, "250", cel_bps(250)), "a number is so many basis points");
	cr_expect(takes(&rate, "[bps(-10)..10]", cel_bps(-10)));
	column_init(&now, "now");
	cr_expect(takes(&now, "['2026-11-01T00:00:00Z'..'2026-12-01T00:00:00Z')", t));
	t.i--;
	cr_expect(not(takes(&now, ">= timestamp('2026-11-01T00:00:00Z')", t)));
}

Test(cell, anything_else_is_a_condition_with_the_input)
{
	CLEANUP(column_fini) struct column w;
	CLEANUP(cell_fini) struct cell even = { 0 }, other = { 0 }, mixed = { 0 }, plain = { 0 };
	struct cel_value slots[N_VARS] = { [POINTS] = cel_int(8), [LEFT] = cel_int(8) };

	column_init(&w, "customer.points");
	compile(&w, "_ % 2 == 0", &even);
	cr_expect(even.program && !even.has_test);
	cr_expect(holds(&w, &even, slots[POINTS], slots));
	compile(&w, "> item.left, 5", &other);
	cr_expect(other.program && cel_program_reads(other.program, LEFT));
	cr_expect(not(holds(&w, &other, slots[POINTS], slots)));
	slots[LEFT] = cel_int(7);
	cr_expect(holds(&w, &other, slots[POINTS], slots));
	compile(&w, "_ > 5 && _ % 2 == 0", &mixed);
	cr_expect(mixed.program && mixed.has_test, "the index has what it can of it");
	cr_expect(holds(&w, &mixed, slots[POINTS], slots));
	compile(&w, "_ > 5 && _ < 10", &plain);
	cr_expect(plain.has_test && !plain.program);
}

Test(cell, an_expression_takes_the_place_of_the_input)
{
	CLEANUP(column_fini) struct column w;
	CLEANUP(cell_fini) struct cell test = { 0 }, condition = { 0 };
	struct cel_value slots[N_VARS] = { [POINTS] = cel_int(8), [LEFT] = cel_int(8) };

	column_init(&w, "customer.points + item.left");
	compile(&w, "[10..20]", &test);
	cr_expect(test.has_test && !test.program);
	compile(&w, "_ == item.left * 2 && [1].exists(customer, _ > customer)", &condition);
	cr_assert(condition.program != NULL);
	cr_expect(cel_program_reads(condition.program, POINTS));
	cr_expect(holds(&w, &condition, cel_int(16), slots));
	slots[POINTS] = cel_int(9);
	cr_expect(not(holds(&w, &condition, cel_int(17), slots)));
}

Test(cell, a_dash_or_nothing_takes_anything)
{
	cr_expect(cell_is_any(STR("-")) && cell_is_any(STR("")) && cell_is_any(STR(" - ")));
	cr_expect(not(cell_is_any(STR("-5"))));
	cr_expect(not(cell_is_any(STR("--"))));
}

Test(cell, a_long_list_is_one_test)
{
	CLEANUP(column_fini) struct column w;
	char text[512] = "0";

	column_init(&w, "customer.points");
	for (int i = 1; i < 64; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), ",%d", i * 2);
	cr_expect(takes(&w, text, cel_int(126)));
	cr_expect(not(takes(&w, text, cel_int(127))));
}

/* ---- errors ---- */

struct bad_cell {
	const char *input, *cell;
	enum cel_code code;
	uint32_t offset;
	const char *hint; /* part of it */
};

static const struct bad_cell bad_cells[] = {
	{ "customer.points", "'gold'", CEL_E_OVERLOAD, 0, "like 5000" },
	{ "customer.points", ">= 5, 'gold'", CEL_E_OVERLOAD, 6, "like 5000" },
	{ "customer.tier", "gold", CEL_E_UNDECLARED, 0, "quotes" },
	{ "customer.tier", "'gold', 'platnum'", CEL_E_ENUM, 8, "platinum" },
	{ "customer.tier", "not('glod')", CEL_E_ENUM, 4, "gold" },
	{ "customer.tier", "5", CEL_E_OVERLOAD, 0, "'gold'" },
	{ "floor", "usd('1')", CEL_E_CURRENCY, 0, "" },
	{ "customer.points", "> ", CEL_E_SYNTAX, 1, "5000" },
	{ "customer.points", "5,", CEL_E_SYNTAX, 2, "5000" },
	{ "customer.points", ",5", CEL_E_SYNTAX, 0, "5000" },
	{ "customer.points", "[1..", CEL_E_SYNTAX, 4, "5000" },
	{ "customer.points", "[..5]", CEL_E_SYNTAX, 1, "5000" },
	{ "customer.points", "[1..5", CEL_E_SYNTAX, 5, "] if" },
	{ "customer.points", "]1,5]", CEL_E_SYNTAX, 2, "[1..100]" },
	{ "customer.points", "[1..5] 6", CEL_E_SYNTAX, 7, "commas" },
	{ "customer.points", "not(5", CEL_E_SYNTAX, 5, ")" },
	{ "customer.points", "5)", CEL_E_SYNTAX, 1, "commas" },
	{ "customer.points", ">= 5 && < 9", CEL_E_SYNTAX, 8, "" },
	{ "customer.points", "_ + 1", CEL_E_TYPE, 2, "like 5000" },
	{ "customer.points", "customer.teir == 'gold'", CEL_E_UNDECLARED, 9, "customer.tier" },
	{ "now", "> '2026-13-01T00:00:00Z' + 1", CEL_E_OVERLOAD, 25, "" },
};

Test(cell, errors_have_a_code_a_place_in_the_cell_and_what_would_be_right)
{
	for (size_t i = 0; i < ARRAY_LEN(bad_cells); i++) {
		const struct bad_cell *b = &bad_cells[i];
		CLEANUP(column_fini) struct column w;
		CLEANUP(cell_fini) struct cell c = { 0 };
		int r;

		column_init(&w, b->input);
		r = cell_compile(&c, str_of(b->cell), &w.in, w.w.symbols, w.w.arena, &w.w.diags);
		cr_assert(r == -EINVAL && w.w.diags.n > 0, "%s: %d", b->cell, r);
		cr_expect(w.w.diags.v[0].code == b->code, "%s: %s: %s", b->cell,
			cel_code_name(w.w.diags.v[0].code), w.w.diags.v[0].text);
		cr_expect(w.w.diags.v[0].offset == b->offset, "%s: at %u", b->cell,
			w.w.diags.v[0].offset);
		cr_expect(strstr(w.w.diags.v[0].hint, b->hint) != NULL, "%s: %s (%s)", b->cell,
			w.w.diags.v[0].hint, w.w.diags.v[0].text);
		cr_expect(c.program == NULL && !c.has_test);
	}
}

Test(cell, nesting_and_length_are_bounded)
{
	CLEANUP(column_fini) struct column w;
	CLEANUP(cell_fini) struct cell c = { 0 };
	static char text[CEL_SOURCE_BYTES_MAX + 2];

	column_init(&w, "customer.points");
	for (size_t i = 0; i + 4 < 4000; i += 4)
		memcpy(text + i, "not(", 4);
	cr_expect(eq(int, cell_compile(&c, str_of(text), &w.in, w.w.symbols, w.w.arena, &w.w.diags),
		-EINVAL));
	memset(text, '5', sizeof(text) - 1);
	w.w.diags.n = 0;
	cr_expect(eq(int, cell_compile(&c, str_of(text), &w.in, w.w.symbols, w.w.arena, &w.w.diags),
		-EINVAL));
	cr_expect(eq(int, w.w.diags.v[0].code, CEL_E_TOO_LONG));
	for (size_t i = 0; i + 2 < CEL_SOURCE_BYTES_MAX; i += 2)
		memcpy(text + i, "5,", 2);
	text[CEL_SOURCE_BYTES_MAX - 1] = '\0';
	w.w.diags.n = 0;
	cr_expect(eq(int, cell_compile(&c, str_of(text), &w.in, w.w.symbols, w.w.arena, &w.w.diags),
			  0),
		"%s", w.w.diags.v[0].text);
	cr_expect(c.has_test && c.test.n == 1);
}

/* ---- a cell is its condition ---- */

/* The tree that was read, as a program with `_` in a slot of its own. */
static struct cel_program *as_condition(struct column *w, struct str text)
{
	struct cel_node *root = cell_read(text, w->in.type, w->w.arena, &w->w.diags);
	struct cel_program *p = NULL;

	cr_assert(root != NULL, STR_FMT ": %s", STR_ARG(text), w->w.diags.v[0].text);
	cr_assert(cel_check(root, w->in.env, &cel_type_bool, w->w.arena, &w->w.diags),
		STR_FMT ": %s", STR_ARG(text), w->w.diags.v[0].text);
	cr_assert(
		zero(int, cel_program_new(&p, root, w->in.env,
				  &(struct cel_options){ .symbols = w->w.symbols }, &w->w.diags)));
	return p;
}

static void compare(struct column *w, const char *input, int slot, struct str text)
{
	CLEANUP(cell_fini) struct cell c = { 0 };
	struct cel_program *p = as_condition(w, text);

	compile(w, text.p, &c);
	for (int i = 0; i < 40; i++) {
		struct cel_value slots[N_VARS + 1] = { [LEFT] = cel_int((int64_t)below(5)) };

		slots[N_VARS] = slots[slot] = some_value(&w->w, input);
		cr_assert(holds(w, &c, slots[slot], slots) == is_true(&w->w, p, slots), "%s: %s",
			input, text.p);
	}
	cel_program_free(p);
}

Test(cell, what_is_compiled_is_what_was_read)
{
	static const char *const inputs[] = { "customer.points", "customer.tier", "vip", "floor",
		"rate", "now" };

	for (size_t k = 0; k < ARRAY_LEN(inputs); k++) {
		CLEANUP(column_fini) struct column w;

		column_init(&w, inputs[k]);
		for (uint64_t seed = 1; seed <= 400; seed++) {
			struct buf text = BUF_INIT(8000);
			size_t mark = arena_used(w.w.arena);

			state = seed * 0x9e3779b97f4a7c15;
			some_cell(&text, inputs[k], (unsigned)below(3));
			buf_putc(&text, '\0');
			compare(&w, inputs[k], (int)k, (struct str){ text.p, text.n - 1 });
			arena_rewind(w.w.arena, mark);
			buf_fini(&text);
		}
	}
}
