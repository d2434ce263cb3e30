/*
 * Guards of items and collections. They can only be narrower than those in force, which are the
 * configuration's and not known here: compute.c takes the narrower of both. What is checked is that
 * each is a guard at all.
 */
#include <errno.h>
#include <stdlib.h>

#include "common/model/item.h"
#include "pricing/rules/ruleset_parse.h"

#define SETTINGS_MAX 10000
#define WIDE_BPS_MAX 100000

static int64_t get_bps(struct parser *p, const json_t *v, const char *key, int64_t max)
{
	const json_t *n = json_object_get(v, key);

	if (!n)
		return -1;
	if (json_is_integer(n) && json_integer_value(n) >= 0 && json_integer_value(n) <= max)
		return json_integer_value(n);
	doc_bad_member(p, key, "value", "must be an integer from 0 to %lld", (long long)max);
	findings_hint(p->findings, "100 is one percent");
	return -1;
}

/* Digits with at most one point between them, and not all zeros. */
static bool is_decimal(struct str s)
{
	size_t points = 0, digits = 0, nonzero = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.' && i > 0 && i + 1 < s.n)
			points++;
		else if (s.p[i] >= '0' && s.p[i] <= '9')
			digits++;
		else
			return false;
		nonzero += s.p[i] > '0';
	}
	return points <= 1 && digits && digits <= 40 && nonzero;
}

static struct str get_round(struct parser *p, const json_t *v)
{
	struct str s = doc_text(p, v, "round", 41, false);

	if (!str_is_set(s) || is_decimal(s))
		return s;
	doc_bad_member(p, "round", "value", "must be an amount in whole units, as a text");
	findings_hint(p->findings, "such as \"0.0001\"");
	return STR_NONE;
}

static void parse_setting(struct parser *p, const json_t *v, struct guard_setting *ret)
{
	static const char *const names[] = { "min_margin_bps", "floor_over_bid_bps",
		"max_premium_bps", "max_discount_bps", "round", NULL };

	if (!doc_check_members(p, v, names, NULL, "the guards to be narrower"))
		return;
	ret->min_margin_bps = get_bps(p, v, "min_margin_bps", WIDE_BPS_MAX);
	ret->floor_over_bid_bps = get_bps(p, v, "floor_over_bid_bps", WIDE_BPS_MAX);
	ret->max_premium_bps = get_bps(p, v, "max_premium_bps", WIDE_BPS_MAX);
	ret->max_discount_bps = get_bps(p, v, "max_discount_bps", RULESET_BPS_MAX);
	ret->round = get_round(p, v);
}

static int by_key(const void *a, const void *b)
{
	return str_cmp(
		((const struct guard_setting *)a)->key, ((const struct guard_setting *)b)->key);
}

static bool is_slug(struct str s)
{
	return str_is_visible_ascii(s, 128);
}

static int parse_settings(struct parser *p, const json_t *v, const char *kind,
	bool (*is_key)(struct str), struct guard_setting **ret, size_t *ret_n)
{
	const json_t *all = json_object_get(v, kind);
	size_t top = doc_down(p, ".%s", kind), n = json_object_size(all);
	struct guard_setting *settings = doc_take(p, n * sizeof(*settings));

	if (!settings)
		return -ENOMEM;
	if (all && !json_is_object(all))
		doc_bad(p, "value", "must be an object of guards by %s",
			is_key == is_slug ? "collection" : "item");
	if (n > SETTINGS_MAX)
		doc_bad(p, "limit", "at most %d, these are %zu", SETTINGS_MAX, n);
	for (void *it = json_object_iter((json_t *)all); it;
		it = json_object_iter_next((json_t *)all, it)) {
		struct guard_setting *s = &settings[(*ret_n)++];
		size_t mark = doc_down(p, "[\"%.80s\"]", json_object_iter_key(it));

		*s = (struct guard_setting){ str_of(json_object_iter_key(it)), -1, -1, -1, -1,
			STR_NONE };
		if (!is_key(s->key))
			doc_bad(p, "value", "is no %s",
				is_key == is_slug ? "collection" : "item id (CAIP-19, lower case)");
		parse_setting(p, json_object_iter_value(it), s);
		doc_up(p, mark);
	}
	if (*ret_n)
		qsort(settings, *ret_n, sizeof(*settings), by_key);
	*ret = settings;
	doc_up(p, top);
	return 0;
}

int doc_guards(struct parser *p, const json_t *doc)
{
	static const char *const names[] = { "collections", "items", NULL };
	const json_t *v = json_object_get(doc, "guards");
	struct ruleset *r = p->rules;
	size_t mark = doc_down(p, ".guards");
	int err = 0;

	if (v && doc_check_members(p, v, names, NULL, "collections and items")) {
		err = parse_settings(p, v, "collections", is_slug, &r->guard_collections,
			&r->n_guard_collections);
		if (err == 0)
			err = parse_settings(
				p, v, "items", item_is_valid, &r->guard_items, &r->n_guard_items);
	}
	doc_up(p, mark);
	return err;
}
