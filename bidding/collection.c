/*
 * A mapping of the YAML list arrives here as text, and so does a flag or an environment variable:
 * one parser for the three. All members are required: a default chain or fee would be a guess about
 * money.
 */
#include "bidding/collection.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/model/item.h"

#define FEE_BPS_MAX 10000

struct parser {
	struct collection *c;
	size_t index;
	struct fault *f;
};

static int refuse(const struct parser *p, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(const struct parser *p, int code, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return fault_set(
		p->f, FAULT_FATAL, code, "bidding.opensea.collections[%zu]: %s", p->index, text);
}

static int wrong(const struct parser *p, const char *member, const char *want, struct str got)
{
	return refuse(p, COLLECTION_E_VALUE, "%s: expected %s, got \"%.*s\"", member, want,
		(int)(got.n < 60 ? got.n : 60), got.p);
}

/* A wildcard is no slug: it loses far more than a topic of one's own, and an item would have two
 * feeds. */
static int set_slug(const struct parser *p, struct str v)
{
	for (size_t i = 0; i < v.n; i++) {
		char c = v.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    (c && strchr("-_.", c))))
			v.n = 0;
	}
	if (v.n == 0 || str_copy(p->c->slug, sizeof(p->c->slug), v))
		return wrong(p, "slug", "1..128 letters, digits, - _ .", v);
	return 0;
}

static int set_chain(const struct parser *p, struct str v)
{
	char item[ITEM_MAX + 1];
	struct item_parts parts;

	if (str_copy(p->c->chain, sizeof(p->c->chain), v))
		return wrong(p, "chain", "a CAIP-2 chain id such as eip155:1", v);
	snprintf(item, sizeof(item), "%s/erc721:0x0/0", p->c->chain);
	if (item_parse(&parts, str_of(item), NULL) || !str_eq(parts.chain, v))
		return wrong(p, "chain", "a CAIP-2 chain id such as eip155:1", v);
	return 0;
}

static int set_standard(const struct parser *p, struct str v)
{
	if (!str_eqz(v, "erc721") && !str_eqz(v, "erc1155"))
		return wrong(p, "standard", "erc721 or erc1155", v);
	return str_copy(p->c->standard, sizeof(p->c->standard), v);
}

static int set_contract(const struct parser *p, struct str v)
{
	if (!wallet_is_valid(v))
		return wrong(p, "contract", "0x and 40 hex digits", v);
	for (size_t i = 0; i < v.n; i++)
		p->c->contract[i] = v.p[i] >= 'A' && v.p[i] <= 'F' ? (char)(v.p[i] + 32) : v.p[i];
	p->c->contract[v.n] = '\0';
	return 0;
}

static int set_fee(const struct parser *p, struct str v)
{
	uint64_t n;

	if (str_to_u64(v, &n) || n > FEE_BPS_MAX)
		return wrong(p, "fee_bps", "0..10000", v);
	p->c->fee_bps = (int32_t)n;
	return 0;
}

static int set_currency(const struct parser *p, struct str v)
{
	p->c->currency = currency_find(v);
	return p->c->currency ? 0 : wrong(p, "currency", "the code of a known currency", v);
}

static const struct member {
	const char *name;
	int (*set)(const struct parser *p, struct str v);
} MEMBERS[] = {
	{ "slug", set_slug },
	{ "chain", set_chain },
	{ "standard", set_standard },
	{ "contract", set_contract },
	{ "fee_bps", set_fee },
	{ "currency", set_currency },
};

static int set_member(const struct parser *p, struct str text, unsigned *seen)
{
	const char *eq = memchr(text.p, '=', text.n);
	struct str name, value;

	if (!eq)
		return refuse(p, COLLECTION_E_SYNTAX, "expected member=value, got \"%.*s\"",
			(int)(text.n < 60 ? text.n : 60), text.p);
	name = (struct str){ text.p, (size_t)(eq - text.p) };
	value = (struct str){ eq + 1, text.n - name.n - 1 };
	for (unsigned i = 0; i < ARRAY_LEN(MEMBERS); i++) {
		if (!str_eqz(name, MEMBERS[i].name))
			continue;
		if (*seen >> i & 1)
			return refuse(p, COLLECTION_E_REPEATED, "%s: given twice", MEMBERS[i].name);
		*seen |= 1u << i;
		return MEMBERS[i].set(p, value);
	}
	return refuse(p, COLLECTION_E_UNKNOWN,
		"%.*s: no such member; there are slug, chain, standard, contract, fee_bps, "
		"currency",
		(int)(name.n < 60 ? name.n : 60), name.p);
}

int collection_parse(struct collection *ret, size_t index, struct str text, struct fault *f)
{
	struct parser p = { ret, index, f };
	unsigned seen = 0;

	*ret = (struct collection){ 0 };
	while (text.n) {
		const char *end = memchr(text.p, ';', text.n);
		struct str one = { text.p, end ? (size_t)(end - text.p) : text.n };
		int r = set_member(&p, one, &seen);

		if (r)
			return r;
		one.n += end ? 1 : 0;
		text.p += one.n;
		text.n -= one.n;
	}
	for (unsigned i = 0; i < ARRAY_LEN(MEMBERS); i++) {
		if (!(seen >> i & 1))
			return refuse(&p, COLLECTION_E_MISSING, "%s: missing", MEMBERS[i].name);
	}
	snprintf(ret->key, sizeof(ret->key), "%s:%s", ret->chain, ret->slug);
	return 0;
}
