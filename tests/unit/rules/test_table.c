#include "table_support.h"

#include <errno.h>

static struct cel_context context(struct parsed *p)
{
	return (struct cel_context){ .arena = p->w.results };
}

static size_t first(struct parsed *p, const struct cel_value *slots)
{
	struct cel_context c = context(p);
	struct table_failure failure = { .error.kind = CEL_V_NULL };

	return table_first(p->table, &c, slots, NULL, &failure);
}

static const char loyalty[] = "{'hit':'first','inputs':['customer.tier','customer.points'],'rows':["
			      "{'id':'gold','if':['`gold`,`platinum`','>= 5000'],'bps':-500},"
			      "{'if':['-','[500..4999]'],'bps':-100},"
			      "{'if':['not(`none`)',7]}]}";

Test(table, the_first_row_that_holds_is_found)
{
	CLEANUP(parsed_fini) struct parsed p;
	struct cel_value slots[N_VARS];

	table_init(&p, loyalty);
	bind_all(&p, slots);
	cr_expect(eq(sz, table_n_rows(p.table), 3));
	cr_expect(eq(int, table_hit(p.table), HIT_FIRST));
	cr_expect(eq(sz, first(&p, slots), 1));
	slots[POINTS] = cel_int(5000);
	cr_expect(eq(sz, first(&p, slots), 0));
	slots[TIER] = cel_absent(TIER);
	cr_expect(eq(sz, first(&p, slots), SIZE_MAX), "an absent tier is none of them");
	slots[POINTS] = cel_int(4999);
	cr_expect(eq(sz, first(&p, slots), 1), "a dash takes absence");
	slots[POINTS] = cel_int(7);
	cr_expect(eq(sz, first(&p, slots), SIZE_MAX));
	bind_all(&p, slots);
	slots[POINTS] = cel_int(7);
	cr_expect(eq(sz, first(&p, slots), 2));
}

Test(table, only_allowed_rows_are_looked_at)
{
	CLEANUP(parsed_fini) struct parsed p;
	struct cel_value slots[N_VARS];
	struct cel_context c;
	struct table_failure failure;
	struct table_result result;
	const uint64_t allowed[] = { 4 };

	table_init(&p, "{'hit':'first','inputs':['customer.points'],'rows':["
		       "{'if':['> 1']},{'if':['_ % 2 == 0']},{'if':['> 2']}]}");
	c = context(&p);
	bind_all(&p, slots);
	cr_expect(eq(sz, table_first(p.table, &c, slots, allowed, &failure), 2));
	table_match(p.table, &c, slots, allowed, &result);
	cr_expect(eq(u64, result.rows[0], 4));
}

Test(table, collect_gives_all_rows_that_hold)
{
	CLEANUP(parsed_fini) struct parsed p;
	struct cel_value slots[N_VARS];
	struct cel_context c;
	struct table_result result;

	table_init(&p, "{'hit':'collect','aggregate':'max','inputs':['customer.points','vip'],"
		       "'rows':[{'if':['> 1',true]},{'if':['-','false']},{'if':['_ % 7 == 5','-']},"
		       "{'if':['_ % 7 == 6','-']}]}");
	cr_expect(eq(int, table_hit(p.table), HIT_MAX));
	c = context(&p);
	bind_all(&p, slots);
	table_match(p.table, &c, slots, NULL, &result);
	cr_expect(eq(u64, result.rows[0], 5));
	cr_expect(eq(u32, result.n_failures, 0));
}

Test(table, of_two_rows_in_a_unique_table_the_second_fails)
{
	CLEANUP(parsed_fini) struct parsed p;
	struct cel_value slots[N_VARS];
	struct cel_context c;
	struct table_result result;

	table_init(&p, "{'hit':'unique','inputs':['customer.points'],'rows':["
		       "{'if':['> 10000']},{'if':['_ % 2 == 0']},{'if':['_ % 3 == 0']}]}");
	c = context(&p);
	bind_all(&p, slots);
	table_match(p.table, &c, slots, NULL, &result);
	cr_expect(eq(u64, result.rows[0], 2));
	cr_assert(eq(u32, result.n_failures, 1));
	cr_expect(eq(u32, result.failures[0].row, 2));
	cr_expect(eq(int, result.failures[0].error.sym, CEL_R_ARGUMENT));
	slots[POINTS] = cel_int(9);
	table_match(p.table, &c, slots, NULL, &result);
	cr_expect(eq(u64, result.rows[0], 4));
	cr_expect(eq(u32, result.n_failures, 0));
}

Test(table, a_row_fails_only_if_nothing_else_keeps_it_from_holding)
{
	CLEANUP(parsed_fini) struct parsed p;
	struct cel_value slots[N_VARS];
	struct cel_context c;
	struct table_failure failure = { .error.kind = CEL_V_NULL };

	table_init(&p, "{'hit':'first','inputs':['customer.points','item.left'],'rows':["
		       "{'if':['10 / (_ - _) > 1','_ % 2 == 0']}," /* 3: false absorbs */
		       "{'if':['10 / (_ - _) > 1','> 100']},"
		       "{'if':['10 / (_ - _) > 1','_ % 2 == 1']},"
		       "{'if':['-','-']}]}");
	c = context(&p);
	bind_all(&p, slots);
	cr_expect(eq(sz, table_first(p.table, &c, slots, NULL, &failure), 3));
	cr_assert(cel_is_error(failure.error));
	cr_expect(eq(u32, failure.row, 2));
	cr_expect(eq(int, failure.error.sym, CEL_R_DIVIDE));
	failure.error = cel_null();
	slots[POINTS] = cel_absent(POINTS);
	cr_expect(eq(sz, table_first(p.table, &c, slots, NULL, &failure), 3));
	cr_expect(eq(int, failure.error.kind, CEL_V_NULL), "absence is no failure");
}

Test(table, an_input_that_fails_is_said_of_the_first_row_that_tests_it)
{
	CLEANUP(parsed_fini) struct parsed p;
	struct cel_value slots[N_VARS];
	struct cel_context c;
	struct table_result result;

	table_init(&p, "{'hit':'first','inputs':['vip','customer.points * item.left'],'rows':["
		       "{'if':['false','-']},{'if':['-','> 5']},{'if':['-','-']}]}");
	c = context(&p);
	bind_all(&p, slots);
	table_match(p.table, &c, slots, NULL, &result);
	cr_expect(eq(u64, result.rows[0], 2));
	slots[POINTS] = cel_int(INT64_MAX);
	table_match(p.table, &c, slots, NULL, &result);
	cr_expect(eq(u64, result.rows[0], 4));
	cr_assert(eq(u32, result.n_failures, 1));
	cr_expect(eq(u32, result.failures[0].row, 1));
	cr_expect(eq(int, result.failures[0].error.sym, CEL_R_OVERFLOW));
}

Test(table, inputs_of_one_field_share_its_column)
{
	CLEANUP(parsed_fini) struct parsed p;
	struct cel_value slots[N_VARS];

	table_init(&p, "{'hit':'first','inputs':['customer.points','customer.points'],'rows':["
		       "{'if':['> 5','< 3']},{'if':['> 5','< 1000']},{'if':['-','-']}]}");
	bind_all(&p, slots);
	cr_expect(eq(sz, first(&p, slots), 1));
	slots[POINTS] = cel_int(2);
	cr_expect(eq(sz, first(&p, slots), 2));
}

Test(table, slots_and_cost_are_those_of_inputs_and_cells)
{
	CLEANUP(parsed_fini) struct parsed p;
	uint64_t all[CEL_VARS_MAX / 64] = { 0 }, row[CEL_VARS_MAX / 64] = { 0 };

	table_init(&p, "{'hit':'first','inputs':['customer.tier','customer.points + 1'],'rows':["
		       "{'if':['-','-']},{'if':['-','_ > item.left']},{'if':['`gold`','-']}]}");
	table_slots(p.table, all);
	cr_expect(eq(u64, all[0], 1u << TIER | 1u << POINTS | 1u << LEFT));
	table_row_slots(p.table, 0, row);
	cr_expect(eq(u64, row[0], 0));
	table_row_slots(p.table, 1, row);
	cr_expect(eq(u64, row[0], 1u << POINTS | 1u << LEFT));
	row[0] = 0;
	table_row_slots(p.table, 2, row);
	cr_expect(eq(u64, row[0], 1u << TIER));
	cr_expect(gt(u64, table_cost(p.table), 4));
}

/* ---- why not ---- */

struct why_case {
	const char *cells; /* of points, tier */
	int64_t points;
	const char *tier; /* NULL: absent */
	size_t column;
	const char *need; /* as a value is printed; "" = null */
};

static const struct why_case why_cases[] = {
	{ "'>= 5000','-'", 600, "gold", 0, "5000" },
	{ "'[10..20],[700..800]','-'", 600, "gold", 0, "700" },
	{ "'[10..20],[700..800]','-'", 25, "gold", 0, "20" },
	{ "'(10..20)','-'", 10, "gold", 0, "11" },
	{ "'!= 7','-'", 7, "gold", 0, "6" },
	{ "'-','`platinum`'", 0, "gold", 1, "\"platinum\"" },
	{ "'-','`platinum`,`none`'", 0, "gold", 1, "[\"platinum\", \"none\"]" },
	{ "'-','not(`gold`)'", 0, "gold", 1, "[\"platinum\", \"none\"]" },
	{ "'-','`none`'", 0, NULL, 1, "\"none\"" },
	{ "'_ % 2 == 1','-'", 600, "gold", 0, "" },
	{ "'[5..1]','-'", 600, "gold", 0, "" },
};

Test(table, the_first_cell_that_refuses_names_the_nearest_value_it_would_take)
{
	for (size_t i = 0; i < ARRAY_LEN(why_cases); i++) {
		const struct why_case *k = &why_cases[i];
		CLEANUP(parsed_fini) struct parsed p;
		struct cel_value slots[N_VARS];
		struct cel_context c;
		struct table_why why;
		struct buf out = BUF_INIT(256);
		char text[256];

		snprintf(text, sizeof(text),
			"{'hit':'first','inputs':['customer.points','customer.tier'],"
			"'rows':[{'if':[%s]}]}",
			k->cells);
		table_init(&p, text);
		c = context(&p);
		bind_all(&p, slots);
		slots[POINTS] = cel_int(k->points);
		slots[TIER] = k->tier ? cel_string(str_of(k->tier)) : cel_absent(TIER);
		cr_assert(table_why(p.table, 0, &c, slots, &why), "%s", k->cells);
		cr_expect(eq(sz, why.column, k->column), "%s", k->cells);
		cr_expect(eq(str, (char *)why.input,
			(char *)(k->column ? "customer.tier" : "customer.points")));
		if (why.need.kind != CEL_V_NULL)
			cel_value_print(&out, why.need);
		cr_expect(str_eqz(buf_str(&out), k->need), "%s: " STR_FMT, k->cells,
			STR_ARG(buf_str(&out)));
		buf_fini(&out);
	}
}

Test(table, why_has_nothing_to_say_of_a_row_that_holds)
{
	CLEANUP(parsed_fini) struct parsed p;
	struct cel_value slots[N_VARS];
	struct table_why why;
	struct cel_context c;

	table_init(&p, loyalty);
	c = context(&p);
	bind_all(&p, slots);
	cr_expect(not(table_why(p.table, 1, &c, slots, &why)));
	cr_assert(table_why(p.table, 0, &c, slots, &why));
	cr_expect(eq(sz, why.column, 1));
	cr_expect(eq(str, (char *)why.cell, ">= 5000"));
	cr_expect(eq(i64, why.have.i, 600));
	cr_expect(eq(i64, why.need.i, 5000));
}

Test(table, why_speaks_of_money_basis_points_and_moments_in_their_kinds)
{
	CLEANUP(parsed_fini) struct parsed p;
	struct cel_value slots[N_VARS];
	struct table_why why;
	struct cel_context c;

	table_init(&p,
		"{'hit':'first','inputs':['floor','rate','now','vip'],'rows':["
		"{'if':['> units(`5000`, `ETH`)','-','-','-']},{'if':['-','<= -10','-','-']},"
		"{'if':['-','-','>= `2030-01-01T00:00:00.5Z`','-']},"
		"{'if':['-','-','-',false]}]}");
	c = context(&p);
	bind_all(&p, slots);
	cr_assert(table_why(p.table, 0, &c, slots, &why));
	cr_expect(why.need.kind == CEL_V_MONEY && cel_money_of(why.need).amount == 5001);
	cr_assert(table_why(p.table, 1, &c, slots, &why));
	cr_expect(why.need.kind == CEL_V_BPS && why.need.i == -10);
	cr_assert(table_why(p.table, 2, &c, slots, &why));
	cr_expect(why.need.kind == CEL_V_TIMESTAMP && why.need.i == 1893456000);
	cr_expect(eq(u32, why.need.n, 500000000));
	cr_assert(table_why(p.table, 3, &c, slots, &why));
	cr_expect(why.need.kind == CEL_V_BOOL && !why.need.b);
}

/* ---- errors ---- */

struct bad_table {
	const char *text, *path, *code, *hint;
};

static const struct bad_table bad_tables[] = {
	{ "[]", "$.t", "value", NULL },
	{ "{'hit':'frist','inputs':['vip'],'rows':[{'if':['-']}]}", "$.t.hit", "value", "first" },
	{ "{'inputs':['vip'],'rows':[{'if':['-']}]}", "$.t.hit", "member", "unique" },
	{ "{'hit':'collect','inputs':['vip'],'rows':[{'if':['-']}]}", "$.t.aggregate", "member",
		"sum" },
	{ "{'hit':'first','aggregate':'sum','inputs':['vip'],'rows':[{'if':['-']}]}",
		"$.t.aggregate", "member", NULL },
	{ "{'hit':'first','inputs':['vip'],'rwos':[],'rows':[{'if':['-']}]}", "$.t", "member",
		"rows" },
	{ "{'hit':'first','inputs':[],'rows':[{'if':[]}]}", "$.t.inputs", "member", NULL },
	{ "{'hit':'first','inputs':[5],'rows':[{'if':['-']}]}", "$.t.inputs[0]", "value", NULL },
	{ "{'hit':'first','inputs':['vpi'],'rows':[{'if':['-']}]}", "$.t.inputs[0]", "undeclared",
		"vip" },
	{ "{'hit':'first','inputs':['[1]'],'rows':[{'if':['-']}]}", "$.t.inputs[0]", "type",
		"money" },
	{ "{'hit':'first','inputs':['vip'],'rows':[]}", "$.t.rows", "member", NULL },
	{ "{'hit':'first','inputs':['vip'],'rows':[5]}", "$.t.rows[0]", "value", NULL },
	{ "{'hit':'first','inputs':['vip'],'rows':[{}]}", "$.t.rows[0].if", "member", NULL },
	{ "{'hit':'first','inputs':['vip'],'rows':[{'if':['-','-']}]}", "$.t.rows[0].if", "value",
		"-" },
	{ "{'hit':'first','inputs':['vip'],'rows':[{'if':[null]}]}", "$.t.rows[0].if[0]", "value",
		NULL },
	{ "{'hit':'first','inputs':['vip'],'rows':[{'if':['-']},{'if':['ture']}]}",
		"$.t.rows[1].if[0]", "undeclared", "" },
	{ "{'hit':'first','inputs':['customer.tier'],'rows':[{'if':['`glod`']}]}",
		"$.t.rows[0].if[0]", "enum", "gold" },
};

Test(table, errors_name_the_place_and_what_would_be_right)
{
	for (size_t i = 0; i < ARRAY_LEN(bad_tables); i++) {
		const struct bad_table *b = &bad_tables[i];
		CLEANUP(parsed_fini) struct parsed p;
		const struct finding *f;

		parsed_init(&p);
		parse_text(&p, b->text);
		cr_assert(eq(int, p.r, -EINVAL), "%s", b->text);
		cr_assert(p.table == NULL && p.findings.n_errors > 0);
		f = &p.findings.v[0];
		cr_expect(eq(str, f->path, (char *)b->path), "%s", b->text);
		cr_expect(eq(str, f->code, (char *)b->code), "%s", b->text);
		if (b->hint && b->hint[0])
			cr_expect(f->hint && strstr(f->hint, b->hint), "%s: %s", b->text,
				f->hint ? f->hint : "no hint");
	}
}

Test(table, an_error_in_a_cell_has_its_source_and_column)
{
	CLEANUP(parsed_fini) struct parsed p;
	const struct finding *f;

	parsed_init(&p);
	parse_text(&p, "{'hit':'first','inputs':['customer.tier','customer.points'],'rows':["
		       "{'if':['`gold`, `platinm`','>= `x`']}]}");
	cr_assert(eq(int, p.r, -EINVAL));
	cr_assert(eq(sz, p.findings.n_errors, 2), "%s", said(&p));
	f = &p.findings.v[0];
	cr_expect(eq(str, f->source, "'gold', 'platinm'"));
	cr_expect(f->line == 1 && f->column == 9, "%u:%u", f->line, f->column);
	cr_expect(eq(str, p.findings.v[1].path, "$.t.rows[0].if[1]"));
}

Test(table, a_nul_byte_is_not_the_end_of_a_cell)
{
	CLEANUP(parsed_fini) struct parsed p;
	json_t *json = json_pack("{s:s,s:[s],s:[{s:[o]}]}", "hit", "first", "inputs",
		"customer.points", "rows", "if", json_stringn("5\0x", 3));

	parsed_init(&p);
	parse_json(&p, json);
	json_decref(json);
	cr_assert(eq(int, p.r, -EINVAL));
	cr_expect(eq(str, p.findings.v[0].path, "$.t.rows[0].if[0]"));
}

Test(table, scratch_memory_is_given_back)
{
	CLEANUP(parsed_fini) struct parsed p;
	size_t mark;

	parsed_init(&p);
	mark = arena_used(p.w.arena);
	parse_text(&p, loyalty);
	cr_assert(zero(int, p.r));
	cr_expect(eq(sz, arena_used(p.w.arena), mark));
}

/* ---- random tables ---- */

static const char *const inputs[] = { "customer.points", "customer.tier", "vip", "floor", "rate",
	"now", "customer.points + item.left", "customer.tier + ``" };
static const char *const kinds[] = { "customer.points", "customer.tier", "vip", "floor", "rate",
	"now", "customer.points", "customer.tier" };

#define INPUTS_MAX 4
#define ROWS_MAX   90

struct naive { /* a table as so many conditions */
	size_t n_inputs, n_rows;
	size_t input[INPUTS_MAX];
	struct cell_input in[INPUTS_MAX];
	struct cel_program *programs[INPUTS_MAX];        /* inputs */
	struct cel_program *cells[ROWS_MAX][INPUTS_MAX]; /* NULL: anything */
};

static struct cel_program *program_of(
	struct parsed *p, const struct cel_node *root, const struct cel_env *env)
{
	struct cel_program *ret = NULL;

	cr_assert(
		zero(int, cel_program_new(&ret, root, env,
				  &(struct cel_options){ .symbols = p->w.symbols }, &p->w.diags)));
	return ret;
}

static struct cel_program *cell_program(
	struct parsed *p, const struct cell_input *in, const char *text)
{
	struct cel_node *root = cell_read(str_of(text), in->type, p->w.arena, &p->w.diags);

	cr_assert(root && cel_check(root, in->env, &cel_type_bool, p->w.arena, &p->w.diags), "%s",
		text);
	return program_of(p, root, in->env);
}

static json_t *some_row(struct parsed *p, struct naive *n, size_t row)
{
	json_t *cells = json_array();

	for (size_t i = 0; i < n->n_inputs; i++) {
		struct buf text = BUF_INIT(4096);

		if (below(4) == 0)
			buf_puts(&text, STR("-"));
		else
			some_cell(&text, kinds[n->input[i]], (unsigned)below(2));
		buf_putc(&text, '\0');
		json_array_append_new(cells, json_string(text.p));
		if (strcmp(text.p, "-") != 0)
			n->cells[row][i] = cell_program(p, &n->in[i], text.p);
		buf_fini(&text);
	}
	return json_pack("{s:o}", "if", cells);
}

static json_t *some_table(struct parsed *p, struct naive *n)
{
	static const char *const hits[] = { "first", "unique", "collect" };
	const char *hit = hits[below(3)];
	json_t *names = json_array(), *rows = json_array();

	*n = (struct naive){ .n_inputs = 1 + below(INPUTS_MAX), .n_rows = 1 + below(ROWS_MAX) };
	for (size_t i = 0; i < n->n_inputs; i++) {
		char name[64];
		const struct cel_node *root;

		n->input[i] = below(ARRAY_LEN(inputs));
		snprintf(name, sizeof(name), "%s", inputs[n->input[i]]);
		for (char *c = name; *c; c++)
			*c = *c == '`' ? '\'' : *c;
		json_array_append_new(names, json_string(name));
		root = checked(&p->w, strcpy(arena_alloc(p->w.arena, 64), name));
		cr_assert(zero(int, cell_input_init(&n->in[i], p->w.env, root)));
		n->programs[i] = program_of(p, root, p->w.env);
	}
	for (size_t i = 0; i < n->n_rows; i++)
		json_array_append_new(rows, some_row(p, n, i));
	return json_pack("{s:s,s:s*,s:o,s:o}", "hit", hit, "aggregate",
		strcmp(hit, "collect") == 0 ? "sum" : NULL, "inputs", names, "rows", rows);
}

static void naive_fini(struct naive *n)
{
	for (size_t i = 0; i < n->n_inputs; i++) {
		cell_input_fini(&n->in[i]);
		cel_program_free(n->programs[i]);
		for (size_t row = 0; row < n->n_rows; row++)
			cel_program_free(n->cells[row][i]);
	}
}

static bool naive_holds(
	const struct naive *n, size_t row, struct cel_context *c, const struct cel_value *slots)
{
	struct cel_value all[N_VARS + 1];

	memcpy(all, slots, N_VARS * sizeof(*slots));
	for (size_t i = 0; i < n->n_inputs; i++) {
		struct cel_value v;

		all[N_VARS] = cel_eval(n->programs[i], c, slots);
		if (!n->cells[row][i])
			continue;
		v = cel_eval(n->cells[row][i], c, all);
		if (v.kind != CEL_V_BOOL || !v.b)
			return false;
	}
	return true;
}

static void expected_rows(struct parsed *p, const struct naive *n, const uint64_t *allowed,
	const struct cel_value *slots, uint64_t *ret)
{
	struct cel_context c = context(p);
	bool is_single = table_hit(p->table) != HIT_SUM, has_one = false;

	for (size_t i = 0; i < n->n_rows; i++) {
		if (!(allowed[i / 64] >> (i % 64) & 1) || (is_single && has_one) ||
			!naive_holds(n, i, &c, slots))
			continue;
		ret[i / 64] |= (uint64_t)1 << (i % 64);
		has_one = true;
	}
	arena_reset(p->w.results);
}

static size_t n_hits;

static void compare(struct parsed *p, const struct naive *n, uint64_t seed)
{
	struct cel_value slots[N_VARS];
	uint64_t allowed[2] = { ~(uint64_t)0, ~(uint64_t)0 }, rows[2] = { 0 };
	struct cel_context c = context(p);
	struct table_result result;
	struct table_failure failure;
	size_t one;

	for (int i = 0; i < N_VARS; i++)
		slots[i] = some_value(&p->w, i < LEFT ? kinds[i] : "item.left");
	if (below(2))
		allowed[0] = state;
	expected_rows(p, n, allowed, slots, rows);
	n_hits += rows[0] || rows[1];
	table_match(p->table, &c, slots, allowed, &result);
	cr_assert(result.rows[0] == rows[0] && (n->n_rows <= 64 || result.rows[1] == rows[1]),
		"seed %lu", (unsigned long)seed);
	if (table_hit(p->table) == HIT_SUM)
		return;
	one = rows[0]   ? (size_t)__builtin_ctzll(rows[0])
	      : rows[1] ? 64 + (size_t)__builtin_ctzll(rows[1])
			: SIZE_MAX;
	cr_assert(table_first(p->table, &c, slots, allowed, &failure) == one, "seed %lu",
		(unsigned long)seed);
	arena_reset(p->w.results);
}

Test(table, answers_as_the_conditions_of_its_cells_do, .timeout = 60)
{
	for (uint64_t seed = 1; seed <= 120; seed++) {
		CLEANUP(parsed_fini) struct parsed p;
		struct naive n;
		json_t *json;

		parsed_init(&p);
		state = seed * 0x9e3779b97f4a7c15;
		json = some_table(&p, &n);
		parse_json(&p, json);
		/* Overlap is the report's business. */
		cr_assert(zero(int, p.r), "seed %lu: %s", (unsigned long)seed, said(&p));
		table_report(p.table, "$.t", &p.findings);
		for (int i = 0; i < 40; i++)
			compare(&p, &n, seed);
		naive_fini(&n);
		json_decref(json);
	}
	cr_expect(gt(sz, n_hits, 1500), "it says something");
}
