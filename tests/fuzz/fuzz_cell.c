/*
 * Any text as a cell of a decision table. The first byte chooses the column's input and the values
 * it is asked about. A cell is refused with an error inside of it, or it decides: then whether the
 * row holds and why it does not agree, `not(…)` around it (where that is a cell too) holds exactly
 * where it does not, and the report on the table comes to an end.
 */
#include <errno.h>
#include <string.h>

#include "pricing/inputs.h"
#include "pricing/rules/table.h"
#include "tests/fuzz/fuzz.h"

#define CELL_MAX 512

static const char *const inputs[] = { "customer.points", "customer.tier", "session.place",
	"item.list", "market.gap", "now", "bps(customer.points)", "customer.points + 1" };

static struct arena *scratch, *arena;

static struct price_inputs record_of(uint8_t seed)
{
	static const int64_t points[] = { 0, 1, 100, 5000, -1, INT64_MAX, INT64_MIN, 7 };

	return (struct price_inputs){
		.now = INT64_C(1795201200250) + seed,
		.loyalty = { .tier = seed & 3, .points = points[(seed >> 3) & 7] },
		.interest = { .place = seed & 32 ? STR("lobby") : STR_NONE },
		.inventory = { .supply = 2,
			.list = { (u128)seed << 56,
				currency_find(seed & 64 ? STR("USDC") : STR("ETH")) } },
		.bestbid = { .flags = seed & 128 ? STR("[\"gap\"]") : STR_NONE },
	};
}

/* The table of the cell and of one that accepts anything; NULL if the cell was refused. */
static struct table *parse(struct str cell, uint8_t seed, struct cel_symbols *symbols)
{
	CLEANUP(findings_fini) struct findings f = FINDINGS_INIT;
	struct table *ret = NULL;
	json_t *text = json_stringn(cell.p, cell.n);
	json_t *json;
	int r;

	if (!text) /* no UTF-8 */
		return NULL;
	json = json_pack("{s:s,s:s,s:[s],s:[{s:[o]},{s:[s]}]}", "hit", "collect", "aggregate",
		"sum", "inputs", inputs[seed & 7], "rows", "if", text, "if", "-");
	FUZZ_CHECK(json);
	r = table_parse(
		&ret, json, "$", &(struct table_context){ price_schema(), symbols, scratch, &f });
	json_decref(json);
	FUZZ_CHECK(r == 0 ? ret && f.n_errors == 0 : r == -EINVAL && !ret && f.n_errors > 0);
	if (ret) {
		table_report(ret, "$", &f);
		FUZZ_CHECK(f.n_errors == 0);
	}
	return ret;
}

enum answer { NO, YES, FAILED };

static enum answer ask(const struct table *t, const struct cel_value *slots)
{
	static struct table_result result;
	struct cel_context c = { .arena = arena };
	struct table_why why;
	bool holds;

	arena_reset(arena);
	table_match(t, &c, slots, NULL, &result);
	FUZZ_CHECK(result.rows[0] & 2);
	FUZZ_CHECK(c.cost <= table_cost(t));
	holds = result.rows[0] & 1;
	if (result.n_failures)
		return FAILED;
	FUZZ_CHECK(table_why(t, 0, &c, slots, &why) == !holds);
	FUZZ_CHECK(!table_why(t, 1, &c, slots, &why));
	return holds ? YES : NO;
}

static void run(struct str cell, uint8_t seed)
{
	CLEANUP(cel_symbols_free) struct cel_symbols *symbols = NULL;
	CLEANUP(table_free) struct table *t = NULL, *opposite = NULL;
	CLEANUP(binder_free) struct binder *binder = NULL;
	struct price_inputs record = record_of(seed);
	struct cel_value slots[CEL_VARS_MAX];
	uint64_t used[CEL_VARS_MAX / 64] = { 0 }, more[CEL_VARS_MAX / 64] = { 0 };
	char around[CELL_MAX + 8];
	enum answer a, b;
	int n;

	FUZZ_CHECK(cel_symbols_new(&symbols) == 0);
	t = parse(cell, seed, symbols);
	if (!t)
		return;
	n = snprintf(around, sizeof(around), "not(" STR_FMT ")", STR_ARG(cell));
	if (n == (int)cell.n + 5)
		opposite = parse((struct str){ around, (size_t)n }, seed, symbols);
	table_slots(t, used);
	if (opposite)
		table_slots(opposite, more);
	for (size_t i = 0; i < CEL_VARS_MAX / 64; i++)
		used[i] |= more[i];
	FUZZ_CHECK(binder_new(&binder, price_schema(), symbols, used) == 0);
	arena_reset(arena);
	binder_bind(binder, &record, slots, arena);
	a = ask(t, slots);
	if (!opposite)
		return;
	binder_bind(binder, &record, slots, arena);
	b = ask(opposite, slots);
	/* Not the other way: an absent value, or one of another currency, is neither. */
	if (a == YES)
		FUZZ_CHECK(b != YES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!scratch)
		FUZZ_CHECK(arena_new(&scratch, 4 * CEL_PARSE_ARENA) == 0 &&
			   arena_new(&arena, 256 * 1024) == 0);
	if (size < 1 || size > CELL_MAX)
		return 0;
	run((struct str){ (const char *)data + 1, size - 1 }, data[0]);
	return 0;
}
