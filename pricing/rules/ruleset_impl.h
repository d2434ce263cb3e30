#pragma once

/*
 * Inside a ruleset: what the parser fills and a decision reads. Everything lies in one arena of the
 * ruleset but programs, tables and indexes.
 *
 * All conditions of rules that do not depend on a table are rows of one index (index.h): a decision
 * finds the rules whose indexed tests hold in one query, and evaluates only the rest of those.
 */
#include <jansson.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/model/money.h"
#include "pricing/cel/program.h"
#include "pricing/rules/conjunct.h"
#include "pricing/rules/fields.h"
#include "pricing/rules/index.h"
#include "pricing/rules/ruleset.h"
#include "pricing/rules/table.h"

/* Texts by language: the ruleset's languages are numbered, [0] is its default. */
struct texts {
	const struct str *v; /* unset: not given */
	uint32_t n;          /* languages beyond it have none */
};

struct perk {
	struct str id;
	const struct texts *text;
};

enum effect_kind { EFFECT_NONE, EFFECT_BPS, EFFECT_DISCOUNT, EFFECT_SURCHARGE, EFFECT_SUPPRESS };

struct effect {
	enum effect_kind kind;
	int32_t bps;                       /* BPS, if there is no program */
	const struct cel_program *program; /* BPS or money, NULL = @bps */
};

/* One thing that can fire: a rule without a table, or a row of one. */
struct line {
	struct str id; /* the rule's, or "<rule>/<row's id, or its number from 1>" */
	struct effect effect;
	const struct texts *explanation; /* NULL */
	const struct perk *perks;
	uint32_t n_perks;
	uint8_t labels; /* bits of enum field_label, of everything it reads, effect included */
};

struct window { /* when a rule is valid */
	int64_t from_ms,
		to_ms; /* half open; INT64_MIN / INT64_MAX = unbounded (indexed on `now`) */
	const struct cel_zone *zone; /* of the below; NULL: none of them */
	uint8_t weekdays;            /* bits, 0 = Sunday; 0x7f = all */
	struct {
		uint16_t from_minute, to_minute;
	} hours[8]; /* of the local day; from > to: over midnight */
	uint32_t n_hours;
};

struct rule {
	struct line line; /* of a rule without a table; with one: id, and labels of its condition */
	uint16_t group;
	bool is_enabled; /* false: checked like any other, and no row of the index accepts it */
	const struct window *window; /* NULL: always. from/to are in the index, the rest is asked */
	/* What of its condition is in the index, one test a slot; for proofs and explanations. */
	const struct conjunct_test *tests;
	uint32_t n_tests;
	const struct cel_program **rest; /* of its condition, beyond the index: all must be true */
	uint32_t n_rest;
	/* The same without whatever reads personal fields; for "left out for want of consent". */
	const struct cel_program **rest_impersonal;
	uint32_t n_rest_impersonal;
	struct table *table; /* NULL */
	struct line *rows;   /* of the table */
	const uint64_t
		*rows_impersonal; /* bits of rows that read no personal field; NULL = none does */
	const char *source;       /* of its condition, for explain: "audience && when" as written */
};

enum group_mode { GROUP_STACK, GROUP_FIRST, GROUP_BEST_FOR_CUSTOMER, GROUP_BEST_FOR_MARGIN };
extern const char *const group_mode_names[];

struct group {
	struct str id;
	enum group_mode mode;
	uint32_t first, n; /* of rules */
};

struct suggestion {
	struct str id;
	const struct cel_program *when; /* NULL: always */
	struct str items[RULESET_SUGGEST_MAX];
	uint32_t n;
	uint8_t labels;
};

/* Narrower guards of an item or collection; -1 (or no quantum) = as in force. */
struct guard_setting {
	struct str key;
	int64_t min_margin_bps, floor_over_bid_bps, max_premium_bps, max_discount_bps;
	struct str round; /* decimal text in whole units ("0.0001"), unset = as in force */
};

struct disclosure {
	struct str country;
	struct str text;
};

/* The tag of an index column that is the moment of the decision (a TIMESTAMP), for schemas without
 * a variable for it; else a slot. */
#define RULESET_TAG_NOW (-1)

struct ruleset {
	json_t *doc; /* texts point into it */
	struct arena *arena;
	struct buf body;
	char id[RULESET_ID_LEN + 1];
	struct str name, version;
	enum rounding rounding;
	struct str languages[RULESET_LANGUAGES_MAX];
	size_t n_languages;
	struct disclosure *disclosures;
	size_t n_disclosures;
	const struct schema *schema;
	struct cel_symbols *symbols;
	uint64_t used[CEL_VARS_MAX / 64]; /* slots that anything reads */
	struct binder *binder;
	struct group *groups;
	size_t n_groups;
	struct rule *rules; /* of all groups, in order */
	size_t n_rules;
	struct row_index *index; /* a row a rule; columns tagged with slots or RULESET_TAG_NOW */
	/* The same without tests on personal columns, for rows of @personal only: who would be
	 * looked at with consent. NULL if there are none. */
	struct row_index *index_impersonal;
	uint64_t *personal; /* bits of rules whose condition (not table) reads personal fields */
	struct suggestion *suggestions;
	size_t n_suggestions;
	struct guard_setting *guard_items, *guard_collections; /* sorted by key */
	size_t n_guard_items, n_guard_collections;
	const json_t *tests; /* array or NULL */
	uint64_t cost;
	struct cel_program **programs; /* all, for freeing */
	size_t n_programs, cap_programs;
};

/* "de-AT" -> the number of "de-AT", else of "de", else 0. */
size_t ruleset_language(const struct ruleset *r, struct str locale);
/* The text in that language, else in the ruleset's own; STR_NONE if there is none. */
struct str texts_in(const struct texts *t, size_t language);
