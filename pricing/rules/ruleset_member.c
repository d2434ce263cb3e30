/*
 * Places and members. The path is kept as text while the document is walked, because nearly every
 * document has an error sooner or later and none of them is worth a second walk.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "pricing/cel/nearest.h"
#include "pricing/rules/ruleset_parse.h"

static const char id_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

void doc_bad(struct parser *p, const char *code, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	findings_add(p->findings, FINDING_ERROR, p->path, code, "%s", text);
}

void doc_bad_member(struct parser *p, const char *member, const char *code, const char *fmt, ...)
{
	size_t mark = doc_down_member(p, member);
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	findings_add(p->findings, FINDING_ERROR, p->path, code, "%s", text);
	doc_up(p, mark);
}

size_t doc_down(struct parser *p, const char *fmt, ...)
{
	size_t mark = p->n_path;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(p->path + mark, sizeof(p->path) - mark, fmt, ap);
	va_end(ap);
	if (n > 0)
		p->n_path += (size_t)n;
	if (p->n_path >= sizeof(p->path))
		p->n_path = sizeof(p->path) - 1;
	return mark;
}

static void append(struct parser *p, const char *s, size_t n)
{
	size_t room = sizeof(p->path) - 1 - p->n_path;

	n = n < room ? n : room;
	memcpy(p->path + p->n_path, s, n);
	p->n_path += n;
	p->path[p->n_path] = '\0';
}

size_t doc_down_member(struct parser *p, const char *member)
{
	size_t mark = p->n_path;

	append(p, ".", 1);
	append(p, member, strlen(member));
	return mark;
}

size_t doc_down_item(struct parser *p, const char *member, size_t number)
{
	size_t mark = doc_down_member(p, member);
	char digits[24];
	size_t at = sizeof(digits);

	digits[--at] = ']';
	do {
		digits[--at] = (char)('0' + number % 10);
	} while (number /= 10);
	digits[--at] = '[';
	append(p, digits + at, sizeof(digits) - at);
	return mark;
}

void doc_up(struct parser *p, size_t mark)
{
	p->n_path = mark;
	p->path[mark] = '\0';
}

void *doc_take(struct parser *p, size_t n)
{
	void *ret = arena_alloc(p->rules->arena, n ? n : 1);

	if (ret)
		memset(ret, 0, n);
	return ret;
}

/* A name that was not written to its end. */
static struct str completed(const char *name, const char *const *names)
{
	for (size_t i = 0; strlen(name) > 2 && names[i]; i++) {
		if (str_starts(str_of(names[i]), str_of(name)))
			return str_of(names[i]);
	}
	return STR_NONE;
}

/* What was probably meant, or else what there is. */
static void hint_names(struct parser *p, const char *name, const char *const *names)
{
	struct nearest nearest = nearest_to(str_of(name));
	char list[256] = "";
	size_t n = 0;

	for (size_t i = 0; names[i]; i++) {
		if (!names[i][0])
			continue;
		nearest_offer(&nearest, str_of(names[i]));
		if (n < sizeof(list))
			n += (size_t)snprintf(
				list + n, sizeof(list) - n, "%s%s", n ? ", " : "", names[i]);
	}
	if (!str_is_set(nearest.best))
		nearest.best = completed(name, names);
	if (str_is_set(nearest.best))
		findings_hint(p->findings, "did you mean \"" STR_FMT "\"?", STR_ARG(nearest.best));
	else
		findings_hint(p->findings, "one of %s", list);
}

bool doc_check_members(struct parser *p, const json_t *v, const char *const *names,
	const char *const *reserved, const char *what)
{
	if (!json_is_object(v)) {
		doc_bad(p, "value", "must be an object: %s", what);
		return false;
	}
	for (void *it = json_object_iter((json_t *)v); it;
		it = json_object_iter_next((json_t *)v, it)) {
		const char *key = json_object_iter_key(it);

		if (nearest_index(key, names) >= 0)
			continue;
		if (reserved && nearest_index(key, reserved) >= 0) {
			doc_bad(p, "reserved", "\"%s\" is reserved for a later version", key);
			findings_hint(p->findings, "leave it out: this version does not know it");
			continue;
		}
		doc_bad(p, "member", "unknown member \"%.40s\"", key);
		hint_names(p, key, names);
	}
	return true;
}

size_t doc_array(
	struct parser *p, const json_t *object, const char *key, size_t max, const json_t **ret)
{
	const json_t *v = json_object_get(object, key);

	*ret = v;
	if (!v)
		return 0;
	if (!json_is_array(v)) {
		doc_bad_member(p, key, "value", "must be an array");
		return 0;
	}
	if (json_array_size(v) <= max)
		return json_array_size(v);
	doc_bad_member(p, key, "limit", "at most %zu, these are %zu", max, json_array_size(v));
	return 0;
}

struct str doc_text(
	struct parser *p, const json_t *object, const char *key, size_t max, bool is_required)
{
	const json_t *v = json_object_get(object, key);
	size_t n = json_string_length(v);

	if (!v && !is_required)
		return STR_NONE;
	if (!v) {
		doc_bad(p, "member", "\"%s\" is missing", key);
		return STR_NONE;
	}
	if (!json_is_string(v) || n == 0 || n > max ||
		memchr(json_string_value(v), '\0', n) != NULL) {
		doc_bad_member(p, key, json_is_string(v) && n > max ? "limit" : "value",
			"must be a text of 1 to %zu bytes", max);
		return STR_NONE;
	}
	return (struct str){ json_string_value(v), n };
}

struct str doc_id(struct parser *p, const json_t *object, const char *key, bool is_required)
{
	struct str s = doc_text(p, object, key, RULESET_ID_MAX, is_required);

	if (!str_is_set(s) || strspn(s.p, id_bytes) == s.n)
		return s;
	doc_bad_member(p, key, "value", "must be 1 to %d of A-Z a-z 0-9 . _ -", RULESET_ID_MAX);
	return STR_NONE;
}

int doc_name(struct parser *p, const json_t *object, const char *key, const char *const *names,
	int fallback)
{
	const json_t *v = json_object_get(object, key);
	const char *name = json_string_value(v);
	int index = name ? nearest_index(name, names) : -1;

	if (!v)
		return fallback;
	if (index < 0) {
		doc_bad_member(p, key, "value", "unknown value%s%.40s%s", name ? " \"" : "",
			name ? name : "", name ? "\"" : "");
		hint_names(p, name ? name : "", names);
	}
	return index;
}

bool doc_bool(struct parser *p, const json_t *object, const char *key, bool fallback)
{
	const json_t *v = json_object_get(object, key);

	if (!v)
		return fallback;
	if (!json_is_boolean(v))
		doc_bad_member(p, key, "value", "must be true or false");
	return json_is_true(v);
}

int doc_enter(struct parser *p, enum name_kind kind, struct str name, const char *member)
{
	int r = str_is_set(name) ? names_add(p->names, kind, name, NULL, NULL) : 0;

	if (r == -ENOMEM)
		return r;
	if (r == -EEXIST)
		doc_bad_member(p, member, "id", "\"" STR_FMT "\" is there already", STR_ARG(name));
	return 0;
}
