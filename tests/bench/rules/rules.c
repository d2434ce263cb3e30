/*
 * Our side of `./dev bench rules`: the cases G, T, R and L over the data that the peers use
 * (peers/data/gen.py). Every case first has to give the sum that all engines agree on; only then it
 * is timed. Times are those of peers/c/native.c: 1,024 records a pass, the least and the median of
 * 15 batches.
 *
 *	rules                  all cases, one line each
 *	rules NAME LOOPS       one case, LOOPS passes without a clock: for callgrind
 *
 * "pre": the fields lie in slots already. "bound": from the record, as pricing does it for each
 *event.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/str.h"
#include "pricing/cel/program.h"
#include "pricing/compute.h"
#include "pricing/rules/decide.h"
#include "pricing/rules/fields.h"
#include "pricing/rules/ruleset.h"
#include "pricing/rules/table.h"

/* The generated records of the peers. */
typedef struct {
	const char *tier;
	int64_t points, blocked, dwell;
	const char *place;
	int64_t floor, rank, price;
} rec;
typedef struct {
	int tier;
	int64_t plo, phi;
	int place;
	int64_t rlo, rhi, bps;
} trow;
typedef struct {
	unsigned tiers;
	int64_t points, dwell, floor, bps;
} rule;
#define WITH_CEL
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-const-variable"
#pragma GCC diagnostic ignored "-Wunused-variable"
#include "cdata.h"
#pragma GCC diagnostic pop

#define N       1024
#define BATCHES 15

/* What is priced here: production's inputs, and the fields that only the cases have. */
struct record {
	struct price_inputs in;
	struct str tier, place;
	int64_t points, dwell, floor, rank;
	bool blocked;
};

#define AT(member) offsetof(struct record, member)
#define FIELD(name_, type_, label_, unit_, bind_, member_) \
	{ \
		.name = name_, .type = type_, .label = label_, .side = "", .unit = unit_, \
		.bind = bind_, .offset = AT(member_), .help = "" \
	}
static const struct schema_field fields[] = {
	FIELD("customer.tier", "string", LABEL_MEMBER, CEL_UNIT_NONE, FIELD_AT_STR, tier),
	FIELD("customer.points", "int", LABEL_MEMBER, CEL_UNIT_POINTS, FIELD_AT_I64, points),
	FIELD("customer.blocked", "bool", LABEL_MEMBER, CEL_UNIT_NONE, FIELD_AT_BOOL, blocked),
	FIELD("session.dwell", "int", LABEL_CONTEXT, CEL_UNIT_MS, FIELD_AT_I64, dwell),
	FIELD("session.place", "string", LABEL_CONTEXT, CEL_UNIT_NONE, FIELD_AT_STR, place),
	FIELD("item.floor", "int", LABEL_ITEM, CEL_UNIT_NONE, FIELD_AT_I64, floor),
	FIELD("item.rank", "int", LABEL_ITEM, CEL_UNIT_NONE, FIELD_AT_I64, rank),
};
#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

static struct schema *schema;
static struct record *guards, *lasts, *mixes, *offers;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

static struct record *records_of(const rec *from)
{
	struct record *ret = calloc(N, sizeof(*ret));

	if (!ret)
		die("records", "no memory");
	for (int i = 0; i < N; i++) {
		struct record *r = &ret[i];

		r->tier = str_of(from[i].tier);
		r->place = str_of(from[i].place);
		r->points = from[i].points;
		r->dwell = from[i].dwell;
		r->floor = from[i].floor;
		r->rank = from[i].rank;
		r->blocked = from[i].blocked;
		r->in.now = 1795334400123;
		r->in.profile.row.state = r->in.loyalty.row.state = ROW_PRESENT;
		r->in.inventory.row.state = ROW_PRESENT;
		r->in.stock.row.state = r->in.bestbid.row.state = ROW_NONE;
		r->in.inventory.supply = 1;
		r->in.inventory.list =
			(struct money){ (u128)from[i].price, currency_find(STR("ETH")) };
		r->in.personalization = TRI_TRUE;
		r->in.guards.max_discount_bps = 10000;
		r->in.guards.max_age_profile_ms = r->in.guards.max_age_loyalty_ms =
			r->in.guards.max_age_inventory_ms = r->in.guards.max_age_market_ms = 15000;
		r->in.guards.quantum = STR("1");
	}
	return ret;
}

/* ---- time ---- */

static const char *only;
static long loops;
static volatile int64_t sink;

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* One pass over all records; returns the sum. */
typedef int64_t (*pass_fn)(void);

static void report(const char *name, double *v, const char *unit)
{
	qsort(v, BATCHES, sizeof(*v), compare);
	printf("%-34s min %9.1f  median %9.1f %s\n", name, v[0], v[BATCHES / 2], unit);
	fflush(stdout);
}

static void run(const char *name, int64_t expect, pass_fn pass)
{
	double v[BATCHES];
	int64_t sum;

	if (only && strcmp(only, name) != 0)
		return;
	sum = pass();
	if (sum != expect) {
		fprintf(stderr, "%s: sum %" PRId64 ", expected %" PRId64 "\n", name, sum, expect);
		exit(1);
	}
	if (loops) {
		for (long k = 0; k < loops; k++)
			sink = pass();
		return;
	}
	for (int b = 0; b < BATCHES; b++) {
		double begin = now_ns();

		for (int k = 0; k < 200; k++)
			sink = pass();
		v[b] = (now_ns() - begin) / 200 / N;
	}
	report(name, v, "ns");
}

/* ---- G: one guard ---- */

static struct cel_symbols *guard_symbols;
static struct cel_program *guard;
static struct binder *guard_binder;
static struct cel_value guard_slots[N][N_FIELDS];
static struct cel_context context;

static void guard_setup(void)
{
	struct cel_diags d = { 0 };

	if (cel_symbols_new(&guard_symbols) != 0)
		die("G", "no memory");
	if (cel_compile(&guard, str_of(G_CEL), schema->env,
		    &(struct cel_options){ .want = &cel_type_bool, .symbols = guard_symbols },
		    &d) != 0)
		die("G", d.v[0].text);
	if (binder_new(&guard_binder, schema, guard_symbols, cel_program_slots(guard)) != 0)
		die("G", "no binder");
	for (int i = 0; i < N; i++)
		binder_bind(guard_binder, &guards[i], guard_slots[i], context.arena);
}

static int64_t guard_pre(void)
{
	int64_t sum = 0;

	for (int i = 0; i < N; i++)
		sum += cel_eval(guard, &context, guard_slots[i]).b;
	return sum;
}

static int64_t guard_bound(void)
{
	struct cel_value slots[N_FIELDS];
	int64_t sum = 0;

	for (int i = 0; i < N; i++) {
		binder_bind(guard_binder, &guards[i], slots, context.arena);
		sum += cel_eval(guard, &context, slots).b;
	}
	return sum;
}

/* ---- T: one table ---- */

static struct table *table;
static struct binder *table_binder;
static struct cel_value last_slots[N][N_FIELDS], mix_slots[N][N_FIELDS];

static json_t *table_json(const trow *rows, int n, int sign)
{
	json_t *list = json_array();

	for (int i = 0; i < n; i++) {
		char tier[32], points[64], place[32], rank[64];

		snprintf(tier, sizeof(tier), "'%s'", TIERS[rows[i].tier]);
		snprintf(points, sizeof(points), "[%" PRId64 "..%" PRId64 "]", rows[i].plo,
			rows[i].phi);
		snprintf(place, sizeof(place), "'%s'", PLACES[rows[i].place]);
		snprintf(
			rank, sizeof(rank), "[%" PRId64 "..%" PRId64 "]", rows[i].rlo, rows[i].rhi);
		json_array_append_new(
			list, json_pack("{s:[s,s,s,s],s:I,s:{s:s}}", "if", tier, points, place,
				      rank, "bps", (json_int_t)(sign * rows[i].bps), "explanation",
				      "en", "row"));
	}
	return json_pack("{s:s,s:[s,s,s,s],s:o}", "hit", "first", "inputs", "customer.tier",
		"customer.points", "session.place", "item.rank", "rows", list);
}

static void table_setup(void)
{
	CLEANUP(findings_fini) struct findings findings = FINDINGS_INIT;
	CLEANUP(arena_free) struct arena *scratch = NULL;
	struct cel_symbols *symbols = NULL;
	uint64_t used[CEL_VARS_MAX / 64];
	json_t *json = table_json(T_ROWS, 200, 1);

	if (arena_new(&scratch, 4 * CEL_PARSE_ARENA) != 0 || cel_symbols_new(&symbols) != 0)
		die("T", "no memory");
	if (table_parse(&table, json, "$",
		    &(struct table_context){ schema, symbols, scratch, &findings }) != 0)
		die("T", findings.n ? findings.v[0].text : "no table");
	json_decref(json);
	memset(used, 0, sizeof(used));
	table_slots(table, used);
	if (binder_new(&table_binder, schema, symbols, used) != 0)
		die("T", "no binder");
	for (int i = 0; i < N; i++) {
		binder_bind(table_binder, &lasts[i], last_slots[i], context.arena);
		binder_bind(table_binder, &mixes[i], mix_slots[i], context.arena);
	}
}

static int64_t hit(const struct cel_value *slots)
{
	struct table_failure failure;
	size_t row = table_first(table, &context, slots, NULL, &failure);

	return row == SIZE_MAX ? 0 : T_ROWS[row].bps;
}

static int64_t table_pre(struct cel_value slots[][N_FIELDS])
{
	int64_t sum = 0;

	for (int i = 0; i < N; i++)
		sum += hit(slots[i]);
	return sum;
}

static int64_t table_bound(const struct record *records)
{
	struct cel_value slots[N_FIELDS];
	int64_t sum = 0;

	for (int i = 0; i < N; i++) {
		binder_bind(table_binder, &records[i], slots, context.arena);
		sum += hit(slots);
	}
	return sum;
}

static int64_t last_pre(void)
{
	return table_pre(last_slots);
}
static int64_t mix_pre(void)
{
	return table_pre(mix_slots);
}
static int64_t last_bound(void)
{
	return table_bound(lasts);
}
static int64_t mix_bound(void)
{
	return table_bound(mixes);
}

/* ---- R: one offer ---- */

static struct ruleset *offer_rules;
static struct decide_scratch *scratch;
static struct decided decided;
static struct price_result result;

static json_t *guard_rule(const char *when, int bps, int i, const char *prefix)
{
	char id[32];

	snprintf(id, sizeof(id), "%s-%d", prefix, i);
	return json_pack("{s:s,s:s,s:i,s:{s:s}}", "id", id, "when", when, "bps", -bps,
		"explanation", "en", "A rule");
}

static char *document_of(json_t *rules)
{
	json_t *doc = json_pack("{s:s,s:s,s:s,s:s,s:{s:s},s:[{s:s,s:s,s:o}]}", "name", "bench",
		"version", "1", "language", "en", "rounding", "up", "disclosure", "default",
		"Made for you.", "groups", "id", "all", "mode", "stack", "rules", rules);
	char *ret = json_dumps(doc, JSON_COMPACT);

	json_decref(doc);
	if (!ret)
		die("document", "no memory");
	return ret;
}

static struct ruleset *load(const char *text)
{
	struct ruleset *ret = NULL;
	struct fault f = { 0 };

	if (ruleset_parse(&ret, str_of(text), schema, NULL, &f) != 0)
		die("document", f.text);
	return ret;
}

static void offer_setup(void)
{
	const trow *const tables[] = { R_T0, R_T1, R_T2 };
	json_t *rules = json_array();
	char *text;

	for (int i = 0; i < 20; i++)
		json_array_append_new(rules, guard_rule(R_CEL[i], R_BPS[i], i, "rule"));
	for (int i = 0; i < 3; i++) {
		char id[16];

		snprintf(id, sizeof(id), "table-%d", i);
		json_array_append_new(rules,
			json_pack("{s:s,s:o}", "id", id, "table", table_json(tables[i], 50, -1)));
	}
	text = document_of(rules);
	offer_rules = load(text);
	free(text);
	if (decide_scratch_new(&scratch) != 0)
		die("R", "no memory");
}

static int64_t offer_decide(void)
{
	int64_t sum = 0;

	for (int i = 0; i < N; i++) {
		const struct record *r = &offers[i];

		decide(offer_rules, scratch, r, r->in.now, r->in.inventory.list, true, &decided);
		sum += (int64_t)decided.price;
	}
	return sum;
}

typedef void (*compute_fn)(const struct ruleset *, struct decide_scratch *,
	const struct price_inputs *, struct price_result *);

static int64_t offer_compute(compute_fn fn)
{
	int64_t sum = 0;

	for (int i = 0; i < N; i++) {
		fn(offer_rules, scratch, &offers[i].in, &result);
		sum += (int64_t)result.price.amount;
	}
	return sum;
}

static int64_t offer_plain(void)
{
	return offer_compute(compute_plain);
}
static int64_t offer_explained(void)
{
	return offer_compute(compute);
}

/* The amounts of every line worked out too, which happens only when somebody writes them. */
static int64_t offer_amounts(void)
{
	static struct price_line lines[PRICE_LINES_MAX];
	int64_t sum = 0;

	for (int i = 0; i < N; i++) {
		size_t n;

		compute(offer_rules, scratch, &offers[i].in, &result);
		n = compute_lines(&result, lines);
		sum += (int64_t)lines[n - 1].after;
	}
	return sum;
}

static int64_t offer_written(void)
{
	static struct buf out = { .max = 1024 * 1024 };
	struct json_out j = JSON_OUT(&out);
	int64_t sum = 0;

	for (int i = 0; i < N; i++) {
		compute(offer_rules, scratch, &offers[i].in, &result);
		buf_clear(&out);
		compute_waterfall_json(&j, NULL, &result);
		compute_reasons_json(&j, NULL, &result);
		sum += (int64_t)result.price.amount;
	}
	return sum;
}

/* ---- L: loading ---- */

static struct arena *load_arena;

static void load_expressions(void)
{
	struct cel_symbols *symbols = NULL;

	if (cel_symbols_new(&symbols) != 0)
		die("L", "no memory");
	for (int i = 0; i < 1000; i++) {
		struct cel_program *p = NULL;
		struct cel_diags d = { 0 };

		if (cel_compile(&p, str_of(L_CEL[i]), schema->env,
			    &(struct cel_options){ .want = &cel_type_bool,
				    .symbols = symbols,
				    .scratch = load_arena },
			    &d) != 0)
			die("L", d.v[0].text);
		cel_program_free(p);
	}
	cel_symbols_free(symbols);
}

static char *load_text;

static void load_document(void)
{
	ruleset_free(load(load_text));
}

static void load_setup(void)
{
	json_t *rules = json_array();

	for (int i = 0; i < 1000; i++)
		json_array_append_new(rules, guard_rule(L_CEL[i], 10, i, "rule"));
	load_text = document_of(rules);
	if (arena_new(&load_arena, CEL_PARSE_ARENA) != 0)
		die("L", "no memory");
}

static void run_load(const char *name, void (*fn)(void))
{
	double v[BATCHES];

	if (only && strcmp(only, name) != 0)
		return;
	fn();
	if (loops) {
		for (long k = 0; k < loops; k++)
			fn();
		return;
	}
	for (int b = 0; b < BATCHES; b++) {
		double begin = now_ns();

		fn();
		v[b] = (now_ns() - begin) / 1000;
	}
	report(name, v, "us");
}

int main(int argc, char **argv)
{
	if (argc > 2) {
		only = argv[1];
		loops = strtol(argv[2], NULL, 10);
	}
	if (schema_new(&schema, fields, N_FIELDS, sizeof(struct record)) != 0 ||
		arena_new(&context.arena, DECIDE_ARENA_BYTES) != 0)
		die("setup", "no memory");
	guards = records_of(G_REC);
	lasts = records_of(T_LAST);
	mixes = records_of(T_MIX);
	offers = records_of(R_REC);
	guard_setup();
	table_setup();
	offer_setup();
	load_setup();
	run("souk G pre", EXPECT_G, guard_pre);
	run("souk G bound", EXPECT_G, guard_bound);
	run("souk T last pre", EXPECT_LAST, last_pre);
	run("souk T last bound", EXPECT_LAST, last_bound);
	run("souk T mix pre", EXPECT_MIX, mix_pre);
	run("souk T mix bound", EXPECT_MIX, mix_bound);
	run("souk R decide", EXPECT_R, offer_decide);
	run("souk R compute, no waterfall", EXPECT_R, offer_plain);
	run("souk R compute, waterfall", EXPECT_R, offer_explained);
	run("souk R compute, amounts", EXPECT_R, offer_amounts);
	run("souk R compute, as JSON", EXPECT_R, offer_written);
	run_load("souk L 1000 expressions", load_expressions);
	run_load("souk L 1000 rules, document", load_document);
	return 0;
}
