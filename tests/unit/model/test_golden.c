/*
 * Every golden record is read and written again byte by byte, every invalid one is refused. The
 * same files are held against the schemas by tests/schemas.py.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/model/interest.h"
#include "common/model/ledger.h"
#include "common/model/market.h"
#include "common/model/offer.h"
#include "common/model/order.h"
#include "common/model/pause.h"
#include "common/model/quote.h"
#include "common/model/tables.h"

#define RECORD_MAX 65536

union any {
	struct interest interest;
	struct profile profile;
	struct loyalty loyalty;
	struct inventory inventory;
	struct bestbid bestbid;
	struct feed_record feed;
	struct owner_record owner;
	struct decision decision;
	struct offer offer;
	struct quote quote;
	struct order order;
	struct supply_record supply;
	struct payment_request request;
	struct refusal_record refusal;
	struct release_record release;
	struct payment_result result;
	struct stock stock;
	struct market_event market_event;
	struct outcome_record outcome;
	struct pause_record pause;
};

#define KEYED(name) \
	static void write_##name(struct json_out *j, const union any *r) \
	{ \
		name##_json(j, NULL, &r->name); \
	}
KEYED(interest)
KEYED(profile)
KEYED(loyalty)
KEYED(inventory)
KEYED(bestbid)
KEYED(offer)
KEYED(quote)
KEYED(stock)

#define PLAIN(name, fn) \
	static void write_##name(struct json_out *j, const union any *r) \
	{ \
		fn(j, &r->name); \
	}
PLAIN(feed, feed_record_json)
PLAIN(owner, owner_record_json)
PLAIN(order, order_json)
PLAIN(supply, supply_record_json)
PLAIN(request, payment_request_json)
PLAIN(refusal, refusal_record_json)
PLAIN(release, release_record_json)
PLAIN(result, payment_result_json)
PLAIN(market_event, market_event_json)
PLAIN(outcome, outcome_record_json)
PLAIN(pause, pause_record_json)

static void write_decision(struct json_out *j, const union any *r)
{
	decision_json(j, &r->decision, true);
}

static const struct codec {
	const char *name;
	const struct record_type *type;
	void (*write)(struct json_out *j, const union any *r);
} codecs[] = {
	{ "interest", &interest_type, write_interest },
	{ "profile", &profile_type, write_profile },
	{ "loyalty", &loyalty_type, write_loyalty },
	{ "inventory", &inventory_type, write_inventory },
	{ "bestbid", &bestbid_type, write_bestbid },
	{ "feed", &feed_record_type, write_feed },
	{ "owner", &owner_record_type, write_owner },
	{ "decision", &decision_type, write_decision },
	{ "offer", &offer_type, write_offer },
	{ "quote", &quote_type, write_quote },
	{ "order", &order_type, write_order },
	{ "supply", &supply_record_type, write_supply },
	{ "request", &payment_request_type, write_request },
	{ "refusal", &refusal_record_type, write_refusal },
	{ "release", &release_record_type, write_release },
	{ "result", &payment_result_type, write_result },
	{ "stock", &stock_type, write_stock },
	{ "market-event", &market_event_type_record, write_market_event },
	{ "outcome", &outcome_record_type, write_outcome },
	{ "pause", &pause_record_type, write_pause },
};

/* The file's one line, without its newline. */
static struct str load(const char *path, char text[RECORD_MAX])
{
	FILE *f = fopen(path, "r");
	size_t n;

	cr_assert(f != NULL, "%s", path);
	n = fread(text, 1, RECORD_MAX, f);
	fclose(f);
	cr_assert(n > 0 && n < RECORD_MAX && text[n - 1] == '\n', "%s", path);
	return (struct str){ text, n - 1 };
}

static void find(glob_t *ret, const char *folder, const char *name)
{
	const char *data = getenv("SOUK_TEST_DATA");
	char pattern[1024];

	cr_assert(data != NULL);
	snprintf(pattern, sizeof(pattern), "%s/golden%s/%s.*.json", data, folder, name);
	cr_assert(glob(pattern, 0, NULL, ret) == 0, "nothing matches %s", pattern);
	cr_assert(ge(sz, ret->gl_pathc, 2));
}

static void check_round_trip(const struct codec *c, const char *path, struct arena *a)
{
	CLEANUP(buf_fini) struct buf out = BUF_INIT(RECORD_MAX);
	struct json_out j = JSON_OUT(&out);
	char text[RECORD_MAX];
	struct str json = load(path, text);
	struct fault fault = { 0 };
	union any record;

	cr_assert(decode(c->type, &record, json, a, &fault) == 0, "%s: %s", path, fault.text);
	c->write(&j, &record);
	cr_expect(str_eq(buf_str(&out), json), "%s:\nread    " STR_FMT "\nwritten " STR_FMT, path,
		STR_ARG(json), STR_ARG(buf_str(&out)));
}

Test(golden, every_record_comes_out_byte_by_byte)
{
	CLEANUP(arena_free) struct arena *a = NULL;

	cr_assert(zero(int, arena_new(&a, RECORD_MAX)));
	for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
		glob_t files;

		find(&files, "", codecs[i].name);
		for (size_t k = 0; k < files.gl_pathc; k++) {
			arena_reset(a);
			check_round_trip(&codecs[i], files.gl_pathv[k], a);
		}
		globfree(&files);
	}
}

Test(golden, every_invalid_record_is_refused_with_a_reason)
{
	CLEANUP(arena_free) struct arena *a = NULL;

	cr_assert(zero(int, arena_new(&a, RECORD_MAX)));
	for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
		glob_t files;

		find(&files, "/invalid", codecs[i].name);
		for (size_t k = 0; k < files.gl_pathc; k++) {
			char text[RECORD_MAX];
			struct fault fault = { 0 };
			union any record;
			int r;

			arena_reset(a);
			r = decode(
				codecs[i].type, &record, load(files.gl_pathv[k], text), a, &fault);
			cr_expect(r > 0, "%s was taken", files.gl_pathv[k]);
			cr_expect(eq(int, fault.kind, FAULT_REJECT));
			cr_expect(fault.text[0] != '\0', "%s", files.gl_pathv[k]);
		}
		globfree(&files);
	}
}

Test(golden, a_decision_can_be_written_without_its_latency)
{
	CLEANUP(buf_fini) struct buf out = BUF_INIT(RECORD_MAX);
	struct json_out j = JSON_OUT(&out);
	struct decision d = { .interest = STR("i"),
		.offer = STR("o"),
		.user = STR("u"),
		.session = STR("s"),
		.latency_us = 5 };

	decision_json(&j, &d, false);
	cr_expect(str_eq(buf_str(&out),
		STR("{\"type\":\"decision\",\"interest\":\"i\",\"offer\":\"o\",\"rev\":\"0\","
		    "\"cause\":\"interest\","
		    "\"outcome\":\"OFFER\",\"user\":\"u\",\"session\":\"s\",\"ts\":0}")));
}

Test(golden, an_interest_command_fills_the_record_from_the_clients_side)
{
	CLEANUP(arena_free) struct arena *a = NULL;
	char text[RECORD_MAX], path[1024];
	struct fault fault = { 0 };
	struct interest i;

	cr_assert(zero(int, arena_new(&a, RECORD_MAX)));
	snprintf(path, sizeof(path), "%s/golden/ws-command.interest-full.json",
		getenv("SOUK_TEST_DATA"));
	cr_assert(decode(&interest_command_type, &i, load(path, text), a, &fault) == 0, "%s",
		fault.text);
	cr_expect(str_eq(i.client_id, STR("glance-17")));
	cr_expect(str_eq(i.user, STR("game:ana")));
	cr_expect(eq(i64, i.client_ts, 1795334400123));
	cr_expect(zero(i64, i.ts));
	cr_expect(not(str_is_set(i.id)));
	cr_expect(eq(int, i.signal_kind, SIGNAL_DWELL));
	cr_expect(eq(int, i.consent_personalization, TRI_TRUE));
	cr_expect(eq(int, i.consent_location, TRI_FALSE));
}

static int allows(const char *consent)
{
	return profile_allows_pricing(&(struct profile){ .consent = str_of(consent) });
}

Test(tables, consent_to_pricing_is_exactly_true)
{
	cr_expect(allows("{\"pricing\":true}"));
	cr_expect(allows("{\"other\":[1],\"pricing\":true}"));
	cr_expect(not(allows("{\"pricing\":false}")));
	cr_expect(not(allows("{\"pricing\":\"true\"}")));
	cr_expect(not(allows("{\"pricing\":true,\"pricing\":true}")));
	cr_expect(not(allows("{\"x\":{\"pricing\":true}}")));
	cr_expect(not(allows("{}")));
	cr_expect(not(allows("true")));
	cr_expect(not(allows(NULL)));
}

Test(tables, a_flag_is_a_whole_word)
{
	struct bestbid b = { .flags = STR("[\"no_fx\",\"gap\"]") };

	cr_expect(bestbid_has_flag(&b, "gap"));
	cr_expect(bestbid_has_flag(&b, "no_fx"));
	cr_expect(not(bestbid_has_flag(&b, "ga")));
	cr_expect(not(bestbid_has_flag(&b, "fx")));
	b.flags = STR_NONE;
	cr_expect(not(bestbid_has_flag(&b, "gap")));
}
