/*
 * Judgement first, then the price; see the header for both orders. Nothing here can fail: inputs
 * were checked where they came in, and amounts have 32 bits of room.
 */
#include "pricing/compute.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "pricing/guard.h"

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

/* ---- what the shopper is told ---- */

static bool has_perk(const struct price_result *r, struct str id)
{
	for (size_t i = 0; i < r->n_perks; i++) {
		if (str_eq(r->perks[i].id, id))
			return true;
	}
	return false;
}

static void add_perks(struct price_result *ret, const struct line *line, size_t language)
{
	for (size_t i = 0; i < line->n_perks && ret->n_perks < PRICE_PERKS_MAX; i++) {
		const struct perk *p = &line->perks[i];

		if (!has_perk(ret, p->id))
			ret->perks[ret->n_perks++] =
				(struct price_perk){ p->id, texts_in(p->text, language) };
	}
}

/* A rule without an explanation is in the waterfall only. */
static void tell(struct price_result *ret, const struct price_inputs *in)
{
	const struct decided *d = &ret->decided;
	size_t language = d->n_fired ? ruleset_language(ret->rules, in->interest.locale) : 0;

	for (size_t i = 0; i < d->n_fired; i++) {
		const struct fired *f = &d->fired[i];
		struct str text = STR_NONE;

		if (f->state != FIRED)
			continue;
		if (f->line->explanation)
			text = texts_in(f->line->explanation, language);
		if (str_is_set(text) && ret->n_reasons < PRICE_REASONS_MAX)
			ret->reasons[ret->n_reasons++] =
				(struct price_reason){ f->line->id, text, f->bps };
		if (f->line->n_perks)
			add_perks(ret, f->line, language);
	}
}

static bool has_alternative(const struct price_result *r, struct str item)
{
	for (size_t i = 0; i < r->n_alternatives; i++) {
		if (str_eq(r->alternatives[i], item))
			return true;
	}
	return false;
}

static void suggest(struct price_result *ret, const struct price_inputs *in)
{
	for (size_t s = 0; s < ret->decided.n_suggestions; s++) {
		const struct suggestion *from = ret->decided.suggestions[s];

		for (size_t i = 0; i < from->n; i++) {
			if (ret->n_alternatives == PRICE_ALTERNATIVES_MAX)
				return;
			if (!str_eq(from->items[i], in->interest.item) &&
				!has_alternative(ret, from->items[i]))
				ret->alternatives[ret->n_alternatives++] = from->items[i];
		}
	}
}

/* ---- price ---- */

static void end(struct price_result *r, enum price_step step, const char *id, u128 before,
	u128 after, const char *note)
{
	if (!r->has_lines)
		return;
	assert(r->n_ends < PRICE_ENDS_MAX);
	r->ends[r->n_ends++] = (struct price_end){ step, id, before, after, note };
}

static u128 apply_round(u128 price, u128 quantum, struct price_result *ret)
{
	struct money rounded = { price, ret->price.currency };

	if (quantum <= 1 || money_round(&rounded, rounded, quantum, ret->rules->rounding) != 0)
		return price;
	if (rounded.amount != price)
		end(ret, STEP_ROUND, "quantum", price, rounded.amount, NULL);
	return rounded.amount;
}

/* REASON_NONE, or why there is no price inside. */
static enum reason apply_guards(const struct price_inputs *in, const struct guard_limits *limits,
	u128 *price, struct price_result *ret)
{
	struct guard_bounds b;
	u128 before = *price;

	guard_bounds(&b, in, limits);
	for (size_t i = 0; i < b.n_no_fx; i++)
		end(ret, STEP_GUARD, b.no_fx[i], before, before, "no_fx");
	if (b.floor > b.ceiling) {
		end(ret, STEP_GUARD, b.floor_id, before, b.floor, "conflict");
		end(ret, STEP_GUARD, b.ceiling_id, b.floor, b.ceiling, "conflict");
		return b.floor <= b.unheld ? REASON_RULE_CHANGE : REASON_GUARD_CONFLICT;
	}
	if (before < b.floor) {
		*price = b.floor;
		end(ret, STEP_GUARD, b.floor_id, before, *price, NULL);
	} else if (before > b.ceiling) {
		*price = b.ceiling;
		end(ret, STEP_GUARD, b.ceiling_id, before, *price, NULL);
	}
	return REASON_NONE;
}

static void refuse(struct price_result *ret, const struct price_inputs *in, enum reason reason)
{
	ret->outcome = reason == REASON_EXPIRED ? OUTCOME_EXPIRED : OUTCOME_NO_OFFER;
	if (in->is_revision)
		ret->outcome = OUTCOME_WITHDRAWN;
	ret->reason = reason;
	ret->price = (struct money){ 0 };
	if (reason == REASON_SUPPRESSED || reason == REASON_GUARD_CONFLICT)
		suggest(ret, in);
}

/* All sides are known and fresh by then. */
static void suggest_instead(
	struct price_result *ret, struct decide_scratch *s, const struct price_inputs *in)
{
	decide_suggest(ret->rules, s, in, in->personalization == TRI_TRUE, &ret->decided);
	suggest(ret, in);
}

static enum reason price(
	struct price_result *ret, struct decide_scratch *s, const struct price_inputs *in)
{
	struct guard_limits limits;
	enum reason reason;
	u128 amount;

	ret->list = in->inventory.list.amount;
	ret->price.currency = in->inventory.list.currency;
	decide(ret->rules, s, in, in->now, in->inventory.list, in->personalization == TRI_TRUE,
		&ret->decided);
	if (ret->decided.suppressed_by)
		return REASON_SUPPRESSED;
	guard_limits(&limits, ret->rules, in);
	amount = apply_round(ret->decided.price, limits.quantum, ret);
	reason = apply_guards(in, &limits, &amount, ret);
	ret->price.amount = amount;
	return reason;
}

/* The large arrays are not cleared: their numbers say how much of them is used. */
static void begin(struct price_result *ret, const struct ruleset *rules, bool has_lines)
{
	ret->outcome = OUTCOME_OFFER;
	ret->reason = REASON_NONE;
	ret->personalised = false;
	ret->has_lines = has_lines;
	ret->price = (struct money){ 0 };
	ret->disclosure = STR_NONE;
	ret->n_reasons = ret->n_perks = ret->n_alternatives = ret->n_ends = 0;
	ret->rules = rules;
	ret->list = 0;
	decided_clear(&ret->decided);
}

static void run(const struct ruleset *rules, struct decide_scratch *s,
	const struct price_inputs *in, bool has_lines, struct price_result *ret)
{
	enum reason reason = judge(in);

	begin(ret, rules, has_lines);
	if (reason) {
		ret->has_lines = false;
		refuse(ret, in, reason);
		if (reason == REASON_SOLD_OUT || reason == REASON_NOT_FOR_SALE)
			suggest_instead(ret, s, in);
		return;
	}
	reason = price(ret, s, in);
	if (reason) {
		refuse(ret, in, reason);
		return;
	}
	if (has_lines)
		tell(ret, in);
	suggest(ret, in);
	ret->personalised = ret->decided.labels & (1u << LABEL_MEMBER | 1u << LABEL_PERSONAL);
	if (ret->personalised)
		ret->disclosure = ruleset_disclosure(rules, in->profile.country);
}

void compute(const struct ruleset *rules, struct decide_scratch *s, const struct price_inputs *in,
	struct price_result *ret)
{
	run(rules, s, in, true, ret);
}

void compute_plain(const struct ruleset *rules, struct decide_scratch *s,
	const struct price_inputs *in, struct price_result *ret)
{
	run(rules, s, in, false, ret);
}

/* ---- lines ---- */

static void note_of(const struct fired *f, char ret[PRICE_NOTE_MAX])
{
	ret[0] = '\0';
	if (f->state == FIRED_FAILED)
		snprintf(
			ret, PRICE_NOTE_MAX, "failed:%s", cel_error_name((enum cel_error)f->error));
	else if (f->state == FIRED_NO_CONSENT)
		memcpy(ret, "no_consent", sizeof("no_consent"));
	else if (f->state == FIRED_LIMIT)
		memcpy(ret, "limit", sizeof("limit"));
	else if (f->line->effect.kind == EFFECT_SUPPRESS)
		memcpy(ret, "suppressed", sizeof("suppressed"));
}

static size_t rule_lines(const struct price_result *r, struct price_line *ret)
{
	struct decide_walk w;
	u128 before = r->list;

	decide_walk_begin(&w, r->rules, &r->decided, r->list);
	for (size_t i = 0; i < r->decided.n_fired; i++) {
		const struct fired *f = &r->decided.fired[i];

		ret[i].step = STEP_RULE;
		ret[i].id = f->line->id;
		ret[i].before = before;
		ret[i].after = before = decide_walk_next(&w);
		note_of(f, ret[i].note);
	}
	return r->decided.n_fired;
}

size_t compute_lines(const struct price_result *r, struct price_line ret[PRICE_LINES_MAX])
{
	size_t n = 0;

	if (!r->has_lines)
		return 0;
	ret[n++] = (struct price_line){ STEP_ANCHOR, STR("list"), r->list, r->list, "" };
	n += rule_lines(r, ret + n);
	for (size_t i = 0; i < r->n_ends; i++) {
		const struct price_end *e = &r->ends[i];

		ret[n] = (struct price_line){ e->step, str_of(e->id), e->before, e->after, "" };
		if (e->note)
			snprintf(ret[n].note, sizeof(ret[n].note), "%s", e->note);
		n++;
	}
	return n;
}

/* ---- written forms ---- */

void compute_waterfall_json(struct json_out *j, const char *key, const struct price_result *r)
{
	struct price_line lines[PRICE_LINES_MAX];
	size_t n = compute_lines(r, lines);
	char text[MONEY_TEXT_MAX];

	json_begin_array(j, key);
	for (size_t i = 0; i < n; i++) {
		json_begin(j, NULL);
		json_strz(j, "step", step_names[lines[i].step]);
		json_str(j, "id", lines[i].id);
		money_format_amount(text, lines[i].before);
		json_strz(j, "before", text);
		money_format_amount(text, lines[i].after);
		json_strz(j, "after", text);
		if (lines[i].note[0])
			json_strz(j, "note", lines[i].note);
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

void compute_perks_json(struct json_out *j, const char *key, const struct price_result *r)
{
	json_begin_array(j, key);
	for (size_t i = 0; i < r->n_perks; i++) {
		json_begin(j, NULL);
		json_str(j, "id", r->perks[i].id);
		json_str(j, "text", r->perks[i].text);
		json_end(j);
	}
	json_end_array(j);
}

void compute_alternatives_json(struct json_out *j, const char *key, const struct price_result *r)
{
	json_begin_array(j, key);
	for (size_t i = 0; i < r->n_alternatives; i++)
		json_str(j, NULL, r->alternatives[i]);
	json_end_array(j);
}
