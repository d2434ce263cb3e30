#include "tests/unit/pricing/fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/config.h"
#include "common/model/offer.h"

static void write(struct buf *out, const struct price_inputs *in)
{
	struct json_out j = JSON_OUT(out);

	buf_clear(out);
	inputs_json(&j, NULL, in);
	cr_assert(not(out->failed));
}

/* Decodes @json and writes it again. */
static void expect_round_trip(struct str json)
{
	CLEANUP(arena_free) struct arena *a = NULL;
	CLEANUP(buf_fini) struct buf out = BUF_INIT(65536);
	struct price_inputs in;
	struct fault f = { 0 };

	cr_assert(zero(int, arena_new(&a, 65536)));
	cr_assert(zero(int, inputs_decode(&in, json, a, &f)), "%s", f.text);
	write(&out, &in);
	cr_expect(str_eq(buf_str(&out), json), "\n" STR_FMT "\n" STR_FMT, STR_ARG(json),
		STR_ARG(buf_str(&out)));
}

static void expect_exact(const struct price_inputs *in)
{
	CLEANUP(buf_fini) struct buf out = BUF_INIT(65536);

	write(&out, in);
	expect_round_trip(buf_str(&out));
}

static struct price_inputs full(void)
{
	struct price_inputs in = inputs_of_a_good_event();

	in.deadline = in.now + 5;
	in.interest.client_id = STR("c-1");
	in.interest.client_ts = 5;
	in.interest.wallet = STR("0x3b3ee1931dc30c1957379fac9aba94d1c48a5405");
	in.interest.signal_kind = SIGNAL_DWELL;
	in.interest.dwell_ms = 1800;
	in.interest.signal_source = 3;
	in.interest.place = STR("gallery \"3\" \xe2\x82\xac");
	in.interest.device = 1;
	in.interest.locale = STR("de-DE");
	in.interest.app = STR("2.4.1");
	in.interest.h3 = STR("861f1d48fffffff");
	in.interest.consent_personalization = TRI_TRUE;
	in.interest.consent_location = TRI_FALSE;
	in.profile.segment = STR("collector");
	in.profile.country = STR("DE");
	in.profile.consent = TRI_TRUE;
	in.loyalty.tier = TIER_PLATINUM;
	in.loyalty.points = -7;
	in.inventory.cost = eth(5);
	in.inventory.held = 1;
	in.bestbid.bid = in.bestbid.bid_net = weth(9);
	in.bestbid.ask = in.bestbid.floor = in.bestbid.floor_raw = in.bestbid.last_sale = eth(11);
	in.bestbid.flags = STR("[\"gap\",\"net_estimated\"]");
	in.bestbid.row.ver = (struct version){ { 12, 91 } };
	in.stock.row = in.profile.row;
	in.stock.taken = 1;
	in.personalization = TRI_TRUE;
	in.paused = TRI_TRUE;
	in.shown_price = eth(8);
	in.shown_bid_net = weth(0);
	in.live_user = 3;
	in.live_item = 4;
	return in;
}

Test(inputs, decode_of_what_was_written_gives_the_same_bytes)
{
	struct price_inputs good = inputs_of_a_good_event();
	struct price_inputs all = full();

	expect_exact(&good);
	expect_exact(&all);
}

Test(inputs, unknown_and_missing_rows_round_trip)
{
	struct price_inputs in = inputs_of_a_good_event();

	for (int doubt = DOUBT_CACHE; doubt <= DOUBT_UNASKED; doubt++) {
		in.profile =
			(struct input_profile){ .row = { .state = ROW_UNKNOWN, .doubt = doubt } };
		in.loyalty =
			(struct input_loyalty){ .row = { .state = ROW_UNKNOWN, .doubt = doubt } };
		in.inventory =
			(struct input_inventory){ .row = { .state = ROW_UNKNOWN, .doubt = doubt } };
		in.bestbid =
			(struct input_bestbid){ .row = { .state = ROW_UNKNOWN, .doubt = doubt } };
		in.stock = (struct input_stock){ .row = { .state = ROW_UNKNOWN, .doubt = doubt } };
		expect_exact(&in);
	}
	in.profile = (struct input_profile){
		.row = { .state = ROW_NONE, .gen = 2, .ver = { { 5 } } }
	}; /* a tombstone */
	in.loyalty = (struct input_loyalty){ .row = { .state = ROW_NONE }, .age_ms = 0 };
	expect_exact(&in);
}

Test(inputs, a_refused_event_keeps_only_its_ids)
{
	struct price_inputs in = inputs_of_a_good_event();
	CLEANUP(buf_fini) struct buf out = BUF_INIT(65536);

	in.bad = STR("interest: signal.kind: missing");
	in.interest = (struct interest){ .id = STR("i-1"), .user = STR("u"), .session = STR("s") };
	expect_exact(&in);
	write(&out, &in);
	buf_putc(&out, '\0');
	cr_expect(strstr(out.p, "\"interest\":{\"id\":\"i-1\",\"user\":\"u\",\"session\":\"s\"}") !=
		  NULL);
	in.interest.item = STR(ITEM);
	in.interest.ts = 7;
	expect_exact(&in);
}

Test(inputs, a_revision_says_so)
{
	struct price_inputs in = inputs_of_a_good_event();
	CLEANUP(buf_fini) struct buf out = BUF_INIT(65536);

	write(&out, &in);
	buf_putc(&out, '\0');
	cr_expect(strstr(out.p, "revision") == NULL && strstr(out.p, "hold\"") == NULL);
	in.is_revision = true;
	expect_exact(&in);
	in.holds = true;
	in.paused = TRI_TRUE;
	expect_exact(&in);
	buf_clear(&out);
	write(&out, &in);
	buf_putc(&out, '\0');
	cr_expect(strstr(out.p, "\"paused\":true,\"revision\":true,\"hold\":true,") != NULL, "%s",
		out.p);
}

/* The golden decision is written by hand, from the schema. */
Test(inputs, the_golden_decisions_inputs_round_trip)
{
	CLEANUP(arena_free) struct arena *a = NULL;
	struct decision d;
	struct fault f = { 0 };
	char path[512];
	char *text = NULL;
	size_t n;

	snprintf(path, sizeof(path), "%s/golden/decision.full.json", getenv("SOUK_TEST_DATA"));
	cr_assert(zero(int, file_read(path, 65536, &text, &n, &f)), "%s", f.text);
	cr_assert(zero(int, arena_new(&a, 65536)));
	while (n && text[n - 1] == '\n')
		n--;
	cr_assert(zero(int, decode(&decision_type, &d, (struct str){ text, n }, a, &f)), "%s",
		f.text);
	expect_round_trip(d.inputs);
	free(text);
}

Test(inputs, the_schema_is_closed_at_every_level)
{
	static const char *const paths[] = { "{\"now\"", "\"rows\":{", "\"profile\":{\"state\"",
		"\"ages\":{", "\"guards\":{", "\"max_age_ms\":{",
		"\"consent\":{\"personalization\"", "\"live\":{" };
	struct price_inputs in = inputs_of_a_good_event();
	CLEANUP(buf_fini) struct buf out = BUF_INIT(65536);
	CLEANUP(buf_fini) struct buf changed = BUF_INIT(65536);
	CLEANUP(arena_free) struct arena *a = NULL;

	cr_assert(zero(int, arena_new(&a, 1 << 20)));
	write(&out, &in);
	buf_putc(&out, '\0');
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		const char *at = strstr(out.p, paths[i]);
		struct fault f = { 0 };
		struct price_inputs ret;

		cr_assert(at != NULL, "%s", paths[i]);
		at = strchr(at, '{') + 1;
		buf_clear(&changed);
		buf_put(&changed, out.p, (size_t)(at - out.p));
		buf_puts(&changed, STR("\"surprise\":1,"));
		buf_puts(&changed, str_of(at));
		cr_expect(eq(int, inputs_decode(&ret, buf_str(&changed), a, &f), DECODE_E_SHAPE),
			"%s", paths[i]);
		cr_expect(strstr(f.text, "surprise") != NULL, "%s", f.text);
	}
}

Test(inputs, what_is_missing_or_malformed_is_refused)
{
	CLEANUP(arena_free) struct arena *a = NULL;
	struct price_inputs in;

	cr_assert(zero(int, arena_new(&a, 65536)));
	cr_expect(eq(int, inputs_decode(&in, STR("{}"), a, NULL), DECODE_E_SHAPE));
	cr_expect(eq(int, inputs_decode(&in, STR("{"), a, NULL), DECODE_E_JSON));
	cr_expect(eq(int, inputs_decode(&in, STR("[]"), a, NULL), DECODE_E_JSON));
}
