#pragma once

/*
 * From document to ruleset: what the parts share (ruleset_parse.c, _member, _text, _window, _expr,
 * _rule, _row, _guard, _test).
 *
 * Parsing goes on after an error, so that one check finds all there are. So the functions here
 * return 0 although they found errors, or -ENOMEM; whether the document is right is the number of
 * errors in the findings at the end. What was refused is left zero.
 */
#include "pricing/rules/names.h"
#include "pricing/rules/ruleset_impl.h"

#define RULESET_ID_MAX   64
#define RULESET_NOTE_MAX 1000
#define RULESET_BPS_MAX  10000

/* What must be unique, or can be referred to. */
enum name_kind {
	NAME_GROUP,
	NAME_LINE, /* rules, and "<rule>/<row>" */
	NAME_PERK,
	NAME_SUGGESTION,
	NAME_TEST,
	NAME_CONDITION, /* of the first group; that of the next is one more, and so on */
};

struct slot_set {
	uint64_t bits[CEL_VARS_MAX / 64];
};

struct index_part {
	struct index_builder *builder; /* NULL until something is tested */
	int columns[CEL_VARS_MAX + 1]; /* by slot, the last is RULESET_TAG_NOW's; 0: none yet, else
					  the number + 1 */
};

struct parser {
	struct ruleset *rules;
	const struct schema *schema;
	struct findings *findings;
	bool is_asked; /* somebody reads warnings and notes: what only they are about is looked for
			*/
	struct arena *scratch; /* trees: rewound after each rule */
	struct cel_diags diags;
	char path[256];
	size_t n_path;
	struct names *names;
	/* @impersonal has the rows of personal rules only: nobody asks it for others. */
	struct index_part index, impersonal;
	size_t n_rows;         /* of all tables */
	bool is_full;          /* "too many fields" has been said */
	bool needs_disclosure; /* something reads a member or personal field */
};

/* ---- ruleset_member.c: places, members, scalars ---- */

void doc_bad(struct parser *p, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same about a member of what the path names. */
void doc_bad_member(struct parser *p, const char *member, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Descends; returns what doc_up() goes back to. The first two are for where thousands do. */
size_t doc_down_member(struct parser *p, const char *member);              /* ".member" */
size_t doc_down_item(struct parser *p, const char *member, size_t number); /* ".member[7]" */
size_t doc_down(struct parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void doc_up(struct parser *p, size_t mark);

/* Zeroed, in the ruleset's arena; NULL: no memory. */
void *doc_take(struct parser *p, size_t n);

/* false: it is no object (said). Unknown members are errors; those of @reserved too, in words of
 * their own. Lists end with NULL; @reserved may be NULL. */
bool doc_check_members(struct parser *p, const json_t *v, const char *const *names,
	const char *const *reserved, const char *what);
/* The array's size; 0 if it is absent, no array or larger than @max (said). */
size_t doc_array(
	struct parser *p, const json_t *object, const char *key, size_t max, const json_t **ret);
/* A text of 1..@max bytes; absent: unset, an error if @is_required. */
struct str doc_text(
	struct parser *p, const json_t *object, const char *key, size_t max, bool is_required);
/* The same of A-Z a-z 0-9 . _ -, at most RULESET_ID_MAX. */
struct str doc_id(struct parser *p, const json_t *object, const char *key, bool is_required);
/* One of @names, else -1 (said); absent: @fallback. */
int doc_name(struct parser *p, const json_t *object, const char *key, const char *const *names,
	int fallback);
bool doc_bool(struct parser *p, const json_t *object, const char *key, bool fallback);
/* Enters @name (borrowed); a repeated one is an error about @member. 0 or -ENOMEM. */
int doc_enter(struct parser *p, enum name_kind kind, struct str name, const char *member);

/* ---- ruleset_text.c: languages, texts, perks, disclosure ---- */

/* Also of the document's language. -1: no more languages (said). */
int doc_language(struct parser *p, struct str tag);
bool doc_is_language(struct str s);
int doc_texts(struct parser *p, const json_t *object, const char *key, bool is_required,
	const struct texts **ret);
int doc_perks(struct parser *p, const json_t *object, struct line *ret);
int doc_disclosure(struct parser *p, const json_t *doc);

/* ---- ruleset_window.c ---- */

/* @object.valid; *ret NULL if there is none. */
int doc_window(struct parser *p, const json_t *object, const struct window **ret);

/* ---- ruleset_expr.c ---- */

/* The checked tree in the scratch arena; NULL if it is absent or wrong (said). */
struct cel_node *doc_expr(
	struct parser *p, const json_t *object, const char *key, const struct cel_type *want);
/* A program of the ruleset from a tree, or part of one, of that member. NULL: said, or (with
 * -ENOMEM) no memory. */
int doc_program(struct parser *p, const json_t *object, const char *key,
	const struct cel_node *node, const struct cel_program **ret);
void slots_add(const struct cel_node *node, struct slot_set *ret);
void slots_merge(struct slot_set *ret, const uint64_t *bits);
/* Bits of enum field_label. */
uint8_t slots_labels(const struct parser *p, const struct slot_set *s);
bool labels_personal(uint8_t labels);
/* Marks them as read; warns of proxies unless there is a note. */
void doc_use(struct parser *p, const struct slot_set *s, bool has_note);

/* ---- ruleset_effect.c ---- */

/* bps, discount, surcharge, suppress; not tables. Adds what it reads. @allowed: bits of enum
 * effect_kind. */
int doc_effect(struct parser *p, const json_t *object, unsigned allowed, struct effect *ret,
	struct slot_set *slots);
/* effect, perks and explanation of a rule or row. @inherited: the explanation if it has none. */
int doc_line(struct parser *p, const json_t *object, unsigned allowed,
	const struct texts *inherited, struct line *ret, struct slot_set *slots);

/* ---- the parts of a document ---- */

int doc_groups(struct parser *p, const json_t *doc); /* ruleset_rule.c */
int doc_condition(struct parser *p, const json_t *object, size_t row, struct rule *rule,
	struct slot_set *slots); /* ruleset_condition.c */
int doc_index_now(struct parser *p, size_t row, int64_t from_ms, int64_t to_ms); /* the same */
int doc_table_rule(struct parser *p, const json_t *object, struct rule *rule);   /* ruleset_row.c */
int doc_guards(struct parser *p, const json_t *doc);      /* ruleset_guard.c */
int doc_suggestions(struct parser *p, const json_t *doc); /* ruleset_suggest.c */
int doc_tests(struct parser *p, const json_t *doc);       /* ruleset_test.c */
int doc_check_reasons(struct parser *p);                  /* ruleset_limit.c */
void doc_check_cost(struct parser *p);                    /* ruleset_limit.c */
