/*
 * Offers, decisions and owner records. Lists and objects inside them (reasons, waterfall, inputs,
 * quote) stay JSON text here: a gateway pushes them as they are, and who needs their content has a
 * table for it.
 */
#include "common/model/offer.h"

#include "common/model/record_out.h"

#define INPUTS_MAX    131072
#define WATERFALL_MAX 131072
#define REASONS_MAX   16384 /* with perks: pricing/rules/ruleset_limit.c refuses more */
#define PERKS_MAX     16384

const char *const offer_state_names[] = { "live", "withdrawn", "none", NULL };
const char *const decision_outcome_names[] = { "OFFER", "NO_OFFER", "EXPIRED", "WITHDRAWN", NULL };
const char *const decision_cause_names[] = { "interest", "takeover", "market", "stock", "profile",
	"rules", "pause", NULL };
const char *const reason_names[] = {
	[REASON_NONE] = "",
	[REASON_SOLD_OUT] = "SOLD_OUT",
	[REASON_NO_LISTING] = "NO_LISTING",
	[REASON_NOT_FOR_SALE] = "NOT_FOR_SALE",
	[REASON_STALE_PROFILE] = "STALE_PROFILE",
	[REASON_STALE_LOYALTY] = "STALE_LOYALTY",
	[REASON_STALE_INVENTORY] = "STALE_INVENTORY",
	[REASON_STALE_MARKET] = "STALE_MARKET",
	[REASON_GUARD_CONFLICT] = "GUARD_CONFLICT",
	[REASON_SUPPRESSED] = "SUPPRESSED",
	[REASON_CIRCUIT_OPEN] = "CIRCUIT_OPEN",
	[REASON_PAUSED] = "PAUSED",
	[REASON_QUOTE_LIMIT] = "QUOTE_LIMIT",
	[REASON_BAD_EVENT] = "BAD_EVENT",
	[REASON_EXPIRED] = "EXPIRED",
	[REASON_RULE_CHANGE] = "RULE_CHANGE",
	[REASON_RULE_CHANGE + 1] = NULL,
};

/* A refusal has no list and price, and an event that could not be read has no item: only what
 * routes it is required. */
static const struct field offer_fields[] = {
	{ "id", FIELD_ID, FIELD_REQUIRED, offsetof(struct offer, id), 0, NULL },
	{ "rev", FIELD_VERSION, FIELD_REQUIRED, offsetof(struct offer, rev), 0, NULL },
	{ "state", FIELD_ENUM, FIELD_REQUIRED, offsetof(struct offer, state), 0,
		offer_state_names },
	{ "interest", FIELD_ID, FIELD_REQUIRED, offsetof(struct offer, interest), 0, NULL },
	{ "client_id", FIELD_ID, 0, offsetof(struct offer, client_id), 0, NULL },
	{ "ts", FIELD_TIME, 0, offsetof(struct offer, ts), 0, NULL },
	{ "user", FIELD_USER, FIELD_REQUIRED, offsetof(struct offer, user), 0, NULL },
	{ "session", FIELD_ID, FIELD_REQUIRED, offsetof(struct offer, session), 0, NULL },
	{ "item", FIELD_ITEM, 0, offsetof(struct offer, item), 0, NULL },
	{ "list", FIELD_MONEY, 0, offsetof(struct offer, list), 0, NULL },
	{ "price", FIELD_MONEY, 0, offsetof(struct offer, price), 0, NULL },
	{ "issued", FIELD_TIME, 0, offsetof(struct offer, issued), 0, NULL },
	{ "expires", FIELD_TIME, 0, offsetof(struct offer, expires), 0, NULL },
	{ "ttl_ms", FIELD_COUNT, 0, offsetof(struct offer, ttl_ms), 0, NULL },
	{ "reasons", FIELD_RAW, 0, offsetof(struct offer, reasons), REASONS_MAX, NULL },
	{ "perks", FIELD_RAW, 0, offsetof(struct offer, perks), PERKS_MAX, NULL },
	{ "personalised", FIELD_BOOL, 0, offsetof(struct offer, personalised), 0, NULL },
	{ "disclosure", FIELD_STR, 0, offsetof(struct offer, disclosure), 1024, NULL },
	{ "reason", FIELD_ENUM, 0, offsetof(struct offer, reason), 0, reason_names },
	{ "alternatives", FIELD_RAW, 0, offsetof(struct offer, alternatives), 0, NULL },
	{ "quote", FIELD_RAW, 0, offsetof(struct offer, quote), 0, NULL },
};

const struct record_type offer_type = {
	.name = "offer",
	.fields = offer_fields,
	.n_fields = ARRAY_LEN(offer_fields),
	.size = sizeof(struct offer),
};

void offer_json(struct json_out *j, const char *key, const struct offer *o)
{
	json_begin(j, key);
	json_str(j, "id", o->id);
	version_json(j, "rev", o->rev);
	json_strz(j, "state", offer_state_names[o->state]);
	json_str(j, "interest", o->interest);
	json_str_opt(j, "client_id", o->client_id);
	i64_json_opt(j, "ts", o->ts);
	json_str(j, "user", o->user);
	json_str(j, "session", o->session);
	json_str_opt(j, "item", o->item);
	money_json(j, "list", o->list);
	money_json(j, "price", o->price);
	i64_json_opt(j, "issued", o->issued);
	i64_json_opt(j, "expires", o->expires);
	i64_json_opt(j, "ttl_ms", o->ttl_ms);
	json_raw_opt(j, "reasons", o->reasons);
	json_raw_opt(j, "perks", o->perks);
	tribool_json(j, "personalised", o->personalised);
	json_str_opt(j, "disclosure", o->disclosure);
	name_json_opt(j, "reason", reason_names[o->reason]);
	json_raw_opt(j, "alternatives", o->alternatives);
	json_raw_opt(j, "quote", o->quote);
	json_end(j);
}

static const char *const owner_names[] = { "owner", NULL };

static const struct field owner_fields[] = {
	{ "type", FIELD_CONST, FIELD_REQUIRED, offsetof(struct owner_record, type), 0,
		owner_names },
	{ "shard", FIELD_COUNT, FIELD_REQUIRED, offsetof(struct owner_record, shard), 0, NULL },
	{ "instance", FIELD_ID, FIELD_REQUIRED, offsetof(struct owner_record, instance), 0, NULL },
	{ "ts", FIELD_TIME, FIELD_REQUIRED, offsetof(struct owner_record, ts), 0, NULL },
};

const struct record_type owner_record_type = {
	.name = "owner",
	.fields = owner_fields,
	.n_fields = ARRAY_LEN(owner_fields),
	.size = sizeof(struct owner_record),
};

void owner_record_json(struct json_out *j, const struct owner_record *r)
{
	json_begin(j, NULL);
	json_strz(j, "type", "owner");
	json_i64(j, "shard", r->shard);
	json_str(j, "instance", r->instance);
	json_i64(j, "ts", r->ts);
	json_end(j);
}

struct str owner_record_instance(
	char *ret, size_t cap, struct str value, int64_t shard, struct arena *scratch)
{
	struct owner_record r;

	arena_reset(scratch);
	if (!str_is_set(value) || decode(&owner_record_type, &r, value, scratch, NULL) != 0 ||
		r.shard != shard || str_copy(ret, cap, r.instance) != 0)
		return STR_NONE;
	return str_of(ret);
}

static const char *const decision_names[] = { "decision", NULL };

static const struct field decision_fields[] = {
	{ "type", FIELD_CONST, FIELD_REQUIRED, offsetof(struct decision, type), 0, decision_names },
	{ "interest", FIELD_ID, FIELD_REQUIRED, offsetof(struct decision, interest), 0, NULL },
	{ "offer", FIELD_ID, FIELD_REQUIRED, offsetof(struct decision, offer), 0, NULL },
	{ "rev", FIELD_VERSION, FIELD_REQUIRED, offsetof(struct decision, rev), 0, NULL },
	{ "cause", FIELD_ENUM, FIELD_REQUIRED, offsetof(struct decision, cause), 0,
		decision_cause_names },
	{ "outcome", FIELD_ENUM, FIELD_REQUIRED, offsetof(struct decision, outcome), 0,
		decision_outcome_names },
	{ "reason", FIELD_ENUM, 0, offsetof(struct decision, reason), 0, reason_names },
	{ "user", FIELD_USER, FIELD_REQUIRED, offsetof(struct decision, user), 0, NULL },
	{ "session", FIELD_ID, FIELD_REQUIRED, offsetof(struct decision, session), 0, NULL },
	{ "item", FIELD_ITEM, 0, offsetof(struct decision, item), 0, NULL },
	{ "ts", FIELD_TIME, FIELD_REQUIRED, offsetof(struct decision, ts), 0, NULL },
	{ "price", FIELD_MONEY, 0, offsetof(struct decision, price), 0, NULL },
	{ "ruleset", FIELD_STR, 0, offsetof(struct decision, ruleset), 128, NULL },
	{ "waterfall", FIELD_RAW, 0, offsetof(struct decision, waterfall), WATERFALL_MAX, NULL },
	{ "inputs", FIELD_RAW, 0, offsetof(struct decision, inputs), INPUTS_MAX, NULL },
	{ "latency_us", FIELD_COUNT, 0, offsetof(struct decision, latency_us), 0, NULL },
};

const struct record_type decision_type = {
	.name = "decision",
	.fields = decision_fields,
	.n_fields = ARRAY_LEN(decision_fields),
	.size = sizeof(struct decision),
};

void decision_json(struct json_out *j, const struct decision *d, bool with_latency)
{
	json_begin(j, NULL);
	json_strz(j, "type", "decision");
	json_str(j, "interest", d->interest);
	json_str(j, "offer", d->offer);
	version_json(j, "rev", d->rev);
	json_strz(j, "cause", decision_cause_names[d->cause]);
	json_strz(j, "outcome", decision_outcome_names[d->outcome]);
	name_json_opt(j, "reason", reason_names[d->reason]);
	json_str(j, "user", d->user);
	json_str(j, "session", d->session);
	json_str_opt(j, "item", d->item);
	json_i64(j, "ts", d->ts);
	money_json(j, "price", d->price);
	json_str_opt(j, "ruleset", d->ruleset);
	json_raw_opt(j, "waterfall", d->waterfall);
	json_raw_opt(j, "inputs", d->inputs);
	if (with_latency)
		json_i64(j, "latency_us", d->latency_us);
	json_end(j);
}
