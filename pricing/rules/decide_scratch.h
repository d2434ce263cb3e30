#pragma once

/* Inside a decision: its memory, and what evaluating a condition says. For decide*.c and explain.
 */
#include "pricing/rules/decide.h"

struct decide_scratch {
	struct arena *arena;
	struct cel_context context;
	struct cel_value slots[CEL_VARS_MAX];
	struct cel_value now;
	const struct cel_value *columns[INDEX_COLUMNS_MAX];
	uint64_t found[INDEX_WORDS(RULESET_RULES_MAX)];
	uint64_t hidden[INDEX_WORDS(RULESET_RULES_MAX)]; /* would be found with consent */
	struct table_result table;
};

/* Binds @record. */
void decide_bind(const struct ruleset *r, struct decide_scratch *s, const void *record);
struct cel_value decide_moment(int64_t now_ms);
/* Whether weekday and hour are right (from and to are in the index). Hours that end before they
 * begin go over midnight and belong to the day that they begin on. */
bool decide_window_holds(const struct window *w, int64_t now_ms);

enum verdict { VERDICT_NO, VERDICT_YES, VERDICT_FAILED };
/* All of @programs, as `&&` would have it. @ret_error: enum cel_error of VERDICT_FAILED. */
enum verdict decide_holds(struct decide_scratch *s, const struct cel_program *const *programs,
	size_t n, uint8_t *ret_error);
/* The effect of one line into bps, discount or surcharge of @ret. VERDICT_NO: it does not apply
 * (another currency, an absent field). */
enum verdict decide_effect(
	struct decide_scratch *s, const struct effect *e, currency list, struct fired *ret);

/* Effects of one group, added up. */
struct decide_sums {
	int64_t bps;
	u128 discount, surcharge;
};

/* Of fired[@from..@to); notes count nothing. */
struct decide_sums decide_sums(const struct fired *f, size_t from, size_t to);
void decide_apply(struct fraction *price, const struct decide_sums *sums);
