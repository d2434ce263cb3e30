/*
 * Every source goes through the same three setters of config_value.c, lowest first: defaults, file,
 * environment, flags. A later value replaces an earlier one whole; only a single map entry given by
 * a flag is merged.
 */
#include "common/base/config.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/config_internal.h"

#define ENV_PREFIX "SOUK_"

static const struct config_origin FROM_ENV = { .from = CONFIG_FROM_ENV };
static const struct config_origin FROM_FLAG = { .from = CONFIG_FROM_FLAG };
static const struct config_origin FROM_DEFAULT = { .from = CONFIG_FROM_DEFAULT };

void config_full_name(
	char ret[CONFIG_NAME_MAX], const struct config_section *s, const struct config_row *row)
{
	int n = snprintf(ret, CONFIG_NAME_MAX, "%s.%s", s->name, row->key);

	assert(n > 0 && n < CONFIG_NAME_MAX - (int)sizeof(ENV_PREFIX));
	(void)n;
}

static void upper(char *p)
{
	for (; *p; p++)
		*p = isalnum((unsigned char)*p) ? (char)toupper((unsigned char)*p) : '_';
}

void config_env_name(
	char ret[CONFIG_NAME_MAX], const struct config_section *s, const struct config_row *row)
{
	char full[CONFIG_NAME_MAX - sizeof(ENV_PREFIX)];
	int n = snprintf(full, sizeof(full), "%s.%s", s->name, row->key);

	assert(n > 0 && n < (int)sizeof(full));
	(void)n;
	snprintf(ret, CONFIG_NAME_MAX, ENV_PREFIX "%s", full);
	upper(ret);
}

int config_error(const struct config_loader *l, const struct config_origin *at, const char *key,
	const char *fmt, ...)
{
	char place[200] = "", text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (at->from == CONFIG_FROM_FILE)
		snprintf(place, sizeof(place), "%s:%u:%u: ", at->file, at->line, at->column);
	else if (at->from == CONFIG_FROM_FLAG)
		snprintf(place, sizeof(place), "--set ");
	fault_set(l->f, FAULT_FATAL, -EINVAL, "%s%.100s%s%s", place, key ? key : "",
		key ? ": " : "", text);
	if (l->f) /* keys and values are the outside's: no control bytes for a terminal */
		for (char *p = l->f->text; *p; p++)
			if ((unsigned char)*p < 0x20 || *p == 0x7f)
				*p = '?';
	return -EINVAL;
}

bool config_find(const struct config_loader *l, struct str name, struct config_slot *ret)
{
	struct config_origin *origin = l->origins;
	char full[CONFIG_NAME_MAX];

	for (size_t i = 0; i < l->n_sections; i++) {
		const struct config_section *s = &l->sections[i];

		for (size_t k = 0; k < s->n_rows; k++, origin++) {
			config_full_name(full, s, &s->rows[k]);
			if (!str_eqz(name, full))
				continue;
			*ret = (struct config_slot){ s, &s->rows[k], origin };
			return true;
		}
	}
	return false;
}

bool config_is_group(const struct config_loader *l, struct str name)
{
	char full[CONFIG_NAME_MAX];

	for (size_t i = 0; i < l->n_sections; i++) {
		const struct config_section *s = &l->sections[i];

		if (str_eqz(name, s->name))
			return true;
		for (size_t k = 0; k < s->n_rows; k++) {
			config_full_name(full, s, &s->rows[k]);
			if (str_starts(str_of(full), name) && full[name.n] == '.')
				return true;
		}
	}
	return false;
}

static int load_defaults(const struct config_loader *l)
{
	struct config_origin *origin = l->origins;
	char name[CONFIG_NAME_MAX];

	for (size_t i = 0; i < l->n_sections; i++) {
		const struct config_section *s = &l->sections[i];

		for (size_t k = 0; k < s->n_rows; k++, origin++) {
			struct config_slot slot = { s, &s->rows[k], origin };
			int r;

			if (!s->rows[k].def)
				continue;
			config_full_name(name, s, &s->rows[k]);
			r = config_set_text(l, &slot, &FROM_DEFAULT, name, str_of(s->rows[k].def));
			assert(r != -EINVAL); /* the table's own mistake */
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static bool find_env(const struct config_loader *l, struct str name, struct config_slot *ret)
{
	struct config_origin *origin = l->origins;
	char env[CONFIG_NAME_MAX];

	for (size_t i = 0; i < l->n_sections; i++) {
		const struct config_section *s = &l->sections[i];

		for (size_t k = 0; k < s->n_rows; k++, origin++) {
			config_env_name(env, s, &s->rows[k]);
			if (!str_eqz(name, env))
				continue;
			*ret = (struct config_slot){ s, &s->rows[k], origin };
			return true;
		}
	}
	return false;
}

/* Whether the variable is meant for one of our sections: SOUK_<SECTION>_ and something. */
static bool env_is_ours(const struct config_loader *l, struct str name)
{
	char prefix[CONFIG_NAME_MAX];

	for (size_t i = 0; i < l->n_sections; i++) {
		snprintf(prefix, sizeof(prefix), ENV_PREFIX "%s_", l->sections[i].name);
		upper(prefix);
		if (str_starts(name, str_of(prefix)))
			return true;
	}
	return false;
}

static int load_env(const struct config_loader *l, char *const *env)
{
	for (; *env; env++) {
		struct str name = { *env, strcspn(*env, "=") };
		struct config_slot slot;
		char key[CONFIG_NAME_MAX];
		int r;

		if (!str_starts(name, STR(ENV_PREFIX)) || !(*env)[name.n])
			continue;
		snprintf(key, sizeof(key), STR_FMT, STR_ARG(name));
		if (find_env(l, name, &slot))
			r = config_set_text(l, &slot, &FROM_ENV, key, str_of(*env + name.n + 1));
		else
			r = env_is_ours(l, name) ? config_unknown(l, &FROM_ENV, key) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

/* `kafka.properties.a.b`: the map that @name is an entry of. */
static bool find_map(const struct config_loader *l, struct str name, struct config_slot *ret,
	struct str *ret_key)
{
	for (size_t n = 1; n + 1 < name.n; n++) {
		if (name.p[n] != '.' || !config_find(l, (struct str){ name.p, n }, ret))
			continue;
		*ret_key = (struct str){ name.p + n + 1, name.n - n - 1 };
		return ret->row->type == CONFIG_MAP;
	}
	return false;
}

static int load_flag(const struct config_loader *l, const char *set)
{
	struct str name = { set, strcspn(set, "=") };
	struct str value, entry_key;
	struct config_slot slot;
	char key[CONFIG_NAME_MAX];

	snprintf(key, sizeof(key), STR_FMT, STR_ARG(name));
	if (!set[name.n])
		return config_error(l, &FROM_FLAG, key, "the form is --set section.key=value");
	value = str_of(set + name.n + 1);
	if (config_find(l, name, &slot))
		return config_set_text(l, &slot, &FROM_FLAG, key, value);
	if (find_map(l, name, &slot, &entry_key))
		return config_set_entry(l, &slot, &FROM_FLAG, key, entry_key, value);
	return config_unknown(l, &FROM_FLAG, key);
}

static int check_required(const struct config_loader *l)
{
	const struct config_origin *origin = l->origins;
	char name[CONFIG_NAME_MAX], env[CONFIG_NAME_MAX];

	for (size_t i = 0; i < l->n_sections; i++) {
		const struct config_section *s = &l->sections[i];

		for (size_t k = 0; k < s->n_rows; k++, origin++) {
			if (!s->base || s->is_partial || !(s->rows[k].flags & CONFIG_REQUIRED) ||
				origin->from != CONFIG_FROM_DEFAULT)
				continue;
			config_full_name(name, s, &s->rows[k]);
			config_env_name(env, s, &s->rows[k]);
			return config_error(l, origin, name,
				"must be given: in the file, as %s, or with --set %s=…", env, name);
		}
	}
	return 0;
}

static int load_all(struct config_loader *l, const struct config_source *source)
{
	int r = load_defaults(l);

	if (r == 0 && source->file)
		r = config_yaml(l, source->file);
	if (r == 0 && source->env)
		r = load_env(l, source->env);
	for (size_t i = 0; r == 0 && i < source->n_sets; i++)
		r = load_flag(l, source->sets[i]);
	return r == 0 ? check_required(l) : r;
}

static void keep_origins(const struct config_loader *l)
{
	const struct config_origin *origin = l->origins;

	for (size_t i = 0; i < l->n_sections; i++) {
		const struct config_section *s = &l->sections[i];

		if (s->origins && s->n_rows)
			memcpy(s->origins, origin, s->n_rows * sizeof(*origin));
		origin += s->n_rows;
	}
}

int config_load(const struct config_section *sections, size_t n_sections,
	const struct config_source *source, struct fault *f)
{
	struct config_loader l = { .sections = sections, .n_sections = n_sections, .f = f };
	size_t n_rows = 0;
	int r = -ENOMEM;

	for (size_t i = 0; i < n_sections; i++)
		n_rows += sections[i].n_rows;
	l.origins = calloc(n_rows + 1, sizeof(*l.origins));
	if (l.origins)
		r = load_all(&l, source);
	if (r == -ENOMEM)
		fault_set(f, FAULT_FATAL, r, "configuration: out of memory");
	if (r < 0)
		config_unload(sections, n_sections);
	else
		keep_origins(&l);
	free(l.origins);
	return r;
}

void config_unload(const struct config_section *sections, size_t n_sections)
{
	for (size_t i = 0; i < n_sections; i++) {
		const struct config_section *s = &sections[i];

		for (size_t k = 0; k < s->n_rows; k++)
			config_clear(s, &s->rows[k]);
		if (s->origins && s->n_rows)
			memset(s->origins, 0, s->n_rows * sizeof(*s->origins));
	}
}
