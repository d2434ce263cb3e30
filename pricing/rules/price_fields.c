/*
 * Production's schema: struct price_inputs as rules see it. Values that compute.c needs before any
 * rule runs (list price, supply, rows present) are never absent here; what a side may leave out is.
 *
 * Ages are those of feeds, as guards judge them. An item outside every collection has no market,
 * and so its age is absent, not zero: `market.age_ms < 5000` must not hold for want of a market.
 */
#include <assert.h>
#include <errno.h>

#include "pricing/inputs.h"
#include "pricing/rules/fields.h"

/* ---- made values ---- */

static struct cel_value left_of(const void *record)
{
	const struct price_inputs *in = record;

	return cel_int(in->inventory.supply - in->stock.taken);
}

static bool set_left(void *record, const json_t *value, struct arena *a)
{
	struct price_inputs *in = record;
	int64_t n = json_integer_value(value);

	(void)a;
	if (!json_is_integer(value) || n < 0 || n > INT32_MAX)
		return false;
	in->inventory.supply = in->stock.taken + n;
	return true;
}

static struct cel_value market_age(const void *record)
{
	const struct price_inputs *in = record;

	if (!str_is_set(in->inventory.collection) && in->bestbid.row.state != ROW_PRESENT)
		return cel_absent(0);
	return cel_int(in->bestbid.age_ms);
}

static bool set_market_age(void *record, const json_t *value, struct arena *a)
{
	struct price_inputs *in = record;

	(void)a;
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	in->bestbid.age_ms = json_integer_value(value);
	in->bestbid.row.state = ROW_PRESENT;
	return true;
}

/* ---- flags: compact JSON, no escapes in the words we look for ---- */

/* Where the word's opening quote is, SIZE_MAX if it is not there. */
static size_t find_flag(struct str flags, struct str word)
{
	for (size_t i = 0; i + word.n + 2 <= flags.n; i++) {
		if (flags.p[i] == '"' && memcmp(flags.p + i + 1, word.p, word.n) == 0 &&
			flags.p[i + word.n + 1] == '"')
			return i;
	}
	return SIZE_MAX;
}

static struct cel_value has_flag(const void *record, struct str word)
{
	const struct price_inputs *in = record;

	return cel_bool(find_flag(in->bestbid.flags, word) != SIZE_MAX);
}

static bool add_flag(struct str *flags, struct str word, struct arena *a)
{
	bool is_empty = flags->n <= 2;
	size_t n = is_empty ? 1 : flags->n - 1;
	char *p = arena_alloc(a, n + word.n + 4);
	size_t at = n;

	if (!p)
		return false;
	if (is_empty)
		p[0] = '[';
	else
		memcpy(p, flags->p, n);
	if (!is_empty)
		p[at++] = ',';
	p[at++] = '"';
	memcpy(p + at, word.p, word.n);
	at += word.n;
	p[at++] = '"';
	p[at++] = ']';
	*flags = (struct str){ p, at };
	return true;
}

/* With the comma behind it, or, of the last one, the comma before it. */
static bool remove_flag(struct str *flags, struct str word, size_t at, struct arena *a)
{
	size_t end = at + word.n + 2;
	char *p = arena_alloc(a, flags->n);

	if (!p)
		return false;
	if (flags->p[end] == ',')
		end++;
	else if (flags->p[at - 1] == ',')
		at--;
	memcpy(p, flags->p, at);
	memcpy(p + at, flags->p + end, flags->n - end);
	*flags = (struct str){ p, flags->n - (end - at) };
	return true;
}

static bool set_flag(void *record, const json_t *value, struct str word, struct arena *a)
{
	struct price_inputs *in = record;
	size_t at = find_flag(in->bestbid.flags, word);

	if (!json_is_boolean(value))
		return false;
	if (json_is_true(value) == (at != SIZE_MAX))
		return true;
	return json_is_true(value) ? add_flag(&in->bestbid.flags, word, a)
				   : remove_flag(&in->bestbid.flags, word, at, a);
}

#define FLAG(name) \
	static struct cel_value has_##name(const void *record) \
	{ \
		return has_flag(record, STR(#name)); \
	} \
	static bool set_##name(void *record, const json_t *value, struct arena *a) \
	{ \
		return set_flag(record, value, STR(#name), a); \
	}
FLAG(gap)
FLAG(no_fx)
FLAG(net_estimated)

/* Those that market rows carry today (docs/protocol/opensea.md). */
static const char *const flag_names[] = { "gap", "no_fx", "net_estimated", "too_big", "no_end",
	NULL };

/* ---- the schema ---- */

#define AT(member) .offset = offsetof(struct price_inputs, member)

#define SENSITIVE(name_) \
	{ \
		.name = name_, .type = "string", .label = LABEL_SENSITIVE, .side = "", \
		.is_optional = true, .bind = FIELD_AT_NONE, \
		.help = "A protected trait: declared so that using it says why it is refused." \
	}

#define MARKET_MONEY(name_, member, help_) \
	{ \
		.name = name_, .type = "money", .label = LABEL_MARKET, .side = "market", \
		.is_optional = true, .bind = FIELD_AT_MONEY, AT(bestbid.member), .help = help_ \
	}

#define CONTEXT_TEXT(name_, member, proxy_, help_) \
	{ \
		.name = name_, .type = "string", .label = LABEL_CONTEXT, .side = "event", \
		.is_optional = true, .bind = FIELD_AT_STR, AT(interest.member), \
		.proxy_of = proxy_, .help = help_ \
	}

#define AGE(name_, label_, side_, member) \
	{ \
		.name = name_, .type = "int", .label = label_, .side = side_, .unit = CEL_UNIT_MS, \
		.bind = FIELD_AT_I64, AT(member), .help = "How old the " side_ " feed is." \
	}

#define MARKET_FLAG(name_, help_) \
	{ \
		.name = "market." #name_, .type = "bool", .label = LABEL_MARKET, .side = "market", \
		.bind = FIELD_AT_FN, .fn = has_##name_, .set = set_##name_, .help = help_ \
	}

static const struct schema_field price_fields[] = {
	/* the shopper */
	{ .name = "customer.tier",
		.type = "string",
		.label = LABEL_MEMBER,
		.side = "loyalty",
		.values = loyalty_tier_names,
		.bind = FIELD_AT_ENUM,
		AT(loyalty.tier),
		.help = "Loyalty tier; \"none\" for who is no member." },
	{ .name = "customer.points",
		.type = "int",
		.label = LABEL_MEMBER,
		.side = "loyalty",
		.unit = CEL_UNIT_POINTS,
		.bind = FIELD_AT_I64,
		AT(loyalty.points),
		.help = "Loyalty points." },
	{ .name = "customer.segment",
		.type = "string",
		.label = LABEL_PERSONAL,
		.side = "profile",
		.is_optional = true,
		.bind = FIELD_AT_STR,
		AT(profile.segment),
		.help = "Segment that the CRM has put the shopper into." },
	{ .name = "customer.country",
		.type = "string",
		.label = LABEL_PERSONAL,
		.side = "profile",
		.is_optional = true,
		.bind = FIELD_AT_STR,
		AT(profile.country),
		.proxy_of = "nationality",
		.help = "Country of the profile, ISO 3166 (\"DE\")." },
	{ .name = "customer.consent",
		.type = "bool",
		.label = LABEL_PERSONAL,
		.side = "profile",
		.bind = FIELD_AT_TRIBOOL,
		AT(profile.consent),
		.help = "Consent to personal prices in the profile." },

	/* the glance */
	{ .name = "session.signal",
		.type = "string",
		.label = LABEL_CONTEXT,
		.side = "event",
		.values = signal_kind_names,
		.bind = FIELD_AT_ENUM,
		AT(interest.signal_kind),
		.help = "What the shopper did." },
	{ .name = "session.source",
		.type = "string",
		.label = LABEL_CONTEXT,
		.side = "event",
		.values = signal_source_names,
		.is_optional = true,
		.bind = FIELD_AT_ENUM,
		AT(interest.signal_source),
		.help = "With what it was done." },
	{ .name = "session.device",
		.type = "string",
		.label = LABEL_CONTEXT,
		.side = "event",
		.values = device_names,
		.is_optional = true,
		.bind = FIELD_AT_ENUM,
		AT(interest.device),
		.proxy_of = "age or income",
		.help = "Kind of device." },
	{ .name = "session.dwell_ms",
		.type = "int",
		.label = LABEL_CONTEXT,
		.side = "event",
		.unit = CEL_UNIT_MS,
		.bind = FIELD_AT_I64,
		AT(interest.dwell_ms),
		.help = "How long the glance rested on the item; 0 if that was not the signal." },
	CONTEXT_TEXT("session.place", place, NULL, "Where in the show (\"gallery-3\")."),
	CONTEXT_TEXT("session.locale", locale, "nationality or ethnicity",
		"Language and region of the client (\"de-DE\")."),
	CONTEXT_TEXT("session.app", app, NULL, "Version of the client."),
	CONTEXT_TEXT("session.region", h3, NULL,
		"H3 cell of resolution 6, only with consent to the location."),

	/* the item */
	{ .name = "item.id",
		.type = "string",
		.label = LABEL_ITEM,
		.side = "event",
		.bind = FIELD_AT_STR,
		AT(interest.item),
		.help = "CAIP-19 id in lower case." },
	{ .name = "item.collection",
		.type = "string",
		.label = LABEL_ITEM,
		.side = "inventory",
		.is_optional = true,
		.bind = FIELD_AT_STR,
		AT(inventory.collection),
		.help = "Slug of its collection." },
	{ .name = "item.list",
		.type = "money",
		.label = LABEL_ITEM,
		.side = "inventory",
		.bind = FIELD_AT_MONEY,
		AT(inventory.list),
		.help = "List price." },
	{ .name = "item.cost",
		.type = "money",
		.label = LABEL_ITEM,
		.side = "inventory",
		.is_optional = true,
		.bind = FIELD_AT_MONEY,
		AT(inventory.cost),
		.help = "What the item cost the seller." },
	{ .name = "item.supply",
		.type = "int",
		.label = LABEL_ITEM,
		.side = "inventory",
		.unit = CEL_UNIT_COUNT,
		.bind = FIELD_AT_I64,
		AT(inventory.supply),
		.help = "Units consigned in total." },
	{ .name = "item.left",
		.type = "int",
		.label = LABEL_ITEM,
		.side = "stock",
		.unit = CEL_UNIT_COUNT,
		.bind = FIELD_AT_FN,
		.fn = left_of,
		.set = set_left,
		.help = "Units not taken by orders." },

	/* its market */
	MARKET_MONEY("market.bid", bid, "Best bid, gross."),
	MARKET_MONEY("market.bid_net", bid_net, "What the seller would get of the best bid."),
	MARKET_MONEY("market.ask", ask, "Lowest public listing."),
	MARKET_MONEY("market.floor", floor, "Floor of the collection, without outliers."),
	MARKET_MONEY("market.floor_raw", floor_raw, "Lowest listing of the collection."),
	MARKET_MONEY("market.last_sale", last_sale, "Last sale that was public and no self-trade."),
	{ .name = "market.flags",
		.type = "list(string)",
		.label = LABEL_MARKET,
		.side = "market",
		.values = flag_names,
		.bind = FIELD_AT_TEXTS,
		AT(bestbid.flags),
		.help = "What is to be known of these values." },
	MARKET_FLAG(gap, "Events of the market may be missing."),
	MARKET_FLAG(no_fx, "A value was left out for want of a rate to the list currency."),
	MARKET_FLAG(net_estimated, "The net bid is estimated from the collection's fees."),
	{ .name = "market.as_of",
		.type = "timestamp",
		.label = LABEL_MARKET,
		.side = "market",
		.is_optional = true,
		.bind = FIELD_AT_I64,
		AT(bestbid.as_of),
		.help = "When the market row was made." },

	/* freshness */
	{ .name = "market.age_ms",
		.type = "int",
		.label = LABEL_MARKET,
		.side = "market",
		.unit = CEL_UNIT_MS,
		.is_optional = true,
		.bind = FIELD_AT_FN,
		.fn = market_age,
		.set = set_market_age,
		.help = "How old the market feed is; absent for an item without a collection." },
	AGE("profile.age_ms", LABEL_CONTEXT, "profile", profile.age_ms),
	AGE("loyalty.age_ms", LABEL_CONTEXT, "loyalty", loyalty.age_ms),
	AGE("inventory.age_ms", LABEL_ITEM, "inventory", inventory.age_ms),
	{ .name = "now",
		.type = "timestamp",
		.label = LABEL_CONTEXT,
		.side = "",
		.bind = FIELD_AT_I64,
		AT(now),
		.help = "The moment of the decision." },

	SENSITIVE("customer.gender"),
	SENSITIVE("customer.age"),
	SENSITIVE("customer.religion"),
	SENSITIVE("customer.nationality"),
	SENSITIVE("customer.ethnicity"),
	SENSITIVE("customer.health"),
	SENSITIVE("customer.disability"),
	SENSITIVE("customer.orientation"),
};

const struct schema *price_schema(void)
{
	static struct schema *schema;
	int r = schema ? 0
		       : schema_new(&schema, price_fields, ARRAY_LEN(price_fields),
				 sizeof(struct price_inputs));

	assert(r == 0 || r == -ENOMEM);
	return schema;
}
