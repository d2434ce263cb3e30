#pragma once

/*
 * The declared schema: what a rule may look at, with type, unit, label, side and allowed values,
 * and where the value lies in the record that is priced. price_schema is production's: its record
 * is struct price_inputs. Tests and benches bring their own.
 *
 * Labels (contracts.md, Consent): personal fields are looked at only if personal rules may run;
 * member and personal fields make what was priced from them `personalised`; sensitive fields are
 * declared only so that using one says why it does not compile.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/base/arena.h"
#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "pricing/cel/env.h"
#include "pricing/cel/symbols.h"
#include "pricing/cel/value.h"

enum field_label {
	LABEL_MARKET,
	LABEL_ITEM,
	LABEL_CONTEXT,
	LABEL_MEMBER,
	LABEL_PERSONAL,
	LABEL_SENSITIVE,
};
extern const char *const field_label_names[]; /* "market", …, NULL */

enum field_bind {
	FIELD_AT_I64, /* int64_t; type int, bps, or timestamp (milliseconds; 0 = absent if optional)
		       */
	FIELD_AT_BOOL,    /* bool */
	FIELD_AT_TRIBOOL, /* int, enum tribool: TRI_ABSENT is absent if optional, else false */
	FIELD_AT_ENUM,    /* int: index into `values`; "" is absent */
	FIELD_AT_STR,     /* struct str; unset is absent */
	FIELD_AT_MONEY,   /* struct money; unset is absent */
	FIELD_AT_TEXTS,   /* struct str: a JSON array of texts; unset is an empty list */
	FIELD_AT_FN,      /* made by `fn` */
	FIELD_AT_NONE,    /* sensitive: there is no value */
};

/* Not `struct field`: that is one of a record (common/model/decode.h), and both meet in
 * pricing. */
struct schema_field {
	const char *name; /* "customer.tier" */
	const char
		*type; /* as cel_env_load() reads it: "int", "string", "list(string)", "money", … */
	enum field_label label;
	const char *side; /* "profile", "loyalty", "inventory", "market", "stock", "event", "" */
	enum cel_unit unit;
	const char *const *values; /* allowed texts; "" entries stand for absent */
	bool is_optional;
	enum field_bind bind;
	size_t offset;
	/* FIELD_AT_FN: the value, or cel_absent(0) (the binder puts the slot in). */
	struct cel_value (*fn)(const void *record);
	/* FIELD_AT_FN: gives @record the @value (as schema_set() reads it), false if it is not of
	 * the type. NULL: a test cannot set it. */
	bool (*set)(void *record, const json_t *value, struct arena *a);
	/* A protected trait that this one may stand in for ("nationality"), NULL: none. Its use is
	 * a warning unless the rule has a note. */
	const char *proxy_of;
	const char *help; /* one sentence, for docs and editors */
};

struct schema {
	const struct schema_field *fields; /* a field's slot is its index */
	size_t n;
	size_t record_size;
	struct cel_env *env; /* tag of a variable = its struct schema_field */
};

/* @fields are borrowed. 0, -EINVAL (a type that is none; our own mistake) or -ENOMEM. */
MUST_CHECK int schema_new(
	struct schema **ret, const struct schema_field *fields, size_t n, size_t record_size);
struct schema *schema_free(struct schema *s);
DEFINE_CLEANUP(struct schema *, schema_free)

/* The one over struct price_inputs; made once, kept for the life of the process. NULL = no memory.
 */
const struct schema *price_schema(void);

/* The binder copies the fields that a ruleset reads into its slots, texts with their symbols. */
struct binder;
/* @used: bits of slots. @symbols and @s are borrowed. */
MUST_CHECK int binder_new(struct binder **ret, const struct schema *s,
	const struct cel_symbols *symbols, const uint64_t used[CEL_VARS_MAX / 64]);
struct binder *binder_free(struct binder *b);
DEFINE_CLEANUP(struct binder *, binder_free)
/* @slots: s->n values; others than the used ones are left as they are. Lists go into @a (exhausted:
 * an error value). Texts borrow from @record. */
void binder_bind(
	const struct binder *b, const void *record, struct cel_value *slots, struct arena *a);

/*
 * The other way, for tests of a document and the command line: a field of a zeroed record from
 * JSON: text, integer, true/false, array of texts; money as "1.25 ETH"; times as RFC 3339; null =
 * absent. FIELD_AT_FN fields cannot be set (price_schema has setters for those that have a meaning,
 * such as market.gap). Texts are copied into @a. 0 or -EINVAL with @f naming the field, the nearest
 * name, or what is allowed.
 */
MUST_CHECK int schema_set(const struct schema *s, void *record, const char *name,
	const json_t *value, struct arena *a, struct fault *f);

/* Times and amounts as documents write them: "2026-11-20T19:00:00Z" with Z or an offset, in
 * milliseconds; "1.25 ETH". false: not so. */
bool fields_time_ms(struct str text, int64_t *ret);
bool fields_money(struct str text, struct money *ret);

/* For `souk rules fields`: a Markdown table, and an array of objects. */
void schema_markdown(struct buf *out, const struct schema *s);
struct json_out;
void schema_json(struct json_out *j, const char *key, const struct schema *s);

/* Whether @record has what every side needs to be priced from is not asked here: compute.h. */
