#pragma once

/*
 * A ruleset: one JSON document (integers only), checked as a whole, identified by the SHA-256 of
 * its RFC 8785 form, immutable once it is loaded.
 *
 *	{"name":"demo","version":"2","title":"…","note":"…",
 *	 "rounding":"half_even",      of the final division and of add_bps: down, up, half_up,
 *	                              half_down, half_even (the default)
 *	 "language":"en",             of explanations when the shopper's is not there
 *	 "disclosure":{"default":"…","DE":"…"},
 *	 "guards":{"collections":{"apes":{"min_margin_bps":500,"round":"0.001"}},
 *	           "items":{"eip155:1/…/77":{"max_discount_bps":1000}}},
 *	 "groups":[
 *	   {"id":"loyalty","mode":"stack","rules":[
 *	     {"id":"gold-evening","title":"Gold members in the evening","owner":"loyalty team",
 *	      "note":"for whoever approves","enabled":true,
 *	      "valid":{"from":"2026-11-01T00:00","to":"2026-12-01","tz":"Europe/Berlin",
 *	               "weekdays":["mon","fri"],"hours":["18:00-22:00"]},
 *	      "audience":"customer.tier in ['gold','platinum']",
 *	      "when":"session.dwell_ms > 3000",
 *	      "bps":-500,
 *	      "perks":[{"id":"early-access","text":{"en":"Early access"}}],
 *	      "explanation":{"en":"Gold member","de":"Gold-Mitglied"}},
 *	     {"id":"volume","when":"…","table":{"hit":"first","inputs":[…],
 *	      "rows":[{"id":"…","if":[…],"bps":-100,"explanation":{…}}]}},
 *	     {"id":"not-here","when":"session.place == 'lobby'","suppress":true}]}],
 *	 "suggest":[{"id":"sold-out","when":"item.left == 0","items":["eip155:1/…/78"]}],
 *	 "tests":[{"id":"gold gets 5 %","at":"2026-11-20T19:00:00Z",
 *	           "given":{"customer.tier":"gold","session.dwell_ms":4000,"item.list":"1.25 ETH"},
 *	           "expect":{"price":"1.1875 ETH","fired":["gold-evening"]}}]}
 *
 * An effect is one of `bps` (an integer, or CEL of type bps), `discount` or `surcharge` (CEL of
 * type money), `table`, `suppress`; or none of them, with `perks` only. `audience` and `when` are
 * joined by `&&`. Reserved for later, refused until then: `budget`, `experiment` of a rule,
 * `approval` of the document.
 *
 * Modes of a group: "stack" all that fire: the price times (1 + the sum of their basis points),
 * less the sum of discounts, plus the sum of surcharges; "first" the first that fires, in the
 * document's order; "best_for_customer" and "best_for_margin" the one that makes the lowest or
 * highest price (equal: the lower id). The groups' results follow each other: basis points
 *multiply. Nothing is rounded in between; the price is an exact fraction until the one division at
 *the end, in the mode that `rounding` names, and the rounding to the currency's quantum, in the
 *same mode.
 *
 * A table is a group of its own: of its rows those fire that its hit policy picks. A row has what a
 * rule has for effect, perks, explanation and note, but of hit "min" and "max" only `bps`; its name
 * is "<rule>/<id>", without an id "<rule>/<number from 1>"; a row without an explanation has the
 * rule's. Whatever changes a price needs one, in the document's language.
 *
 * Windows: `from` and `to` (half open) with Z or an offset, or local in `tz`: what a change of
 * clocks skips is when it would have been, what it repeats is the first of the two. Weekdays and
 * hours ("22:00-02:00" over midnight, then of the day that it begins on) are always those of `tz`.
 *
 * A rule on personal fields is left out without consent, and said so if the rest of its condition
 * (that does not read personal fields) holds. A rule that fails (overflow, division by zero, out of
 * arena) is left out and named in the waterfall. Guards of the document can only be narrower than
 * those in force.
 *
 * Names are unique: groups, rules, rows of a table, suggestions, tests; a perk may be brought by
 * several rules, with the same text. A perk, a group and a rule may share a name.
 *
 * `expect` of a test has one or more of: price ("1.25 ETH"), outcome ("OFFER", "NO_OFFER"), reason,
 * fired and not_fired (names of rules or rows), perks and suggest (ids), alternatives (items),
 * personalised.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "common/base/str.h"
#include "pricing/cel/value.h"
#include "pricing/rules/fields.h"
#include "pricing/rules/findings.h"

#define RULESET_BYTES_MAX     (1024 * 1024)
#define RULESET_GROUPS_MAX    16
#define RULESET_RULES_MAX     1024
#define RULESET_ROWS_MAX      4096 /* of all tables together */
#define RULESET_TEXT_MAX      200  /* bytes of an explanation or perk */
#define RULESET_LANGUAGES_MAX 32
#define RULESET_PERKS_MAX     8 /* of a rule */
#define RULESET_SUGGEST_MAX   8 /* items of one suggestion, and of one offer */
#define RULESET_TESTS_MAX     1000
#define RULESET_FIRED_MAX     128   /* of one decision; what fires beyond is left out and named */
#define RULESET_NOTES_MAX     32    /* left out for want of consent, failed */
#define RULESET_COST_MAX      50000 /* static worst case of an offer */
#define RULESET_ID_LEN        71    /* "sha256:" and 64 hex digits */

struct ruleset;

/* @schema: price_schema() in production. @findings may be NULL; warnings come with 0 too. 0;
 * -EINVAL with the first error in @f ("$.groups[0].rules[2].when: …"); -ENOMEM. Does not run the
 * tests of the document. */
MUST_CHECK int ruleset_parse(struct ruleset **ret, struct str json, const struct schema *schema,
	struct findings *findings, struct fault *f);
struct ruleset *ruleset_free(struct ruleset *r);
DEFINE_CLEANUP(struct ruleset *, ruleset_free)

/* A note for each rule whose window is over at that moment: not part of parsing, which knows no
 * clock. */
void ruleset_note_past(const struct ruleset *r, int64_t now_ms, struct findings *findings);

/* All borrow from the ruleset. */
struct str ruleset_id(const struct ruleset *r);
struct str ruleset_name(const struct ruleset *r);
struct str ruleset_version(const struct ruleset *r);
struct str ruleset_body(
	const struct ruleset *r); /* the RFC 8785 form: what is published and hashed */
/* For a shopper's country (absent: the default); absent if the document has none. */
struct str ruleset_disclosure(const struct ruleset *r, struct str country);
size_t ruleset_n_rules(const struct ruleset *r);
uint64_t ruleset_cost(const struct ruleset *r); /* static worst case of one decision */
