#pragma once

/* Inside the ruleset: what the parser fills and the matcher reads. Texts point into the Jansson
 * document or @texts. */
#include <jansson.h>

#include "common/base/buf.h"
#include "pricing/small/ruleset.h"

enum condition {
	WHEN_TIER,
	WHEN_POINTS,
	WHEN_SEGMENT,
	WHEN_DWELL,
	WHEN_PLACE,
	WHEN_DEVICE,
	WHEN_SIGNAL,
};

struct range {
	int64_t min, max;
};

struct texts {
	struct str *v;
	size_t n;
};

struct rule_row {
	unsigned when; /* bits of enum condition that it has */
	unsigned labels;
	uint32_t tiers, devices, signals; /* bits of the names' indexes */
	struct range points, dwell_ms;
	struct texts segments, places;
	int32_t bps;
	struct str reason;
	struct str id;
};

struct rule_table {
	struct rule_row *rows;
	size_t n;
};

struct disclosure {
	struct str country;
	struct str text;
};

struct ruleset {
	json_t *doc;
	struct buf body;
	char id[RULESET_ID_LEN + 1];
	struct str name, version;
	struct disclosure *disclosures;
	size_t n_disclosures;
	struct rule_table tables[RULESET_TABLES_MAX];
	size_t n_tables;
	size_t n_rows;
	unsigned labels; /* of all rows */
};
