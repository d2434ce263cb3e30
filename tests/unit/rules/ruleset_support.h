#pragma once

/* Documents in tests: ' stands for a quotation mark, ` for one of an expression. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pricing/rules/ruleset_impl.h"

struct parsed {
	struct ruleset *rules;
	struct findings findings;
	struct fault fault;
	int r;
};

static inline char *quoted(const char *text)
{
	char *ret = strdup(text);

	for (char *p = ret; *p; p++)
		*p = *p == '\'' ? '"' : *p == '`' ? '\'' : *p;
	return ret;
}

static inline struct parsed parse_text(const char *text)
{
	struct parsed p = { 0 };
	char *json = quoted(text);

	p.r = ruleset_parse(&p.rules, str_of(json), price_schema(), &p.findings, &p.fault);
	free(json);
	return p;
}

/* One group "g" with these rules. */
static inline struct parsed parse_rules(const char *rules)
{
	struct parsed p;
	char *text = NULL;

	cr_assert(gt(int,
		asprintf(&text,
			"{'name':'t','version':'1','disclosure':{'default':'d'},'groups':["
			"{'id':'g','mode':'stack','rules':[%s]}]}",
			rules),
		0));
	p = parse_text(text);
	free(text);
	return p;
}

static inline void parsed_fini(struct parsed *p)
{
	p->rules = ruleset_free(p->rules);
	findings_fini(&p->findings);
}

static inline void parsed_finip(struct parsed *p)
{
	parsed_fini(p);
}

static inline const struct finding *finding_of(
	const struct parsed *p, const char *path, const char *code)
{
	for (size_t i = 0; i < p->findings.n; i++) {
		const struct finding *f = &p->findings.v[i];

		if ((!path || strcmp(f->path, path) == 0) && strcmp(f->code, code) == 0)
			return f;
	}
	return NULL;
}

static inline char *all_findings(const struct parsed *p)
{
	static struct buf out;

	out.max = 1024 * 1024;
	buf_clear(&out);
	findings_print(&out, &p->findings, NULL);
	buf_putc(&out, '\0');
	return out.p;
}
