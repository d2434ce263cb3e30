/*
 * decode() is asked for every member we know and then judged here, not there: a member of the wrong
 * type is the same as an absent one, since the stream has changed types between years and sends
 * null, {} and nothing for the same thing. Only what an event cannot do without makes it bad.
 *
 * Members that have been seen both as text and as number (amounts, quantity, version, times) are
 * taken raw.
 */
#include "bidding/opensea/decode.h"

#include <stddef.h>
#include <stdio.h>

#include "bidding/opensea/elements.h"
#include "bidding/opensea/seaport.h"
#include "bidding/opensea/time.h"
#include "bidding/opensea/tokens.h"
#include "common/model/item.h"

#define PARAMETERS_MAX 262144
#define TOKEN_ID_MAX   78
#define HASH_CHARS     66

const char *const opensea_reason_names[OPENSEA_N_REASONS] = { "json", "size", "frame", "collection",
	"chain", "item", "order", "price", "account" };

struct message {
	struct str type, version, sent_at;
	struct str chain, slug, nft_id, item_chain, order;
	struct str base_price, sale_price, quantity, token, listing_type;
	int is_private;
	struct str listed, created, expires, closed, at, tx_at;
	struct str maker, taker, from, to;
	struct str criteria_slug, criteria_contract, trait, traits, numeric_traits;
	struct str parameters;
};

#define AT(member) offsetof(struct message, member)
static const struct field message_fields[] = {
	{ "event_type", FIELD_STR, 0, AT(type), 64, NULL },
	{ "version", FIELD_RAW, 0, AT(version), 40, NULL },
	{ "sent_at", FIELD_RAW, 0, AT(sent_at), 64, NULL },
	{ "payload.base_price", FIELD_RAW, 0, AT(base_price), 140, NULL },
	{ "payload.sale_price", FIELD_RAW, 0, AT(sale_price), 140, NULL },
	{ "payload.quantity", FIELD_RAW, 0, AT(quantity), 140, NULL },
	{ "payload.chain", FIELD_RAW, 0, AT(chain), 256, NULL },
	{ "payload.collection.slug", FIELD_STR, 0, AT(slug), 256, NULL },
	{ "payload.item.nft_id", FIELD_STR, 0, AT(nft_id), 256, NULL },
	{ "payload.item.chain.name", FIELD_STR, 0, AT(item_chain), 64, NULL },
	{ "payload.order_hash", FIELD_STR, 0, AT(order), HASH_CHARS, NULL },
	{ "payload.listing_type", FIELD_STR, 0, AT(listing_type), 32, NULL },
	{ "payload.is_private", FIELD_BOOL, 0, AT(is_private), 0, NULL },
	{ "payload.listing_date", FIELD_RAW, 0, AT(listed), 64, NULL },
	{ "payload.created_date", FIELD_RAW, 0, AT(created), 64, NULL },
	{ "payload.expiration_date", FIELD_RAW, 0, AT(expires), 64, NULL },
	{ "payload.closing_date", FIELD_RAW, 0, AT(closed), 64, NULL },
	{ "payload.event_timestamp", FIELD_RAW, 0, AT(at), 64, NULL },
	{ "payload.transaction.timestamp", FIELD_RAW, 0, AT(tx_at), 64, NULL },
	{ "payload.maker.address", FIELD_WALLET, 0, AT(maker), 0, NULL },
	{ "payload.taker.address", FIELD_WALLET, 0, AT(taker), 0, NULL },
	{ "payload.from_account.address", FIELD_WALLET, 0, AT(from), 0, NULL },
	{ "payload.to_account.address", FIELD_WALLET, 0, AT(to), 0, NULL },
	{ "payload.payment_token.address", FIELD_WALLET, 0, AT(token), 0, NULL },
	{ "payload.collection_criteria.slug", FIELD_STR, 0, AT(criteria_slug), 256, NULL },
	{ "payload.asset_contract_criteria.address", FIELD_WALLET, 0, AT(criteria_contract), 0,
		NULL },
	{ "payload.trait_criteria", FIELD_RAW, 0, AT(trait), 4096, NULL },
	{ "payload.trait_criteria_list", FIELD_RAW, 0, AT(traits), 16384, NULL },
	{ "payload.numeric_trait_criteria_list", FIELD_RAW, 0, AT(numeric_traits), 16384, NULL },
	{ "payload.protocol_data.parameters", FIELD_RAW, 0, AT(parameters), PARAMETERS_MAX, NULL },
};
static const struct record_type message_type = { .name = "message",
	.fields = message_fields,
	.n_fields = ARRAY_LEN(message_fields),
	.size = sizeof(struct message) };

/* What an event is, and what it cannot do without. */
enum { NEEDS_ITEM = 1, NEEDS_ORDER = 2, NEEDS_PRICE = 4, NEEDS_FROM = 8, NEEDS_ORDER_OR_ITEM = 16 };

static const struct kind {
	const char *name;
	enum market_event_type type;
	unsigned needs;
} KINDS[] = {
	{ "item_received_bid", MARKET_BID, NEEDS_ITEM | NEEDS_ORDER | NEEDS_PRICE },
	{ "item_cancelled", MARKET_CANCELLED, NEEDS_ORDER },
	{ "order_invalidate", MARKET_INVALIDATED, NEEDS_ORDER },
	{ "order_revalidate", MARKET_REVALIDATED, NEEDS_ORDER },
	{ "item_listed", MARKET_LISTED, NEEDS_ITEM | NEEDS_ORDER | NEEDS_PRICE },
	{ "item_received_offer", MARKET_BID, NEEDS_ITEM | NEEDS_ORDER | NEEDS_PRICE },
	{ "collection_offer", MARKET_COLLECTION_OFFER, NEEDS_ORDER | NEEDS_PRICE },
	{ "trait_offer", MARKET_TRAIT_OFFER, NEEDS_ORDER | NEEDS_PRICE },
	{ "item_sold", MARKET_SOLD, NEEDS_ORDER_OR_ITEM },
	{ "item_transferred", MARKET_TRANSFERRED, NEEDS_ITEM | NEEDS_FROM },
	{ "item_metadata_updated", MARKET_METADATA, NEEDS_ITEM },
};

struct reading {
	struct market_event *e;
	const struct collection *c;
	struct message m;
	struct seaport order;
	struct arena *arena;
	enum opensea_reason *reason;
	char flags[128];
	size_t flags_n;
};

static int bad(struct reading *r, enum opensea_reason reason)
{
	*r->reason = reason;
	return OPENSEA_E_BAD;
}

static void flag(struct reading *r, const char *name)
{
	int n = snprintf(r->flags + r->flags_n, sizeof(r->flags) - r->flags_n, "%c\"%s\"",
		r->flags_n ? ',' : '[', name);

	r->flags_n += (size_t)n;
}

/* ---- who and where ---- */

/* A text, or the member `name` of an object. */
static struct str chain_name(struct reading *r)
{
	struct named {
		struct str name;
	} n;
	static const struct field fields[] = { { "name", FIELD_STR, 0, offsetof(struct named, name),
		64, NULL } };
	static const struct record_type type = {
		.name = "chain", .fields = fields, .n_fields = 1, .size = sizeof(struct named)
	};
	struct str raw = r->m.chain;

	if (!str_is_set(raw) || raw.n == 0 || raw.p[0] != '{')
		return str_is_set(raw) ? opensea_scalar(raw) : STR_NONE;
	(void)!decode(&type, &n, raw, r->arena, NULL);
	return n.name;
}

static bool is_our_chain(const struct reading *r, struct str name)
{
	return !str_is_set(name) || str_eqz(opensea_chain(name), r->c->chain);
}

static bool is_token_id(struct str s)
{
	if (s.n == 0 || s.n > TOKEN_ID_MAX || (s.n > 1 && s.p[0] == '0'))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return true;
}

static struct str cut(struct str *rest)
{
	const char *slash = rest->n ? memchr(rest->p, '/', rest->n) : NULL;
	struct str part = { rest->p, slash ? (size_t)(slash - rest->p) : rest->n };

	rest->p += part.n + (slash ? 1 : 0);
	rest->n -= part.n + (slash ? 1 : 0);
	return part;
}

static bool is_contract(const struct collection *c, struct str address)
{
	return address.n == strlen(c->contract) &&
	       strncasecmp(address.p, c->contract, address.n) == 0;
}

/* "chain/0xcontract/token"; since 2026 the last part may be missing on bids, and the order itself
 * has it. */
static struct str token_id(const struct reading *r)
{
	struct str rest = r->m.nft_id;
	struct str chain, contract;

	if (str_is_set(rest)) {
		chain = cut(&rest);
		contract = cut(&rest);
		if (!is_our_chain(r, chain) || !is_contract(r->c, contract))
			return STR_NONE;
		if (rest.n)
			return is_token_id(rest) ? rest : STR_NONE;
	}
	if (!str_is_set(r->order.nft_id) || !str_is_set(r->order.nft_token) ||
		!is_contract(r->c, r->order.nft_token) || !is_token_id(r->order.nft_id))
		return STR_NONE;
	return r->order.nft_id;
}

static void read_item(struct reading *r)
{
	struct str token = token_id(r);
	char text[ITEM_MAX + 1];
	int n;

	if (!str_is_set(token))
		return;
	n = snprintf(text, sizeof(text), "%s/%s:%s/" STR_FMT, r->c->chain, r->c->standard,
		r->c->contract, STR_ARG(token));
	r->e->item = arena_copy(r->arena, (struct str){ text, (size_t)n });
}

static void read_order(struct reading *r)
{
	struct str s = r->m.order;
	char text[HASH_CHARS];

	if (s.n != HASH_CHARS || s.p[0] != '0' || (s.p[1] != 'x' && s.p[1] != 'X'))
		return;
	memcpy(text, "0x", 2);
	for (size_t i = 2; i < s.n; i++) {
		char c = s.p[i];

		if (c >= 'A' && c <= 'F')
			c = (char)(c + 32);
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return;
		text[i] = c;
	}
	r->e->order = arena_copy(r->arena, (struct str){ text, HASH_CHARS });
}

/* ---- when ---- */

static int64_t time_of(struct str raw)
{
	int64_t ms;

	return str_is_set(raw) && opensea_time_parse(&ms, opensea_scalar(raw)) == 0 ? ms : 0;
}

static void read_times(struct reading *r, int64_t received_ms)
{
	const struct str at[] = { r->m.at, r->m.closed, r->m.tx_at, r->m.sent_at };

	for (size_t i = 0; i < ARRAY_LEN(at) && r->e->ts == 0; i++)
		r->e->ts = time_of(at[i]);
	if (r->e->ts == 0)
		r->e->ts = received_ms;
	r->e->received = received_ms;
	r->e->starts = time_of(r->e->type == MARKET_LISTED ? r->m.listed : r->m.created);
	if (r->e->starts == 0)
		r->e->starts = r->order.starts;
	r->e->expires = time_of(r->m.expires);
	if (r->e->expires == 0)
		r->e->expires = r->order.expires;
}

static void read_count(int64_t *ret, struct str raw)
{
	uint64_t n;

	if (str_is_set(raw) && str_to_u64(opensea_scalar(raw), &n) == 0 && n < (uint64_t)1 << 53)
		*ret = (int64_t)n;
}

/* ---- how much ---- */

/* What a value of @amount is in the list currency; absent and flagged where there is no path. */
static struct money list_money(struct reading *r, u128 amount)
{
	struct str token = str_is_set(r->m.token) ? r->m.token : r->order.money_token;
	currency paid = str_is_set(token) ? opensea_token_currency(str_of(r->c->chain), token) : 0;

	if (!currency_is_par(paid, r->c->currency)) {
		flag(r, OPENSEA_FLAG_NO_FX);
		return (struct money){ 0 };
	}
	return (struct money){ amount, r->c->currency };
}

/* 0, or a MONEY_E_* of the amount. */
static int price_amount(const struct reading *r, u128 *ret)
{
	struct str raw = r->e->type == MARKET_SOLD ? r->m.sale_price : r->m.base_price;
	struct str text = str_is_set(raw) ? opensea_scalar(raw) : STR_NONE;

	return str_is_set(text) ? money_parse_amount(ret, text) : MONEY_E_SYNTAX;
}

/* Whether an order's total is what the event says, which may be the price of one or of all. */
static bool is_told(const struct reading *r, u128 total, u128 base)
{
	u128 all;

	if (!r->order.is_sound || total == 0)
		return false;
	return total == base ||
	       (!__builtin_mul_overflow(base, (u128)r->e->quantity, &all) && total == all);
}

static void set_bid(struct reading *r, u128 base)
{
	const struct seaport *o = &r->order;
	u128 n = (u128)r->e->quantity,
	     total = o->paid_start < o->paid_end ? o->paid_start : o->paid_end;
	u128 fees = o->others_start > o->others_end ? o->others_start : o->others_end;

	if (is_told(r, o->paid_start, base) && fees <= total) {
		r->e->price = list_money(r, total / n);
		if (money_is_set(r->e->price))
			r->e->price_net = (struct money){ (total - fees) / n, r->c->currency };
		return;
	}
	r->e->price = list_money(r, base);
	if (!money_is_set(r->e->price))
		return;
	if (money_add_bps(&r->e->price_net, r->e->price, -r->c->fee_bps, ROUND_DOWN))
		r->e->price_net = (struct money){ 0, r->c->currency };
	flag(r, OPENSEA_FLAG_NET_ESTIMATED);
}

static u128 share(u128 total, u128 n)
{
	return total / n + (total % n != 0);
}

static void set_ask(struct reading *r, u128 base)
{
	const struct seaport *o = &r->order;
	u128 n = (u128)r->e->quantity;
	bool is_told_all = is_told(r, o->asked_start, base);

	r->e->price = list_money(r, is_told_all ? share(o->asked_start, n) : base);
	if (!money_is_set(r->e->price) || str_eqz(r->e->listing, "english"))
		return;
	if (is_told_all && o->asked_end != o->asked_start)
		r->e->listing = STR("dutch");
	if (!str_eqz(r->e->listing, "dutch"))
		return;
	if (is_told_all && r->e->expires > r->e->starts)
		r->e->price_end = (struct money){ share(o->asked_end, n), r->c->currency };
	else
		flag(r, OPENSEA_FLAG_NO_END);
}

static void read_listing(struct reading *r)
{
	struct str type = r->m.listing_type;

	if (r->e->type != MARKET_LISTED)
		return;
	if (!str_is_set(type) || type.n == 0 || str_eqz(type, "basic"))
		r->e->listing = STR("fixed");
	else if (str_eqz(type, "dutch"))
		r->e->listing = STR("dutch");
	else
		r->e->listing = STR("english"); /* an auction of some kind: has bids, no ask */
	if (str_is_set(r->e->taker) || r->order.is_private)
		r->e->is_private = TRI_TRUE;
}

static int read_price(struct reading *r, unsigned needs)
{
	u128 amount = 0;
	int code;

	if (!(needs & NEEDS_PRICE) && r->e->type != MARKET_SOLD)
		return 0;
	code = price_amount(r, &amount);
	if (code == MONEY_E_RANGE)
		flag(r, OPENSEA_FLAG_TOO_BIG);
	else if (code)
		return needs & NEEDS_PRICE ? bad(r, OPENSEA_BAD_PRICE) : 0;
	else if (r->e->type == MARKET_LISTED)
		set_ask(r, amount);
	else if (r->e->type == MARKET_SOLD)
		r->e->price = list_money(r, amount);
	else
		set_bid(r, amount);
	return 0;
}

/* ---- which tokens ---- */

static bool has_elements(struct str raw)
{
	struct opensea_elements e = opensea_elements(raw);
	struct str one;

	return str_is_set(raw) && opensea_elements_next(&e, &one);
}

/* An offer to a whole collection must say so: an offer whose criteria we failed to see would
 * otherwise match everything. */
static void read_criteria(struct reading *r)
{
	const struct message *m = &r->m;
	bool is_slug = str_is_set(m->criteria_slug),
	     is_contract_ = str_is_set(m->criteria_contract);
	bool is_met = is_slug || is_contract_;

	if (r->e->type != MARKET_COLLECTION_OFFER)
		return;
	if ((is_slug && !str_eqz(m->criteria_slug, r->c->slug)) ||
		(is_contract_ && !is_contract(r->c, m->criteria_contract)))
		is_met = false;
	if ((str_is_set(m->trait) && m->trait.n > 2) || has_elements(m->traits) ||
		has_elements(m->numeric_traits))
		is_met = false;
	if (!is_met)
		flag(r, OPENSEA_FLAG_UNMET);
}

/* ---- all of it ---- */

static const struct kind *kind_of(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(KINDS); i++) {
		if (str_eqz(name, KINDS[i].name))
			return &KINDS[i];
	}
	return NULL;
}

static int check_place(struct reading *r)
{
	if (str_is_set(r->m.slug) && !str_eqz(r->m.slug, r->c->slug))
		return bad(r, OPENSEA_BAD_COLLECTION);
	if (!is_our_chain(r, chain_name(r)) || !is_our_chain(r, r->m.item_chain))
		return bad(r, OPENSEA_BAD_CHAIN);
	return 0;
}

static int check_needs(struct reading *r, unsigned needs)
{
	bool has_item = str_is_set(r->e->item), has_order = str_is_set(r->e->order);

	if ((needs & NEEDS_ITEM) && !has_item)
		return bad(r, OPENSEA_BAD_ITEM);
	if ((needs & NEEDS_ORDER) && !has_order)
		return bad(r, OPENSEA_BAD_ORDER);
	if ((needs & NEEDS_ORDER_OR_ITEM) && !has_order && !has_item)
		return bad(r, OPENSEA_BAD_ORDER);
	return (needs & NEEDS_FROM) && !str_is_set(r->e->from) ? bad(r, OPENSEA_BAD_ACCOUNT) : 0;
}

static struct str account(struct str address)
{
	return str_eqz(address, OPENSEA_NATIVE) ? STR_NONE : address;
}

static void read_accounts(struct reading *r)
{
	r->e->maker = r->m.maker;
	r->e->taker = account(r->m.taker);
	r->e->from = r->m.from;
	r->e->to = r->m.to;
	r->e->is_private = r->m.is_private;
}

static int read_event(struct reading *r, const struct kind *kind, int64_t received_ms)
{
	int e = check_place(r);

	if (e)
		return e;
	r->e->type = (int)kind->type;
	r->e->collection = str_of(r->c->slug);
	seaport_parse(&r->order, r->m.parameters, r->m.maker, r->arena);
	read_accounts(r);
	read_order(r);
	if (kind->type != MARKET_COLLECTION_OFFER && kind->type != MARKET_TRAIT_OFFER)
		read_item(r);
	read_times(r, received_ms);
	read_count(&r->e->seq, r->m.version);
	read_count(&r->e->quantity, r->m.quantity);
	if (r->e->quantity == 0)
		r->e->quantity = 1;
	read_listing(r);
	e = check_needs(r, kind->needs);
	if (!e)
		e = read_price(r, kind->needs);
	if (!e)
		read_criteria(r);
	return e;
}

int opensea_decode(struct market_event *ret, const struct collection *c, struct str message,
	int64_t received_ms, struct arena *a, enum opensea_reason *ret_reason)
{
	struct reading r = { .e = ret, .c = c, .arena = a, .reason = ret_reason };
	const struct kind *kind;
	int e = decode(&message_type, &r.m, message, a, NULL);

	*ret = (struct market_event){ 0 };
	if (e == DECODE_E_JSON)
		return bad(&r, OPENSEA_BAD_JSON);
	kind = str_is_set(r.m.type) ? kind_of(r.m.type) : NULL;
	if (!kind)
		return e == DECODE_E_TOO_LARGE ? bad(&r, OPENSEA_BAD_SIZE) : OPENSEA_E_UNKNOWN;
	e = read_event(&r, kind, received_ms);
	if (e)
		return e;
	if (r.flags_n) {
		r.flags[r.flags_n++] = ']';
		ret->flags = arena_copy(a, (struct str){ r.flags, r.flags_n });
		if (!str_is_set(ret->flags))
			return bad(&r, OPENSEA_BAD_SIZE);
	}
	return 0;
}
