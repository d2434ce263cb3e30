/*
 * `audience` and `when` into one row of the index and a rest of programs. Both are taken apart as
 * the one conjunction that they are, so tests on one field meet wherever they were written.
 *
 * What reads a personal field stays out of the second index and the second rest: they answer who
 * would be looked at with consent, without looking.
 */
#include <errno.h>
#include <stdio.h>

#include "pricing/rules/conjunct.h"
#include "pricing/rules/ruleset_parse.h"

/* ---- the index ---- */

static int add_test(struct parser *p, struct index_part *part, size_t row, int tag,
	enum column_kind kind, const struct test *test)
{
	int *number = &part->columns[tag < 0 ? CEL_VARS_MAX : tag];
	int r;

	if (!part->builder) {
		r = index_builder_new(&part->builder, p->rules->n_rules);
		if (r != 0)
			return r;
	}
	if (*number == 0) {
		r = index_builder_column(part->builder, kind, tag);
		if (r == -ENOSPC && !p->is_full)
			doc_bad(p, "limit", "rules compare more than %d different fields",
				INDEX_COLUMNS_MAX);
		p->is_full = p->is_full || r == -ENOSPC;
		if (r < 0)
			return r == -ENOSPC ? 0 : r;
		*number = r + 1;
	}
	return index_builder_test(part->builder, row, *number - 1, test);
}

static bool is_personal_rule(const struct parser *p, size_t row)
{
	return p->rules->personal[row / 64] >> (row % 64) & 1;
}

int doc_index_now(struct parser *p, size_t row, int64_t from_ms, int64_t to_ms)
{
	struct interval span = { .i = { from_ms, to_ms == INT64_MAX ? to_ms : to_ms - 1 } };
	struct test test = { .v = &span, .n = from_ms < to_ms };
	int r = add_test(p, &p->index, row, RULESET_TAG_NOW, COLUMN_INT, &test);

	if (r != 0 || !is_personal_rule(p, row))
		return r;
	return add_test(p, &p->impersonal, row, RULESET_TAG_NOW, COLUMN_INT, &test);
}

static bool is_personal_slot(const struct parser *p, int slot)
{
	return p->schema->fields[slot].label == LABEL_PERSONAL;
}

static int index_tests(struct parser *p, size_t row, const struct conjuncts *c)
{
	for (size_t i = 0; i < c->n_tests; i++) {
		const struct conjunct_test *t = &c->tests[i];
		int r = add_test(p, &p->index, row, t->slot, t->kind, &t->test);

		if (r == 0 && is_personal_rule(p, row) && !is_personal_slot(p, t->slot))
			r = add_test(p, &p->impersonal, row, t->slot, t->kind, &t->test);
		if (r != 0)
			return r;
	}
	return 0;
}

static int keep_tests(struct parser *p, const struct conjuncts *c, struct rule *rule)
{
	struct conjunct_test *tests = doc_take(p, c->n_tests * sizeof(*tests));

	rule->tests = tests;
	for (size_t i = 0; tests && i < c->n_tests; i++) {
		size_t n = c->tests[i].test.n;
		struct interval *v = doc_take(p, n * sizeof(*v));

		if (!v)
			return -ENOMEM;
		if (n)
			memcpy(v, c->tests[i].test.v, n * sizeof(*v));
		tests[i] = c->tests[i];
		tests[i].test.v = v;
		rule->n_tests++;
	}
	return tests ? 0 : -ENOMEM;
}

static void warn_never(struct parser *p, const struct conjuncts *c)
{
	for (size_t i = 0; i < c->n_tests; i++) {
		const struct conjunct_test *t = &c->tests[i];

		if (t->test.n || t->test.is_negated)
			continue;
		findings_add(p->findings, FINDING_WARNING, p->path, "dead-rule",
			"can never fire: no value of %s meets all that is asked of it",
			p->schema->fields[t->slot].name);
		return;
	}
}

/* ---- the rest ---- */

static bool is_and(const struct cel_node *node)
{
	return node->kind == CEL_N_CALL && node->call.function == CEL_F_AND;
}

static bool holds(const struct cel_node *root, const struct cel_node *node)
{
	if (!root || root == node)
		return root == node;
	return is_and(root) && (holds(root->call.args[0], node) || holds(root->call.args[1], node));
}

static int compile_rest(struct parser *p, const json_t *object, const struct cel_node *audience,
	const struct conjuncts *c, struct rule *rule)
{
	const struct cel_program **all = doc_take(p, 2 * c->n_rest * sizeof(*all));
	int r = all ? 0 : -ENOMEM;

	rule->rest = all;
	rule->rest_impersonal = all ? all + c->n_rest : NULL;
	for (size_t i = 0; i < c->n_rest && r == 0; i++) {
		const char *key = holds(audience, c->rest[i]) ? "audience" : "when";
		const struct cel_program *program;
		struct slot_set slots = { 0 };

		r = doc_program(p, object, key, c->rest[i], &program);
		if (r != 0 || !program)
			continue;
		rule->rest[rule->n_rest++] = program;
		slots_add(c->rest[i], &slots);
		if (!labels_personal(slots_labels(p, &slots)))
			rule->rest_impersonal[rule->n_rest_impersonal++] = program;
	}
	return r;
}

/* ---- the condition ---- */

/* The conjunction as if it had been written as one expression; its parts if there is only one. */
static struct cel_node *both(struct parser *p, struct cel_node *a, struct cel_node *b)
{
	struct cel_node *node;

	if (!a || !b)
		return a ? a : b;
	node = arena_alloc(p->scratch, sizeof(*node) + 2 * sizeof(struct cel_node *));
	if (!node)
		return NULL;
	*node = (struct cel_node){
		.kind = CEL_N_CALL,
		.depth = (uint16_t)(1 + (a->depth > b->depth ? a->depth : b->depth)),
		.type = &cel_type_bool,
		.slot = CEL_SLOT_NONE,
		.ref = STR("logical_and"),
		.call = { .name = STR("_&&_"),
			.function = CEL_F_AND,
			.args = (struct cel_node **)(void *)(node + 1),
			.n_args = 2 },
	};
	node->call.args[0] = a;
	node->call.args[1] = b;
	return node;
}

static int source_of(struct parser *p, const json_t *object, struct rule *rule)
{
	const char *audience = json_string_value(json_object_get(object, "audience"));
	const char *when = json_string_value(json_object_get(object, "when"));
	size_t n;
	char *ret;

	rule->source = audience ? audience : when ? when : "";
	if (!audience || !when)
		return 0;
	n = strlen(audience) + strlen(when) + sizeof("() && ()");
	ret = arena_alloc(p->rules->arena, n);
	if (!ret)
		return -ENOMEM;
	snprintf(ret, n, "(%s) && (%s)", audience, when);
	rule->source = ret;
	return 0;
}

int doc_condition(struct parser *p, const json_t *object, size_t row, struct rule *rule,
	struct slot_set *slots)
{
	struct cel_node *audience = doc_expr(p, object, "audience", &cel_type_bool);
	struct cel_node *when = doc_expr(p, object, "when", &cel_type_bool);
	struct cel_node *condition = both(p, audience, when);
	struct conjuncts c = { 0 };
	int r = source_of(p, object, rule);

	if (r != 0 || !condition)
		return r ? r : (audience && when) ? -ENOMEM : 0;
	slots_add(condition, slots);
	if (labels_personal(slots_labels(p, slots)))
		p->rules->personal[row / 64] |= UINT64_C(1) << (row % 64);
	r = conjuncts_of(&c, condition, p->rules->symbols, p->scratch);
	if (r != 0)
		return r;
	warn_never(p, &c);
	r = keep_tests(p, &c, rule);
	if (r == 0)
		r = index_tests(p, row, &c);
	return r ? r : compile_rest(p, object, audience, &c, rule);
}
