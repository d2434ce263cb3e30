/*
 * Everything about a line that is not right becomes its answer: whoever pipes a million lines
 * through wants the other 999,999. A number too large for the reader's integers makes it read the
 * line again with doubles, of which value_json.c then takes only those that are exact.
 */
#include "souk/rules_line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <jansson.h>

#include "common/base/config.h"
#include "common/base/json_out.h"
#include "pricing/cel/value_json.h"

#define ENV_FILE_MAX (1024 * 1024)
#define MESSAGE_MAX  (64 * 1024)

static int load_env(struct rules_bench *b, const char *file, struct fault *f)
{
	struct fault why = { 0 };
	char *json = NULL;
	size_t n;
	int r = file_read(file, ENV_FILE_MAX, &json, &n, f);

	if (r)
		return r;
	r = cel_env_new(&b->declared, true);
	if (!r)
		r = cel_env_load(b->declared, (struct str){ json, n }, &why);
	free(json);
	if (r == -EINVAL)
		return fault_set(f, FAULT_FATAL, r, "%s: %s", file, why.text);
	return r;
}

int rules_bench_new(struct rules_bench **ret, const char *env_file, struct fault *f)
{
	CLEANUP(rules_bench_free) struct rules_bench *b = calloc(1, sizeof(*b));
	int r;

	if (!b || arena_new(&b->values, RULES_ARENA) || arena_new(&b->scratch, RULES_ARENA) ||
		arena_new(&b->results, RULES_ARENA))
		return fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");
	r = env_file ? load_env(b, env_file, f) : 0;
	if (r)
		return r == -ENOMEM ? fault_set(f, FAULT_FATAL, r, "out of memory") : r;
	*ret = TAKE(b);
	return 0;
}

struct rules_bench *rules_bench_free(struct rules_bench *b)
{
	if (!b)
		return NULL;
	arena_free(b->values);
	arena_free(b->scratch);
	arena_free(b->results);
	cel_program_free(b->program);
	cel_env_free(b->declared);
	free(b);
	return NULL;
}

void rules_write_value(struct buf *out, struct cel_value v)
{
	buf_puts(out, STR("{\"value\":"));
	cel_value_to_json(out, v);
	buf_putc(out, '}');
}

void rules_write_failure(struct buf *out, const struct rules_failure *why)
{
	struct json_out j = JSON_OUT(out);

	json_begin(&j, NULL);
	json_begin(&j, "error");
	json_strz(&j, "stage", cel_stage_names[why->stage]);
	json_str(&j, "message", buf_str(&why->message));
	json_end(&j);
	json_end(&j);
}

static int fail(struct rules_failure *why, enum cel_stage stage, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int fail(struct rules_failure *why, enum cel_stage stage, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	why->stage = stage;
	buf_clear(&why->message);
	buf_puts(&why->message, str_of(text));
	return -EINVAL;
}

static int fail_compile(
	struct rules_failure *why, const struct cel_diags *d, struct str source, int code)
{
	if (d->n == 0)
		return fail(why, CEL_STAGE_PARSE, "%s", code == -ENOMEM ? "out of memory" : "?");
	why->stage = d->v[0].stage;
	buf_clear(&why->message);
	for (size_t i = 0; i < d->n; i++)
		cel_diag_print(&why->message, &d->v[i], "<input>", source, true);
	while (why->message.n > 0 && why->message.p[why->message.n - 1] == '\n')
		why->message.n--;
	return -EINVAL;
}

static int fail_eval(struct rules_failure *why, struct cel_value error, const struct cel_env *env)
{
	if (error.sym == CEL_R_ABSENT && error.n > 0 && error.n <= cel_env_n(env))
		return fail(why, CEL_STAGE_EVAL, STR_FMT " has no value",
			STR_ARG(cel_env_var(env, (int)error.n - 1)->name));
	return fail(why, CEL_STAGE_EVAL, "%s", error.text);
}

int rules_evaluate(struct rules_bench *b, struct str expr, const struct cel_env *env,
	bool is_unchecked, struct cel_value *ret, struct rules_failure *why)
{
	const struct cel_options o = {
		.limits = { .source_bytes = RULES_LINE_MAX,
			.depth = CEL_DEPTH_HARD_MAX,
			.cost = UINT64_MAX },
		.is_unchecked = is_unchecked,
		.has_patterns = true,
		.scratch = b->scratch,
	};
	struct cel_context c = { .arena = b->results,
		.cost_max = RULES_COST_MAX,
		.rounding = ROUND_HALF_EVEN,
		.has_patterns = true };
	struct cel_diags diags = { 0 };
	int r;

	b->program = cel_program_free(b->program);
	r = cel_compile(&b->program, expr, env, &o, &diags);
	if (r)
		return fail_compile(why, &diags, expr, r);
	arena_reset(b->results);
	*ret = cel_eval(b->program, &c, b->slots);
	if (cel_is_error(*ret))
		return fail_eval(why, *ret, env);
	return 0;
}

/* A request while it is answered. */
struct request {
	struct rules_bench *bench;
	const json_t *json;
	const struct cel_env *env;
	uint64_t number;
	struct rules_failure why;
};

static int bad_line(struct request *q, const char *what)
{
	return fail(&q->why, CEL_STAGE_PARSE, "line %" PRIu64 ": %s", q->number, what);
}

static int bad_member(struct request *q, const char *where, const char *name, const char *what)
{
	return fail(&q->why, CEL_STAGE_PARSE, "line %" PRIu64 ": %s%s: %s", q->number, where, name,
		what);
}

/* What cannot be a name (true, null) can be in no expression either: not an error. */
static int add_variable(struct request *q, struct cel_env *env, const struct cel_var *v)
{
	const int r = cel_env_add(env, v);

	if (r == -ENOSPC)
		return bad_line(q, "more than 256 variables");
	return r < 0 && r != -EINVAL && r != -EEXIST ? bad_line(q, "out of memory") : 0;
}

static int declare_types(struct request *q, struct cel_env *env)
{
	const json_t *decls = json_object_get(q->json, "typeEnv"), *decl;
	struct fault f = { 0 };
	size_t i;

	if (decls && !json_is_array(decls))
		return bad_line(q, "typeEnv: an array of declarations");
	json_array_foreach(decls, i, decl) {
		const char *name = json_string_value(json_object_get(decl, "name"));
		const json_t *type = json_object_get(json_object_get(decl, "ident"), "type");
		struct cel_var v = { .name = str_of(name) };

		if (!name || !type)
			return bad_line(q, "typeEnv: each has a name and ident.type");
		if (cel_type_from_json(&v.type, type, q->bench->values, &f))
			return bad_member(q, "typeEnv ", name, f.text);
		if (add_variable(q, env, &v))
			return -EINVAL;
	}
	return 0;
}

static int read_binding(
	struct request *q, const char *name, const json_t *binding, struct cel_value *ret)
{
	const json_t *json = json_object_get(binding, "value");
	struct fault f = { 0 };
	int r;

	if (!json)
		return bad_member(q, "bindings.", name, "{\"value\":…} is wanted");
	r = cel_value_from_json(ret, json, q->bench->values, &f);
	if (r)
		return bad_member(
			q, "bindings.", name, r == -ENOMEM ? "too large a value" : f.text);
	return 0;
}

static int declare_value(
	struct request *q, struct cel_env *env, const char *name, const json_t *binding)
{
	struct cel_var v = { .name = str_of(name) };
	struct cel_value value = { 0 };

	if (cel_env_find(env, v.name) >= 0)
		return 0;
	if (read_binding(q, name, binding, &value))
		return -EINVAL;
	v.type = cel_type_of_value(value, q->bench->values);
	return v.type ? add_variable(q, env, &v) : bad_line(q, "too large a value");
}

/* The environment of a line without --env. */
static int declare(struct request *q, struct cel_env *env, const json_t *bindings)
{
	const json_t *binding;
	const char *name;

	if (declare_types(q, env))
		return -EINVAL;
	json_object_foreach((json_t *)bindings, name, binding)
		if (declare_value(q, env, name, binding))
			return -EINVAL;
	return 0;
}

static int bind_one(struct request *q, const char *name, const json_t *binding)
{
	const int slot = cel_env_find(q->env, str_of(name));
	struct cel_value *v = &q->bench->slots[slot < 0 ? 0 : slot];
	struct str near;
	char text[300];

	if (slot < 0 && !q->bench->declared)
		return 0;
	if (slot < 0) {
		near = cel_env_nearest(q->env, str_of(name));
		snprintf(text, sizeof(text), "not declared%s" STR_FMT "%s",
			str_is_set(near) ? "; did you mean " : "", STR_ARG(near),
			str_is_set(near) ? "?" : "");
		return bad_member(q, "bindings.", name, text);
	}
	if (read_binding(q, name, binding, v))
		return -EINVAL;
	if (!cel_value_fits(*v, cel_env_var(q->env, slot)->type))
		return fail(&q->why, CEL_STAGE_CHECK,
			"line %" PRIu64 ": bindings.%s: not of the type that is declared",
			q->number, name);
	return 0;
}

static int bind(struct request *q, const json_t *bindings)
{
	const json_t *binding;
	const char *name;

	for (size_t i = 0; i < cel_env_n(q->env); i++)
		q->bench->slots[i] = cel_absent((uint32_t)i);
	json_object_foreach((json_t *)bindings, name, binding)
		if (bind_one(q, name, binding))
			return -EINVAL;
	return 0;
}

static int answer(struct request *q, struct cel_value *ret)
{
	CLEANUP(cel_env_free) struct cel_env *own = NULL;
	const json_t *expr = json_object_get(q->json, "expr");
	const json_t *bindings = json_object_get(q->json, "bindings");
	const json_t *check = json_object_get(q->json, "check");

	if (!json_is_object(q->json))
		return bad_line(q, "an object with expr and bindings is wanted");
	if (!json_is_string(expr))
		return bad_line(q, "expr: a text is wanted");
	if (bindings && !json_is_object(bindings))
		return bad_line(q, "bindings: an object of {\"value\":…} is wanted");
	if (check && !json_is_boolean(check))
		return bad_line(q, "check: true or false");
	arena_reset(q->bench->values);
	q->env = q->bench->declared;
	if (!q->env) {
		if (cel_env_new(&own, true))
			return bad_line(q, "out of memory");
		if (declare(q, own, bindings))
			return -EINVAL;
		q->env = own;
	}
	if (bind(q, bindings))
		return -EINVAL;
	return rules_evaluate(q->bench,
		(struct str){ json_string_value(expr), json_string_length(expr) }, q->env,
		json_is_false(check), ret, &q->why);
}

static json_t *read_json(struct str line, json_error_t *e)
{
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL;
	json_t *json = json_loadb(line.p, line.n, flags, e);

	if (!json && json_error_code(e) == json_error_numeric_overflow)
		json = json_loadb(line.p, line.n, flags | JSON_DECODE_INT_AS_REAL, e);
	return json;
}

void rules_line(struct rules_bench *b, struct str line, uint64_t number, struct buf *out)
{
	json_error_t e;
	json_auto_t *json = read_json(line, &e);
	struct request q = { .bench = b, .json = json, .number = number };
	struct cel_value v = { 0 };

	q.why.message = BUF_INIT(MESSAGE_MAX);
	if (!json) {
		fail(&q.why, CEL_STAGE_PARSE, "line %" PRIu64 ", column %d: not JSON: %s", number,
			e.column, e.text);
		rules_write_failure(out, &q.why);
	} else if (answer(&q, &v)) {
		rules_write_failure(out, &q.why);
	} else {
		rules_write_value(out, v);
	}
	buf_putc(out, '\n');
	buf_fini(&q.why.message);
}

void rules_line_too_long(uint64_t number, struct buf *out)
{
	struct rules_failure why = { .message = BUF_INIT(MESSAGE_MAX) };

	fail(&why, CEL_STAGE_PARSE, "line %" PRIu64 ": longer than %d bytes", number,
		RULES_LINE_MAX);
	rules_write_failure(out, &why);
	buf_putc(out, '\n');
	buf_fini(&why.message);
}
