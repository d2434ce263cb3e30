#pragma once

/*
 * Rules that can only end at a guard: their own basis points take the price beyond max_discount or
 * max_premium, and nothing that can fire with them brings it back. Somebody has promised what
 * nobody will get.
 *
 * The proof takes the most favourable case for the rule: everything that helps fires, nothing else
 * does (but what always fires); of a stack the sum, of first and best-of groups the one rule that
 * helps most, of a table by its hit policy, groups multiplied. Two rules whose tests exclude each
 * other do not help each other. What cannot be bounded (a computed number, an amount of money in
 * the helping direction) helps without limit, so there is no proof then. Floors from cost and bid
 * depend on the item; nothing is proved from them.
 */
#include "pricing/rules/findings.h"
#include "pricing/rules/ruleset.h"

/* Those in force. Narrower ones of the document count for rules that are for these items or
 * collections only. */
struct guard_numbers {
	int64_t max_premium_bps, max_discount_bps;
};

/* Findings of code "guard-bound": an error with its proof for each rule or row that can only end
 * at a guard, a warning for each that would without the others' help. A set with such rules loads
 * and prices all the same: the guards hold. */
void ruleset_guard_report(
	const struct ruleset *r, const struct guard_numbers *g, struct findings *f);
