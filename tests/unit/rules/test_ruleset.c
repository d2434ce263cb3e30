#include "ruleset_support.h"

#include <errno.h>

static const char everything[] =
	"{'name':'demo','version':'2','title':'A "
	"demo','note':'n','rounding':'down','language':'en',"
	"'disclosure':{'default':'Made for you.','DE':'Fuer dich gemacht.'},"
	"'guards':{'collections':{'punks':{'max_premium_bps':10},'apes':{'min_margin_bps':500,'"
	"round':'0.001'}},"
	"'items':{'eip155:1/erc721:0xab/77':{'max_discount_bps':1000,'floor_over_bid_bps':400}}},"
	"'groups':["
	"{'id':'loyalty','mode':'stack','rules':["
	"{'id':'gold-evening','title':'Gold','owner':'team','note':'why','enabled':true,"
	"'valid':{'from':'2026-11-01T00:00','to':'2026-12-01','tz':'Europe/Berlin',"
	"'weekdays':['mon','fri'],'hours':['18:00-22:00','23:00-02:00']},"
	"'audience':'customer.tier in [`gold`,`platinum`]','when':'session.dwell_ms > 3000',"
	"'bps':-500,'perks':[{'id':'early','text':{'en':'Early access'}}],"
	"'explanation':{'en':'Gold member','de':'Gold-Mitglied'}},"
	"{'id':'collector','when':'customer.segment == `collector` && size(session.place) > 3',"
	"'discount':'eth(\\'0.01\\')','explanation':{'en':'Collector'}},"
	"{'id':'off','enabled':false,'bps':-100,'explanation':{'en':'Never'}}]},"
	"{'id':'volume','mode':'best_for_customer','rules':["
	"{'id':'points','when':'customer.points > 0','explanation':{'en':'Points'},"
	"'table':{'hit':'first','inputs':['customer.points','customer.segment'],'rows':["
	"{'id':'many','if':['>= 5000','-'],'bps':-300,'explanation':{'en':'Many points'}},"
	"{'if':['>= 1000','`vip`'],'bps':-200},"
	"{'if':['-','-'],'bps':'bps(-10 * 2)'}]}},"
	"{'id':'not-here','when':'session.place == `lobby`','suppress':true}]}],"
	"'suggest':[{'id':'sold-out','when':'item.left == 0','items':['eip155:1/erc721:0xab/78']}],"
	"'tests':[{'id':'gold gets 5 %','at':'2026-11-20T19:00:00Z',"
	"'given':{'customer.tier':'gold','session.dwell_ms':4000,'item.list':'1.25 ETH'},"
	"'expect':{'price':'1.1875 ETH','outcome':'OFFER','fired':['gold-evening'],"
	"'not_fired':['points/many','not-here'],'perks':['early'],'suggest':['sold-out'],"
	"'alternatives':['eip155:1/erc721:0xab/78'],'personalised':true}}]}";

Test(ruleset, a_document_with_everything_is_taken)
{
	CLEANUP(parsed_fini) struct parsed p = parse_text(everything);
	const struct ruleset *r = p.rules;

	cr_assert(zero(int, p.r), "%s", all_findings(&p));
	cr_expect(eq(sz, p.findings.n_errors, 0));
	cr_expect(str_eqz(ruleset_name(r), "demo"));
	cr_expect(str_eqz(ruleset_version(r), "2"));
	cr_expect(eq(int, r->rounding, ROUND_DOWN));
	cr_expect(eq(sz, ruleset_n_rules(r), 5));
	cr_expect(eq(sz, r->n_groups, 2));
	cr_expect(eq(int, r->groups[1].mode, GROUP_BEST_FOR_CUSTOMER));
	cr_expect(eq(u32, r->groups[1].first, 3));
	cr_expect(gt(u64, ruleset_cost(r), 0));
	cr_expect(str_eqz(ruleset_disclosure(r, STR("DE")), "Fuer dich gemacht."));
	cr_expect(str_eqz(ruleset_disclosure(r, STR("FR")), "Made for you."));
	cr_expect(str_eqz(ruleset_disclosure(r, STR_NONE), "Made for you."));
	cr_expect(eq(sz, json_array_size(r->tests), 1));
}

Test(ruleset, lines_have_names_effects_labels_and_words)
{
	CLEANUP(parsed_fini) struct parsed p = parse_text(everything);
	const struct rule *rule;

	cr_assert(zero(int, p.r), "%s", all_findings(&p));
	rule = &p.rules->rules[0];
	cr_expect(str_eqz(rule->line.id, "gold-evening"));
	cr_expect(eq(int, rule->line.effect.kind, EFFECT_BPS));
	cr_expect(eq(i32, rule->line.effect.bps, -500));
	cr_expect(eq(u8, rule->line.labels, 1u << LABEL_MEMBER | 1u << LABEL_CONTEXT));
	cr_assert(eq(u32, rule->line.n_perks, 1));
	cr_expect(str_eqz(rule->line.perks[0].id, "early"));
	cr_expect(str_eqz(texts_in(rule->line.perks[0].text, 1), "Early access"));
	cr_expect(str_eqz(texts_in(rule->line.explanation, 0), "Gold member"));
	cr_expect(str_eqz(texts_in(rule->line.explanation, 1), "Gold-Mitglied"));
	cr_expect(eq(str, (char *)rule->source,
		"(customer.tier in ['gold','platinum']) && (session.dwell_ms > 3000)"));
	cr_expect(eq(u32, rule->n_rest, 0));
	cr_expect(eq(u32, rule->n_tests, 2));

	rule = &p.rules->rules[1];
	cr_expect(eq(int, rule->line.effect.kind, EFFECT_DISCOUNT));
	cr_expect(ne(ptr, (void *)rule->line.effect.program, NULL));
	cr_expect(eq(u8, rule->line.labels, 1u << LABEL_PERSONAL | 1u << LABEL_CONTEXT));
	cr_expect(eq(u32, rule->n_rest, 1));
	cr_expect(eq(u32, rule->n_rest_impersonal, 1));
	cr_expect(eq(int, p.rules->rules[4].line.effect.kind, EFFECT_SUPPRESS));
	cr_expect(not(p.rules->rules[2].is_enabled));
}

Test(ruleset, rows_are_lines_of_their_rule)
{
	CLEANUP(parsed_fini) struct parsed p = parse_text(everything);
	const struct rule *rule;

	cr_assert(zero(int, p.r), "%s", all_findings(&p));
	rule = &p.rules->rules[3];
	cr_assert(ne(ptr, rule->table, NULL));
	cr_expect(str_eqz(rule->rows[0].id, "points/many"));
	cr_expect(str_eqz(rule->rows[1].id, "points/2"));
	cr_expect(str_eqz(texts_in(rule->rows[0].explanation, 0), "Many points"));
	cr_expect(str_eqz(texts_in(rule->rows[1].explanation, 0), "Points"));
	cr_expect(eq(i32, rule->rows[0].effect.bps, -300));
	cr_expect(ne(ptr, (void *)rule->rows[2].effect.program, NULL));
	cr_expect(eq(u8, rule->rows[0].labels, 1u << LABEL_MEMBER));
	cr_expect(eq(u8, rule->rows[1].labels, 1u << LABEL_MEMBER | 1u << LABEL_PERSONAL));
	cr_expect(zero(u8, rule->rows[2].labels));
	cr_assert(ne(ptr, (void *)rule->rows_impersonal, NULL));
	cr_expect(eq(u64, rule->rows_impersonal[0], 5));
}

Test(ruleset, guards_are_sorted_by_what_they_are_for)
{
	CLEANUP(parsed_fini) struct parsed p = parse_text(everything);
	const struct guard_setting *s;

	cr_assert(zero(int, p.r), "%s", all_findings(&p));
	cr_assert(eq(sz, p.rules->n_guard_collections, 2));
	s = p.rules->guard_collections;
	cr_expect(str_eqz(s[0].key, "apes"));
	cr_expect(eq(i64, s[0].min_margin_bps, 500));
	cr_expect(eq(i64, s[0].max_premium_bps, -1));
	cr_expect(str_eqz(s[0].round, "0.001"));
	cr_expect(str_eqz(s[1].key, "punks"));
	cr_expect(not(str_is_set(s[1].round)));
	cr_assert(eq(sz, p.rules->n_guard_items, 1));
	cr_expect(eq(i64, p.rules->guard_items[0].max_discount_bps, 1000));
	cr_expect(eq(i64, p.rules->guard_items[0].floor_over_bid_bps, 400));
}

Test(ruleset, languages_are_found_by_tag_then_by_language_then_the_own)
{
	CLEANUP(parsed_fini)
	struct parsed p = parse_rules(
		"{'id':'a','bps':-1,'explanation':{'de':'d','en':'e','de-AT':'a','es-419':'s'}}");
	const struct ruleset *r = p.rules;
	const struct texts *t;

	cr_assert(zero(int, p.r), "%s", all_findings(&p));
	t = r->rules[0].line.explanation;
	cr_expect(str_eqz(texts_in(t, ruleset_language(r, STR("de"))), "d"));
	cr_expect(str_eqz(texts_in(t, ruleset_language(r, STR("de-at"))), "a"));
	cr_expect(str_eqz(texts_in(t, ruleset_language(r, STR("de-CH"))), "d"));
	cr_expect(str_eqz(texts_in(t, ruleset_language(r, STR("es-419"))), "s"));
	cr_expect(str_eqz(texts_in(t, ruleset_language(r, STR("fr-FR"))), "e"));
	cr_expect(str_eqz(texts_in(t, ruleset_language(r, STR_NONE)), "e"));
	cr_expect(str_eqz(texts_in(t, 31), "e"));
	cr_expect(not(str_is_set(texts_in(NULL, 0))));
}

/* ---- identity ---- */

Test(ruleset, identity_is_that_of_the_canonical_form)
{
	static const char one[] = "{'name':'t','version':'1','groups':[]}";
	static const char other[] = " {'groups' : [ ],\n'version':'\\u0031', 'name':'t'}";
	CLEANUP(parsed_fini) struct parsed a = parse_text(one), b = parse_text(other);

	cr_assert(zero(int, a.r), "%s", all_findings(&a));
	cr_assert(zero(int, b.r), "%s", all_findings(&b));
	cr_expect(
		str_eqz(ruleset_body(a.rules), "{\"groups\":[],\"name\":\"t\",\"version\":\"1\"}"));
	cr_expect(str_eq(ruleset_id(a.rules), ruleset_id(b.rules)));
	/* printf '{"groups":[],"name":"t","version":"1"}' | sha256sum */
	cr_expect(str_eqz(ruleset_id(a.rules),
		"sha256:25f72c44effb20d6303c2914b034a3432de6364dfe11ae25066a0d1b78d7ab85"));
}

Test(ruleset, no_findings_may_be_asked_for)
{
	struct ruleset *r = NULL;
	struct fault f = { 0 };

	cr_assert(
		zero(int, ruleset_parse(&r, STR("{\"name\":\"t\",\"version\":\"1\",\"groups\":[]}"),
				  price_schema(), NULL, NULL)));
	r = ruleset_free(r);
	cr_expect(eq(int, ruleset_parse(&r, STR("{}"), price_schema(), NULL, &f), -EINVAL));
	cr_expect(eq(str, f.text, "$: \"name\" is missing"));
	cr_expect(zero(ptr, r));
}

/* ---- what is wrong, where, and what would be right ---- */

struct wrong {
	const char *text; /* a document, or a rule of group "g" */
	const char *path, *code;
	const char *says; /* of text or hint */
};

static void expect_wrong(const struct wrong *w, struct parsed p)
{
	const struct finding *f = finding_of(&p, w->path, w->code);

	cr_expect(eq(int, p.r, -EINVAL), "%s", w->text);
	cr_expect(zero(ptr, p.rules), "%s", w->text);
	cr_expect(ne(ptr, (void *)f, NULL), "%s\nno %s at %s:\n%s", w->text, w->code, w->path,
		all_findings(&p));
	if (f)
		cr_expect(strstr(f->text, w->says) || (f->hint && strstr(f->hint, w->says)),
			"%s\n%s: %s (%s)", w->text, w->says, f->text, f->hint ? f->hint : "");
	parsed_fini(&p);
}

#define DOC(more) "{'name':'t','version':'1','groups':[]" more "}"
#define DEEP10    "[[[[[[[[[["

Test(ruleset, what_is_wrong_with_a_document_is_said_at_its_place)
{
	static const struct wrong all[] = {
		{ "{'name':'t',", "$", "json", "line 1, column 12" },
		{ "", "$", "json", "line 1, column 0" },
		{ "{'name':'t','name':'u'}", "$", "json", "duplicate" },
		{ "[]", "$", "value", "must be an object" },
		{ "{'version':'1','groups':[]}", "$", "member", "\"name\" is missing" },
		{ "{'name':'a b','version':'1','groups':[]}", "$.name", "value", "A-Z a-z 0-9" },
		{ "{'name':'t','groups':[]}", "$", "member", "\"version\" is missing" },
		{ "{'name':'t','version':1,'groups':[]}", "$.version", "value", "must be a text" },
		{ "{'name':'t','version':'1'}", "$.groups", "member", "array of groups" },
		{ DOC(",'gruops':[]"), "$", "member", "did you mean \"groups\"?" },
		{ DOC(",'approval':{}"), "$", "reserved", "\"approval\" is reserved" },
		{ DOC(",'rounding':'half_evn'"), "$.rounding", "value", "\"half_even\"" },
		{ DOC(",'rounding':1"), "$.rounding", "value", "one of down, up" },
		{ DOC(",'language':'english'"), "$.language", "value", "\"en\"" },
		{ DOC(",'note':1.5"), "$.note", "value", "integer of at most 53 bits" },
		{ DOC(",'suggest':[{'id':'a','items':[9007199254740992]}]"),
			"$.suggest[0].items[0]", "value", "53 bits" },
		{ DOC(",'note':" DEEP10 DEEP10 "]]]]]]]]]]]]]]]]]]]]"),
			"$.note[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]", "limit", "deeper" },
		{ DOC(",'disclosure':{'de':'x','default':'x'}"), "$.disclosure", "disclosure",
			"\"de\" is neither a country" },
		{ DOC(",'disclosure':[]"), "$.disclosure", "disclosure", "by country" },
		{ DOC(",'disclosure':{'default':''}"), "$.disclosure.default", "value",
			"1 to 200" },
		{ "{'name':'t','version':'1','groups':[{'id':'g','mode':'stack','rules':["
		  "{'id':'a','when':'customer.points > 1','bps':-1,'explanation':{'en':'x'}}]}]}",
			"$.disclosure", "disclosure", "\"default\" is missing" },
		{ "{'name':'t','version':'1','groups':[{'id':'g','rules':[]}]}", "$.groups[0]",
			"member", "\"mode\" is missing" },
		{ "{'name':'t','version':'1','groups':[{'id':'g','mode':'fisrt','rules':[]}]}",
			"$.groups[0].mode", "value", "did you mean \"first\"?" },
		{ "{'name':'t','version':'1','groups':[{'id':'g','mode':'first'}]}",
			"$.groups[0].rules", "member", "array of rules" },
		{ "{'name':'t','version':'1','groups':[{'id':'g','mode':'first','rules':[]},"
		  "{'id':'g','mode':'first','rules':[]}]}",
			"$.groups[1].id", "id", "\"g\" is there already" },
		{ "{'name':'t','version':'1','groups':[7]}", "$.groups[0]", "value", "an object" },
		{ DOC(",'guards':{'collection':{}}"), "$.guards", "member", "\"collections\"" },
		{ DOC(",'guards':{'items':{'Nope':{}}}"), "$.guards.items[\"Nope\"]", "value",
			"is no item id" },
		{ DOC(",'guards':{'collections':{'apes':{'min_margin':1}}}"),
			"$.guards.collections[\"apes\"]", "member", "\"min_margin_bps\"" },
		{ DOC(",'guards':{'collections':{'apes':{'max_discount_bps':10001}}}"),
			"$.guards.collections[\"apes\"].max_discount_bps", "value", "0 to 10000" },
		{ DOC(",'guards':{'collections':{'apes':{'min_margin_bps':'5'}}}"),
			"$.guards.collections[\"apes\"].min_margin_bps", "value", "integer" },
		{ DOC(",'guards':{'collections':{'apes':{'round':'0.000'}}}"),
			"$.guards.collections[\"apes\"].round", "value", "\"0.0001\"" },
		{ DOC(",'guards':{'collections':{'apes':{'round':'.5'}}}"),
			"$.guards.collections[\"apes\"].round", "value", "whole units" },
		{ DOC(",'guards':{'collections':[]}"), "$.guards.collections", "value",
			"by collection" },
		{ DOC(",'suggest':[{'id':'a'}]"), "$.suggest[0].items", "member", "1 to 8 items" },
		{ DOC(",'suggest':[{'id':'a','items':['x']}]"), "$.suggest[0].items", "value",
			"CAIP-19" },
		{ DOC(",'suggest':[{'id':'a','items':['a-1:b/c-d:e/f','a-1:b/c-d:e/f']}]"),
			"$.suggest[0].items", "id", "there already" },
		{ DOC(",'suggest':[{'id':'a','when':'1','items':['a-1:b/c-d:e/f']}]"),
			"$.suggest[0].when", "type", "bool" },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		expect_wrong(&all[i], parse_text(all[i].text));
}

#define RULE(more) "{'id':'a','explanation':{'en':'x'}," more "}"
#define AT         "$.groups[0].rules[0]"

Test(ruleset, what_is_wrong_with_a_rule_is_said_at_its_place)
{
	static const struct wrong all[] = {
		{ "7", AT, "value", "must be an object" },
		{ "{'bps':-1,'explanation':{'en':'x'}}", AT, "member", "\"id\" is missing" },
		{ RULE("'bps':-1,'wen':'true'"), AT, "member", "did you mean \"when\"?" },
		{ RULE("'bps':-1,'budget':{}"), AT, "reserved", "\"budget\" is reserved" },
		{ RULE("'bps':-1,'experiment':{}"), AT, "reserved",
			"this version does not know it" },
		{ RULE("'bps':-1,'enabled':1"), AT ".enabled", "value", "true or false" },
		{ RULE("'bps':-1,'note':''"), AT ".note", "value", "1 to 1000" },
		{ RULE("'bps':-1,'when':true"), AT ".when", "value", "an expression" },
		{ RULE("'bps':-1,'when':'customer.teir == `gold`'"), AT ".when", "undeclared",
			"customer.tier" },
		{ RULE("'bps':-1,'when':'customer.points >'"), AT ".when", "syntax", "" },
		{ RULE("'bps':-1,'audience':'customer.points'"), AT ".audience", "type", "bool" },
		{ RULE("'bps':-1,'when':'customer.tier == `glod`'"), AT ".when", "enum", "gold" },
		{ RULE("'bps':-1,'when':'session.dwell_ms > customer.points'"), AT ".when", "unit",
			"" },
		{ RULE("'bps':-1,'when':'customer.gender == `f`'"), AT ".when", "sensitive",
			"protected trait" },
		{ RULE("'bps':-1,'when':'session.place.matches(session.app)'"), AT ".when",
			"pattern", "" },
		{ RULE("'bps':10001"), AT ".bps", "value", "-10000 to 10000" },
		{ RULE("'bps':'customer.points'"), AT ".bps", "type", "bps" },
		{ RULE("'discount':'bps(5)'"), AT ".discount", "type", "money" },
		{ RULE("'discount':5"), AT ".discount", "value", "an expression" },
		{ RULE("'bps':-1,'suppress':true"), AT ".suppress", "value", "one effect each" },
		{ RULE("'suppress':false"), AT ".suppress", "value", "must be true" },
		{ "{'id':'a'}", AT, "member", "has no effect" },
		{ "{'id':'a','bps':-1}", AT, "explanation", "\"explanation\" is missing" },
		{ "{'id':'a','bps':-1,'explanation':{'de':'x'}}", AT ".explanation", "explanation",
			"no text in \"en\"" },
		{ "{'id':'a','bps':-1,'explanation':{'en':'x','deutsch':'y'}}", AT ".explanation",
			"explanation", "\"deutsch\" is no language" },
		{ "{'id':'a','bps':-1,'explanation':'x'}", AT ".explanation", "explanation",
			"by language" },
		{ "{'id':'a','bps':-1,'explanation':{'en':7}}", AT ".explanation.en", "value",
			"1 to 200" },
		{ "{'id':'a','perks':[{'id':'p'}]}", AT ".perks[0].text", "explanation",
			"by language" },
		{ "{'id':'a','perks':[{'id':'p','text':{'en':'x'}},{'id':'p','text':{'en':'x'}}]}",
			AT ".perks[1].id", "id", "there already" },
		{ "{'id':'a','perks':[{'id':'p','text':{'en':'x'}}]},"
		  "{'id':'b','perks':[{'id':'p','text':{'en':'y'}}]}",
			"$.groups[0].rules[1].perks[0].id", "id", "another text" },
		{ "{'id':'a','perks':[1,2,3,4,5,6,7,8,9]}", AT ".perks", "limit", "at most 8" },
		{ "{'id':'a','suppress':true},{'id':'a','suppress':true}",
			"$.groups[0].rules[1].id", "id", "\"a\" is there already" },
		{ RULE("'table':7"), AT ".table", "value", "must be an object" },
		{ RULE("'bps':-1,'table':{'hit':'first','inputs':['item.left'],'rows':[]}"),
			AT ".bps", "value", "its rows have effects" },
		{ RULE("'table':{'hit':'first','inputs':['item.left'],'rows':[{'if':['1'],'id':'3',"
		       "'bps':-1}]}"),
			AT ".table.rows[0].id", "id", "is a number" },
		{ RULE("'table':{'hit':'first','inputs':['item.left'],'rows':[{'if':['1'],'bsp':-1}"
		       "]}"),
			AT ".table.rows[0]", "member", "did you mean \"bps\"?" },
		{ "{'id':'a','table':{'hit':'first','inputs':['item.left'],'rows':[{'if':['1'],'"
		  "bps':-1}]}}",
			AT ".table.rows[0]", "explanation", "\"explanation\" is missing" },
		{ RULE("'table':{'hit':'collect','aggregate':'min','inputs':['item.left'],"
		       "'rows':[{'if':['1'],'discount':'eth(`1`)'}]}"),
			AT ".table.rows[0].discount", "value", "cannot be compared" },
		{ RULE("'table':{'hit':'first','inputs':['item.lfet'],'rows':[{'if':['1'],'bps':-1}"
		       "]}"),
			AT ".table.inputs[0]", "undeclared", "item.left" },
		{ RULE("'bps':-1,'valid':{'from':'2026-13-01','tz':'UTC'}"), AT ".valid.from",
			"value", "is no time" },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		expect_wrong(&all[i], parse_rules(all[i].text));
}

#define TEST(more) DOC(",'tests':[{'id':'t'," more "}]")

Test(ruleset, what_is_wrong_with_a_test_is_said_before_it_runs)
{
	static const struct wrong all[] = {
		{ TEST("'given':{}"), "$.tests[0].expect", "value", "must be an object" },
		{ TEST("'expect':{}"), "$.tests[0].expect", "test", "always pass" },
		{ TEST("'expect':{'prices':'1 ETH'}"), "$.tests[0].expect", "member", "\"price\"" },
		{ TEST("'expect':{'price':'1'}"), "$.tests[0].expect.price", "test", "1.25 ETH" },
		{ TEST("'expect':{'outcome':'OFER'}"), "$.tests[0].expect.outcome", "value",
			"\"OFFER\"" },
		{ TEST("'expect':{'reason':'SOLDOUT'}"), "$.tests[0].expect.reason", "value",
			"\"SOLD_OUT\"" },
		{ TEST("'expect':{'not_fired':['a']}"), "$.tests[0].expect.not_fired", "test",
			"there is no rule \"a\"" },
		{ TEST("'expect':{'perks':['p']}"), "$.tests[0].expect.perks", "test",
			"there is no perk" },
		{ TEST("'expect':{'suggest':['p']}"), "$.tests[0].expect.suggest", "test",
			"there is no suggestion" },
		{ TEST("'expect':{'alternatives':['p']}"), "$.tests[0].expect.alternatives", "test",
			"no item id" },
		{ TEST("'expect':{'personalised':1}"), "$.tests[0].expect.personalised", "value",
			"true or false" },
		{ TEST("'expect':{'price':'1 ETH'},'given':{'customer.teir':'gold'}"),
			"$.tests[0].given", "test", "customer.tier" },
		{ TEST("'expect':{'price':'1 ETH'},'given':[]"), "$.tests[0].given", "test",
			"values by field" },
		{ TEST("'expect':{'price':'1 ETH'},'at':'noon'"), "$.tests[0].at", "test",
			"2026-11-20T19:00:00Z" },
		{ DOC(",'tests':[{'id':'t','expect':{'price':'1 "
		      "ETH'}},{'id':'t','expect':{'price':'1 ETH'}}]"),
			"$.tests[1].id", "id", "there already" },
		{ DOC(",'tests':[{'expect':{'price':'1 ETH'}}]"), "$.tests[0]", "member",
			"\"id\" is missing" },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		expect_wrong(&all[i], parse_text(all[i].text));
}

Test(ruleset, a_test_that_names_nearly_a_rule_is_told_which)
{
	CLEANUP(parsed_fini)
	struct parsed p =
		parse_text("{'name':'t','version':'1','groups':[{'id':'g','mode':'stack','rules':["
			   "{'id':'gold-tier','suppress':true}]}],"
			   "'tests':[{'id':'t','expect':{'fired':['gold-teir']}}]}");
	const struct finding *f = finding_of(&p, "$.tests[0].expect.fired", "test");

	cr_assert(ne(ptr, (void *)f, NULL));
	cr_expect(eq(str, f->hint, "did you mean \"gold-tier\"?"));
}

Test(ruleset, all_errors_are_found_and_the_first_becomes_the_fault)
{
	CLEANUP(parsed_fini)
	struct parsed p = parse_rules("{'id':'a','bps':0.5,'when':'customer.teir == "
				      "1'},{'id':'b','when':'1 +'},{'id':7}");

	cr_expect(eq(int, p.r, -EINVAL));
	cr_expect(ge(sz, p.findings.n_errors, 5));
	cr_expect(eq(int, strncmp(p.fault.text, "$.groups[0].rules[0].bps: must be an integer", 44),
			  0),
		"%s", p.fault.text);
}

Test(ruleset, earlier_findings_of_the_caller_are_not_this_documents)
{
	CLEANUP(findings_fini) struct findings f = FINDINGS_INIT;
	struct ruleset *r = NULL;
	struct fault fault = { 0 };

	findings_add(&f, FINDING_ERROR, "$.other", "value", "of another");
	cr_expect(
		zero(int, ruleset_parse(&r, STR("{\"name\":\"t\",\"version\":\"1\",\"groups\":[]}"),
				  price_schema(), &f, &fault)));
	r = ruleset_free(r);
	cr_expect(eq(int, ruleset_parse(&r, STR("[]"), price_schema(), &f, &fault), -EINVAL));
	cr_expect(eq(int, strncmp(fault.text, "$: must be an object", 20), 0));
}

/* ---- warnings ---- */

struct warned {
	const char *rules, *path, *code, *says;
};

Test(ruleset, what_is_probably_not_meant_is_a_warning)
{
	static const struct warned all[] = {
		{ RULE("'bps':-1,'when':'customer.points > 5 && customer.points < 3'"), AT,
			"dead-rule", "customer.points" },
		{ RULE("'bps':-1,'audience':'item.left > 5','when':'item.left == 0'"), AT,
			"dead-rule", "item.left" },
		{ RULE("'bps':-1,'when':'session.locale == `de-DE`'"), AT, "label",
			"session.locale may stand in for" },
		{ RULE("'bps':'session.device == `phone` ? bps(-1) : bps(0)'"), AT, "label",
			"session.device" },
		{ RULE("'table':{'hit':'first','inputs':['customer.country'],'rows':[{'if':['`DE`']"
		       ",'bps':-1}]}"),
			AT ".table.rows[0]", "label", "nationality" },
		{ RULE("'bps':-1,'when':'item.left == 1'") ","
							   "{'id':'b','bps':-1,'explanation':{'en':"
							   "'x'},'when':'item.left == 1'}",
			"$.groups[0].rules[1]", "duplicate", "same condition as \"a\"" },
		{ RULE("'table':{'hit':'first','inputs':['item.left'],'rows':[{'if':['-'],'bps':-1}"
		       ","
		       "{'if':['3'],'bps':-2}]}"),
			NULL, "dead-row", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct parsed p = parse_rules(all[i].rules);
		const struct finding *f = finding_of(&p, all[i].path, all[i].code);

		cr_expect(zero(int, p.r), "%s\n%s", all[i].rules, all_findings(&p));
		cr_expect(ne(ptr, (void *)f, NULL), "%s\n%s", all[i].rules, all_findings(&p));
		if (f) {
			cr_expect(eq(int, f->level, FINDING_WARNING));
			cr_expect(ne(ptr, strstr(f->text, all[i].says), NULL), "%s", f->text);
		}
		parsed_fini(&p);
	}
}

Test(ruleset, a_note_answers_for_a_proxy)
{
	CLEANUP(parsed_fini)
	struct parsed p = parse_rules(
		RULE("'bps':-1,'when':'session.locale == `de-DE`','note':'translated texts'"));

	cr_expect(zero(int, p.r));
	cr_expect(zero(sz, p.findings.n_warnings), "%s", all_findings(&p));
}

Test(ruleset, the_second_of_the_same_condition_is_dead_where_the_first_wins)
{
	CLEANUP(parsed_fini)
	struct parsed p =
		parse_text("{'name':'t','version':'1','groups':[{'id':'g','mode':'first','rules':["
			   "{'id':'a','suppress':true,'when':'item.left == 1'},"
			   "{'id':'b','suppress':true,'when':'item.left == 1'}]}]}");
	const struct finding *f = finding_of(&p, "$.groups[0].rules[1]", "dead-rule");

	cr_assert(ne(ptr, (void *)f, NULL), "%s", all_findings(&p));
	cr_expect(eq(int, f->level, FINDING_WARNING));
}

Test(ruleset, rules_that_are_switched_off_are_checked_all_the_same)
{
	CLEANUP(parsed_fini)
	struct parsed p = parse_rules(
		"{'id':'a','enabled':false,'when':'customer.teir == 1','suppress':true}");

	cr_expect(ne(ptr, (void *)finding_of(&p, AT ".when", "undeclared"), NULL));
}

Test(ruleset, a_table_that_may_be_hit_twice_is_refused_if_it_says_unique)
{
	CLEANUP(parsed_fini)
	struct parsed p = parse_rules(RULE("'table':{'hit':'unique','inputs':['item.left'],'rows':["
					   "{'if':['> 3'],'bps':-1},{'if':['> 5'],'bps':-2}]}"));
	const struct finding *f = finding_of(&p, NULL, "overlap");

	cr_expect(eq(int, p.r, -EINVAL));
	cr_assert(ne(ptr, (void *)f, NULL));
	cr_expect(eq(int, f->level, FINDING_ERROR));
}

/* ---- limits ---- */

static struct parsed parse_many(size_t n, const char *fmt)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(4 * 1024 * 1024);
	struct parsed p;

	for (size_t i = 0; i < n; i++) {
		buf_puts(&b, i ? STR(",") : STR(""));
		buf_printf(&b, fmt, i, i);
	}
	buf_putc(&b, '\0');
	p = parse_rules(b.p);
	return p;
}

Test(ruleset, more_rules_than_there_may_be_are_refused)
{
	CLEANUP(parsed_fini) struct parsed p = parse_many(1025, "{'id':'r%zu','suppress':true}");

	cr_expect(ne(ptr, (void *)finding_of(&p, "$.groups", "limit"), NULL));
}

Test(ruleset, as_many_rules_as_there_may_be_are_taken)
{
	CLEANUP(parsed_fini)
	struct parsed p = parse_many(1024,
		"{'id':'r%zu','when':'customer.points >= %zu','bps':-1,'explanation':{'en':'x'}}");

	cr_expect(zero(int, p.r), "%s", all_findings(&p));
}

Test(ruleset, what_one_offer_could_cost_is_bounded)
{
	CLEANUP(parsed_fini)
	struct parsed p = parse_many(400, "{'id':'r%zu','when':'session.place + session.app + "
					  "session.place == `%zu`','suppress':true}");
	const struct finding *f = finding_of(&p, "$.groups", "cost");

	cr_assert(ne(ptr, (void *)f, NULL), "%s", all_findings(&p));
	cr_expect(ne(ptr, strstr(f->text, "at most 50000"), NULL));
}

Test(ruleset, what_one_expression_could_cost_is_bounded)
{
	CLEANUP(parsed_fini)
	struct parsed p = parse_rules(
		"{'id':'a','suppress':true,'when':'market.flags.exists(a, market.flags.exists(b, "
		"market.flags.exists(c, a + b == c)))'}");

	cr_expect(
		ne(ptr, (void *)finding_of(&p, AT ".when", "cost"), NULL), "%s", all_findings(&p));
}

Test(ruleset, the_words_of_one_offer_are_bounded)
{
	static const char fmt[] =
		"{'id':'r%zu','bps':-1,'when':'item.left > %zu','explanation':{'en':'"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'}}";
	CLEANUP(parsed_fini) struct parsed p = parse_many(200, fmt);
	const struct finding *f = finding_of(&p, "$.groups", "limit");

	cr_assert(ne(ptr, (void *)f, NULL), "%s", all_findings(&p));
	cr_expect(ne(ptr, strstr(f->text, "the reasons of one offer"), NULL));
}

Test(ruleset, of_a_group_in_which_one_fires_only_the_longest_words_count)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(1024 * 1024);
	struct parsed p;
	char words[201];

	memset(words, 'x', 200);
	words[200] = '\0';
	buf_puts(&b, STR("{'name':'t','version':'1','groups':[{'id':'g','mode':'first','rules':["));
	for (int i = 0; i < 200; i++)
		buf_printf(&b,
			"%s{'id':'r%d','bps':-1,'when':'item.left > %d','explanation':{'en':'%s'}}",
			i ? "," : "", i, i, words);
	buf_puts(&b, STR("]}]}"));
	buf_putc(&b, '\0');
	p = parse_text(b.p);
	cr_expect(zero(int, p.r), "%s", all_findings(&p));
	parsed_fini(&p);
}

Test(ruleset, more_languages_than_there_may_be_are_refused)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(64 * 1024);
	struct parsed p;

	buf_puts(&b, STR("{'id':'a','bps':-1,'explanation':{'en':'x'"));
	for (int i = 0; i < 32; i++)
		buf_printf(&b, ",'%c%c':'x'", 'f' + i / 26, 'a' + i % 26);
	buf_puts(&b, STR("}}"));
	buf_putc(&b, '\0');
	p = parse_rules(b.p);
	cr_expect(ne(ptr, (void *)finding_of(&p, AT ".explanation", "limit"), NULL), "%s",
		all_findings(&p));
	parsed_fini(&p);
}

Test(ruleset, a_document_that_is_too_large_is_not_read)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(2 * 1024 * 1024);
	CLEANUP(findings_fini) struct findings f = FINDINGS_INIT;
	struct ruleset *r = NULL;

	for (int i = 0; i <= RULESET_BYTES_MAX; i++)
		buf_putc(&b, ' ');
	cr_expect(eq(int, ruleset_parse(&r, buf_str(&b), price_schema(), &f, NULL), -EINVAL));
	cr_assert(eq(sz, f.n, 1));
	cr_expect(eq(str, f.v[0].code, "limit"));
}

/* ---- what decisions read ---- */

static bool matches(const struct row_index *x, const struct cel_value *slots, size_t row)
{
	const struct cel_value *columns[INDEX_COLUMNS_MAX];
	static const struct cel_value now = { .kind = CEL_V_TIMESTAMP, .i = 1000 };
	uint64_t found[INDEX_WORDS(RULESET_RULES_MAX)] = { 0 };

	for (size_t i = 0; i < index_n_columns(x); i++) {
		int tag = index_column_tag(x, i);

		columns[i] = tag == RULESET_TAG_NOW ? &now : &slots[tag];
	}
	index_match(x, columns, found);
	return found[row / 64] >> (row % 64) & 1;
}

static int slot(const char *name)
{
	return cel_env_find(price_schema()->env, str_of(name));
}

Test(ruleset, tests_windows_and_switches_are_in_the_index)
{
	CLEANUP(parsed_fini)
	struct parsed p = parse_rules(
		"{'id':'points','when':'customer.points >= 5','suppress':true},"
		"{'id':'off','enabled':false,'suppress':true},"
		"{'id':'always','suppress':true},"
		"{'id':'later','valid':{'from':'1970-01-01T00:16:41Z'},'suppress':true},"
		"{'id':'now','valid':{'from':'1970-01-01T00:16:40Z','to':'1970-01-01T00:16:41Z'},'"
		"suppress':true},"
		"{'id':'over','valid':{'to':'1970-01-01T00:16:40Z'},'suppress':true}");
	struct cel_value slots[CEL_VARS_MAX] = { 0 };

	cr_assert(zero(int, p.r), "%s", all_findings(&p));
	slots[slot("customer.points")] = cel_int(5);
	cr_expect(matches(p.rules->index, slots, 0));
	slots[slot("customer.points")] = cel_int(4);
	cr_expect(not(matches(p.rules->index, slots, 0)));
	cr_expect(not(matches(p.rules->index, slots, 1)));
	cr_expect(matches(p.rules->index, slots, 2));
	cr_expect(not(matches(p.rules->index, slots, 3)));
	cr_expect(matches(p.rules->index, slots, 4));
	cr_expect(not(matches(p.rules->index, slots, 5)));
}

Test(ruleset, who_would_be_looked_at_with_consent_is_asked_without_looking)
{
	CLEANUP(parsed_fini)
	struct parsed p = parse_rules(
		"{'id':'context','when':'item.left == 1','suppress':true},"
		"{'id':'personal','when':'item.left == 1 && customer.segment == `vip` && "
		"customer.country.startsWith(`D`) && size(session.place) == "
		"3','note':'n','suppress':true}");
	struct cel_value slots[CEL_VARS_MAX] = { 0 };
	const struct rule *rule;

	cr_assert(zero(int, p.r), "%s", all_findings(&p));
	cr_assert(ne(ptr, p.rules->index_impersonal, NULL));
	cr_expect(eq(u64, p.rules->personal[0], 2));
	slots[slot("item.left")] = cel_int(1);
	cr_expect(not(matches(p.rules->index, slots, 1)));
	cr_expect(matches(p.rules->index_impersonal, slots, 1));
	slots[slot("item.left")] = cel_int(2);
	cr_expect(not(matches(p.rules->index_impersonal, slots, 1)));
	rule = &p.rules->rules[1];
	cr_expect(eq(u32, rule->n_rest, 2));
	cr_assert(eq(u32, rule->n_rest_impersonal, 1));
	cr_expect(cel_program_reads(rule->rest_impersonal[0], slot("session.place")));
}

Test(ruleset, a_document_without_personal_rules_has_no_second_index)
{
	CLEANUP(parsed_fini)
	struct parsed p = parse_rules("{'id':'a','when':'customer.points > 1','suppress':true}");

	cr_assert(zero(int, p.r));
	cr_expect(zero(ptr, p.rules->index_impersonal));
}

Test(ruleset, only_what_something_reads_is_bound)
{
	CLEANUP(parsed_fini)
	struct parsed p = parse_rules("{'id':'a','when':'customer.points > "
				      "1','bps':'bps(session.dwell_ms)','explanation':{'en':'x'}},"
				      "{'id':'b','table':{'hit':'first','inputs':['item.left'],'"
				      "rows':[{'if':['1'],'suppress':true}]}}");
	const uint64_t *used;
	int n = 0;

	cr_assert(zero(int, p.r), "%s", all_findings(&p));
	used = p.rules->used;
	for (int i = 0; i < CEL_VARS_MAX; i++)
		n += used[i / 64] >> (i % 64) & 1;
	cr_expect(eq(int, n, 3));
	cr_expect(used[0] >> slot("customer.points") & 1);
	cr_expect(used[0] >> slot("session.dwell_ms") & 1);
	cr_expect(used[0] >> slot("item.left") & 1);
}
