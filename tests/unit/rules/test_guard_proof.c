#include "ruleset_support.h"

#include "pricing/inputs.h"
#include "pricing/rules/decide.h"
#include "pricing/rules/guard_proof.h"

#define WORDS "'explanation':{'en':'x'}"

static const struct guard_numbers numbers = { .max_premium_bps = 1000, .max_discount_bps = 5000 };

/* What the proof finds in a document with these groups (and other members). */
static struct parsed prove(const char *groups)
{
	struct parsed p;
	char *text = NULL;

	cr_assert(gt(int,
		asprintf(&text,
			"{'name':'t','version':'1','disclosure':{'default':'d'},'groups':[%s}",
			groups),
		0));
	p = parse_text(text);
	free(text);
	cr_assert(zero(int, p.r), "%s", all_findings(&p));
	findings_fini(&p.findings);
	ruleset_guard_report(p.rules, &numbers, &p.findings);
	return p;
}

static void expect_level(const char *groups, const char *path, int level)
{
	struct parsed p = prove(groups);
	const struct finding *f = finding_of(&p, path, "guard-bound");

	if (level < 0)
		cr_expect(zero(sz, p.findings.n), "%s\n%s", groups, all_findings(&p));
	else
		cr_expect(f && (int)f->level == level, "%s\n%s", groups, all_findings(&p));
	parsed_fini(&p);
}

#define FIRST   "$.groups[0].rules[0]"
#define NOTHING (-1)

Test(guard_proof, a_discount_beyond_the_guard_can_only_end_there)
{
	expect_level("{'id':'g','mode':'stack','rules':[{'id':'a','bps':-5001," WORDS "}]}]", FIRST,
		FINDING_ERROR);
	expect_level("{'id':'g','mode':'stack','rules':[{'id':'a','bps':-5000," WORDS "}]}]", NULL,
		NOTHING);
}

Test(guard_proof, a_premium_beyond_the_guard_can_only_end_there)
{
	expect_level("{'id':'g','mode':'stack','rules':[{'id':'a','bps':1001," WORDS "}]}]", FIRST,
		FINDING_ERROR);
	expect_level("{'id':'g','mode':'stack','rules':[{'id':'a','bps':1000," WORDS "}]}]", NULL,
		NOTHING);
}

Test(guard_proof, says_its_numbers)
{
	CLEANUP(parsed_fini)
	struct parsed p = prove("{'id':'g','mode':'stack','rules':[{'id':'a','when':'item.left > "
				"1','bps':-7000," WORDS
				"},{'id':'b','when':'item.supply > 1','bps':500," WORDS "}]},"
				"{'id':'h','mode':'first','rules':[{'id':'c','when':'item.left > "
				"2','bps':2000," WORDS
				"},{'id':'d','when':'item.left > 3','bps':1000," WORDS "}]}]");
	const struct finding *f = finding_of(&p, FIRST, "guard-bound");

	cr_assert(ne(ptr, (void *)f, NULL), "%s", all_findings(&p));
	cr_expect(eq(str, f->text,
		"can only end at the guard max_discount\n"
		"group g: its own -7000 bps, the others at best +500\n"
		"group h: at best +2000 bps\n"
		"the price is 42.00 % of the list price at most, the guard holds it at 50.00 %"));
}

Test(guard_proof, what_others_can_bring_back_is_a_warning)
{
	expect_level("{'id':'g','mode':'stack','rules':[{'id':'a','bps':-5500," WORDS "},"
		     "{'id':'b','when':'item.left > 1','bps':500," WORDS "}]}]",
		FIRST, FINDING_WARNING);
	expect_level("{'id':'g','mode':'stack','rules':[{'id':'a','bps':-5500," WORDS "},"
		     "{'id':'b','when':'item.left > 1','bps':499," WORDS "}]}]",
		FIRST, FINDING_ERROR);
}

Test(guard_proof, of_a_group_in_which_one_fires_no_other_helps)
{
	static const char *const modes[] = { "first", "best_for_customer", "best_for_margin" };

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		char text[512];

		snprintf(text, sizeof(text),
			"{'id':'g','mode':'%s','rules':[{'id':'a','when':'item.left > "
			"0','bps':-5500,"
			"%s},{'id':'b','when':'item.left > 1','bps':900,%s}]}]",
			modes[i], WORDS, WORDS);
		expect_level(text, FIRST, FINDING_ERROR);
	}
}

Test(guard_proof, rules_that_exclude_each_other_do_not_help)
{
	expect_level("{'id':'g','mode':'stack','rules':["
		     "{'id':'a','when':'customer.tier == `gold`','bps':-5500," WORDS "},"
		     "{'id':'b','when':'customer.tier == `silver`','bps':900," WORDS "}]}]",
		FIRST, FINDING_ERROR);
	expect_level("{'id':'g','mode':'stack','rules':["
		     "{'id':'a','valid':{'to':'2026-01-01T00:00Z'},'bps':-5500," WORDS "},"
		     "{'id':'b','valid':{'from':'2026-01-01T00:00Z'},'bps':900," WORDS "}]}]",
		FIRST, FINDING_ERROR);
	expect_level("{'id':'g','mode':'stack','rules':["
		     "{'id':'a','when':'customer.tier == `gold`','bps':-5500," WORDS "},"
		     "{'id':'b','enabled':false,'bps':900," WORDS "}]}]",
		FIRST, FINDING_ERROR);
}

Test(guard_proof, nothing_is_proved_against_what_has_no_bound)
{
	expect_level("{'id':'g','mode':'stack','rules':[{'id':'a','bps':-5500," WORDS "},"
		     "{'id':'b','when':'item.left > 1','bps':'bps(session.dwell_ms)'," WORDS "}]}]",
		FIRST, FINDING_WARNING);
	expect_level("{'id':'g','mode':'stack','rules':[{'id':'a','bps':-5500," WORDS "},"
		     "{'id':'b','when':'item.left > 1','surcharge':'eth(`1`)'," WORDS "}]}]",
		FIRST, FINDING_WARNING);
	expect_level("{'id':'g','mode':'stack','rules':[{'id':'a','bps':-5500," WORDS "},"
		     "{'id':'b','when':'item.left > 1','discount':'eth(`1`)'," WORDS "}]}]",
		FIRST, FINDING_ERROR);
}

Test(guard_proof, what_always_fires_counts_whether_it_helps_or_not)
{
	expect_level("{'id':'g','mode':'stack','rules':["
		     "{'id':'a','when':'item.left > 1','bps':-3000," WORDS "},"
		     "{'id':'b','bps':-2500," WORDS "}]}]",
		FIRST, FINDING_ERROR);
	expect_level("{'id':'g','mode':'stack','rules':["
		     "{'id':'a','when':'item.left > 1','bps':-3000," WORDS "},"
		     "{'id':'b','when':'item.left > 2','bps':-2500," WORDS "}]}]",
		NULL, NOTHING);
	expect_level("{'id':'g','mode':'stack','rules':["
		     "{'id':'a','when':'item.left > 1','bps':-5500," WORDS "},"
		     "{'id':'b','bps':600," WORDS "}]}]",
		NULL, NOTHING);
}

#define TABLE(hit, rows) \
	"{'id':'g','mode':'stack','rules':[{'id':'t'," WORDS ",'table':{" hit \
	",'inputs':['item.left'],'rows':[" rows "]}}]}]"

Test(guard_proof, rows_are_proved_by_the_hit_policy_of_their_table)
{
	static const char rows[] = "$.groups[0].rules[0].table.rows[0]";

	expect_level(TABLE("'hit':'first'", "{'if':['> 1'],'bps':-5500},{'if':['> 2'],'bps':900}"),
		rows, FINDING_ERROR);
	expect_level(TABLE("'hit':'collect','aggregate':'sum'",
			     "{'if':['> 1'],'bps':-5500},{'if':['> 2'],'bps':900}"),
		rows, FINDING_WARNING);
	expect_level(TABLE("'hit':'collect','aggregate':'max'",
			     "{'if':['> 1'],'bps':-5500},{'if':['> 2'],'bps':900}"),
		rows, FINDING_ERROR);
}

Test(guard_proof, narrower_guards_count_for_rules_that_are_for_their_collections_only)
{
	static const char guards[] = ",'guards':{'collections':{'apes':{'max_discount_bps':1000},'"
				     "cats':{'max_discount_bps':2000},"
				     "'dogs':{'max_discount_bps':9000}}}";
	static const struct {
		const char *when;
		int bps, level;
	} all[] = {
		{ "item.collection == `apes`", -1001, FINDING_ERROR },
		{ "item.collection == `apes`", -1000, NOTHING },
		{ "item.collection in [`apes`,`cats`]", -1500, NOTHING },
		{ "item.collection in [`apes`,`cats`]", -2001, FINDING_ERROR },
		{ "item.collection in [`apes`,`fish`]", -2001, NOTHING },
		{ "item.collection != `fish`", -2001, NOTHING },
		{ "item.collection == `dogs`", -5001, FINDING_ERROR }, /* never wider */
		{ "item.left > 1", -2001, NOTHING },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		char text[1024];

		snprintf(text, sizeof(text),
			"{'id':'g','mode':'stack','rules':[{'id':'a','when':'%s','bps':%d,%s}]}]%s",
			all[i].when, all[i].bps, WORDS, guards);
		expect_level(text, FIRST, all[i].level);
	}
}

Test(guard_proof, rules_that_never_fire_are_left_alone)
{
	expect_level(
		"{'id':'g','mode':'stack','rules':[{'id':'a','enabled':false,'bps':-9000," WORDS
		"},{'id':'b','when':'item.left > 5 && item.left < 3','bps':-9000," WORDS "}]}]",
		NULL, NOTHING);
}

Test(guard_proof, help_of_many_groups_is_multiplied)
{
	expect_level("{'id':'g','mode':'stack','rules':[{'id':'a','when':'item.left > "
		     "1','bps':-7500," WORDS "}]},"
		     "{'id':'h','mode':'stack','rules':[{'id':'b','when':'item.left > "
		     "1','bps':5000," WORDS "}]},"
		     "{'id':'i','mode':'stack','rules':[{'id':'c','when':'item.left > "
		     "1','bps':3333," WORDS "}]}]",
		FIRST, FINDING_ERROR); /* 0.25 * 1.5 * 1.3333 = 0.4999 */
	expect_level("{'id':'g','mode':'stack','rules':[{'id':'a','when':'item.left > "
		     "1','bps':-7500," WORDS "}]},"
		     "{'id':'h','mode':'stack','rules':[{'id':'b','when':'item.left > "
		     "1','bps':5000," WORDS "}]},"
		     "{'id':'i','mode':'stack','rules':[{'id':'c','when':'item.left > "
		     "1','bps':3334," WORDS "}]}]",
		FIRST, FINDING_WARNING);
}

Test(guard_proof, a_price_below_nothing_is_nothing)
{
	CLEANUP(parsed_fini)
	struct parsed p = prove("{'id':'g','mode':'stack','rules':[{'id':'a','when':'item.left > "
				"1','bps':-9000," WORDS "},{'id':'b','bps':-9000," WORDS "}]}]");
	const struct finding *f = finding_of(&p, FIRST, "guard-bound");

	cr_assert(ne(ptr, (void *)f, NULL));
	cr_expect(ne(ptr, strstr(f->text, "the price is 0.00 % of the list price at most"), NULL),
		"%s", f->text);
}

/* ---- proofs against decisions ---- */

static uint64_t state;

static int below(int n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (int)(state % (uint64_t)n);
}

static int some_bps(void)
{
	return below(4) ? -500 * below(14) : 500 * below(7);
}

static void put_condition(struct buf *b)
{
	int from = below(8);

	if (below(6))
		buf_printf(
			b, "'when':'item.left >= %d && item.left <= %d',", from, from + below(8));
}

static void put_rule(struct buf *b, int number, bool is_first)
{
	static const char *const hits[] = { "'first'", "'collect','aggregate':'sum'",
		"'collect','aggregate':'min'", "'collect','aggregate':'max'" };
	int n = 1 + below(3);

	buf_printf(b, "%s{'id':'r%d',%s,%s", is_first ? "" : ",", number, WORDS,
		below(8) ? "" : "'enabled':false,");
	put_condition(b);
	if (below(3)) {
		buf_printf(b, "'bps':%d}", some_bps());
		return;
	}
	buf_printf(b, "'table':{'hit':%s,'inputs':['item.left'],'rows':[", hits[below(4)]);
	for (int i = 0; i < n; i++)
		buf_printf(b, "%s{'if':['>= %d'],'bps':%d}", i ? "," : "", below(9), some_bps());
	buf_puts(b, STR("]}}"));
}

static void put_document(struct buf *b)
{
	int n_groups = 1 + below(3), number = 0;

	buf_puts(b, STR("{'name':'t','version':'1','groups':["));
	for (int g = 0; g < n_groups; g++) {
		int n = 1 + below(4);

		buf_printf(b, "%s{'id':'g%d','mode':'%s','rules':[", g ? "," : "", g,
			group_mode_names[below(4)]);
		for (int i = 0; i < n; i++)
			put_rule(b, number++, i == 0);
		buf_puts(b, STR("]}"));
	}
	buf_puts(b, STR("]}"));
	buf_putc(b, '\0');
}

static bool is_proved(const struct parsed *p, const struct fired *f)
{
	const struct rule *rule = &p->rules->rules[f->rule];
	const struct group *g = &p->rules->groups[rule->group];
	char path[96];
	int n = snprintf(
		path, sizeof(path), "$.groups[%u].rules[%u]", rule->group, f->rule - g->first);

	if (rule->table)
		snprintf(path + n, sizeof(path) - (size_t)n, ".table.rows[%td]",
			f->line - rule->rows);
	for (size_t i = 0; i < p->findings.n; i++) {
		if (p->findings.v[i].level == FINDING_ERROR && !strcmp(p->findings.v[i].path, path))
			return true;
	}
	return false;
}

/* Every line that fired though it was proved to end at a guard: did it? */
static size_t check_offers(const struct parsed *p, struct decide_scratch *s, const char *text)
{
	static struct decided d;
	const struct money list = { 1000000000000000000, currency_find(STR("ETH")) };
	const u128 floor = list.amount / 2, ceiling = list.amount / 10 * 11;
	size_t n = 0;

	for (int left = 0; left < 16; left++) {
		struct price_inputs in = { .inventory = { .list = list, .supply = left } };

		decide(p->rules, s, &in, 0, list, true, &d);
		for (size_t i = 0; i < d.n_fired; i++) {
			const struct fired *f = &d.fired[i];

			if (f->state != FIRED || !is_proved(p, f))
				continue;
			n++;
			cr_expect(f->bps < 0 ? d.price < floor : d.price > ceiling,
				"%.*s with %d left\n%s\n%s", (int)f->line->id.n, f->line->id.p,
				left, text, all_findings(p));
		}
	}
	return n;
}

Test(guard_proof, no_offer_contradicts_a_proof)
{
	struct decide_scratch *s = NULL;
	size_t n = 0;

	cr_assert(zero(int, decide_scratch_new(&s)));
	for (uint64_t seed = 1; seed <= 600; seed++) {
		CLEANUP(buf_fini) struct buf b = BUF_INIT(64 * 1024);
		struct parsed p;

		state = seed * UINT64_C(0x9e3779b97f4a7c15);
		put_document(&b);
		p = parse_text(b.p);
		cr_assert(zero(int, p.r), "%s\n%s", b.p, all_findings(&p));
		findings_fini(&p.findings);
		ruleset_guard_report(p.rules, &numbers, &p.findings);
		n += check_offers(&p, s, b.p);
		parsed_fini(&p);
	}
	cr_expect(gt(sz, n, 500)); /* there was something to contradict */
	decide_scratch_free(s);
}
