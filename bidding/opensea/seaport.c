/*
 * Amounts and types come as texts or as numbers, depending on the year; the raw JSON is taken and
 * both are read. Whatever is odd makes the whole not sound, and the price is then taken from the
 * event and the fees from the configuration: better an estimate that says so than an exact wrong
 * number.
 */
#include "bidding/opensea/seaport.h"

#include <stddef.h>

#include "bidding/opensea/elements.h"
#include "bidding/opensea/time.h"
#include "common/model/decode.h"

#define LIST_BYTES_MAX 131072

enum side { SIDE_OFFER, SIDE_CONSIDERATION };

struct parameters {
	struct str offerer, offer, consideration, starts, expires;
};
static const struct field parameters_fields[] = {
	{ "offerer", FIELD_WALLET, 0, offsetof(struct parameters, offerer), 0, NULL },
	{ "offer", FIELD_RAW, 0, offsetof(struct parameters, offer), LIST_BYTES_MAX, NULL },
	{ "consideration", FIELD_RAW, 0, offsetof(struct parameters, consideration), LIST_BYTES_MAX,
		NULL },
	{ "startTime", FIELD_RAW, 0, offsetof(struct parameters, starts), 40, NULL },
	{ "endTime", FIELD_RAW, 0, offsetof(struct parameters, expires), 40, NULL },
};
static const struct record_type parameters_type = { .name = "parameters",
	.fields = parameters_fields,
	.n_fields = ARRAY_LEN(parameters_fields),
	.size = sizeof(struct parameters) };

struct item {
	struct str type, token, id, start, end, recipient;
};
static const struct field item_fields[] = {
	{ "itemType", FIELD_RAW, 0, offsetof(struct item, type), 8, NULL },
	{ "token", FIELD_WALLET, 0, offsetof(struct item, token), 0, NULL },
	{ "identifierOrCriteria", FIELD_RAW, 0, offsetof(struct item, id), 128, NULL },
	{ "startAmount", FIELD_RAW, 0, offsetof(struct item, start), 128, NULL },
	{ "endAmount", FIELD_RAW, 0, offsetof(struct item, end), 128, NULL },
	{ "recipient", FIELD_WALLET, 0, offsetof(struct item, recipient), 0, NULL },
};
static const struct record_type item_type = { .name = "item",
	.fields = item_fields,
	.n_fields = ARRAY_LEN(item_fields),
	.size = sizeof(struct item) };

static void add_money(struct seaport *s, const struct item *i, enum side side, struct str offerer)
{
	u128 start, end;
	bool is_ours = str_is_set(i->recipient) && str_eq(i->recipient, offerer);

	if (!str_is_set(i->token) || money_parse_amount(&start, opensea_scalar(i->start)) ||
		money_parse_amount(&end, opensea_scalar(i->end)) ||
		(str_is_set(s->money_token) && !str_eq(s->money_token, i->token))) {
		s->is_sound = false;
		return;
	}
	s->money_token = i->token;
	*(side == SIDE_OFFER ? &s->paid_start : &s->asked_start) += start;
	*(side == SIDE_OFFER ? &s->paid_end : &s->asked_end) += end;
	if (side == SIDE_CONSIDERATION && !is_ours) {
		s->others_start += start;
		s->others_end += end;
	}
}

static void add_token(struct seaport *s, const struct item *i, enum side side)
{
	if (side == SIDE_CONSIDERATION && str_is_set(s->nft_id))
		s->is_private = true;
	if (str_is_set(s->nft_id))
		return;
	s->nft_token = i->token;
	s->nft_id = opensea_scalar(i->id);
}

static void add_item(
	struct seaport *s, struct str json, enum side side, struct str offerer, struct arena *a)
{
	struct item i;
	struct str type;
	int r = json.n && json.p[0] == '{' ? decode(&item_type, &i, json, a, NULL) : DECODE_E_JSON;

	if (r == DECODE_E_JSON || r == DECODE_E_TOO_LARGE) {
		s->is_sound = false;
		return;
	}
	type = opensea_scalar(i.type);
	if (str_eqz(type, "0") || str_eqz(type, "1"))
		add_money(s, &i, side, offerer);
	else if (str_eqz(type, "2") || str_eqz(type, "3"))
		add_token(s, &i, side);
	else if (!str_eqz(type, "4") && !str_eqz(type, "5"))
		s->is_sound = false;
}

static void add_list(
	struct seaport *s, struct str json, enum side side, struct str offerer, struct arena *a)
{
	struct opensea_elements e = opensea_elements(json);
	struct str one;

	while (opensea_elements_next(&e, &one))
		add_item(s, one, side, offerer, a);
}

static int64_t time_of(struct str json)
{
	int64_t ms;

	return opensea_time_parse(&ms, opensea_scalar(json)) ? 0 : ms;
}

void seaport_parse(struct seaport *ret, struct str json, struct str maker, struct arena *a)
{
	struct parameters p;
	u128 max = ((u128)1 << MONEY_INPUT_BITS) - 1;
	int r;

	*ret = (struct seaport){ 0 };
	if (!str_is_set(json) || json.p[0] != '{')
		return;
	r = decode(&parameters_type, &p, json, a, NULL);
	if (r == DECODE_E_JSON || r == DECODE_E_TOO_LARGE)
		return;
	ret->is_sound = true;
	if (!str_is_set(p.offerer))
		p.offerer = maker;
	add_list(ret, p.offer, SIDE_OFFER, p.offerer, a);
	add_list(ret, p.consideration, SIDE_CONSIDERATION, p.offerer, a);
	if (ret->paid_start > max || ret->paid_end > max || ret->asked_start > max ||
		ret->asked_end > max)
		ret->is_sound = false;
	ret->starts = time_of(p.starts);
	ret->expires = time_of(p.expires);
}
