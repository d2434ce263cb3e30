#pragma once

/* Inside an explanation: explain.c works it out, explain_condition.c takes conditions apart,
 * explain_out.c writes it. Texts lie in the arena, or in what the explanation borrows. */
#include "pricing/explain.h"
#include "pricing/rules/decide_scratch.h"

#define EXPLAIN_ROWS_MAX  50
#define EXPLAIN_TESTS_MAX 32

enum rule_state {
	RULE_FIRED,
	RULE_NO_CONSENT,
	RULE_FAILED,
	RULE_LIMIT,
	RULE_DISABLED,
	RULE_NOT_VALID,
	RULE_CONDITION,
	RULE_EARLIER,
	RULE_OUTDONE,
	RULE_NO_ROW,
	RULE_NO_EFFECT,
};

/* A conjunct that does not hold. */
struct refusal {
	struct str text;  /* as written */
	struct str field; /* unset: it is not about one field */
	struct str has;   /* CEL source; "absent" */
	struct str needs; /* the nearest, or several with "or" */
	struct str error; /* it could not be evaluated */
};

enum row_verdict { ROW_FIRED, ROW_NOT_PICKED, ROW_NO_CONSENT, ROW_CELL, ROW_FAILED };
struct explained_row {
	const struct line *line;
	enum row_verdict verdict;
	struct str input, cell, has, needs;
	struct str error;
};

struct explained_rule {
	const struct rule *rule;
	enum rule_state state;
	struct str by;    /* EARLIER, OUTDONE */
	struct str error; /* FAILED: its name */
	int64_t next_ms;  /* NOT_VALID: -1 = never again */
	struct refusal *tests;
	size_t n_tests;
	struct explained_row *rows;
	size_t n_rows, n_rows_left_out;
};

struct explain {
	const struct ruleset *rules;
	const struct price_inputs *in;
	struct arena *arena;
	struct arena *trees; /* of one condition */
	struct decide_scratch *scratch;
	bool is_full; /* the arena was exhausted */
	struct price_result result;
	struct decided decided;   /* without guards and judgement */
	struct explained_rule *v; /* one a rule */
};

struct str explain_value(struct explain *e, struct cel_value v);
struct str explain_copy(struct explain *e, struct str s);
/* All conjuncts of @rule's condition that do not hold; only those without personal fields unless
 * that is allowed. */
void explain_condition(struct explain *e, struct explained_rule *ret, bool personal_ok);
/* The next moment, after now, that the window is open; -1: never. */
int64_t explain_next(const struct window *w, int64_t now_ms);
