/*
 * `souk rules eval`: one expression by hand, or a line of JSON each from standard input. An
 * expression is money's and basis points' language too, and may use any pattern; what a ruleset
 * would refuse (cost, depth) is not refused here.
 *
 * By hand the fields are those of production, absent until they are set; lines of a batch have what
 * they bind, so that a corpus means the same whatever production has.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "pricing/cel/value_json.h"
#include "pricing/inputs.h"
#include "pricing/rules/fields.h"
#include "souk/args.h"
#include "souk/rules_line.h"
#include "souk/rules_typed.h"

enum read_result { READ_LINE, READ_TOO_LONG, READ_END };

/* A line without its newline; of one that is too long the rest is skipped. */
static enum read_result read_line(FILE *in, struct buf *line)
{
	size_t n = 0;
	int c;

	buf_clear(line);
	while ((c = getc_unlocked(in)) != EOF && c != '\n') {
		if (n < RULES_LINE_MAX)
			buf_putc(line, (char)c);
		n++;
	}
	if (c == EOF && n == 0)
		return READ_END;
	return n > RULES_LINE_MAX ? READ_TOO_LONG : READ_LINE;
}

static int batch(struct rules_bench *b)
{
	CLEANUP(buf_fini) struct buf line = BUF_INIT(RULES_LINE_MAX + 1);
	CLEANUP(buf_fini) struct buf out = BUF_INIT(RULES_ANSWER_MAX);
	enum read_result r;

	for (uint64_t number = 1; (r = read_line(stdin, &line)) != READ_END; number++) {
		buf_clear(&out);
		if (r == READ_TOO_LONG || line.failed)
			rules_line_too_long(number, &out);
		else
			rules_line(b, buf_str(&line), number, &out);
		if (out.failed || fwrite(out.p, 1, out.n, stdout) != out.n || fflush(stdout)) {
			fprintf(stderr,
				"souk rules eval: line %llu: its answer cannot be written\n",
				(unsigned long long)number);
			return EXIT_FAILED;
		}
	}
	return EXIT_DONE;
}

static int set_error(const char *set, const char *what)
{
	fprintf(stderr, "souk rules eval: --set %s: %s\n", set, what);
	return -EINVAL;
}

/* The environment of --env, or a field of production: a value of its type. */
static int set_declared(
	struct rules_bench *b, const struct cel_var *v, const char *set, struct cel_value *ret)
{
	const char *text = strchr(set, '=') + 1;
	json_auto_t *json = rules_plain(text, v->type);
	struct price_inputs checked = { 0 };
	struct fault f = { 0 };
	char name[CEL_VAR_NAME_MAX + 1];
	int r = 0;

	if (!json)
		return set_error(set, "not UTF-8");
	if (str_copy(name, sizeof(name), v->name))
		return set_error(set, "too long a name");
	if (!b->declared && v->tag)
		r = schema_set(price_schema(), &checked, name, json, b->values, &f);
	if (r)
		return set_error(set, f.text);
	if (!b->declared && json_is_null(json))
		return 0;
	r = rules_typed(ret, v->type, json, b->values, &f);
	return r ? set_error(set, r == -ENOMEM ? "too large" : f.text) : 0;
}

static int set_unknown(const struct cel_env *env, struct str name, const char *set, bool is_error)
{
	const struct str near = cel_env_nearest(env, name);

	if (!is_error && !near.p)
		return 0;
	fprintf(stderr, "souk rules eval: --set %s: %s " STR_FMT "%s" STR_FMT "%s\n", set,
		is_error ? "the environment has no" : "a variable of its own, there is no field",
		STR_ARG(name), near.p ? "; did you mean " : "", STR_ARG(near), near.p ? "?" : "");
	return is_error ? -EINVAL : 0;
}

/* A variable that is what its value is. */
static int declare(struct rules_bench *b, struct cel_env *env, struct str name, const char *set)
{
	json_auto_t *json =
		json_loads(strchr(set, '=') + 1, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	struct cel_var v = { .name = name };
	struct cel_value value;
	struct fault f = { 0 };
	int slot, r;

	if (set_unknown(env, name, set, b->declared != NULL))
		return -EINVAL;
	if (!json)
		return set_error(set, "not JSON; a text has its quotes: name='\"gold\"'");
	r = cel_value_from_plain_json(&value, json, b->values, &f);
	if (r)
		return set_error(set, r == -ENOMEM ? "too large" : f.text);
	v.type = cel_type_of_value(value, b->values);
	slot = v.type ? cel_env_add(env, &v) : -ENOMEM;
	if (slot < 0)
		return set_error(set, slot == -EINVAL ? "not a name" : strerror(-slot));
	b->slots[slot] = value;
	return 0;
}

static int set_variable(struct rules_bench *b, struct cel_env *env, const char *set)
{
	const char *equals = strchr(set, '=');
	const struct str name = { set, equals ? (size_t)(equals - set) : 0 };
	int slot;

	if (name.n == 0)
		return set_error(set, "name=value is wanted");
	slot = cel_env_find(env, name);
	return slot < 0 ? declare(b, env, name, set)
			: set_declared(b, cel_env_var(env, slot), set, &b->slots[slot]);
}

/* The fields of production, and room for what --set declares. */
static int production(struct cel_env **ret)
{
	CLEANUP(cel_env_free) struct cel_env *env = NULL;
	const struct schema *s = price_schema();

	if (!s || cel_env_new(&env, true))
		return -ENOMEM;
	for (size_t i = 0; i < s->n; i++)
		if (cel_env_add(env, cel_env_var(s->env, (int)i)) < 0)
			return -ENOMEM;
	*ret = TAKE(env);
	return 0;
}

static void print_value(struct cel_value v, bool json)
{
	CLEANUP(buf_fini) struct buf out = BUF_INIT(RULES_ANSWER_MAX);

	if (json)
		rules_write_value(&out, v);
	else
		cel_value_print(&out, v);
	printf(STR_FMT "\n", STR_ARG(buf_str(&out)));
}

static void print_failure(const struct rules_failure *why, bool json)
{
	CLEANUP(buf_fini) struct buf out = BUF_INIT(RULES_ANSWER_MAX);

	if (!json) {
		fprintf(stderr, "%s" STR_FMT "\n",
			why->stage == CEL_STAGE_EVAL ? "souk rules eval: " : "",
			STR_ARG(buf_str(&why->message)));
		return;
	}
	rules_write_failure(&out, why);
	printf(STR_FMT "\n", STR_ARG(buf_str(&out)));
}

static int once(struct rules_bench *b, const char *expr, const struct args *a)
{
	CLEANUP(cel_env_free) struct cel_env *own = NULL;
	struct cel_env *env = b->declared;
	struct rules_failure why = { .message = BUF_INIT(65536) };
	struct cel_value v;
	int r;

	if (!env && production(&own)) {
		fputs("souk rules eval: out of memory\n", stderr);
		return EXIT_FAILED;
	}
	if (!env)
		env = own;
	for (size_t i = 0; i < CEL_VARS_MAX; i++)
		b->slots[i] = cel_absent((uint32_t)i);
	for (size_t i = 0; i < a->n_sets; i++)
		if (set_variable(b, env, a->sets[i]))
			return EXIT_USAGE;
	r = rules_evaluate(b, str_of(expr), env, false, &v, &why);
	if (r)
		print_failure(&why, a->json);
	else
		print_value(v, a->json);
	buf_fini(&why.message);
	return r ? EXIT_FAILED : EXIT_DONE;
}

static int run(int argc, char **argv)
{
	const char *expr = NULL, *env_file = NULL;
	bool is_batch = false;
	const struct own_flag own[] = { { .name = "env", .value = &env_file },
		{ .name = "batch", .given = &is_batch } };
	struct args_words words = { .v = &expr, .max = 1, .what = "EXPR" };
	CLEANUP(rules_bench_free) struct rules_bench *b = NULL;
	struct args a;
	struct fault f = { 0 };
	int r = args_parse_words(&a, &command_rules_eval, argc, argv, own, ARRAY_LEN(own), &words);

	if (r)
		return r - 1;
	if (is_batch == (words.n == 1)) {
		fprintf(stderr,
			"souk rules eval: either EXPR or --batch (see souk rules eval --help)\n");
		return EXIT_USAGE;
	}
	if (is_batch && a.n_sets > 0) {
		fprintf(stderr, "souk rules eval: --set %s: with --batch lines have bindings\n",
			a.sets[0]);
		return EXIT_USAGE;
	}
	if (rules_bench_new(&b, env_file, &f)) {
		fprintf(stderr, "souk rules eval: %s\n", f.text);
		return EXIT_USAGE;
	}
	return is_batch ? batch(b) : once(b, expr, &a);
}

const struct command command_rules_eval = { "rules eval", "an expression, or many from stdin",
	"EXPR [--env FILE] [--set name=value]… [--json]\n"
	"       souk rules eval --batch [--env FILE]      lines {\"expr\":…,\"bindings\":{…}}\n"
	"       (an EXPR that begins with a dash stands behind --)",
	run, false };
