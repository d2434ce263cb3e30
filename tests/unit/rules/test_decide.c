/* Which rules fire and what they do to a price, over a schema of its own: no guards, no production
 * fields. Documents are short: explanations and disclosure are put in by rules_of(). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>

#include "pricing/rules/decide_scratch.h"

struct record {
	struct str tier, segment, place;
	int64_t points, now;
	struct money list, floor;
};

#define AT(member) offsetof(struct record, member)
static const char *const tiers[] = { "none", "silver", "gold", NULL };
static const struct schema_field fields[] = {
	{ .name = "customer.tier",
		.type = "string",
		.label = LABEL_MEMBER,
		.side = "",
		.values = tiers,
		.bind = FIELD_AT_STR,
		.offset = AT(tier),
		.help = "" },
	{ .name = "customer.points",
		.type = "int",
		.label = LABEL_MEMBER,
		.side = "",
		.bind = FIELD_AT_I64,
		.offset = AT(points),
		.help = "" },
	{ .name = "customer.segment",
		.type = "string",
		.label = LABEL_PERSONAL,
		.side = "",
		.is_optional = true,
		.bind = FIELD_AT_STR,
		.offset = AT(segment),
		.help = "" },
	{ .name = "session.place",
		.type = "string",
		.label = LABEL_CONTEXT,
		.side = "",
		.is_optional = true,
		.bind = FIELD_AT_STR,
		.offset = AT(place),
		.help = "" },
	{ .name = "item.list",
		.type = "money",
		.label = LABEL_ITEM,
		.side = "",
		.bind = FIELD_AT_MONEY,
		.offset = AT(list),
		.help = "" },
	{ .name = "market.floor",
		.type = "money",
		.label = LABEL_MARKET,
		.side = "",
		.is_optional = true,
		.bind = FIELD_AT_MONEY,
		.offset = AT(floor),
		.help = "" },
};

#define MONDAY_NOON INT64_C(1781524800000) /* 2026-06-15T12:00:00Z */

struct world {
	struct schema *schema;
	struct ruleset *rules;
	struct decide_scratch *scratch;
	struct record record;
	bool personal_ok;
	struct decided d;
};

static struct money eth(u128 amount)
{
	return (struct money){ amount, currency_find(STR("ETH")) };
}

/* @groups: the members of "groups", with ' for " and ` for '; every @ becomes an explanation. */
static void world_init(struct world *w, const char *groups)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(RULESET_BYTES_MAX);
	struct fault f = { 0 };
	int r;

	*w = (struct world){ .personal_ok = true };
	w->record = (struct record){ .tier = STR("none"), .now = MONDAY_NOON, .list = eth(1000) };
	cr_assert(zero(int, schema_new(&w->schema, fields, ARRAY_LEN(fields), sizeof(w->record))));
	cr_assert(zero(int, decide_scratch_new(&w->scratch)));
	buf_printf(&b, "{\"name\":\"t\",\"version\":\"1\",\"disclosure\":{\"default\":\"d\"},"
		       "\"groups\":[");
	for (; *groups; groups++) {
		if (*groups == '@')
			buf_puts(&b, STR("\"explanation\":{\"en\":\"e\"}"));
		else
			buf_putc(&b, *groups == '\'' ? '"' : *groups == '`' ? '\'' : *groups);
	}
	buf_puts(&b, STR("]}"));
	r = ruleset_parse(&w->rules, buf_str(&b), w->schema, NULL, &f);
	cr_assert(r == 0, "%s\n" STR_FMT, f.text, STR_ARG(buf_str(&b)));
}

static void world_fini(struct world *w)
{
	ruleset_free(w->rules);
	decide_scratch_free(w->scratch);
	schema_free(w->schema);
}
static void world_finip(struct world *w)
{
	world_fini(w);
}

static u128 run(struct world *w)
{
	decide(w->rules, w->scratch, &w->record, w->record.now, w->record.list, w->personal_ok,
		&w->d);
	return w->d.price;
}

/* "a b(no_consent) c(failed:overflow)" */
static void expect_fired(struct world *w, const char *want)
{
	CLEANUP(buf_fini) struct buf got = BUF_INIT(8192);

	(void)run(w);
	for (size_t i = 0; i < w->d.n_fired; i++) {
		const struct fired *f = &w->d.fired[i];

		buf_printf(&got, "%s" STR_FMT, i ? " " : "", STR_ARG(f->line->id));
		if (f->state == FIRED_NO_CONSENT)
			buf_puts(&got, STR("(no_consent)"));
		if (f->state == FIRED_FAILED)
			buf_printf(&got, "(failed:%s)", cel_error_name((enum cel_error)f->error));
		if (f->state == FIRED_LIMIT)
			buf_puts(&got, STR("(limit)"));
	}
	cr_expect(str_eqz(buf_str(&got), want), "got \"" STR_FMT "\", expected \"%s\"",
		STR_ARG(buf_str(&got)), want);
}

#define WORLD(w, groups) \
	CLEANUP(world_fini) struct world w; \
	world_init(&w, groups)

/* ---- groups ---- */

Test(decide, a_stack_adds_up_and_groups_multiply)
{
	WORLD(w, "{'id':'a','mode':'stack','rules':[{'id':'r1','bps':-1000,@},"
		 "{'id':'r2','bps':-500,@},{'id':'r3','when':'customer.points > 5','bps':-500,@}]},"
		 "{'id':'b','mode':'stack','rules':[{'id':'r4','bps':-1000,@}]}");

	cr_expect(run(&w) == 765, "1000 * 0.85 * 0.9");
	expect_fired(&w, "r1 r2 r4");
	cr_expect(decide_amount(w.rules, &w.d, 1000, 0) == 900);
	cr_expect(decide_amount(w.rules, &w.d, 1000, 1) == 850);
	cr_expect(decide_amount(w.rules, &w.d, 1000, 2) == 765);
	w.record.points = 6;
	cr_expect(run(&w) == 720, "1000 * 0.8 * 0.9");
}

Test(decide, nothing_is_rounded_between_groups)
{
	WORLD(w, "{'id':'a','mode':'stack','rules':[{'id':'r1','bps':-3333,@}]},"
		 "{'id':'b','mode':'stack','rules':[{'id':'r2','bps':-3333,@}]}");

	w.record.list = eth(10);
	/* 10 * 0.6667^2 = 4.444…; rounding 6.667 to 7 first would give 4.67 -> 5. */
	cr_expect(run(&w) == 4);
}

Test(decide, amounts_come_after_basis_points_discounts_before_surcharges)
{
	WORLD(w, "{'id':'a','mode':'stack','rules':["
		 "{'id':'s','surcharge':'units(`7`, `ETH`)',@},"
		 "{'id':'d','discount':'units(`950`, `ETH`)',@},"
		 "{'id':'b','bps':-1000,@}]}");

	cr_expect(run(&w) == 7, "900 - 950 is nothing, and 7 more");
	w.record.list = eth(2000);
	cr_expect(run(&w) == 857, "1800 - 950 + 7");
}

Test(decide, the_first_that_fires_is_the_only_one)
{
	WORLD(w, "{'id':'a','mode':'first','rules':[{'id':'gold','when':'customer.tier == `gold`',"
		 "'bps':-1000,@},{'id':'points','when':'customer.points > 5','bps':-500,@},"
		 "{'id':'rest','bps':-100,@}]}");

	expect_fired(&w, "rest");
	w.record.points = 6;
	expect_fired(&w, "points");
	w.record.tier = STR("gold");
	expect_fired(&w, "gold");
	cr_expect(w.d.price == 900);
}

Test(decide, best_of_takes_one_and_equals_go_to_the_lower_id)
{
	static const char rules[] = "'rules':[{'id':'c','bps':-500,@},"
				    "{'id':'d','discount':'units(`50`, `ETH`)',@},"
				    "{'id':'b','when':'customer.points > 5','bps':-500,@},"
				    "{'id':'x','bps':-100,@}]}";
	char groups[512];

	snprintf(groups, sizeof(groups), "{'id':'a','mode':'best_for_customer',%s", rules);
	WORLD(w, groups);
	expect_fired(&w, "c");
	w.record.points = 6;
	expect_fired(&w, "b");
	w.record.list = eth(999); /* 5 % of 999 is less than 50 */
	expect_fired(&w, "d");
	snprintf(groups, sizeof(groups), "{'id':'a','mode':'best_for_margin',%s", rules);
	WORLD(v, groups);
	expect_fired(&v, "x");
}

Test(decide, equals_across_denominators_are_equal)
{
	WORLD(w, "{'id':'a','mode':'stack','rules':[{'id':'z','bps':-1,@}]},"
		 "{'id':'b','mode':'best_for_customer','rules':["
		 "{'id':'b2','discount':'units(`1`, `ETH`)',@},{'id':'b1','bps':-1,@}]}");

	w.record.list = eth(10000);
	/* 9999 - 1 against 9999 * 0.9999 = 9998.0001 */
	expect_fired(&w, "z b2");
	w.record.list = eth(100000000);
	expect_fired(&w, "z b1");
}

Test(decide, a_suppression_counts_in_every_mode_unless_an_earlier_first_fired)
{
	static const char *const modes[] = { "stack", "best_for_customer", "best_for_margin",
		"first" };

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		char groups[512];

		snprintf(groups, sizeof(groups),
			"{'id':'a','mode':'%s','rules':[{'id':'gold','when':'customer.tier == "
			"`gold`',"
			"'bps':-1000,@},{'id':'no','suppress':true,'when':'session.place == "
			"`lobby`'}]}",
			modes[i]);
		WORLD(w, groups);
		(void)run(&w);
		cr_expect(w.d.suppressed_by == NULL);
		w.record.place = STR("lobby");
		(void)run(&w);
		cr_assert(w.d.suppressed_by != NULL, "%s", modes[i]);
		cr_expect(str_eqz(w.d.suppressed_by->id, "no"));
		w.record.tier = STR("gold");
		(void)run(&w);
		cr_expect(eq(int, w.d.suppressed_by != NULL, i != 3), "%s", modes[i]);
	}
}

/* ---- consent ---- */

Test(decide, personal_rules_are_left_out_and_said_so_only_if_the_rest_holds)
{
	WORLD(w, "{'id':'a','mode':'stack','rules':["
		 "{'id':'p','when':'customer.segment == `vip` && session.place == `hall`',"
		 "'bps':-500,@},"
		 "{'id':'q','when':'customer.segment == `vip` && customer.points * 2 > 10',"
		 "'bps':-100,@}]}");

	w.record.segment = STR("vip");
	w.record.place = STR("hall");
	expect_fired(&w, "p");
	cr_expect(eq(int, w.d.labels, 1 << LABEL_PERSONAL | 1 << LABEL_CONTEXT));
	w.personal_ok = false;
	expect_fired(&w, "p(no_consent)");
	cr_expect(w.d.price == 1000);
	cr_expect(eq(sz, w.d.n_left_out, 1));
	cr_expect(zero(int, w.d.labels));
	w.record.segment = STR_NONE; /* nothing personal decides what is said */
	expect_fired(&w, "p(no_consent)");
	w.record.place = STR_NONE;
	expect_fired(&w, "");
	w.record.points = 6;
	expect_fired(&w, "q(no_consent)");
}

Test(decide, without_consent_the_next_of_a_first_group_has_its_turn)
{
	WORLD(w, "{'id':'a','mode':'first','rules':["
		 "{'id':'p','when':'customer.segment == `vip`','bps':-500,@},"
		 "{'id':'q','bps':-100,@}]}");

	w.record.segment = STR("vip");
	w.personal_ok = false;
	expect_fired(&w, "p(no_consent) q");
	cr_expect(w.d.price == 990);
}

Test(decide, an_effect_that_reads_a_personal_field_is_personal_too)
{
	WORLD(w, "{'id':'a','mode':'stack','rules':["
		 "{'id':'p','bps':'customer.segment == `vip` ? bps(-500) : bps(-100)',@}]}");

	w.record.segment = STR("vip");
	cr_expect(run(&w) == 950);
	w.personal_ok = false;
	expect_fired(&w, "p(no_consent)");
}

/* ---- absence and failure ---- */

Test(decide, an_absent_field_does_not_apply_and_a_failure_is_named)
{
	WORLD(w, "{'id':'a','mode':'stack','rules':["
		 "{'id':'floor','when':'market.floor.add_bps(bps(100)) > item.list','bps':-100,@},"
		 "{'id':'div','when':'10 / customer.points == 2','bps':-100,@},"
		 "{'id':'eff','bps':'bps(100 / customer.points)',@},"
		 "{'id':'big','bps':'bps(customer.points * 1000000 + 2000000)',@}]}");

	expect_fired(&w, "div(failed:divide) eff(failed:divide) big(failed:overflow)");
	cr_expect(w.d.price == 1000);
	cr_expect(eq(sz, w.d.n_failed, 3));
	w.record.floor = eth(1000);
	w.record.points = 5;
	expect_fired(&w, "floor div eff big(failed:overflow)");
	cr_expect(w.d.price == 982, "-100 -100 +20");
}

Test(decide, false_and_absence_absorb_failures_as_in_a_conjunction)
{
	WORLD(w, "{'id':'a','mode':'stack','rules':["
		 "{'id':'f','when':'10 / customer.points == 2 && customer.tier.size() == 9',"
		 "'bps':-100,@},"
		 "{'id':'g','when':'10 / customer.points == 2 && market.floor.add_bps(bps(1)) > "
		 "item.list','bps':-100,@}]}");

	expect_fired(&w, "");
}

Test(decide, an_amount_of_another_currency_does_nothing)
{
	WORLD(w, "{'id':'a','mode':'stack','rules':["
		 "{'id':'d','discount':'usd(`1.00`)',@},{'id':'e','discount':'market.floor',@}]}");

	expect_fired(&w, "");
	w.record.floor = (struct money){ 10, currency_find(STR("WETH")) };
	expect_fired(&w, "e");
	cr_expect(w.d.price == 990);
}

/* ---- tables ---- */

#define TABLE(hit) \
	"{'id':'a','mode':'stack','rules':[{'id':'t',@,'table':{" hit ",'inputs':[" \
	"'customer.tier','customer.points'],'rows':[" \
	"{'id':'gold','if':['`gold`','-'],'bps':-500}," \
	"{'if':['-','>= 100'],'bps':-300}," \
	"{'if':['-','>= 1000'],'bps':-700}]}}]}"

static void expect_table(const char *groups, const char *poor, const char *rich)
{
	WORLD(w, groups);

	expect_fired(&w, "");
	w.record.points = 100;
	expect_fired(&w, poor);
	w.record.points = 1000;
	w.record.tier = STR("gold");
	expect_fired(&w, rich);
}

Test(decide, a_table_fires_the_rows_that_its_hit_policy_picks)
{
	expect_table(TABLE("'hit':'first'"), "t/2", "t/gold");
	expect_table(TABLE("'hit':'collect','aggregate':'sum'"), "t/2", "t/gold t/2 t/3");
	expect_table(TABLE("'hit':'collect','aggregate':'min'"), "t/2", "t/3");
	expect_table(TABLE("'hit':'collect','aggregate':'max'"), "t/2", "t/2");
}

Test(decide, rows_on_personal_inputs_are_not_looked_at_without_consent)
{
	WORLD(w, "{'id':'a','mode':'stack','rules':[{'id':'t',@,'table':{'hit':'first','inputs':["
		 "'customer.segment','customer.points'],'rows':["
		 "{'id':'vip','if':['`vip`','-'],'bps':-500},{'id':'any','if':['-','>= "
		 "1'],'bps':-100}]}}]}");

	w.record.segment = STR("vip");
	w.record.points = 1;
	expect_fired(&w, "t/vip");
	w.personal_ok = false;
	expect_fired(&w, "t(no_consent) t/any");
	cr_expect(w.d.price == 990);
}

/* ---- windows ---- */

#define WINDOW(valid) \
	"{'id':'a','mode':'stack','rules':[{'id':'r','valid':" valid ",'bps':-100,@}]}"

static bool is_open(const char *groups, int64_t now_ms)
{
	WORLD(w, groups);

	w.record.now = now_ms;
	(void)run(&w);
	return w.d.n_fired == 1;
}

#define HOUR INT64_C(3600000)
#define DAY  (24 * HOUR)

Test(decide, a_window_is_half_open_and_in_its_zone)
{
	static const char berlin[] =
		WINDOW("{'from':'2026-06-15T14:00','to':'2026-06-15T15:00','tz':'Europe/Berlin'}");

	cr_expect(not(is_open(berlin, MONDAY_NOON - 1)));
	cr_expect(is_open(berlin, MONDAY_NOON));
	cr_expect(is_open(berlin, MONDAY_NOON + HOUR - 1));
	cr_expect(not(is_open(berlin, MONDAY_NOON + HOUR)));
}

Test(decide, hours_over_midnight_belong_to_the_day_they_begin_on)
{
	static const char night[] = WINDOW(
		"{'tz':'Europe/Berlin','weekdays':['mon'],'hours':['22:00-02:00','08:00-09:00']}");
	int64_t midnight = MONDAY_NOON - 14 * HOUR; /* of Monday in Berlin */

	cr_expect(not(is_open(night, midnight)), "that is Sunday's night");
	cr_expect(is_open(night, midnight + 8 * HOUR));
	cr_expect(not(is_open(night, midnight + 9 * HOUR)));
	cr_expect(is_open(night, midnight + 22 * HOUR));
	cr_expect(is_open(night, midnight + 26 * HOUR - 1), "Tuesday before two");
	cr_expect(not(is_open(night, midnight + 26 * HOUR)));
	cr_expect(not(is_open(night, midnight + 46 * HOUR)), "Tuesday's evening");
}

Test(decide, weekdays_are_those_of_the_zone_in_summer_and_winter)
{
	static const char monday[] = WINDOW("{'tz':'Europe/Berlin','weekdays':['mon']}");

	cr_expect(is_open(monday, MONDAY_NOON - 14 * HOUR)); /* 00:00 summer time, UTC+2 */
	cr_expect(not(is_open(monday, MONDAY_NOON - 14 * HOUR - 1)));
	/* 2026-12-14, a Monday, UTC+1 */
	cr_expect(is_open(monday, MONDAY_NOON + 182 * DAY - 13 * HOUR));
	cr_expect(not(is_open(monday, MONDAY_NOON + 182 * DAY - 13 * HOUR - 1)));
	/* Before 1970 days are counted downwards. */
	cr_expect(is_open(monday, -3 * DAY + 12 * HOUR), "1969-12-29");
}

/* ---- limits ---- */

Test(decide, what_fires_beyond_the_limit_is_left_out_and_counted)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(RULESET_BYTES_MAX);
	size_t n = RULESET_FIRED_MAX + RULESET_NOTES_MAX + 5;

	buf_printf(&b, "{'id':'a','mode':'stack','rules':[");
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s{'id':'r%zu','when':'customer.points >= %zu','bps':-1,@}",
			i ? "," : "", i, i);
	buf_printf(&b, "]}");
	buf_putc(&b, '\0');
	WORLD(w, b.p);
	w.record.points = (int64_t)n;
	w.record.list = eth(1000000);
	cr_expect(run(&w) == 1000000 - 100 * RULESET_FIRED_MAX);
	cr_expect(eq(sz, w.d.n_fired, RULESET_FIRED_MAX + RULESET_NOTES_MAX));
	cr_expect(eq(sz, w.d.n_left_out, RULESET_NOTES_MAX + 5));
	cr_expect(eq(int, w.d.fired[RULESET_FIRED_MAX].state, FIRED_LIMIT));
}

/* ---- memory and cost of many evaluations ---- */

Test(decide, memory_of_one_evaluation_is_there_again_for_the_next)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(RULESET_BYTES_MAX);
	char place[4097];

	memset(place, 'x', sizeof(place) - 1);
	buf_printf(&b, "{'id':'a','mode':'stack','rules':[");
	for (size_t i = 0; i < 100; i++)
		buf_printf(&b, "%s{'id':'r%zu','when':'session.place + `%zu` != `a`','bps':-1,@}",
			i ? "," : "", i, i);
	buf_printf(&b, "]}");
	buf_putc(&b, '\0');
	WORLD(w, b.p);
	w.record.place = (struct str){ place, sizeof(place) - 1 };
	w.record.list = eth(10000);
	cr_expect(run(&w) == 9900);
	cr_expect(zero(sz, w.d.n_failed));
}

Test(decide, rows_that_are_compared_are_evaluated_once)
{
	WORLD(w, "{'id':'a','mode':'stack','rules':[{'id':'t',@,'table':{'hit':'collect',"
		 "'aggregate':'min','inputs':['customer.points'],'rows':["
		 "{'if':['-'],'bps':'bps(0 - customer.points)'}]}}]}");
	w.record.points = 100;
	cr_expect(run(&w) == 990);
	cr_expect(le(u64, w.d.cost, ruleset_cost(w.rules)));
}

Test(decide, without_consent_no_input_of_a_table_reads_a_personal_field)
{
	WORLD(w, "{'id':'a','mode':'stack','rules':[{'id':'t',@,'table':{'hit':'first',"
		 "'inputs':['customer.segment + `x`','customer.points + 1'],'rows':["
		 "{'if':['`vipx`','-'],'bps':-100},{'if':['-','> 1'],'bps':-10}]}}]}");
	uint64_t cost;

	w.personal_ok = false;
	w.record.points = 1;
	cr_expect(run(&w) == 999);
	cost = w.d.cost;
	w.record.segment = STR("a segment that is very much longer than any other, and so costs "
			       "more to be looked at than none at all or a short one like vip");
	cr_expect(run(&w) == 999);
	cr_expect(eq(u64, w.d.cost, cost));
	cr_expect(zero(sz, arena_used(w.scratch->arena)));
}
