/*
 * What a rule, a row and a suggestion have in common: slots that are bound once a decision, and
 * conditions and effects that are evaluated on them.
 *
 * Conditions absorb like `&&`: one that is false makes the others' errors meaningless, and a field
 * that is absent makes the whole not apply, whichever order the conjuncts are kept in. So a rule
 * only fails if nothing else would have kept it from firing.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "pricing/rules/decide_scratch.h"
#include "pricing/rules/fraction.h"

#define DAY_S     86400
#define MINUTE_S  60
#define THURSDAY  4 /* 1970-01-01 */
#define MONEY_MAX (((u128)1 << MONEY_INPUT_BITS) - 1)

int decide_scratch_new(struct decide_scratch **ret)
{
	CLEANUP(decide_scratch_free) struct decide_scratch *s = calloc(1, sizeof(*s));

	if (!s || arena_new(&s->arena, DECIDE_ARENA_BYTES) != 0)
		return -ENOMEM;
	s->context.arena = s->arena;
	s->context.cost_max = RULESET_COST_MAX;
	*ret = TAKE(s);
	return 0;
}

struct decide_scratch *decide_scratch_free(struct decide_scratch *s)
{
	if (!s)
		return NULL;
	arena_free(s->arena);
	free(s);
	return NULL;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

struct cel_value decide_moment(int64_t now_ms)
{
	int64_t seconds = floor_div(now_ms, 1000);

	return (struct cel_value){
		.kind = CEL_V_TIMESTAMP,
		.n = (uint32_t)(now_ms - seconds * 1000) * 1000000,
		.i = seconds,
	};
}

void decide_bind(const struct ruleset *r, struct decide_scratch *s, const void *record)
{
	arena_reset(s->arena);
	s->context.cost = 0;
	s->context.rounding = r->rounding;
	binder_bind(r->binder, record, s->slots, s->arena);
}

/* ---- windows ---- */

static bool is_day(const struct window *w, int64_t day)
{
	int64_t weekday = (day + THURSDAY) % 7;

	return w->weekdays >> (weekday < 0 ? weekday + 7 : weekday) & 1;
}

bool decide_window_holds(const struct window *w, int64_t now_ms)
{
	int64_t local, day, minute;

	if (!w->zone)
		return true;
	local = floor_div(now_ms, 1000);
	local += cel_zone_offset(w->zone, local);
	day = floor_div(local, DAY_S);
	minute = (local - day * DAY_S) / MINUTE_S;
	if (w->n_hours == 0)
		return is_day(w, day);
	for (size_t i = 0; i < w->n_hours; i++) {
		bool is_over = w->hours[i].from_minute > w->hours[i].to_minute;
		bool has_begun = minute >= w->hours[i].from_minute;
		bool has_ended = minute >= w->hours[i].to_minute;

		if (has_begun && (is_over || !has_ended) && is_day(w, day))
			return true;
		if (is_over && !has_ended && is_day(w, day - 1))
			return true;
	}
	return false;
}

/* ---- conditions and effects ---- */

static bool is_failure(struct cel_value error)
{
	return error.sym < CEL_R_FIRST_NOT_APPLICABLE;
}

/* What is asked of the result lies in the value: the memory is there again for the next one, so
 * that none can fail for what others took. */
static struct cel_value eval(struct decide_scratch *s, const struct cel_program *program)
{
	size_t mark = arena_used(s->arena);
	struct cel_value v = cel_eval(program, &s->context, s->slots);

	arena_rewind(s->arena, mark);
	return v;
}

enum verdict decide_holds(struct decide_scratch *s, const struct cel_program *const *programs,
	size_t n, uint8_t *ret_error)
{
	enum verdict ret = VERDICT_YES;
	bool is_absent = false;

	for (size_t i = 0; i < n; i++) {
		struct cel_value v = eval(s, programs[i]);

		if (v.kind == CEL_V_BOOL) {
			if (!v.b)
				return VERDICT_NO;
		} else if (cel_is_error(v) && !is_failure(v)) {
			is_absent = true;
		} else if (ret == VERDICT_YES) {
			*ret_error = cel_is_error(v) ? (uint8_t)v.sym : CEL_R_NO_OVERLOAD;
			ret = VERDICT_FAILED;
		}
	}
	return is_absent ? VERDICT_NO : ret;
}

static enum verdict failed(struct fired *ret, enum cel_error error)
{
	ret->error = (uint8_t)error;
	return VERDICT_FAILED;
}

static enum verdict money_effect(
	struct fired *ret, enum effect_kind kind, struct cel_value v, currency list)
{
	struct money m = cel_money_of(v);

	if (v.kind != CEL_V_MONEY)
		return failed(ret, CEL_R_NO_OVERLOAD);
	if (!currency_is_par(m.currency, list))
		return VERDICT_NO;
	if (m.amount > MONEY_MAX)
		return failed(ret, CEL_R_OVERFLOW);
	if (kind == EFFECT_DISCOUNT)
		ret->discount = m.amount;
	else
		ret->surcharge = m.amount;
	return VERDICT_YES;
}

enum verdict decide_effect(
	struct decide_scratch *s, const struct effect *e, currency list, struct fired *ret)
{
	struct cel_value v;

	ret->error = 0;
	ret->bps = e->kind == EFFECT_BPS ? e->bps : 0;
	ret->discount = ret->surcharge = 0;
	if (!e->program)
		return VERDICT_YES;
	v = eval(s, e->program);
	if (cel_is_error(v))
		return is_failure(v) ? failed(ret, (enum cel_error)v.sym) : VERDICT_NO;
	if (e->kind != EFFECT_BPS)
		return money_effect(ret, e->kind, v, list);
	if (v.kind != CEL_V_BPS && v.kind != CEL_V_INT)
		return failed(ret, CEL_R_NO_OVERLOAD);
	if (v.i > FRACTION_BPS_MAX || v.i < -FRACTION_BPS_MAX)
		return failed(ret, CEL_R_OVERFLOW);
	ret->bps = v.i;
	return VERDICT_YES;
}
