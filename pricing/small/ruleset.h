#pragma once

/*
 * A ruleset: first-match tables of conditions and basis points. A small JSON document:
 *
 *	{"name":"demo","version":"1",
 *	 "disclosure":{"default":"This price was made for you by an automated system.","DE":"…"},
 *	 "tables":[{"id":"tier","match":"first","rows":[
 *	    {"id":"gold-tier","when":{"tier":["gold","platinum"],"points":{">=":5000}},"bps":-500,"reason":"Gold
 *member"},
 *	    {"when":{"segment":["collector"],"device":["ar-headset"]},"bps":-100,"reason":"Collector
 *in the gallery"}]}]}
 *
 * Each table gives its first row whose conditions all hold, or none; an empty `when` always holds.
 *The basis points of all tables are SUMMED and applied once to the list price, so that no result
 *depends on the order of tables and only one division is rounded. Names of rules: the row's `id`,
 *or "<table>/<row from 1>".
 *
 * Conditions and their labels:
 *	tier ["none","silver","gold","platinum"]   member     points   {">=":n,">":n,"<=":n,"<":n}
 *member segment [text]                              personal dwell_ms {…}   place [text]   device
 *[name]   signal [name]                                   context A row with a personal condition
 *is skipped unless personal rules may run (consent); it says so in the result if its other
 *conditions hold. The personal field itself is then not looked at. Member and personal rows that
 *fire make the price personalised; a document that has such rows needs disclosure.default. Other
 *keys of `disclosure` are ISO 3166 countries.
 *
 * Identity: "sha256:" and the hex SHA-256 of the document's RFC 8785 form. Bounds: 64 tables, 4,096
 *rows, 1 MiB.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "common/base/str.h"

/* The language that takes its place has the same names. */
#define ruleset_parse small_ruleset_parse
#define ruleset_free small_ruleset_free
#define ruleset_freep small_ruleset_freep
#define ruleset_id small_ruleset_id
#define ruleset_name small_ruleset_name
#define ruleset_version small_ruleset_version
#define ruleset_body small_ruleset_body
#define ruleset_disclosure small_ruleset_disclosure
#define ruleset_match small_ruleset_match


#define RULESET_BYTES_MAX  (1024 * 1024)
#define RULESET_TABLES_MAX 64
#define RULESET_ROWS_MAX   4096
#define RULESET_VALUES_MAX 64  /* of one condition */
#define RULESET_TEXT_MAX   200 /* bytes of a text */
#define RULESET_ID_LEN     71  /* "sha256:" and 64 hex digits */
#define RULESET_HITS_MAX   (2 * RULESET_TABLES_MAX)

struct ruleset;

/* 0; -EINVAL with the JSON path of what is wrong and what would be right in @f->text; -ENOMEM. */
MUST_CHECK int ruleset_parse(struct ruleset **ret, struct str json, struct fault *f);
struct ruleset *ruleset_free(struct ruleset *r);
DEFINE_CLEANUP(struct ruleset *, ruleset_free)

/* All borrow from the ruleset. */
struct str ruleset_id(const struct ruleset *r);
struct str ruleset_name(const struct ruleset *r);
struct str ruleset_version(const struct ruleset *r);
struct str ruleset_body(
	const struct ruleset *r); /* the RFC 8785 form: what is published and hashed */
/* For a shopper's country (absent: the default); absent if the document has none. */
struct str ruleset_disclosure(const struct ruleset *r, struct str country);

enum rule_label {
	RULE_CONTEXT = 0,
	RULE_MEMBER = 1,
	RULE_PERSONAL = 2,
};

struct rule_facts {
	int tier; /* enum loyalty_tier */
	int64_t points;
	bool personal_ok;   /* rules on personal fields may run */
	struct str segment; /* read only if so */
	int64_t dwell_ms;
	struct str place;
	int device; /* index into device_names */
	int signal; /* enum signal_kind */
};

struct rule_hit {
	struct str id;
	struct str reason;
	int32_t bps;
	unsigned labels; /* enum rule_label */
	bool is_skipped; /* would have been looked at with consent; changes nothing */
};

/* In the order of tables, at most one skipped and one fired row each. Borrows from the ruleset.
 * Returns how many. */
size_t ruleset_match(const struct ruleset *r, const struct rule_facts *facts,
	struct rule_hit ret[RULESET_HITS_MAX]);
