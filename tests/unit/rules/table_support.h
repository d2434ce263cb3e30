#pragma once

/* Tables from text: ' stands for " and ` for ' (cells and expressions have quotes of their own). */
#include <jansson.h>

#include "cell_support.h"
#include "pricing/rules/table.h"

struct parsed {
	struct world w;
	struct schema schema;
	struct findings findings;
	struct table *table;
	int r;
};

static inline void parsed_fini(struct parsed *p)
{
	table_free(p->table);
	findings_fini(&p->findings);
	world_fini(&p->w);
}

static inline void parsed_finip(struct parsed *p)
{
	parsed_fini(p);
}

static inline void parse_json(struct parsed *p, const json_t *json)
{
	const struct table_context c = { &p->schema, p->w.symbols, p->w.arena, &p->findings };

	p->r = table_parse(&p->table, json, "$.t", &c);
}

static inline void parsed_init(struct parsed *p)
{
	*p = (struct parsed){ .findings = FINDINGS_INIT };
	world_init(&p->w);
	p->schema = (struct schema){ .n = N_VARS, .env = p->w.env };
}

static inline void parse_text(struct parsed *p, const char *text)
{
	char copy[8192];
	json_t *json;
	size_t n = strlen(text);

	cr_assert(n < sizeof(copy));
	for (size_t i = 0; i <= n; i++)
		copy[i] = text[i] == '\'' ? '"' : text[i] == '`' ? '\'' : text[i];
	json = json_loads(copy, JSON_DECODE_ANY, NULL);
	cr_assert(json != NULL, "%s", copy);
	parse_json(p, json);
	json_decref(json);
}

/* All findings as text, for messages; valid until the next. */
static inline const char *said(const struct parsed *p)
{
	static char ret[16384];
	struct buf out = BUF_INIT(sizeof(ret) - 1);

	findings_print(&out, &p->findings, "doc");
	snprintf(ret, sizeof(ret), STR_FMT, STR_ARG(buf_str(&out)));
	buf_fini(&out);
	return ret;
}

static inline void table_init(struct parsed *p, const char *text)
{
	parsed_init(p);
	parse_text(p, text);
	cr_assert(zero(int, p->r), "%s", said(p));
}

/* The finding with that code, NULL if there is none. */
static inline const struct finding *finding_of(const struct parsed *p, const char *code)
{
	for (size_t i = 0; i < p->findings.n; i++) {
		if (strcmp(p->findings.v[i].code, code) == 0)
			return &p->findings.v[i];
	}
	return NULL;
}

/* Every field has a value; texts with their symbols. */
static inline void bind_all(struct parsed *p, struct cel_value *slots)
{
	slots[POINTS] = cel_int(600);
	slots[TIER] = cel_string(STR("gold"));
	slots[TIER].sym = cel_symbols_find(p->w.symbols, STR("gold"));
	slots[VIP] = cel_bool(true);
	slots[FLOOR] = cel_money((struct money){ 1000, currency_find(STR("ETH")) });
	slots[RATE] = cel_bps(250);
	slots[NOW] = (struct cel_value){ .kind = CEL_V_TIMESTAMP, .i = 1793491200 };
	slots[LEFT] = cel_int(3);
}
