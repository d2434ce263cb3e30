/* Declarations as JSON, for `souk rules eval --env` and tests. */
#include <errno.h>

#include <jansson.h>

#include "pricing/cel/env.h"
#include "pricing/cel/env_impl.h"
#include "pricing/cel/nearest.h"

#define TYPE_ARENA (64 * 1024)

/* The last three are for people: what `souk rules fields --json` prints can be read here. */
static const char *const members[] = { "name", "type", "values", "optional", "unit", "label",
	"side", "proxy_of", "help", NULL };
static const char *const labels[] = { "market", "item", "context", "member", "personal",
	"sensitive", NULL };

struct loader {
	struct cel_env *env;
	struct arena *arena;
	struct fault *fault;
	size_t at; /* which field, for errors */
	char name[CEL_VAR_NAME_MAX + 1];
};

static int bad(struct loader *l, const char *what, const char *value, const char *const *names)
{
	return fault_set(l->fault, FAULT_REJECT, -EINVAL,
		"fields[%zu]%s%s: %s \"%.40s\", nearest is \"%s\"", l->at, *l->name ? " " : "",
		l->name, what, value, nearest_name(value, names));
}

static int bad_shape(struct loader *l, const char *what)
{
	return fault_set(l->fault, FAULT_REJECT, -EINVAL, "fields[%zu]%s%s: %s", l->at,
		*l->name ? " " : "", l->name, what);
}

/* Kept as long as the environment: a variable borrows its values. */
static int load_values(struct loader *l, struct cel_var *v, json_t *json)
{
	const struct cel_type *t = v->type->kind == CEL_T_LIST ? v->type->a : v->type;
	struct arena *arena = cel_env_arena(l->env);
	const char **values;
	size_t i;
	json_t *item;

	if (!json)
		return 0;
	if (!json_is_array(json) || json_array_size(json) == 0 || t->kind != CEL_T_STRING)
		return bad_shape(l, "values is an array of texts, for a string or a list of them");
	values = arena_alloc(arena, (json_array_size(json) + 1) * sizeof(*values));
	if (!values)
		return -ENOMEM;
	json_array_foreach(json, i, item) {
		if (!json_is_string(item))
			return bad_shape(l, "values is an array of texts");
		values[i] = arena_copy(arena, str_of(json_string_value(item))).p;
		if (!values[i])
			return -ENOMEM;
	}
	values[json_array_size(json)] = NULL;
	v->values = values;
	return 0;
}

static int load_type(struct loader *l, struct cel_var *v, json_t *json)
{
	int r;

	if (!json_is_string(json))
		return bad_shape(l, "type is missing, or no text");
	r = cel_type_parse(&v->type, l->arena, str_of(json_string_value(json)));
	if (r == -EINVAL)
		return fault_set(l->fault, FAULT_REJECT, r,
			"fields[%zu] %s: type \"%.40s\" is none of bool, int, uint, double, "
			"string, "
			"bytes, timestamp, duration, money, bps, dyn, null, list(T), map(K, V), "
			"money(ETH)",
			l->at, l->name, json_string_value(json));
	return r;
}

/* Index of @json in @names; -1 and the fault if it is none of them. */
static int one_of(struct loader *l, const char *what, json_t *json, const char *const *names)
{
	const char *text = json_is_string(json) ? json_string_value(json) : "";
	int index = nearest_index(text, names);

	if (index < 0)
		bad(l, what, text, names);
	return index;
}

static int load_unit_and_label(struct loader *l, struct cel_var *v, json_t *field)
{
	json_t *unit = json_object_get(field, "unit"), *label = json_object_get(field, "label");
	int index;

	if (unit) {
		index = one_of(l, "unit", unit, cel_unit_names);
		if (index < 0)
			return -EINVAL;
		v->unit = (enum cel_unit)index;
	}
	if (label) {
		index = one_of(l, "label", label, labels);
		if (index < 0)
			return -EINVAL;
		if (strcmp(labels[index], "sensitive") == 0)
			v->refused = "it is labelled sensitive";
	}
	return 0;
}

static int check_members(struct loader *l, json_t *field)
{
	const char *key;
	json_t *value;

	if (!json_is_object(field))
		return bad_shape(l, "a field is an object");
	json_object_foreach(field, key, value) {
		if (nearest_index(key, members) < 0)
			return bad(l, "unknown member", key, members);
	}
	return 0;
}

static int load_field(struct loader *l, json_t *field)
{
	json_t *name = json_object_get(field, "name"), *optional;
	struct cel_var v = { .name = str_of(json_string_value(name)) };
	int r = check_members(l, field);

	if (r)
		return r;
	if (!name || str_copy(l->name, sizeof(l->name), v.name) < 0)
		return bad_shape(l, "name is missing, or longer than 128 bytes");
	optional = json_object_get(field, "optional");
	if (optional && !json_is_boolean(optional))
		return bad_shape(l, "optional is true or false");
	v.is_optional = json_is_true(optional);
	r = load_type(l, &v, json_object_get(field, "type"));
	if (!r)
		r = load_values(l, &v, json_object_get(field, "values"));
	if (!r)
		r = load_unit_and_label(l, &v, field);
	if (r)
		return r;
	r = cel_env_add(l->env, &v);
	if (r == -EEXIST)
		return bad_shape(l, "declared twice");
	if (r == -EINVAL)
		return bad_shape(l, "a name is identifiers with dots between them");
	if (r == -ENOSPC)
		return fault_set(l->fault, FAULT_REJECT, -EINVAL,
			"fields[%zu]: more than %d fields, or too many parts in their names", l->at,
			CEL_VARS_MAX);
	return r < 0 ? r : 0;
}

static int load_fields(struct loader *l, json_t *root)
{
	json_t *fields = json_object_get(root, "fields"), *field;
	int r;

	if (!json_is_array(fields) || json_object_size(root) != 1)
		return fault_set(l->fault, FAULT_REJECT, -EINVAL,
			"declarations are one object {\"fields\":[…]}");
	json_array_foreach(fields, l->at, field) {
		l->name[0] = '\0';
		r = load_field(l, field);
		if (r)
			return r;
	}
	return 0;
}

int cel_env_load(struct cel_env *e, struct str json, struct fault *f)
{
	CLEANUP(arena_free) struct arena *arena = NULL;
	struct loader l = { .env = e, .fault = f };
	json_error_t error;
	json_auto_t *root = json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, &error);
	int r;

	if (!root)
		return fault_set(f, FAULT_REJECT, -EINVAL, "declarations, line %d column %d: %s",
			error.line, error.column, error.text);
	r = arena_new(&arena, TYPE_ARENA);
	if (r)
		return r;
	l.arena = arena;
	return load_fields(&l, root);
}
