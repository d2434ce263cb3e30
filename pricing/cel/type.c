/*
 * Primitive types and lists of them are constants, so most types of an expression cost no memory
 * and are equal by pointer. Everything else is compared by structure; that ends, because a type is
 * never part of itself.
 */
#include "pricing/cel/type.h"

#include <assert.h>
#include <errno.h>

#define N_CURRENCIES 64
#define NESTING_MAX  16 /* of a type written as text */

#define PRIMITIVES(X) \
	X(dyn, CEL_T_DYN, "dyn") \
	X(null, CEL_T_NULL, "null") \
	X(bool, CEL_T_BOOL, "bool") \
	X(int, CEL_T_INT, "int") \
	X(uint, CEL_T_UINT, "uint") \
	X(double, CEL_T_DOUBLE, "double") \
	X(string, CEL_T_STRING, "string") \
	X(bytes, CEL_T_BYTES, "bytes") \
	X(timestamp, CEL_T_TIMESTAMP, "timestamp") \
	X(duration, CEL_T_DURATION, "duration") \
	X(money, CEL_T_MONEY, "money") \
	X(bps, CEL_T_BPS, "bps")

#define X(id, k, text) const struct cel_type cel_type_##id = { .kind = k };
PRIMITIVES(X)
#undef X
const struct cel_type cel_type_error = { .kind = CEL_T_ERROR };

#define N_PRIMITIVES (CEL_T_BPS + 1)

static const struct {
	const char *name;
	const struct cel_type *self;
	struct cel_type list;
} primitives[N_PRIMITIVES] = {
#define X(id, k, text) [k] = { text, &cel_type_##id, { .kind = CEL_T_LIST, .a = &cel_type_##id } },
	PRIMITIVES(X)
#undef X
};

/* Filled before main(), read only afterwards. */
static struct cel_type money_of[N_CURRENCIES];

__attribute__((constructor)) static void fill_money(void)
{
	for (unsigned i = 0; i < N_CURRENCIES; i++)
		money_of[i] = (struct cel_type){ .kind = CEL_T_MONEY, .currency = (currency)i };
}

static const struct cel_type *make(struct arena *a, struct cel_type t)
{
	struct cel_type *ret = arena_alloc(a, sizeof(*ret));

	if (ret)
		*ret = t;
	return ret;
}

const struct cel_type *cel_type_list(struct arena *a, const struct cel_type *element)
{
	if (element->kind < N_PRIMITIVES && element->currency == 0)
		return &primitives[element->kind].list;
	return make(a, (struct cel_type){ .kind = CEL_T_LIST, .a = element });
}

const struct cel_type *cel_type_map(
	struct arena *a, const struct cel_type *key, const struct cel_type *value)
{
	return make(a, (struct cel_type){ .kind = CEL_T_MAP, .a = key, .b = value });
}

const struct cel_type *cel_type_of_type(struct arena *a, const struct cel_type *of)
{
	return make(a, (struct cel_type){ .kind = CEL_T_TYPE, .a = of });
}

const struct cel_type *cel_type_money_of(currency c)
{
	assert(c < N_CURRENCIES);
	return c ? &money_of[c] : &cel_type_money;
}

const struct cel_type *cel_type_copy(struct arena *a, const struct cel_type *t)
{
	const struct cel_type *x, *y;

	switch ((enum cel_type_kind)t->kind) {
	case CEL_T_LIST:
		x = cel_type_copy(a, t->a);
		return x ? cel_type_list(a, x) : NULL;
	case CEL_T_MAP:
		x = cel_type_copy(a, t->a);
		y = cel_type_copy(a, t->b);
		return x && y ? cel_type_map(a, x, y) : NULL;
	case CEL_T_TYPE:
		x = t->a ? cel_type_copy(a, t->a) : NULL;
		return x || !t->a ? cel_type_of_type(a, x) : NULL;
	case CEL_T_PARAM:
		return make(a, *t);
	case CEL_T_ERROR:
		return &cel_type_error;
	case CEL_T_MONEY:
		return cel_type_money_of(t->currency);
	default:
		return primitives[t->kind].self;
	}
}

bool cel_type_eq(const struct cel_type *a, const struct cel_type *b)
{
	if (a == b)
		return true;
	if (a->kind != b->kind)
		return false;
	switch ((enum cel_type_kind)a->kind) {
	case CEL_T_MONEY:
		return a->currency == b->currency;
	case CEL_T_PARAM:
		return a->param == b->param;
	case CEL_T_LIST:
		return cel_type_eq(a->a, b->a);
	case CEL_T_MAP:
		return cel_type_eq(a->a, b->a) && cel_type_eq(a->b, b->b);
	case CEL_T_TYPE:
		return a->a && b->a ? cel_type_eq(a->a, b->a) : a->a == b->a;
	default:
		return true;
	}
}

void cel_type_print(struct buf *out, const struct cel_type *t)
{
	if (out->failed)
		return;
	switch ((enum cel_type_kind)t->kind) {
	case CEL_T_LIST:
		buf_puts(out, STR("list("));
		cel_type_print(out, t->a);
		buf_putc(out, ')');
		break;
	case CEL_T_MAP:
		buf_puts(out, STR("map("));
		cel_type_print(out, t->a);
		buf_puts(out, STR(", "));
		cel_type_print(out, t->b);
		buf_putc(out, ')');
		break;
	case CEL_T_TYPE:
		buf_puts(out, STR("type"));
		if (!t->a)
			break;
		buf_putc(out, '(');
		cel_type_print(out, t->a);
		buf_putc(out, ')');
		break;
	case CEL_T_PARAM:
		buf_printf(out, "_var%u", t->param);
		break;
	case CEL_T_ERROR:
		buf_puts(out, STR("!error!"));
		break;
	default:
		buf_puts(out, str_of(primitives[t->kind].name));
		if (t->currency)
			buf_printf(out, "(%s)", currency_code(t->currency));
		break;
	}
}

/* ---- from text ---- */

struct reader {
	struct arena *arena;
	const char *p, *end;
	unsigned depth;
	int error;
};

static bool skip(struct reader *r, char c)
{
	while (r->p < r->end && *r->p == ' ')
		r->p++;
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

static struct str word(struct reader *r)
{
	const char *begin;

	while (r->p < r->end && *r->p == ' ')
		r->p++;
	begin = r->p;
	while (r->p < r->end && ((*r->p >= 'a' && *r->p <= 'z') || (*r->p >= 'A' && *r->p <= 'Z') ||
					(*r->p >= '0' && *r->p <= '9')))
		r->p++;
	return (struct str){ begin, (size_t)(r->p - begin) };
}

static const struct cel_type *refuse(struct reader *r)
{
	if (!r->error)
		r->error = -EINVAL;
	return NULL;
}

static const struct cel_type *allocated(struct reader *r, const struct cel_type *t)
{
	if (!t)
		r->error = -ENOMEM;
	return t;
}

static const struct cel_type *read_type(struct reader *r);

static const struct cel_type *read_map(struct reader *r)
{
	const struct cel_type *key = read_type(r), *value;

	if (!key || !skip(r, ','))
		return refuse(r);
	value = read_type(r);
	return value && skip(r, ')') ? allocated(r, cel_type_map(r->arena, key, value)) : refuse(r);
}

static const struct cel_type *read_inner(struct reader *r, struct str name)
{
	const struct cel_type *inner;

	if (str_eqz(name, "money")) {
		currency c = currency_find(word(r));

		return c && skip(r, ')') ? cel_type_money_of(c) : refuse(r);
	}
	if (str_eqz(name, "map"))
		return read_map(r);
	inner = read_type(r);
	if (!inner || !skip(r, ')'))
		return refuse(r);
	if (str_eqz(name, "list"))
		return allocated(r, cel_type_list(r->arena, inner));
	if (str_eqz(name, "type"))
		return allocated(r, cel_type_of_type(r->arena, inner));
	return refuse(r);
}

static const struct cel_type *read_type(struct reader *r)
{
	struct str name = word(r);
	const struct cel_type *ret = NULL;

	if (r->depth == NESTING_MAX)
		return refuse(r);
	r->depth++;
	if (skip(r, '('))
		ret = read_inner(r, name);
	else if (str_eqz(name, "type"))
		ret = allocated(r, cel_type_of_type(r->arena, NULL));
	for (unsigned i = 0; !ret && !r->error && i < N_PRIMITIVES; i++)
		if (str_eqz(name, primitives[i].name))
			ret = primitives[i].self;
	r->depth--;
	return ret ? ret : refuse(r);
}

int cel_type_parse(const struct cel_type **ret, struct arena *a, struct str text)
{
	struct reader r = { .arena = a, .p = text.p, .end = text.p + text.n };
	const struct cel_type *t = read_type(&r);

	skip(&r, ' ');
	if (t && r.p != r.end)
		return -EINVAL;
	if (t)
		*ret = t;
	return r.error;
}
