#include "table_support.h"

#include "pricing/rules/accept.h"
#include "pricing/rules/table_impl.h"

static void report(struct parsed *p, const char *text)
{
	table_init(p, text);
	table_report(p->table, "$.t", &p->findings);
}

static size_t n_of(const struct parsed *p, const char *code, enum finding_level level)
{
	size_t n = 0;

	for (size_t i = 0; i < p->findings.n; i++)
		n += strcmp(p->findings.v[i].code, code) == 0 && p->findings.v[i].level == level;
	return n;
}

static void expect_text(const struct parsed *p, const char *code, const char *part)
{
	const struct finding *f = finding_of(p, code);

	cr_assert(f != NULL, "no %s: %s", code, said(p));
	cr_expect(strstr(f->text, part) != NULL, "%s", said(p));
}

/* ---- gaps ---- */

Test(table_report, a_gap_is_shown_by_its_smallest_example)
{
	CLEANUP(parsed_fini) struct parsed p;

	report(&p, "{'hit':'first','inputs':['customer.tier','customer.points'],'rows':["
		   "{'if':['`gold`,`platinum`','-']},{'if':['-','>= 500']}]}");
	expect_text(&p, "gap", "no row holds for customer.tier = 'none', customer.points <= 499");
	cr_expect(eq(int, finding_of(&p, "gap")->level, FINDING_NOTE));
	cr_expect(eq(str, finding_of(&p, "gap")->path, "$.t"));
}

Test(table_report, stretches_of_a_gap_are_shown_as_one)
{
	CLEANUP(parsed_fini) struct parsed p;

	report(&p, "{'hit':'first','inputs':['vip','item.left'],'rows':["
		   "{'if':['-','< 1']},{'if':['true','[5..7]']},{'if':['-','> 9']}]}");
	expect_text(&p, "gap", "no row holds for vip = false, item.left in [1..9]");
}

Test(table_report, absence_is_a_gap_only_if_nothing_else_is)
{
	CLEANUP(parsed_fini) struct parsed p;

	report(&p, "{'hit':'first','inputs':['customer.points'],'rows':["
		   "{'if':['>= 0']},{'if':['< 0']}]}");
	expect_text(&p, "gap", "no row holds for customer.points absent");
}

Test(table_report, amounts_that_cannot_be_below_zero_leave_no_gap_there)
{
	CLEANUP(parsed_fini) struct parsed p, q;

	report(&p, "{'hit':'first','inputs':['customer.points'],'rows':[{'if':['>= 0']}]}");
	expect_text(&p, "gap", "customer.points absent");
	report(&q, "{'hit':'first','inputs':['item.left'],'rows':[{'if':['>= 0']}]}");
	expect_text(&q, "gap", "item.left <= -1");
}

Test(table_report, a_row_that_takes_anything_leaves_no_gap)
{
	CLEANUP(parsed_fini) struct parsed p;

	report(&p, "{'hit':'first','inputs':['customer.points','floor'],'rows':["
		   "{'if':['> 7','> eth(`1`)']},{'if':['-','-']}]}");
	cr_expect(eq(ptr, (void *)finding_of(&p, "gap"), NULL), "%s", said(&p));
	cr_expect(eq(ptr, (void *)finding_of(&p, "dead-row"), NULL), "%s", said(&p));
}

Test(table_report, what_a_condition_may_cover_is_not_certain)
{
	CLEANUP(parsed_fini) struct parsed p;

	report(&p, "{'hit':'first','inputs':['item.left'],'rows':["
		   "{'if':['_ % 2 == 0']},{'if':['> 0']},{'if':['> 5']},{'if':['_ % 2 == 1']}]}");
	expect_text(&p, "gap", "no row is certain to hold for item.left <= 0");
	expect_text(&p, "dead-row", "row 3 can never hold");
	cr_expect(eq(sz, n_of(&p, "dead-row", FINDING_WARNING), 1));
}

Test(table_report, money_and_other_texts_are_said_in_words)
{
	CLEANUP(parsed_fini) struct parsed p, q;

	report(&p, "{'hit':'first','inputs':['floor'],'rows':[{'if':['<= eth(`1.5`)']},"
		   "{'if':['> eth(`2`)']}]}");
	expect_text(&p, "gap", "floor in [eth(\"1.500000000000000001\")..eth(\"2\")]");
	report(&q, "{'hit':'first','inputs':['customer.tier + ``'],'rows':[{'if':['`a`']}]}");
	expect_text(&q, "gap", "= any other text");
}

/* ---- rows that can never match ---- */

Test(table_report, a_covered_row_is_named_with_those_that_cover_it)
{
	CLEANUP(parsed_fini) struct parsed p;

	report(&p, "{'hit':'first','inputs':['customer.points','vip'],'rows':["
		   "{'id':'low','if':['< 100','-']},{'if':['>= 100','true']},"
		   "{'if':['[50..200]','true']},{'if':['[50..200]','-']}]}");
	cr_assert(eq(sz, n_of(&p, "dead-row", FINDING_WARNING), 1), "%s", said(&p));
	expect_text(&p, "dead-row", "row 3 can never hold");
	expect_text(&p, "dead-row", "(row \"low\", row 2)");
	cr_expect(eq(str, finding_of(&p, "dead-row")->path, "$.t.rows[2]"));
}

Test(table_report, a_cell_that_accepts_nothing_is_named)
{
	CLEANUP(parsed_fini) struct parsed p, q, r;

	report(&p, "{'hit':'collect','aggregate':'sum','inputs':['vip','item.left'],'rows':["
		   "{'if':['-','[5..1]']}]}");
	cr_expect(eq(str, finding_of(&p, "dead-row")->path, "$.t.rows[0].if[1]"));
	report(&q, "{'hit':'first','inputs':['customer.tier'],'rows':["
		   "{'if':['not(`gold`,`platinum`,`none`)']},{'if':['-']}]}");
	expect_text(&q, "dead-row", "no value that customer.tier can have");
	report(&r, "{'hit':'first','inputs':['item.left','item.left'],'rows':["
		   "{'if':['> 5','< 3']},{'if':['-','-']}]}");
	expect_text(&r, "dead-row", "cells for item.left contradict each other");
	cr_expect(eq(str, finding_of(&r, "dead-row")->path, "$.t.rows[0]"));
}

Test(table_report, only_tables_that_take_the_first_have_covered_rows)
{
	CLEANUP(parsed_fini) struct parsed p;

	report(&p, "{'hit':'collect','aggregate':'sum','inputs':['vip'],'rows':["
		   "{'if':['-']},{'if':['true']}]}");
	cr_expect(eq(ptr, (void *)finding_of(&p, "dead-row"), NULL));
}

/* ---- overlaps ---- */

Test(table_report, overlap_is_an_error_where_rows_must_be_unique)
{
	CLEANUP(parsed_fini) struct parsed p, q;
	static const char format[] = "{'hit':'%s','inputs':['customer.tier','item.left'],'rows':["
				     "{'if':['`gold`,`none`','< 10']},{'if':['`platinum`','< 10']},"
				     "{'if':['not(`gold`)','[9..20]']}]}";
	char text[512];

	snprintf(text, sizeof(text), format, "unique");
	report(&p, text);
	cr_assert(eq(sz, p.findings.n_errors, 2), "%s", said(&p));
	expect_text(&p, "overlap",
		"row 3 and row 1 can both hold: customer.tier = 'none', item.left = 9");
	cr_expect(eq(str, finding_of(&p, "overlap")->path, "$.t.rows[2]"));
	snprintf(text, sizeof(text), format, "first");
	report(&q, text);
	cr_expect(eq(sz, q.findings.n_errors, 0));
	expect_text(&q, "overlap", "2 pairs of rows overlap (the earlier one holds)");
}

Test(table_report, rows_with_conditions_and_inputs_that_depend_on_each_other_are_no_error)
{
	CLEANUP(parsed_fini) struct parsed p, q;

	report(&p, "{'hit':'unique','inputs':['item.left'],'rows':["
		   "{'if':['_ % 2 == 0']},{'if':['_ % 2 == 1']}]}");
	cr_expect(eq(sz, p.findings.n_errors, 0), "%s", said(&p));
	expect_text(&p, "overlap", "1 pair of rows overlap unless");
	report(&q, "{'hit':'unique','inputs':['item.left','item.left % 2'],'rows':["
		   "{'if':['2,4','-']},{'if':['-','1']}]}");
	cr_expect(eq(sz, q.findings.n_errors, 0), "%s", said(&q));
	cr_expect(eq(sz, n_of(&q, "overlap", FINDING_WARNING), 1));
}

Test(table_report, a_dozen_overlaps_are_named_and_the_rest_counted)
{
	CLEANUP(parsed_fini) struct parsed p;
	struct buf text = BUF_INIT(4096);

	buf_puts(&text, STR("{'hit':'unique','inputs':['item.left'],'rows':["));
	for (int i = 0; i < 10; i++)
		buf_printf(&text, "%s{'if':['> %d']}", i ? "," : "", i);
	buf_puts(&text, STR("]}"));
	buf_putc(&text, '\0');
	report(&p, text.p);
	buf_fini(&text);
	cr_expect(eq(sz, p.findings.n_errors, 12));
	cr_assert(eq(sz, n_of(&p, "overlap", FINDING_NOTE), 1));
	cr_expect(strstr(said(&p), "33 more pairs") != NULL, "%s", said(&p));
}

/* ---- bounds ---- */

/* Rows that differ everywhere and cover nothing for certain: the worst there is. */
Test(table_report, past_its_budget_it_says_so)
{
	CLEANUP(parsed_fini) struct parsed p;
	json_t *rows = json_array(), *json, *names = json_array();
	static const char *const inputs[] = { "item.left", "item.left + 1", "item.left + 2",
		"item.left + 3", "item.left + 4", "item.left + 5", "item.left + 6",
		"item.left + 7" };

	for (size_t k = 0; k < ARRAY_LEN(inputs); k++)
		json_array_append_new(names, json_string(inputs[k]));
	state = 77;
	for (int i = 0; i < 1000; i++) {
		json_t *cells = json_array();

		for (size_t k = 0; k < ARRAY_LEN(inputs); k++) {
			char text[48];
			int from = (int)below(5000);

			snprintf(text, sizeof(text), "not([%d..%d])", from, from + 400);
			json_array_append_new(cells, json_string(text));
		}
		json_array_append_new(rows, json_pack("{s:o}", "if", cells));
	}
	json = json_pack("{s:s,s:o,s:o}", "hit", "first", "inputs", names, "rows", rows);
	parsed_init(&p);
	parse_json(&p, json);
	json_decref(json);
	cr_assert(zero(int, p.r), "%s", said(&p));
	table_report(p.table, "$.t", &p.findings);
	cr_expect(eq(sz, p.findings.n_errors, 0));
	cr_expect(strstr(said(&p), "too many combinations") != NULL, "%s", said(&p));
}

/* ---- against all combinations of small domains ---- */

static const char *const inputs[] = { "customer.points", "customer.tier", "vip", "item.left" };
static const int slots_of[] = { POINTS, TIER, VIP, LEFT };

#define INPUTS_N 4
#define ROWS_MAX 12
#define INT_LOW  (-6)
#define INT_N    13

/* Values that each input is tried with, absence last: constants of random cells are within. */
static const size_t n_values[INPUTS_N] = { INT_N + 1, 4, 3, INT_N };

static struct cel_value value_of(const struct parsed *p, size_t input, size_t i)
{
	static const char *const texts[] = { "gold", "platinum", "none" };
	struct cel_value v;

	if (input != 3 && i == n_values[input] - 1)
		return cel_absent((uint32_t)slots_of[input]);
	if (input == 0 || input == 3)
		return cel_int((int64_t)i + INT_LOW);
	if (input == 2)
		return cel_bool(i);
	v = cel_string(str_of(texts[i]));
	v.sym = cel_symbols_find(p->w.symbols, cel_str(v));
	return v;
}

static json_t *some_table(const char *hit, bool with_conditions)
{
	json_t *names = json_array(), *rows = json_array();
	size_t n_rows = 2 + below(ROWS_MAX - 1);

	for (size_t k = 0; k < INPUTS_N; k++)
		json_array_append_new(names, json_string(inputs[k]));
	for (size_t i = 0; i < n_rows; i++) {
		json_t *cells = json_array();

		for (size_t k = 0; k < INPUTS_N; k++) {
			struct buf text = BUF_INIT(4096);

			do {
				buf_clear(&text);
				if (below(2))
					buf_puts(&text, STR("-"));
				else
					some_cell(&text, inputs[k], (unsigned)below(2));
				buf_putc(&text, '\0');
			} while (!with_conditions &&
				 (strstr(text.p, "item") || strstr(text.p, "_ =")));
			json_array_append_new(cells, json_string(text.p));
			buf_fini(&text);
		}
		json_array_append_new(rows, json_pack("{s:o}", "if", cells));
	}
	return json_pack("{s:s,s:o,s:o}", "hit", hit, "inputs", names, "rows", rows);
}

static bool row_holds(struct parsed *p, size_t row, const struct cel_value *slots)
{
	for (size_t k = 0; k < INPUTS_N; k++) {
		const struct cell *c = &table_cell(p->table, row, k)->cell;

		if (c->has_test &&
			!test_accepts(&c->test, p->table->inputs[k].kind, &slots[slots_of[k]]))
			return false;
		if (c->program && !is_true(&p->w, c->program, slots))
			return false;
	}
	return true;
}

struct truth {                         /* by trying everything */
	bool is_first[ROWS_MAX];       /* for some combination it is the first that holds */
	bool both[ROWS_MAX][ROWS_MAX]; /* two can hold together */
	bool has_gap;
};

static void note_place(struct parsed *p, const struct cel_value *slots, struct truth *t)
{
	size_t n = table_n_rows(p->table), first = SIZE_MAX;
	bool holds[ROWS_MAX];

	for (size_t i = 0; i < n; i++) {
		holds[i] = row_holds(p, i, slots);
		if (!holds[i])
			continue;
		if (first == SIZE_MAX)
			t->is_first[i] = true;
		first = first == SIZE_MAX ? i : first;
		for (size_t k = 0; k < i; k++)
			t->both[k][i] |= holds[k];
	}
	if (slots[POINTS].kind != CEL_V_INT || slots[POINTS].i >= 0)
		t->has_gap |= first == SIZE_MAX;
}

static void try_all(struct parsed *p, struct truth *t)
{
	struct cel_value slots[N_VARS] = { 0 };
	size_t at[INPUTS_N] = { 0 };
	size_t k = 0;

	memset(t, 0, sizeof(*t));
	while (k < INPUTS_N) {
		for (size_t i = 0; i < INPUTS_N; i++)
			slots[slots_of[i]] = value_of(p, i, at[i]);
		note_place(p, slots, t);
		for (k = 0; k < INPUTS_N && ++at[k] == n_values[k]; k++)
			at[k] = 0;
	}
}

static bool is_said_dead(const struct parsed *p, size_t row)
{
	char path[32];

	snprintf(path, sizeof(path), "$.t.rows[%zu]", row);
	for (size_t i = 0; i < p->findings.n; i++) {
		const struct finding *f = &p->findings.v[i];
		size_t n = strlen(path);

		if (strcmp(f->code, "dead-row") == 0 && strncmp(f->path, path, n) == 0)
			return true;
	}
	return false;
}

static void parse_random(struct parsed *p, const char *hit, bool with_conditions, uint64_t seed)
{
	json_t *json;

	parsed_init(p);
	state = seed * 0x9e3779b97f4a7c15;
	json = some_table(hit, with_conditions);
	parse_json(p, json);
	cr_assert(zero(int, p->r), "seed %lu: %s", (unsigned long)seed, said(p));
	table_report(p->table, "$.t", &p->findings);
	json_decref(json);
}

Test(table_report, dead_rows_and_gaps_are_those_that_trying_everything_finds, .timeout = 60)
{
	for (uint64_t seed = 1; seed <= 40; seed++) {
		CLEANUP(parsed_fini) struct parsed p;
		struct truth t;

		parse_random(&p, "first", false, seed);
		try_all(&p, &t);
		for (size_t i = 0; i < table_n_rows(p.table); i++)
			cr_assert(is_said_dead(&p, i) == !t.is_first[i], "seed %lu, row %zu\n%s",
				(unsigned long)seed, i + 1, said(&p));
		cr_assert(t.has_gap == (finding_of(&p, "gap") != NULL), "seed %lu\n%s",
			(unsigned long)seed, said(&p));
	}
}

Test(table_report, with_conditions_nothing_false_is_said, .timeout = 60)
{
	for (uint64_t seed = 1; seed <= 15; seed++) {
		CLEANUP(parsed_fini) struct parsed p;
		struct truth t;

		parse_random(&p, "first", true, seed);
		try_all(&p, &t);
		for (size_t i = 0; i < table_n_rows(p.table); i++)
			cr_assert(is_said_dead(&p, i) + t.is_first[i] < 2, "seed %lu, row %zu\n%s",
				(unsigned long)seed, i + 1, said(&p));
		cr_assert(finding_of(&p, "gap") != NULL || !t.has_gap, "seed %lu",
			(unsigned long)seed);
	}
}

Test(table_report, overlaps_are_those_that_trying_everything_finds, .timeout = 60)
{
	for (uint64_t seed = 1; seed <= 30; seed++) {
		CLEANUP(parsed_fini) struct parsed p;
		struct truth t;
		size_t n = 0;

		parse_random(&p, "unique", false, seed);
		try_all(&p, &t);
		for (size_t i = 0; i < ROWS_MAX; i++) {
			for (size_t k = 0; k < i; k++)
				n += t.both[k][i];
		}
		cr_assert(p.findings.n_errors == (n < 12 ? n : 12), "seed %lu: %zu\n%s",
			(unsigned long)seed, n, said(&p));
	}
}
