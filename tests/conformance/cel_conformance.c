/*
 * The public conformance suite of CEL against parser, checker and machine. Reads one test a line
 * (cel/dump.mjs), prints a line of TAP each, and the sums per file.
 *
 * What is compared: the text of the parsed tree; the text of the checked tree and its type, or the
 * checker's errors, with position and caret; the value, or that there was an error. Where the suite
 * has no tree, because the tool that made it was limited (quoted fields, 32 parentheses), the value
 * is what says that it was understood.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "pricing/cel/program.h"
#include "pricing/cel/value_json.h"

#define ARENA_BYTES (8 * 1024 * 1024)
#define TEXT_MAX    (1024 * 1024)
#define FILES_MAX   16

enum stage { PARSE, CHECK, EVAL, N_STAGES };
static const char *const stage_names[N_STAGES] = { "parse", "check", "eval" };

struct sum {
	char file[32];
	unsigned tests;
	unsigned passed[N_STAGES], total[N_STAGES];
};

static struct sum sums[FILES_MAX];
static size_t n_sums;

static const struct cel_limits limits = {
	.source_bytes = 1 << 20, .depth = 250, .cost = UINT64_MAX
};

/* One test, and what was found wrong with it. */
struct conformance_test {
	const json_t *json;
	struct str expr;
	struct arena *arena;
	struct sum *sum;
	struct buf failures;
};

static const char *member(const struct conformance_test *t, const char *name)
{
	return json_string_value(json_object_get(t->json, name));
}

static struct sum *sum_of(const char *file)
{
	for (size_t i = 0; i < n_sums; i++)
		if (strcmp(sums[i].file, file) == 0)
			return &sums[i];
	if (n_sums == FILES_MAX || str_copy(sums[n_sums].file, sizeof(sums[0].file), str_of(file)))
		return NULL;
	return &sums[n_sums++];
}

/* TAP comments: every line of both with a # before it. */
static void note(struct conformance_test *t, const char *what, struct str text)
{
	buf_printf(&t->failures, "#   %s: ", what);
	for (size_t i = 0; i < text.n; i++) {
		buf_putc(&t->failures, text.p[i] ? text.p[i] : ' ');
		if (text.p[i] == '\n')
			buf_puts(&t->failures, STR("#   "));
	}
	buf_putc(&t->failures, '\n');
}

static bool verdict(struct conformance_test *t, enum stage stage, const char *what, bool ok,
	struct str expected, struct str actual)
{
	if (!ok) {
		buf_printf(&t->failures, "# %s, %s:\n", stage_names[stage], what);
		note(t, "expected", expected);
		note(t, "actual", actual);
	}
	return ok;
}

static bool same_text(struct conformance_test *t, enum stage stage, const char *what,
	const char *expected, const struct buf *actual)
{
	return verdict(t, stage, what, str_eqz(buf_str(actual), expected), str_of(expected),
		buf_str(actual));
}

static void count(struct conformance_test *t, enum stage stage, bool ok)
{
	t->sum->total[stage]++;
	t->sum->passed[stage] += ok;
}

/* As cel-go joins them: a newline between, none at the end. */
static void print_diags(struct buf *out, const struct cel_diags *d, struct str source)
{
	for (size_t i = 0; i < d->n; i++)
		cel_diag_print(out, &d->v[i], "<input>", source, false);
	while (out->n > 0 && out->p[out->n - 1] == '\n')
		out->n--;
}

static const struct cel_node *parsed(struct conformance_test *t)
{
	CLEANUP(buf_fini) struct buf text = BUF_INIT(TEXT_MAX);
	struct cel_diags diags = { 0 };
	struct cel_node *root = cel_parse(t->expr, false, &limits, t->arena, &diags);
	const char *ast = member(t, "ast");

	if (root)
		cel_ast_print(&text, root, CEL_AST_PARSED);
	else
		print_diags(&text, &diags, t->expr);
	if (ast)
		count(t, PARSE, same_text(t, PARSE, "tree", ast, &text));
	return root;
}

/* Declarations of the test. @with_bindings: what is only bound is declared by its value. */
static int declare(struct conformance_test *t, struct cel_env *env, bool with_bindings)
{
	const json_t *decls = json_object_get(t->json, "typeEnv"), *decl, *binding;
	struct fault f = { 0 };
	const char *name;
	size_t i;
	int r;

	json_array_foreach(decls, i, decl) {
		struct cel_var v = { .name = str_of(
					     json_string_value(json_object_get(decl, "name"))) };
		const json_t *ident = json_object_get(decl, "ident");

		r = cel_type_from_json(&v.type, json_object_get(ident, "type"), t->arena, &f);
		if (r)
			return r;
		r = cel_env_add(env, &v);
		if (r < 0 && r != -EINVAL) /* true, false and null cannot be names: ignored */
			return r;
	}
	if (!with_bindings)
		return 0;
	json_object_foreach(json_object_get(t->json, "bindings"), name, binding) {
		struct cel_var v = { .name = str_of(name) };
		struct cel_value value;

		if (cel_env_find(env, v.name) >= 0)
			continue;
		r = cel_value_from_json(&value, json_object_get(binding, "value"), t->arena, &f);
		if (r)
			return r;
		v.type = cel_type_of_value(value, t->arena);
		r = cel_env_add(env, &v);
		if (r < 0 && r != -EINVAL)
			return r;
	}
	return 0;
}

/* Whether it is well typed; counted if the suite says what the checker does. */
static void check(struct conformance_test *t)
{
	CLEANUP(cel_env_free) struct cel_env *env = NULL;
	CLEANUP(buf_fini) struct buf text = BUF_INIT(TEXT_MAX), type = BUF_INIT(TEXT_MAX);
	struct cel_diags diags = { 0 }, spare = { 0 };
	struct cel_node *root = cel_parse(t->expr, false, &limits, t->arena, &spare);
	const char *ast = member(t, "checkedAst"), *error = member(t, "error");
	bool ok;

	if (!member(t, "ast"))
		return;
	if (!root || cel_env_new(&env, false) || declare(t, env, false)) {
		count(t, CHECK, verdict(t, CHECK, "declarations", false, STR("some"), STR("none")));
		return;
	}
	if (cel_check(root, env, NULL, t->arena, &diags)) {
		cel_ast_print(&text, root, CEL_AST_CHECKED);
		cel_type_print(&type, root->type);
		ok = same_text(t, CHECK, "tree", ast ? ast : error, &text);
		count(t, CHECK, ok && ast && same_text(t, CHECK, "type", member(t, "type"), &type));
		return;
	}
	print_diags(&text, &diags, t->expr);
	count(t, CHECK, same_text(t, CHECK, "errors", error ? error : ast, &text));
}

static bool same_value(struct cel_value a, struct cel_value b);

static bool same_map(const struct cel_map *a, const struct cel_map *b)
{
	if (a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++) {
		uint32_t k = 0;

		while (k < b->n && !(same_value(a->keys[i], b->keys[k]) &&
					   same_value(a->values[i], b->values[k])))
			k++;
		if (k == b->n)
			return false;
	}
	return true;
}

/* Stricter than CEL's equality: of the same kind, a zero has its sign, NaN is itself. */
static bool same_value(struct cel_value a, struct cel_value b)
{
	if (a.kind != b.kind)
		return false;
	if (a.kind == CEL_V_DOUBLE)
		return (isnan(a.d) && isnan(b.d)) || (a.d == b.d && signbit(a.d) == signbit(b.d));
	if (a.kind == CEL_V_MAP)
		return same_map(a.map, b.map);
	if (a.kind != CEL_V_LIST)
		return cel_equal(a, b);
	for (uint32_t i = 0; i < a.n && i < b.n; i++)
		if (!same_value(a.list[i], b.list[i]))
			return false;
	return a.n == b.n;
}

static int bind(struct conformance_test *t, const struct cel_env *env, struct cel_value *slots)
{
	const json_t *binding;
	struct fault f = { 0 };
	const char *name;

	for (size_t i = 0; i < cel_env_n(env); i++)
		slots[i] = cel_absent((uint32_t)i);
	json_object_foreach(json_object_get(t->json, "bindings"), name, binding) {
		const int slot = cel_env_find(env, str_of(name));
		int r = slot < 0 ? 0
				 : cel_value_from_json(&slots[slot],
					   json_object_get(binding, "value"), t->arena, &f);

		if (r)
			return r;
	}
	return 0;
}

static void show_value(struct buf *out, struct cel_value v)
{
	if (cel_is_error(v))
		buf_printf(out, "error: %s", v.text);
	else
		cel_value_to_json(out, v);
}

static bool right_value(struct conformance_test *t, struct cel_value actual)
{
	CLEANUP(buf_fini) struct buf want = BUF_INIT(TEXT_MAX), have = BUF_INIT(TEXT_MAX);
	const json_t *json = json_object_get(t->json, "value");
	struct cel_value expected = cel_bool(true); /* a test without a value expects true */
	struct fault f = { 0 };
	bool ok;

	show_value(&have, actual);
	if (json_is_true(json_object_get(t->json, "fails")))
		return verdict(
			t, EVAL, "value", cel_is_error(actual), STR("an error"), buf_str(&have));
	if (json && cel_value_from_json(&expected, json, t->arena, &f))
		return verdict(t, EVAL, "expected value", false, STR(""), str_of(f.text));
	show_value(&want, expected);
	ok = !cel_is_error(actual) && same_value(actual, expected);
	return verdict(t, EVAL, "value", ok, buf_str(&want), buf_str(&have));
}

static bool evaluated(struct conformance_test *t)
{
	CLEANUP(cel_env_free) struct cel_env *env = NULL;
	CLEANUP(cel_program_free) struct cel_program *program = NULL;
	CLEANUP(buf_fini) struct buf text = BUF_INIT(TEXT_MAX);
	struct cel_value slots[CEL_VARS_MAX];
	struct cel_diags diags = { 0 };
	struct cel_context c = {
		.arena = t->arena, .rounding = ROUND_HALF_EVEN, .has_patterns = true
	};
	const struct cel_options o = { .limits = limits,
		.is_unchecked = json_is_true(json_object_get(t->json, "disableCheck")),
		.has_patterns = true };

	if (cel_env_new(&env, false) || declare(t, env, true) || bind(t, env, slots))
		return verdict(t, EVAL, "bindings", false, STR("some"), STR("none"));
	if (cel_compile(&program, t->expr, env, &o, &diags)) {
		print_diags(&text, &diags, t->expr);
		return verdict(t, EVAL, "program", false, STR("one"), buf_str(&text));
	}
	return right_value(t, cel_eval(program, &c, slots));
}

/* False: the line is no test. */
static bool run(
	const char *line, size_t n, struct arena *arena, unsigned number, unsigned *n_failed)
{
	json_auto_t *json = json_loadb(line, n, JSON_ALLOW_NUL, NULL);
	const json_t *expr = json_object_get(json, "expr");
	struct conformance_test t = { .json = json,
		.expr = { json_string_value(expr), json_string_length(expr) },
		.arena = arena,
		.failures = BUF_INIT(TEXT_MAX) };

	if (!expr || !member(&t, "file") || !member(&t, "name"))
		return false;
	t.sum = sum_of(member(&t, "file"));
	if (!t.sum)
		return false;
	t.sum->tests++;
	arena_reset(arena);
	parsed(&t);
	check(&t);
	count(&t, EVAL, evaluated(&t));
	*n_failed += t.failures.n > 0;
	printf("%sok %u - %s/%s\n" STR_FMT, t.failures.n > 0 ? "not " : "", number, t.sum->file,
		member(&t, "name"), STR_ARG(buf_str(&t.failures)));
	if (t.failures.n > 0)
		printf("#   of: %s\n", t.expr.p);
	buf_fini(&t.failures);
	return true;
}

static void print_sums(void)
{
	struct sum all = { .file = "all" };

	for (size_t i = 0; i <= n_sums; i++) {
		const struct sum *s = i < n_sums ? &sums[i] : &all;

		printf("# %-13s %4u tests:", s->file, s->tests);
		for (int k = 0; k < N_STAGES; k++) {
			printf(" %s %u/%u%s", stage_names[k], s->passed[k], s->total[k],
				k + 1 < N_STAGES ? "," : "\n");
			all.passed[k] += i < n_sums ? s->passed[k] : 0;
			all.total[k] += i < n_sums ? s->total[k] : 0;
		}
		all.tests += i < n_sums ? s->tests : 0;
	}
}

int main(void)
{
	CLEANUP(arena_free) struct arena *arena = NULL;
	unsigned n = 0, n_failed = 0;
	char *line = NULL;
	size_t cap = 0;
	ssize_t length;

	if (arena_new(&arena, ARENA_BYTES))
		return 2;
	while ((length = getline(&line, &cap, stdin)) > 0)
		if (!run(line, (size_t)length, arena, ++n, &n_failed)) {
			printf("not ok %u - line %u is no test\n", n, n);
			n_failed++;
		}
	free(line);
	printf("1..%u\n", n);
	print_sums();
	return n > 0 && n_failed == 0 ? 0 : 1;
}
