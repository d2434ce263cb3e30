/*
 * Judgement first, then the price; see the header for both orders. Nothing here can fail: inputs
 * were checked where they came in, and amounts have 32 bits of room.
 */
#include "pricing/compute.h"

#include <assert.h>

#include "pricing/guard.h"

#define BPS_UNIT 10000

static const char *const step_names[] = { "anchor", "rule", "guard", "round" };

/* ---- judgement ---- */

static bool is_stale(const struct input_row *row, int64_t age_ms, int64_t max_age_ms)
{
	return row->state == ROW_UNKNOWN || age_ms > max_age_ms;
}

static enum reason judge_sides(const struct price_inputs *in)
{
	const struct guards *g = &in->guards;

	if (is_stale(&in->profile.row, in->profile.age_ms, g->max_age_profile_ms))
		return REASON_STALE_PROFILE;
	if (is_stale(&in->loyalty.row, in->loyalty.age_ms, g->max_age_loyalty_ms))
		return REASON_STALE_LOYALTY;
	if (is_stale(&in->inventory.row, in->inventory.age_ms, g->max_age_inventory_ms) ||
		in->stock.row.state == ROW_UNKNOWN)
		return REASON_STALE_INVENTORY;
	if (in->inventory.row.state == ROW_PRESENT && str_is_set(in->inventory.collection) &&
		is_stale(&in->bestbid.row, in->bestbid.age_ms, g->max_age_market_ms))
		return REASON_STALE_MARKET;
	return REASON_NONE;
}

static bool is_at_limit(int64_t live, int64_t limit)
{
	return limit > 0 && live >= limit;
}

static enum reason judge_item(const struct price_inputs *in)
{
	if (in->inventory.row.state != ROW_PRESENT)
		return REASON_NO_LISTING;
	if (in->inventory.supply <= in->stock.taken)
		return REASON_SOLD_OUT;
	if (!money_is_set(in->inventory.list))
		return REASON_NOT_FOR_SALE;
	if (in->inventory.held)
		return REASON_CIRCUIT_OPEN;
	if (in->paused == TRI_TRUE)
		return REASON_PAUSED;
	if (in->is_revision)
		return REASON_NONE;
	if (is_at_limit(in->live_user, in->guards.live_per_user) ||
		is_at_limit(in->live_item, in->guards.live_per_item))
		return REASON_QUOTE_LIMIT;
	return REASON_NONE;
}

static enum reason judge(const struct price_inputs *in)
{
	enum reason reason;

	if (in->is_revision && in->paused == TRI_TRUE)
		return REASON_PAUSED;
	if (in->deadline && in->now > in->deadline)
		return REASON_EXPIRED;
	if (str_is_set(in->bad))
		return REASON_BAD_EVENT;
	reason = judge_sides(in);
	return reason ? reason : judge_item(in);
}

/* ---- price ---- */

static void line(struct price_result *r, enum price_step step, struct str id, u128 before,
	u128 after, const char *note)
{
	assert(r->n_lines < PRICE_LINES_MAX);
	r->lines[r->n_lines++] = (struct price_line){ step, id, before, after, note };
}

static u128 discounted(u128 list, int64_t bps)
{
	u128 ret = 0;
	int r;

	if (bps < -BPS_UNIT)
		bps = -BPS_UNIT;
	r = u128_mul_div(&ret, list, (u128)(BPS_UNIT + bps), BPS_UNIT, ROUND_HALF_EVEN);
	assert(r == 0);
	(void)r;
	return ret;
}

static u128 apply_rules(
	const struct ruleset *rules, const struct price_inputs *in, struct price_result *ret)
{
	const struct rule_facts facts = {
		.tier = in->loyalty.tier,
		.points = in->loyalty.points,
		.personal_ok = in->personalization == TRI_TRUE,
		.segment = in->profile.segment,
		.dwell_ms = in->interest.dwell_ms,
		.place = in->interest.place,
		.device = in->interest.device,
		.signal = in->interest.signal_kind,
	};
	struct rule_hit hits[RULESET_HITS_MAX];
	size_t n = ruleset_match(rules, &facts, hits);
	u128 list = in->inventory.list.amount, price = list;
	int64_t bps = 0;

	for (size_t i = 0; i < n; i++) {
		u128 before = price;

		if (hits[i].is_skipped) {
			line(ret, STEP_RULE, hits[i].id, price, price, "no_consent");
			continue;
		}
		bps += hits[i].bps;
		price = discounted(list, bps);
		line(ret, STEP_RULE, hits[i].id, before, price, NULL);
		ret->reasons[ret->n_reasons++] =
			(struct price_reason){ hits[i].id, hits[i].reason, hits[i].bps };
		if (hits[i].labels & (RULE_MEMBER | RULE_PERSONAL))
			ret->personalised = true;
	}
	return price;
}

static u128 apply_round(const struct price_inputs *in, u128 price, struct price_result *ret)
{
	struct money rounded = { price, in->inventory.list.currency };
	u128 quantum;

	if (money_parse_amount(&quantum, in->guards.quantum) != 0 || quantum <= 1)
		return price;
	if (money_round(&rounded, rounded, quantum, ROUND_HALF_EVEN) != 0)
		return price;
	if (rounded.amount != price)
		line(ret, STEP_ROUND, STR("quantum"), price, rounded.amount, NULL);
	return rounded.amount;
}

/* REASON_NONE, or why there is no price inside. */
static enum reason apply_guards(
	const struct price_inputs *in, u128 *price, struct price_result *ret)
{
	struct guard_bounds b;
	u128 before = *price;

	guard_bounds(&b, in);
	for (size_t i = 0; i < b.n_no_fx; i++)
		line(ret, STEP_GUARD, str_of(b.no_fx[i]), before, before, "no_fx");
	if (b.floor > b.ceiling) {
		line(ret, STEP_GUARD, str_of(b.floor_id), before, b.floor, "conflict");
		line(ret, STEP_GUARD, str_of(b.ceiling_id), b.floor, b.ceiling, "conflict");
		return b.floor <= b.unheld ? REASON_RULE_CHANGE : REASON_GUARD_CONFLICT;
	}
	if (before < b.floor) {
		*price = b.floor;
		line(ret, STEP_GUARD, str_of(b.floor_id), before, *price, NULL);
	} else if (before > b.ceiling) {
		*price = b.ceiling;
		line(ret, STEP_GUARD, str_of(b.ceiling_id), before, *price, NULL);
	}
	return REASON_NONE;
}

static void refuse(struct price_result *ret, const struct price_inputs *in, enum reason reason)
{
	ret->outcome = reason == REASON_EXPIRED ? OUTCOME_EXPIRED : OUTCOME_NO_OFFER;
	if (in->is_revision)
		ret->outcome = OUTCOME_WITHDRAWN;
	ret->reason = reason;
	ret->n_reasons = 0;
	ret->personalised = false;
}

void compute(const struct ruleset *rules, const struct price_inputs *in, struct price_result *ret)
{
	enum reason reason = judge(in);
	u128 price;

	*ret = (struct price_result){ 0 };
	if (reason) {
		refuse(ret, in, reason);
		return;
	}
	line(ret, STEP_ANCHOR, STR("list"), in->inventory.list.amount, in->inventory.list.amount,
		NULL);
	price = apply_rules(rules, in, ret);
	price = apply_round(in, price, ret);
	reason = apply_guards(in, &price, ret);
	if (reason) {
		refuse(ret, in, reason);
		return;
	}
	ret->outcome = OUTCOME_OFFER;
	ret->price = (struct money){ price, in->inventory.list.currency };
	if (ret->personalised)
		ret->disclosure = ruleset_disclosure(rules, in->profile.country);
}

/* ---- written forms ---- */

void compute_waterfall_json(struct json_out *j, const char *key, const struct price_result *r)
{
	char text[MONEY_TEXT_MAX];

	json_begin_array(j, key);
	for (size_t i = 0; i < r->n_lines; i++) {
		const struct price_line *l = &r->lines[i];

		json_begin(j, NULL);
		json_strz(j, "step", step_names[l->step]);
		json_str(j, "id", l->id);
		money_format_amount(text, l->before);
		json_strz(j, "before", text);
		money_format_amount(text, l->after);
		json_strz(j, "after", text);
		if (l->note)
			json_strz(j, "note", l->note);
		json_end(j);
	}
	json_end_array(j);
}

void compute_reasons_json(struct json_out *j, const char *key, const struct price_result *r)
{
	json_begin_array(j, key);
	for (size_t i = 0; i < r->n_reasons; i++) {
		json_begin(j, NULL);
		json_str(j, "rule", r->reasons[i].rule);
		json_str(j, "text", r->reasons[i].text);
		json_i64(j, "bps", r->reasons[i].bps);
		json_end(j);
	}
	json_end_array(j);
}
