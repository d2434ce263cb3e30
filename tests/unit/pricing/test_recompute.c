#include "tests/unit/pricing/fixture.h"

#include "pricing/record.h"
#include "pricing/recompute.h"

static const struct ruleset *lookup(void *ctx, struct str id)
{
	const struct ruleset *r = ctx;

	return str_eq(ruleset_id(r), id) ? r : NULL;
}

/* As the role writes it. */
static void record(struct buf *out, const struct ruleset *rules, struct price_inputs in)
{
	struct price_result result;
	struct record_bufs bufs;
	struct id offer;

	record_bufs_init(&bufs);
	in.personalization = inputs_consent(&in) ? TRI_TRUE : TRI_FALSE;
	cr_assert(zero(int, id_for_offer(&offer, in.interest.id)));
	fixture_compute(rules, &in, &result);
	cr_assert(zero(int, record_json(out, &(struct record){ .inputs = &in,
						     .result = &result,
						     .ruleset = ruleset_id(rules),
						     .offer = id_str(&offer),
						     .rev = { { 77, 1 } },
						     .cause = CAUSE_INTEREST,
						     .latency_us = 812,
						     .bufs = &bufs })));
	record_bufs_fini(&bufs);
}

static int again(struct str json, const struct ruleset *rules, struct fault *f)
{
	CLEANUP(arena_free) struct arena *a = NULL;
	CLEANUP(buf_fini) struct buf made = BUF_INIT(RECORD_BYTES_MAX);

	cr_assert(zero(int, arena_new(&a, 65536)));
	return recompute_decision(
		json, lookup, (void *)rules, fixture_scratch(), a, &made, NULL, f);
}

static void expect_same(struct price_inputs in)
{
	CLEANUP(ruleset_free) struct ruleset *rules = ruleset_of(RULES_THREE);
	CLEANUP(buf_fini) struct buf json = BUF_INIT(RECORD_BYTES_MAX);
	struct fault f = { 0 };

	record(&json, rules, in);
	cr_expect(zero(int, again(buf_str(&json), rules, &f)), "%s", f.text);
}

Test(recompute, decisions_of_every_kind_come_out_the_same)
{
	struct price_inputs in = inputs_of_a_good_event();

	expect_same(in);
	in.loyalty.tier = TIER_GOLD;
	in.loyalty.points = 5000;
	in.profile.segment = STR("collector");
	in.profile.consent = TRI_TRUE;
	in.interest.device = 1;
	expect_same(in);
	in.bestbid.bid_net = weth(ETH_ / 100 * 95);
	in.guards.quantum = STR("1000000000000");
	expect_same(in);
	in.bestbid.bid_net = weth(ETH_);
	expect_same(in); /* conflict */
	in.deadline = 1;
	expect_same(in);
	in.deadline = 0;
	in.profile = (struct input_profile){ .row = { ROW_UNKNOWN, DOUBT_FEED, 0, { { 0 } } } };
	expect_same(in);
	in.bad = STR("interest: item: expected an item id");
	in.interest = (struct interest){ .id = STR("i-1"), .user = STR("u"), .session = STR("s") };
	expect_same(in);
}

static void expect_different(const char *from, const char *to, int code)
{
	CLEANUP(ruleset_free) struct ruleset *rules = ruleset_of(RULES_THREE);
	CLEANUP(buf_fini) struct buf json = BUF_INIT(RECORD_BYTES_MAX);
	CLEANUP(buf_fini) struct buf changed = BUF_INIT(RECORD_BYTES_MAX);
	struct price_inputs in = inputs_of_a_good_event();
	struct fault f = { 0 };
	const char *at;

	in.loyalty.tier = TIER_GOLD;
	in.loyalty.points = 5000;
	record(&json, rules, in);
	buf_putc(&json, '\0');
	at = strstr(json.p, from);
	cr_assert(at != NULL, "%s in %s", from, json.p);
	buf_put(&changed, json.p, (size_t)(at - json.p));
	buf_puts(&changed, str_of(to));
	buf_puts(&changed, str_of(at + strlen(from)));
	cr_expect(eq(int, again(buf_str(&changed), rules, &f), code), "%s -> %s: %s", from, to,
		f.text);
	if (code)
		cr_expect(ne(chr, f.text[0], '\0'));
}

Test(recompute, a_changed_price_reason_or_line_is_found)
{
	expect_different("\"price\":{\"amount\":\"950", "\"price\":{\"amount\":\"949",
		RECOMPUTE_E_DIFFERENT);
	expect_different(
		"\"outcome\":\"OFFER\"", "\"outcome\":\"NO_OFFER\"", RECOMPUTE_E_DIFFERENT);
	expect_different("gold-tier", "bold-tier", RECOMPUTE_E_DIFFERENT);
	expect_different("\"points\":5000", "\"points\":4999", RECOMPUTE_E_DIFFERENT);
	expect_different("\"offer\":\"", "\"offer\":\"x", RECOMPUTE_E_DIFFERENT);
	expect_different("\"user\":\"u_42\",\"session\":\"s_9\",\"item\":\"" ITEM
			 "\",\"ts\":1795334400123",
		"\"user\":\"u_43\",\"session\":\"s_9\",\"item\":\"" ITEM "\",\"ts\":1795334400123",
		RECOMPUTE_E_DIFFERENT);
}

Test(recompute, what_a_decoder_would_forgive_is_found_too)
{
	expect_different("\"cause\":", "\"extra\":1,\"cause\":", RECOMPUTE_E_DIFFERENT);
	expect_different("{\"type\"", "{ \"type\"", RECOMPUTE_E_DIFFERENT);
	expect_different("\"consent\":{\"personalization\":false}",
		"\"consent\":{\"personalization\":true}", RECOMPUTE_E_DIFFERENT);
}

Test(recompute, revision_and_latency_are_taken_as_given)
{
	expect_different("\"rev\":\"77.1\"", "\"rev\":\"78.1\"", 0);
	expect_different("\"latency_us\":812", "\"latency_us\":1", 0);
	expect_different("\"cause\":\"interest\"", "\"cause\":\"takeover\"", 0);
}

Test(recompute, other_records_and_unknown_rulesets_are_told_apart)
{
	CLEANUP(ruleset_free) struct ruleset *rules = ruleset_of(RULES_THREE);
	CLEANUP(ruleset_free) struct ruleset *other = ruleset_of(RULES_NONE);
	CLEANUP(buf_fini) struct buf json = BUF_INIT(RECORD_BYTES_MAX);
	struct fault f = { 0 };

	record(&json, rules, inputs_of_a_good_event());
	cr_expect(eq(int, again(buf_str(&json), other, &f), RECOMPUTE_E_RULESET));
	cr_expect(strstr(f.text, "sha256:") != NULL);
	cr_expect(eq(int,
		again(STR("{\"type\":\"owner\",\"shard\":3,\"instance\":\"a\",\"ts\":1}"), rules,
			&f),
		RECOMPUTE_E_RECORD));
	cr_expect(eq(int, again(STR("nonsense"), rules, &f), RECOMPUTE_E_RECORD));
	expect_different("\"max_discount_bps\"", "\"max_discount\"", RECOMPUTE_E_RECORD);
}

static void expect_cause(struct price_inputs in, enum decision_cause cause, int code)
{
	static const char from[] = "\"cause\":\"interest\"";
	CLEANUP(ruleset_free) struct ruleset *rules = ruleset_of(RULES_THREE);
	CLEANUP(buf_fini) struct buf json = BUF_INIT(RECORD_BYTES_MAX);
	CLEANUP(buf_fini) struct buf changed = BUF_INIT(RECORD_BYTES_MAX);
	struct fault f = { 0 };
	const char *at;

	record(&json, rules, in);
	buf_putc(&json, '\0');
	at = strstr(json.p, from);
	buf_put(&changed, json.p, (size_t)(at - json.p));
	buf_printf(
		&changed, "\"cause\":\"%s\"%s", decision_cause_names[cause], at + sizeof(from) - 1);
	cr_expect(eq(int, again(buf_str(&changed), rules, &f), code), "%s: %s",
		decision_cause_names[cause], f.text);
}

Test(recompute, revisions_come_out_the_same_and_their_cause_goes_with_the_inputs)
{
	const int no = RECOMPUTE_E_DIFFERENT;
	struct price_inputs in = inputs_of_a_good_event();

	for (int cause = CAUSE_INTEREST; cause <= CAUSE_PAUSE; cause++)
		expect_cause(in, cause, cause <= CAUSE_TAKEOVER ? 0 : no);
	in.is_revision = true;
	expect_cause(in, CAUSE_INTEREST, no);
	expect_cause(in, CAUSE_TAKEOVER, 0);
	expect_cause(in, CAUSE_MARKET, 0);
	expect_cause(in, CAUSE_STOCK, 0);
	expect_cause(in, CAUSE_PROFILE, 0);
	expect_cause(in, CAUSE_RULES, no);
	expect_cause(in, CAUSE_PAUSE, no);
	in.inventory.supply = 0; /* withdrawn */
	expect_cause(in, CAUSE_STOCK, 0);
	in.holds = true;
	expect_cause(in, CAUSE_RULES, 0);
	expect_cause(in, CAUSE_STOCK, 0);
	in.paused = TRI_TRUE;
	expect_cause(in, CAUSE_PAUSE, 0);
	expect_cause(in, CAUSE_STOCK, no);
	in.is_revision = false; /* a first answer holds nothing */
	expect_cause(in, CAUSE_INTEREST, no);
	expect_cause(in, CAUSE_TAKEOVER, no);
}
