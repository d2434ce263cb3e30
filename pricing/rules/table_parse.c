/*
 * Everything that is wrong with a table is said, not only the first thing: a cell that does not
 * compile is passed over, and only at the end it is decided that there is no table.
 *
 * Trees of the inputs stay in the scratch arena until the end, because cells are compiled with
 * them; whatever a cell needs is given back after each.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pricing/cel/nearest.h"
#include "pricing/rules/table_impl.h"

#define PATH_MAX_ 320

struct parsing {
	struct table *t;
	const struct table_context *c;
	struct cell_input inputs[TABLE_INPUTS_MAX];
	size_t n_inputs; /* that have compiled */
	bool is_bad;
	const char *base;
	char path[PATH_MAX_];
	struct cel_diags diags;
};

static const char *path_of(struct parsing *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static const char *path_of(struct parsing *p, const char *fmt, ...)
{
	int n = snprintf(p->path, sizeof(p->path), "%s", p->base);
	va_list ap;

	va_start(ap, fmt);
	if (n >= 0 && (size_t)n < sizeof(p->path))
		vsnprintf(p->path + n, sizeof(p->path) - (size_t)n, fmt, ap);
	va_end(ap);
	return p->path;
}

static int bad(struct parsing *p, const char *path, const char *code, const char *text)
{
	p->is_bad = true;
	findings_add(p->c->findings, FINDING_ERROR, path, code, "%s", text);
	return 0;
}

static int bad_source(struct parsing *p, const char *path, struct str source)
{
	p->is_bad = true;
	findings_add_diags(p->c->findings, path, source, &p->diags);
	return 0;
}

/* ---- members ---- */

static void check_members(struct parsing *p, const json_t *json)
{
	static const char *const known[] = { "hit", "aggregate", "inputs", "rows", NULL };
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)json, key, v) {
		struct nearest nearest = nearest_to(str_of(key));

		if (nearest_index(key, known) >= 0)
			continue;
		p->is_bad = true;
		findings_add(p->c->findings, FINDING_ERROR, p->base, "member",
			"unknown member \"%.40s\"", key);
		for (size_t i = 0; known[i]; i++)
			nearest_offer(&nearest, str_of(known[i]));
		if (str_is_set(nearest.best))
			findings_hint(p->c->findings, "did you mean \"" STR_FMT "\"?",
				STR_ARG(nearest.best));
		else
			findings_hint(p->c->findings, "a table has hit, aggregate, inputs, rows");
	}
}

/* The index of the text in @names; -1 after having said so. */
static int choice(
	struct parsing *p, const json_t *json, const char *member, const char *const *names)
{
	const char *text = json_string_value(json_object_get(json, member));
	int ret = text ? nearest_index(text, names) : -1;

	if (ret >= 0)
		return ret;
	bad(p, path_of(p, ".%s", member), text ? "value" : "member",
		text ? "is not one of those there are" : "a text is missing");
	if (text)
		findings_hint(p->c->findings, "did you mean \"%s\"?", nearest_name(text, names));
	else
		findings_hint(p->c->findings, "one of \"%s\", \"%s\", \"%s\"", names[0], names[1],
			names[2]);
	return -1;
}

static void parse_hit(struct parsing *p, const json_t *json)
{
	static const char *const hits[] = { "first", "unique", "collect", NULL };
	static const char *const aggregates[] = { "sum", "min", "max", NULL };
	int hit = choice(p, json, "hit", hits), aggregate;

	if (hit != 2) {
		p->t->hit = hit == 1 ? HIT_UNIQUE : HIT_FIRST;
		if (hit >= 0 && json_object_get(json, "aggregate"))
			bad(p, path_of(p, ".aggregate"), "member",
				"only \"collect\" has an aggregate");
		return;
	}
	aggregate = choice(p, json, "aggregate", aggregates);
	p->t->hit = (enum hit_policy)(HIT_SUM + (aggregate > 0 ? aggregate : 0));
}

/* ---- inputs ---- */

static bool column_kind_of(const struct cel_type *type, enum column_kind *ret)
{
	switch ((enum cel_type_kind)type->kind) {
	case CEL_T_INT:
	case CEL_T_BPS:
	case CEL_T_TIMESTAMP:
		*ret = COLUMN_INT;
		return true;
	case CEL_T_STRING:
	case CEL_T_BOOL:
		*ret = COLUMN_SYMBOL;
		return true;
	case CEL_T_MONEY:
		*ret = COLUMN_MONEY;
		return true;
	default:
		return false;
	}
}

static bool is_field(const struct cel_node *node)
{
	return (node->kind == CEL_N_IDENT || (node->kind == CEL_N_SELECT && !node->is_test_only)) &&
	       node->slot >= 0;
}

static int describe_field(struct parsing *p, struct table_input *in, int slot)
{
	const struct cel_var *v = cel_env_var(p->c->schema->env, slot);

	in->slot = slot;
	in->values = v->values;
	in->unit = v->unit;
	in->is_optional = v->is_optional;
	in->slots[slot / 64] |= (uint64_t)1 << (slot % 64);
	return 0;
}

static int describe_expression(
	struct parsing *p, struct table_input *in, const struct cel_node *root, const char *path)
{
	int r = cel_program_new(&in->program, root, p->c->schema->env,
		&(struct cel_options){ .symbols = p->c->symbols, .scratch = p->c->scratch },
		&p->diags);

	if (r == -EINVAL)
		return bad_source(p, path, str_of(in->source));
	if (r < 0)
		return r;
	in->is_optional = true;
	memcpy(in->slots, cel_program_slots(in->program), sizeof(in->slots));
	p->t->cost += cel_program_cost(in->program);
	return 0;
}

static int describe(
	struct parsing *p, struct table_input *in, const struct cel_node *root, const char *path)
{
	in->slot = CEL_SLOT_NONE;
	if (!column_kind_of(root->type, &in->kind)) {
		bad(p, path, "type", "an input of this type has no cells");
		findings_hint(p->c->findings,
			"inputs are of type int, string, bool, money, timestamp or bps");
		return 0;
	}
	if (cel_cost_static(root) > CEL_COST_MAX)
		return bad(p, path, "cost", "the input costs too much in the worst case");
	in->type = (enum cel_type_kind)root->type->kind;
	in->currency = root->type->currency;
	return is_field(root) ? describe_field(p, in, root->slot)
			      : describe_expression(p, in, root, path);
}

static int parse_input(struct parsing *p, const json_t *json, size_t i)
{
	const struct cel_limits limits = { 0 };
	struct table_input *in = &p->t->inputs[i];
	const char *text = json_string_value(json), *path = path_of(p, ".inputs[%zu]", i);
	struct cel_node *root;
	int r;

	if (!text)
		return bad(p, path, "value", "an input is an expression, as a text");
	in->source = strdup(text);
	if (!in->source)
		return -ENOMEM;
	p->diags.n = p->diags.n_dropped = 0;
	root = cel_parse(str_of(in->source), true, &limits, p->c->scratch, &p->diags);
	if (!root || !cel_check(root, p->c->schema->env, NULL, p->c->scratch, &p->diags))
		return bad_source(p, path, str_of(in->source));
	r = describe(p, in, root, path);
	if (r < 0 || (in->slot < 0 && !in->program))
		return r;
	r = cell_input_init(&p->inputs[i], p->c->schema->env, root);
	if (r == -ENOSPC)
		return bad(p, path, "limit", "the schema has no room for a variable more");
	p->n_inputs += r == 0;
	return r;
}

static int parse_inputs(struct parsing *p, const json_t *json)
{
	const json_t *inputs = json_object_get(json, "inputs");
	size_t n = json_array_size(inputs);
	int r = 0;

	if (n == 0)
		return bad(p, path_of(p, ".inputs"), "member",
			"must be an array of expressions, at least one");
	if (n > TABLE_INPUTS_MAX)
		return bad(p, path_of(p, ".inputs"), "limit", "a table has at most 16 inputs");
	p->t->inputs = calloc(n, sizeof(*p->t->inputs));
	if (!p->t->inputs)
		return -ENOMEM;
	p->t->n_inputs = n;
	for (size_t i = 0; i < n && r == 0; i++)
		r = parse_input(p, json_array_get(inputs, i), i);
	return r;
}

/* ---- cells ---- */

/* Texts end there for everybody else. */
static bool has_nul(const json_t *v)
{
	return json_is_string(v) && strlen(json_string_value(v)) != json_string_length(v);
}

/* A cell's text: a JSON integer or true/false stands for its own. NULL: none of these, or no
 * memory. */
static char *cell_text(const json_t *v)
{
	char digits[32];

	if (json_is_string(v))
		return strdup(json_string_value(v));
	if (json_is_boolean(v))
		return strdup(json_is_true(v) ? "true" : "false");
	snprintf(digits, sizeof(digits), "%lld", (long long)json_integer_value(v));
	return json_is_integer(v) ? strdup(digits) : NULL;
}

static int parse_cell(struct parsing *p, const json_t *v, size_t row, size_t i)
{
	struct table_cell *cell = &p->t->cells[row * p->t->n_inputs + i];
	const char *path = path_of(p, ".rows[%zu].if[%zu]", row, i);
	size_t mark = arena_used(p->c->scratch);
	struct str text;
	int r;

	if (!json_is_string(v) && !json_is_boolean(v) && !json_is_integer(v))
		return bad(p, path, "value", "a cell is a text, an integer, or true or false");
	if (has_nul(v))
		return bad(p, path, "value", "a cell has no NUL byte");
	cell->source = cell_text(v);
	if (!cell->source)
		return -ENOMEM;
	text = str_of(cell->source);
	if (cell_is_any(text) || p->n_inputs < p->t->n_inputs)
		return 0;
	p->diags.n = p->diags.n_dropped = 0;
	r = cell_compile(&cell->cell, text, &p->inputs[i], p->c->symbols, p->c->scratch, &p->diags);
	arena_rewind(p->c->scratch, mark);
	if (r == -EINVAL)
		return bad_source(p, path, text);
	if (r == 0 && cell->cell.program)
		p->t->cost += cel_program_cost(cell->cell.program);
	return r;
}

static int name_row(struct parsing *p, const json_t *row, size_t i)
{
	const char *id = json_string_value(json_object_get(row, "id"));
	char text[80];

	if (id)
		snprintf(text, sizeof(text), "row \"%.60s\"", id);
	else
		snprintf(text, sizeof(text), "row %zu", i + 1);
	p->t->names[i] = strdup(text);
	return p->t->names[i] ? 0 : -ENOMEM;
}

static int parse_row(struct parsing *p, const json_t *row, size_t i)
{
	const json_t *cells = json_object_get(row, "if");
	size_t n = p->t->n_inputs;
	int r = name_row(p, row, i);

	if (r < 0)
		return r;
	if (!json_is_object(row))
		return bad(p, path_of(p, ".rows[%zu]", i), "value",
			"a row is an object with \"if\" and an effect");
	if (!json_is_array(cells))
		return bad(p, path_of(p, ".rows[%zu].if", i), "member",
			"must be an array of cells, one an input");
	if (json_array_size(cells) != n) {
		p->is_bad = true;
		findings_add(p->c->findings, FINDING_ERROR, path_of(p, ".rows[%zu].if", i), "value",
			"%zu cells for %zu inputs", json_array_size(cells), n);
		findings_hint(p->c->findings, "\"-\" is the cell that takes anything");
		return 0;
	}
	for (size_t k = 0; k < n && r == 0; k++)
		r = parse_cell(p, json_array_get(cells, k), i, k);
	return r;
}

static int parse_rows(struct parsing *p, const json_t *json)
{
	const json_t *rows = json_object_get(json, "rows");
	size_t n = json_array_size(rows);
	int r = 0;

	if (n == 0)
		return bad(
			p, path_of(p, ".rows"), "member", "must be an array of rows, at least one");
	if (n > TABLE_ROWS_MAX)
		return bad(p, path_of(p, ".rows"), "limit", "a table has at most 2048 rows");
	p->t->cells = calloc(n * p->t->n_inputs + 1, sizeof(*p->t->cells));
	p->t->names = calloc(n, sizeof(*p->t->names));
	p->t->n_rows = n;
	if (!p->t->cells || !p->t->names)
		return -ENOMEM;
	for (size_t i = 0; i < n && r == 0; i++)
		r = parse_row(p, json_array_get(rows, i), i);
	return r;
}

/* ---- the index ---- */

static bool is_tested(const struct table *t, size_t input)
{
	for (size_t i = 0; i < t->n_rows; i++) {
		if (table_cell(t, i, input)->cell.has_test)
			return true;
	}
	return false;
}

/* The column of a field that an input before this one has, or SIZE_MAX. */
static size_t shared_column(const struct table *t, const struct table_input *in)
{
	for (size_t i = 0; i < t->n_columns; i++) {
		if (in->slot >= 0 && t->columns[i].slot == in->slot)
			return i;
	}
	return SIZE_MAX;
}

static int add_column(struct table *t, struct index_builder *b, size_t input)
{
	const struct table_input *in = &t->inputs[input];
	size_t column = shared_column(t, in);
	int r = 0;

	if (!is_tested(t, input))
		return 0;
	if (column == SIZE_MAX) {
		column = t->n_columns++;
		t->columns[column] = (struct table_column){ in->slot, in->program, input,
			in->program && in->type == CEL_T_STRING };
		r = index_builder_column(b, in->kind, in->slot);
	}
	for (size_t i = 0; i < t->n_rows && r >= 0; i++) {
		const struct cell *cell = &table_cell(t, i, input)->cell;

		if (cell->has_test)
			r = index_builder_test(b, i, (int)column, &cell->test);
	}
	return r < 0 ? r : 0;
}

static int mark_residual(struct table *t)
{
	for (size_t i = 0; i < t->n_rows * t->n_inputs; i++) {
		size_t row = i / t->n_inputs;

		if (!t->cells[i].cell.program)
			continue;
		if (!t->residual)
			t->residual = calloc(INDEX_WORDS(t->n_rows), sizeof(*t->residual));
		if (!t->residual)
			return -ENOMEM;
		t->residual[row / 64] |= (uint64_t)1 << (row % 64);
	}
	return 0;
}

static int build_index(struct parsing *p)
{
	struct table *t = p->t;
	CLEANUP(index_builder_free) struct index_builder *b = NULL;
	int r = index_builder_new(&b, t->n_rows);

	for (size_t i = 0; i < t->n_inputs && r == 0; i++)
		r = add_column(t, b, i);
	if (r == 0)
		r = index_build(&t->index, b);
	if (r == -ENOSPC)
		return bad(p, p->base, "limit", "the table is too large for its index");
	if (r < 0)
		return r;
	r = mark_residual(t);
	t->is_plain = !t->residual;
	for (size_t i = 0; i < t->n_columns; i++)
		t->is_plain &= t->columns[i].slot >= 0;
	t->cost += t->n_columns;
	return r;
}

static int parse(struct parsing *p, const json_t *json)
{
	int r;

	if (!json_is_object(json))
		return bad(p, p->base, "value", "a table is an object with hit, inputs and rows");
	check_members(p, json);
	parse_hit(p, json);
	r = parse_inputs(p, json);
	if (r == 0)
		r = parse_rows(p, json);
	return r < 0 || p->is_bad ? r : build_index(p);
}

int table_parse(
	struct table **ret, const json_t *json, const char *path, const struct table_context *c)
{
	CLEANUP(table_free) struct table *t = calloc(1, sizeof(*t));
	struct parsing *p = calloc(1, sizeof(*p));
	size_t mark = arena_used(c->scratch);
	int r = -ENOMEM;

	if (t && p) {
		*p = (struct parsing){ .t = t, .c = c, .base = path };
		t->symbols = c->symbols;
		r = parse(p, json);
		if (r == 0 && p->is_bad)
			r = -EINVAL;
		for (size_t i = 0; i < TABLE_INPUTS_MAX; i++)
			cell_input_fini(&p->inputs[i]);
	}
	free(p);
	arena_rewind(c->scratch, mark);
	if (r == 0)
		*ret = TAKE(t);
	return r;
}

static void input_fini(struct table_input *in)
{
	free(in->source);
	cel_program_free(in->program);
}

struct table *table_free(struct table *t)
{
	if (!t)
		return NULL;
	for (size_t i = 0; t->cells && i < t->n_rows * t->n_inputs; i++) {
		free(t->cells[i].source);
		cell_fini(&t->cells[i].cell);
	}
	for (size_t i = 0; t->names && i < t->n_rows; i++)
		free(t->names[i]);
	for (size_t i = 0; t->inputs && i < t->n_inputs; i++)
		input_fini(&t->inputs[i]);
	index_free(t->index);
	free(t->residual);
	free(t->cells);
	free(t->names);
	free(t->inputs);
	free(t);
	return NULL;
}
