/*
 * Binding is on the way of every decision, so what can be decided once is decided in binder_new():
 * only the fields in use are kept, those of one kind next to each other (one loop each, no branch
 * that depends on data), and an enumeration's values are made beforehand, symbols included. What is
 * left at run time is a copy a field, and one look-up for each free text.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/model/decode.h"
#include "pricing/rules/fields_impl.h"

static const char absent_text[] = "absent"; /* as cel_absent() has it */

enum group {
	AT_INT,
	AT_BPS,
	AT_ENUM,
	AT_BOOL,
	AT_TRIBOOL,
	AT_MONEY,
	AT_STR,
	AT_TIME, /* from here on rare */
	AT_TEXTS,
	AT_FN,
	N_GROUPS,
};

struct op {
	uint32_t offset;
	uint16_t slot;
	bool is_optional;
	uint16_t n_values;
	const struct cel_value *values; /* of an enumeration, by its number */
	struct cel_value (*fn)(const void *record);
	enum group group;
};

struct binder {
	const struct cel_symbols *symbols;
	uint32_t end[N_GROUPS]; /* ops of a group end here, the next one's begin */
	struct op *ops;
	struct cel_value *values; /* of all enumerations */
};

static enum group group_of(const struct schema_field *field)
{
	switch (field->bind) {
	case FIELD_AT_I64:
		return strcmp(field->type, "timestamp") == 0 ? AT_TIME
		       : strcmp(field->type, "bps") == 0     ? AT_BPS
							     : AT_INT;
	case FIELD_AT_BOOL:
		return AT_BOOL;
	case FIELD_AT_TRIBOOL:
		return AT_TRIBOOL;
	case FIELD_AT_ENUM:
		return AT_ENUM;
	case FIELD_AT_STR:
		return AT_STR;
	case FIELD_AT_MONEY:
		return AT_MONEY;
	case FIELD_AT_TEXTS:
		return AT_TEXTS;
	case FIELD_AT_FN:
		return AT_FN;
	case FIELD_AT_NONE:
		break;
	}
	return N_GROUPS;
}

static bool is_used(const uint64_t used[CEL_VARS_MAX / 64], size_t slot)
{
	return used[slot / 64] >> (slot % 64) & 1;
}

static size_t n_names(const char *const *names)
{
	size_t n = 0;

	while (names[n])
		n++;
	return n;
}

static struct cel_value text_value(const struct cel_symbols *symbols, struct str s)
{
	struct cel_value v = cel_string(s);

	v.sym = cel_symbols_find(symbols, s);
	return v;
}

static void fill_values(
	struct cel_value *ret, const struct schema_field *field, size_t slot, struct binder *b)
{
	for (size_t i = 0; field->values[i]; i++)
		ret[i] = field->values[i][0] ? text_value(b->symbols, str_of(field->values[i]))
					     : cel_absent((uint32_t)slot);
}

static int count_used(
	const struct schema *s, const uint64_t *used, size_t *ret_n, size_t *ret_n_values)
{
	*ret_n = *ret_n_values = 0;
	for (size_t i = 0; i < s->n; i++) {
		if (!is_used(used, i) || s->fields[i].bind == FIELD_AT_NONE)
			continue;
		(*ret_n)++;
		if (s->fields[i].bind != FIELD_AT_ENUM)
			continue;
		if (!s->fields[i].values)
			return -EINVAL;
		*ret_n_values += n_names(s->fields[i].values);
	}
	return 0;
}

static void fill_ops(struct binder *b, const struct schema *s, const uint64_t *used)
{
	struct cel_value *values = b->values;
	uint32_t n = 0;

	for (int g = 0; g < N_GROUPS; g++) {
		for (size_t i = 0; i < s->n; i++) {
			const struct schema_field *field = &s->fields[i];
			struct op *op = &b->ops[n];

			if (!is_used(used, i) || group_of(field) != (enum group)g)
				continue;
			*op = (struct op){
				.offset = (uint32_t)field->offset,
				.slot = (uint16_t)i,
				.is_optional = field->is_optional,
				.fn = field->fn,
				.group = (enum group)g,
			};
			if (g == AT_ENUM) {
				op->values = values;
				op->n_values = (uint16_t)n_names(field->values);
				fill_values(values, field, i, b);
				values += op->n_values;
			}
			n++;
		}
		b->end[g] = n;
	}
}

int binder_new(struct binder **ret, const struct schema *s, const struct cel_symbols *symbols,
	const uint64_t used[CEL_VARS_MAX / 64])
{
	CLEANUP(binder_free) struct binder *b = calloc(1, sizeof(*b));
	size_t n, n_values;
	int r;

	if (!b)
		return -ENOMEM;
	r = count_used(s, used, &n, &n_values);
	if (r != 0)
		return r;
	b->symbols = symbols;
	b->ops = calloc(n ? n : 1, sizeof(*b->ops));
	b->values = calloc(n_values ? n_values : 1, sizeof(*b->values));
	if (!b->ops || !b->values)
		return -ENOMEM;
	fill_ops(b, s, used);
	*ret = TAKE(b);
	return 0;
}

struct binder *binder_free(struct binder *b)
{
	if (!b)
		return NULL;
	free(b->ops);
	free(b->values);
	free(b);
	return NULL;
}

static struct cel_value time_value(int64_t ms)
{
	int64_t seconds = ms / 1000, rest = ms % 1000;

	if (rest < 0) {
		seconds--;
		rest += 1000;
	}
	return (struct cel_value){
		.kind = CEL_V_TIMESTAMP, .n = (uint32_t)rest * 1000000, .i = seconds
	};
}

static struct cel_value bind_texts(const struct binder *b, struct str json, struct arena *a)
{
	struct cel_value list = fields_texts(json, a);

	if (list.kind != CEL_V_LIST)
		return list;
	/* fields_texts() has just made them in the arena: they are ours. */
	for (uint32_t i = 0; i < list.n; i++) {
		struct cel_value *v = (struct cel_value *)&list.list[i];

		v->sym = cel_symbols_find(b->symbols, cel_str(*v));
	}
	return list;
}

static const struct op *end_of(const struct binder *b, enum group g)
{
	return b->ops + b->end[g];
}

static const struct op *first_of(const struct binder *b, enum group g)
{
	return g ? end_of(b, g - 1) : b->ops;
}

static void bind_rare(const struct binder *b, const struct op *op, const char *base,
	struct cel_value *slots, struct arena *a)
{
	const void *at = base + op->offset;
	struct cel_value *ret = &slots[op->slot];
	int64_t ms;

	switch (op->group) {
	case AT_TIME:
		ms = *(const int64_t *)at;
		*ret = op->is_optional && ms == 0 ? cel_absent(op->slot) : time_value(ms);
		break;
	case AT_TEXTS:
		*ret = bind_texts(b, *(const struct str *)at, a);
		break;
	default:
		*ret = op->fn(base);
		if (ret->kind == CEL_V_ERROR && ret->sym == CEL_R_ABSENT)
			*ret = cel_absent(op->slot);
		else if (ret->kind == CEL_V_STRING)
			ret->sym = cel_symbols_find(b->symbols, cel_str(*ret));
		break;
	}
}

/* The first eight bytes of a value in one store: whoever copies it next then does not have to wait
 * for four smaller ones to meet in the cache. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ &&
		       offsetof(struct cel_value, currency) == 1 &&
		       offsetof(struct cel_value, sym) == 2 && offsetof(struct cel_value, n) == 4 &&
		       offsetof(struct cel_value, s) == 8,
	"head() knows where the members are");

static inline uint64_t head(enum cel_value_kind kind, currency c, uint16_t sym, uint32_t n)
{
	return (uint64_t)n << 32 | (uint64_t)sym << 16 | (uint64_t)c << 8 | (uint64_t)kind;
}

static inline void put(struct cel_value *v, uint64_t first, uint64_t second)
{
	memcpy(v, &first, sizeof(first));
	memcpy((char *)v + sizeof(first), &second, sizeof(second));
}

static inline void put_absent(struct cel_value *v, const struct op *op)
{
	put(v, head(CEL_V_ERROR, 0, CEL_R_ABSENT, op->slot + 1u), (uintptr_t)absent_text);
}

static void put_text(const struct binder *b, struct cel_value *v, struct str s)
{
	put(v, head(CEL_V_STRING, 0, cel_symbols_find(b->symbols, s), (uint32_t)s.n),
		(uintptr_t)s.p);
}

static void put_bools(const struct binder *b, const char *base, struct cel_value *slots)
{
	for (const struct op *op = first_of(b, AT_BOOL); op < end_of(b, AT_BOOL); op++)
		put(&slots[op->slot], head(CEL_V_BOOL, 0, 0, 0),
			*(const bool *)(const void *)(base + op->offset));
	for (const struct op *op = first_of(b, AT_TRIBOOL); op < end_of(b, AT_TRIBOOL); op++) {
		int value = *(const int *)(const void *)(base + op->offset);

		if (op->is_optional && value == TRI_ABSENT)
			put_absent(&slots[op->slot], op);
		else
			put(&slots[op->slot], head(CEL_V_BOOL, 0, 0, 0), value == TRI_TRUE);
	}
}

static void put_numbers(const struct binder *b, const char *base, struct cel_value *slots)
{
	for (const struct op *op = first_of(b, AT_INT); op < end_of(b, AT_INT); op++)
		put(&slots[op->slot], head(CEL_V_INT, 0, 0, 0),
			*(const uint64_t *)(const void *)(base + op->offset));
	for (const struct op *op = first_of(b, AT_BPS); op < end_of(b, AT_BPS); op++)
		put(&slots[op->slot], head(CEL_V_BPS, 0, 0, 0),
			*(const uint64_t *)(const void *)(base + op->offset));
	for (const struct op *op = first_of(b, AT_ENUM); op < end_of(b, AT_ENUM); op++) {
		unsigned value = *(const unsigned *)(const void *)(base + op->offset);

		if (value < op->n_values)
			slots[op->slot] = op->values[value];
		else
			put_absent(&slots[op->slot], op);
	}
}

static void put_money(const struct binder *b, const char *base, struct cel_value *slots)
{
	for (const struct op *op = first_of(b, AT_MONEY); op < end_of(b, AT_MONEY); op++) {
		const struct money *m = (const void *)(base + op->offset);
		struct cel_value *v = &slots[op->slot];

		if (!money_is_set(*m)) {
			put_absent(v, op);
			continue;
		}
		put(v, head(CEL_V_MONEY, m->currency, 0, 0), (uint64_t)m->amount);
		v->m.hi = (uint64_t)(m->amount >> 64);
	}
}

void binder_bind(
	const struct binder *b, const void *record, struct cel_value *slots, struct arena *a)
{
	const char *base = record;

	put_numbers(b, base, slots);
	put_bools(b, base, slots);
	put_money(b, base, slots);
	for (const struct op *op = first_of(b, AT_STR); op < end_of(b, AT_STR); op++) {
		struct str s = *(const struct str *)(const void *)(base + op->offset);

		if (str_is_set(s))
			put_text(b, &slots[op->slot], s);
		else
			put_absent(&slots[op->slot], op);
	}
	for (const struct op *op = end_of(b, AT_STR); op < end_of(b, AT_FN); op++)
		bind_rare(b, op, base, slots, a);
}
