/*
 * The writer is json_out, whose escapes are already the canonical ones; what is left is the order
 * of members. UTF-16 order differs from byte order only where a surrogate pair (U+10000 and up)
 * meets a character from U+E000 on; names are compared by code point with that one exception.
 */
#include "common/model/canonical.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "common/base/json_out.h"

#define INTEGER_MAX ((INT64_C(1) << 53) - 1)

struct canonical {
	struct json_out out;
	struct fault *fault;
};

/* Jansson has checked the UTF-8. */
static uint32_t next_char(const unsigned char **p)
{
	const unsigned char *c = *p;

	if (c[0] < 0x80) {
		*p += 1;
		return c[0];
	}
	if (c[0] < 0xe0) {
		*p += 2;
		return (uint32_t)(c[0] & 0x1f) << 6 | (c[1] & 0x3f);
	}
	if (c[0] < 0xf0) {
		*p += 3;
		return (uint32_t)(c[0] & 0x0f) << 12 | (uint32_t)(c[1] & 0x3f) << 6 | (c[2] & 0x3f);
	}
	*p += 4;
	return (uint32_t)(c[0] & 0x07) << 18 | (uint32_t)(c[1] & 0x3f) << 12 |
	       (uint32_t)(c[2] & 0x3f) << 6 | (c[3] & 0x3f);
}

/* First UTF-16 unit of a character; two characters with the same one are both above U+FFFF. */
static uint32_t first_unit(uint32_t c)
{
	return c < 0x10000 ? c : 0xd800 + ((c - 0x10000) >> 10);
}

static int name_cmp(const void *a, const void *b)
{
	const unsigned char *p = *(const unsigned char *const *)a;
	const unsigned char *q = *(const unsigned char *const *)b;

	while (*p && *q) {
		uint32_t c = next_char(&p), d = next_char(&q);

		if (c == d)
			continue;
		if (first_unit(c) != first_unit(d))
			return first_unit(c) < first_unit(d) ? -1 : 1;
		return c < d ? -1 : 1;
	}
	return *p ? 1 : *q ? -1 : 0;
}

static int write_value(struct canonical *c, const char *key, const json_t *v);

static int write_object(struct canonical *c, const char *key, const json_t *v)
{
	size_t n = json_object_size(v), i = 0;
	const char **names = calloc(n ? n : 1, sizeof(*names));
	int r = 0;

	if (!names)
		return -ENOMEM;
	for (void *it = json_object_iter((json_t *)v); it;
		it = json_object_iter_next((json_t *)v, it))
		names[i++] = json_object_iter_key(it);
	assert(i == n);
	qsort(names, n, sizeof(*names), name_cmp);
	json_begin(&c->out, key);
	for (i = 0; i < n && r == 0; i++)
		r = write_value(c, names[i], json_object_get(v, names[i]));
	json_end(&c->out);
	free(names);
	return r;
}

static int write_array(struct canonical *c, const char *key, const json_t *v)
{
	int r = 0;

	json_begin_array(&c->out, key);
	for (size_t i = 0; i < json_array_size(v) && r == 0; i++)
		r = write_value(c, NULL, json_array_get(v, i));
	json_end_array(&c->out);
	return r;
}

static int write_value(struct canonical *c, const char *key, const json_t *v)
{
	json_int_t n;

	if (c->out.depth >= CANONICAL_DEPTH_MAX)
		return fault_set(c->fault, FAULT_REJECT, -EINVAL, "nested deeper than %d levels",
			CANONICAL_DEPTH_MAX);
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return write_object(c, key, v);
	case JSON_ARRAY:
		return write_array(c, key, v);
	case JSON_STRING:
		json_str(&c->out, key, (struct str){ json_string_value(v), json_string_length(v) });
		return 0;
	case JSON_INTEGER:
		n = json_integer_value(v);
		if (n > INTEGER_MAX || n < -INTEGER_MAX)
			break;
		json_i64(&c->out, key, n);
		return 0;
	case JSON_REAL:
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		json_bool(&c->out, key, json_is_true(v));
		return 0;
	case JSON_NULL:
		json_out_null(&c->out, key);
		return 0;
	}
	return fault_set(c->fault, FAULT_REJECT, -EINVAL,
		"%s: numbers must be integers of at most 53 bits", key ? key : "an array");
}

int canonical_json(struct buf *out, const json_t *doc, struct fault *f)
{
	struct canonical c = { .out = JSON_OUT(out), .fault = f };
	int r = write_value(&c, NULL, doc);

	if (r != 0)
		return r;
	if (out->failed)
		return fault_set(f, FAULT_REJECT, -ENOSPC, "larger than %zu bytes", out->max);
	return 0;
}
