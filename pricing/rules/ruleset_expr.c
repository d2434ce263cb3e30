/*
 * Expressions of a document: each is parsed and checked on its own, so that positions are those of
 * the text that its author sees, and only then taken apart or compiled.
 */
#include <errno.h>
#include <stdlib.h>

#include "pricing/rules/ruleset_parse.h"

/* ---- trees ---- */

static void say_diags(struct parser *p, const char *key, struct str source)
{
	size_t mark = doc_down_member(p, key);

	findings_add_diags(p->findings, p->path, source, &p->diags);
	doc_up(p, mark);
}

/* Said: each expression has a limit of its own, whatever else is found. */
static bool is_affordable(struct parser *p, const char *key, const struct cel_node *root)
{
	uint64_t cost = cel_cost_static(root);

	if (cost <= CEL_COST_MAX)
		return true;
	doc_bad_member(p, key, "cost", "costs %llu in the worst case, at most %d",
		(unsigned long long)cost, CEL_COST_MAX);
	findings_hint(p->findings, "macros over lists and long texts are what is dear");
	return false;
}

struct cel_node *doc_expr(
	struct parser *p, const json_t *object, const char *key, const struct cel_type *want)
{
	const json_t *v = json_object_get(object, key);
	struct str source = { json_string_value(v), json_string_length(v) };
	const struct cel_limits limits = { 0 };
	struct cel_node *root;

	if (!v)
		return NULL;
	if (!json_is_string(v)) {
		doc_bad_member(p, key, "value", "must be an expression, as a text");
		return NULL;
	}
	p->diags.n = p->diags.n_dropped = 0;
	root = cel_parse(source, true, &limits, p->scratch, &p->diags);
	if (!root || !cel_check(root, p->schema->env, want, p->scratch, &p->diags)) {
		say_diags(p, key, source);
		return NULL;
	}
	return is_affordable(p, key, root) ? root : NULL;
}

static struct cel_program **room(struct ruleset *r)
{
	size_t cap = r->cap_programs ? 2 * r->cap_programs : 64;
	struct cel_program **programs;

	if (r->n_programs < r->cap_programs)
		return &r->programs[r->n_programs];
	programs = realloc(r->programs, cap * sizeof(struct cel_program *));
	if (!programs)
		return NULL;
	r->programs = programs;
	r->cap_programs = cap;
	return &programs[r->n_programs];
}

int doc_program(struct parser *p, const json_t *object, const char *key,
	const struct cel_node *node, const struct cel_program **ret)
{
	const json_t *v = json_object_get(object, key);
	struct cel_program **program = room(p->rules);
	int r;

	*ret = NULL;
	if (!program)
		return -ENOMEM;
	*program = NULL;
	p->diags.n = p->diags.n_dropped = 0;
	r = cel_program_new(program, node, p->schema->env,
		&(struct cel_options){ .symbols = p->rules->symbols, .scratch = p->scratch },
		&p->diags);
	if (r == -EINVAL) {
		say_diags(p, key, (struct str){ json_string_value(v), json_string_length(v) });
		return 0;
	}
	if (r != 0)
		return r;
	p->rules->n_programs++;
	*ret = *program;
	return 0;
}

/* ---- what is read ---- */

static void add_all(struct cel_node *const *v, uint32_t n, struct slot_set *ret)
{
	for (uint32_t i = 0; i < n; i++)
		slots_add(v[i], ret);
}

static void add_entries(const struct cel_node *node, struct slot_set *ret)
{
	for (uint32_t i = 0; i < node->map.n; i++) {
		slots_add(node->map.v[i].key, ret);
		slots_add(node->map.v[i].value, ret);
	}
}

void slots_add(const struct cel_node *node, struct slot_set *ret)
{
	if (!node)
		return;
	switch ((enum cel_node_kind)node->kind) {
	case CEL_N_CONST:
		break;
	case CEL_N_IDENT:
	case CEL_N_SELECT:
		if (node->slot >= 0)
			ret->bits[node->slot / 64] |= UINT64_C(1) << (node->slot % 64);
		else if (node->kind == CEL_N_SELECT)
			slots_add(node->select.operand, ret);
		break;
	case CEL_N_CALL:
		slots_add(node->call.target, ret);
		add_all(node->call.args, node->call.n_args, ret);
		break;
	case CEL_N_LIST:
		add_all(node->list.v, node->list.n, ret);
		break;
	case CEL_N_MAP:
	case CEL_N_STRUCT:
		add_entries(node, ret);
		break;
	case CEL_N_COMPREHENSION:
		slots_add(node->comprehension.range, ret);
		slots_add(node->comprehension.init, ret);
		slots_add(node->comprehension.condition, ret);
		slots_add(node->comprehension.step, ret);
		slots_add(node->comprehension.result, ret);
		break;
	}
}

void slots_merge(struct slot_set *ret, const uint64_t *bits)
{
	for (size_t i = 0; i < ARRAY_LEN(ret->bits); i++)
		ret->bits[i] |= bits[i];
}

static bool has_slot(const struct slot_set *s, size_t slot)
{
	return s->bits[slot / 64] >> (slot % 64) & 1;
}

uint8_t slots_labels(const struct parser *p, const struct slot_set *s)
{
	unsigned ret = 0;

	for (size_t i = 0; i < p->schema->n; i++) {
		if (has_slot(s, i))
			ret |= 1u << p->schema->fields[i].label;
	}
	return (uint8_t)ret;
}

bool labels_personal(uint8_t labels)
{
	return labels >> LABEL_PERSONAL & 1;
}

static void warn_of_proxies(struct parser *p, const struct slot_set *s)
{
	for (size_t i = 0; i < p->schema->n; i++) {
		const struct schema_field *field = &p->schema->fields[i];

		if (!field->proxy_of || !has_slot(s, i))
			continue;
		findings_add(p->findings, FINDING_WARNING, p->path, "label",
			"%s may stand in for a protected trait (%s)", field->name, field->proxy_of);
		findings_hint(p->findings,
			"say in \"note\" why the price may depend on it, for whoever approves");
	}
}

void doc_use(struct parser *p, const struct slot_set *s, bool has_note)
{
	uint8_t labels = slots_labels(p, s);

	slots_merge((struct slot_set *)p->rules->used, s->bits);
	if (labels & (1u << LABEL_MEMBER | 1u << LABEL_PERSONAL))
		p->needs_disclosure = true;
	if (!has_note)
		warn_of_proxies(p, s);
}
