/*
 * LEJP tells what it meets; the table says where it goes.
 *
 * LEJP alone is no judge of outside bytes (json_gate.h lists why), so the gate reads first and LEJP
 * only ever sees JSON. What is left of its limits is taken away here: its path and index buffers
 * are emptied whenever a level opens, so that path[] holds one member name and nothing accumulates,
 * and the document is handed over in small pieces between which its counter of digits (at most 20 a
 * number) is wound back.
 *
 * A decoder is in one of four modes: RECORD, at a level the table knows; SKIP, RAW or MONEY inside
 * a value that began at `mode_depth`. After a member that is wrong it goes on, because the answer
 * to a bad event needs the event's id, which may come last.
 */
#include "common/model/decode.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include <libwebsockets.h>

#include "common/base/json_out.h"
#include "common/model/field_value.h"
#include "common/model/json_gate.h"

#define PIECE       16 /* under LEJP's 20 digits */
#define KNOWN_MAX   4  /* levels of a path in a table */
#define PATH_MAX_   (KNOWN_MAX * (JSON_KEY_MAX + 1) + 1)
#define FIELDS_MAX  64
#define SHOWN_MAX   64 /* bytes of a path in a message */
#define AMOUNT_MAX  40
#define CODE_MAX    16
#define NOT_A_FIELD (-1)

enum mode { MODE_RECORD, MODE_SKIP, MODE_RAW, MODE_MONEY };
enum target { TARGET_NONE, TARGET_FIELD, TARGET_NODE }; /* of the value that comes next */
enum got { GOT_TEXT, GOT_NUMBER, GOT_TRUE, GOT_FALSE, GOT_NULL, GOT_OBJECT, GOT_ARRAY };

static const char *const GOT_NAMES[] = { "a string", "a number", "true", "false", "null",
	"an object", "an array" };

struct text {
	char *p;
	size_t n, cap;
	size_t mark; /* arena_used() before it */
	bool is_over;
};

struct decoder {
	const struct record_type *type;
	void *record;
	struct arena *arena;
	struct str json;
	struct fault *fault;
	int code;
	bool is_stopped;

	enum mode mode;
	unsigned mode_depth;
	unsigned depth;
	unsigned n_values;

	char path[PATH_MAX_];
	size_t path_n;
	size_t prefix_n[KNOWN_MAX + 1]; /* of path, per depth */
	enum target target;
	const struct field *field; /* target's, or whose value is being read */
	size_t hint;
	uint64_t seen;
	uint64_t seen_node[KNOWN_MAX + 1];

	struct text text; /* FIELD_RAW, or a text that comes in chunks */
	bool is_reading_text;
	bool is_raw_first; /* no comma before the next element */
	uint32_t raw_arrays;

	struct str amount, currency;
	struct str *money_member;
	unsigned money_values; /* containers and wrong values inside money */
	char amount_text[AMOUNT_MAX];
	char currency_text[CODE_MAX];
};

/* Keeps the first problem. @value: the ordinal of the value it is about, 0 = none. */
static void problem_at(struct decoder *d, int code, const char *path, unsigned value,
	const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void problem_at(
	struct decoder *d, int code, const char *path, unsigned value, const char *fmt, ...)
{
	char what[192], where[32] = "", shown[SHOWN_MAX + 1];
	va_list ap;
	size_t n = 0;

	if (d->code)
		return;
	d->code = code;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (value)
		snprintf(where, sizeof(where), " (byte %zu)", json_gate_offset_of(d->json, value));
	for (; path[n] && n < SHOWN_MAX; n++)
		shown[n] = path[n] >= 0x20 && path[n] < 0x7f ? path[n] : '?';
	shown[n] = '\0';
	(void)fault_set(d->fault, FAULT_REJECT, code, "%s: %s: %.150s%s", d->type->name, shown,
		what, where);
}

static void stop_full(struct decoder *d)
{
	d->code = 0; /* matters more than what was met before: the rest stays unread */
	problem_at(d, DECODE_E_TOO_LARGE, d->path, d->n_values, "no room left for this record");
	d->is_stopped = true;
}

static void wrong_type(struct decoder *d, enum got got)
{
	struct field_why expected;

	field_expected(d->field, &expected);
	problem_at(d, DECODE_E_SHAPE, d->path, d->n_values, "expected %s, got %s", expected.text,
		GOT_NAMES[got]);
}

static void settle(struct decoder *d, int r, const struct field_why *why)
{
	if (r)
		problem_at(d, r, d->path, d->n_values, "%s", why->text);
}

/* ---- texts ---- */

static bool text_open(struct decoder *d, size_t max)
{
	/* A surrogate pair is six bytes until it is joined to four. */
	size_t cap = max + max / 2;

	if (cap > d->json.n)
		cap = d->json.n;
	d->text = (struct text){ .cap = cap, .mark = arena_used(d->arena) };
	d->text.p = arena_alloc(d->arena, cap + 1);
	if (!d->text.p)
		stop_full(d);
	return d->text.p;
}

static void text_put(struct decoder *d, const char *p, size_t n)
{
	if (n > d->text.cap - d->text.n) {
		d->text.is_over = true;
		return;
	}
	memcpy(d->text.p + d->text.n, p, n);
	d->text.n += n;
}

/* Gives back what is not needed. p == NULL if it was over @max: nothing is kept. */
static struct str text_close(struct decoder *d, size_t max)
{
	struct text *t = &d->text;
	char *p = t->p, *kept;

	t->n = json_join_surrogates(p, t->n);
	arena_rewind(d->arena, t->mark);
	if (t->is_over || t->n > max) {
		problem_at(d, DECODE_E_TOO_LARGE, d->path, d->n_values, "over %zu bytes", max);
		return STR_NONE;
	}
	kept = arena_alloc(d->arena, t->n + 1);
	assert(kept);
	if (kept != p)
		memmove(kept, p, t->n);
	kept[t->n] = '\0';
	return (struct str){ kept, t->n };
}

/* ---- raw values ---- */

static void raw_put_string(struct decoder *d, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];
		char escape[JSON_ESCAPE_MAX];

		if (json_must_escape(c))
			text_put(d, escape, json_escape(escape, c));
		else
			text_put(d, p + i, 1);
	}
}

static void raw_lead(struct decoder *d)
{
	if (d->depth > d->mode_depth && (d->raw_arrays >> d->depth & 1) && !d->is_raw_first)
		text_put(d, ",", 1);
	d->is_raw_first = false;
}

static void raw_name(struct decoder *d, struct str name)
{
	if (!d->is_raw_first)
		text_put(d, ",", 1);
	d->is_raw_first = false;
	text_put(d, "\"", 1);
	raw_put_string(d, name.p, name.n);
	text_put(d, "\":", 2);
}

static void raw_open(struct decoder *d, bool is_array)
{
	raw_lead(d);
	text_put(d, is_array ? "[" : "{", 1);
	d->is_raw_first = true;
	d->raw_arrays = (d->raw_arrays & ~(UINT32_C(2) << d->depth)) | (uint32_t)is_array
									       << (d->depth + 1);
}

static void raw_finish(struct decoder *d)
{
	struct str s = text_close(d, field_max(d->field));

	if (s.p)
		*(struct str *)field_at(d->field, d->record) = s;
}

/* ---- money ---- */

static void money_name(struct decoder *d, struct str name)
{
	bool is_amount = str_eq(name, STR("amount"));

	d->money_member = NULL;
	if (is_amount || str_eq(name, STR("currency")))
		d->money_member = is_amount ? &d->amount : &d->currency;
	else if (d->type->is_closed)
		problem_at(d, DECODE_E_SHAPE, d->path, d->n_values, "money has an unknown member");
	if (d->money_member && d->money_member->p) {
		problem_at(d, DECODE_E_SHAPE, d->path, d->n_values, "money has a repeated member");
		d->money_member = NULL;
	}
}

static void money_text(struct decoder *d, const char *p, size_t n)
{
	struct str *m = d->money_member;
	char *at = m == &d->amount ? d->amount_text : d->currency_text;
	size_t cap = m == &d->amount ? sizeof(d->amount_text) : sizeof(d->currency_text);

	if (!m)
		return;
	/* One byte over is kept: too long for any amount or code, so that money_make() refuses it.
	 */
	if (n > cap - m->n)
		n = cap - m->n;
	memcpy(at + m->n, p, n);
	*m = (struct str){ at, m->n + n };
}

static void money_wrong(struct decoder *d, enum got got)
{
	if (!d->money_member)
		return;
	problem_at(d, DECODE_E_SHAPE, d->path, d->n_values, "%s must be a string, got %s",
		d->money_member == &d->amount ? "amount" : "currency", GOT_NAMES[got]);
	d->money_member = NULL;
}

static void money_finish(struct decoder *d, unsigned value)
{
	struct field_why why;
	int r;

	if (!d->amount.p || !d->currency.p) {
		problem_at(d, DECODE_E_SHAPE, d->path, value,
			"money needs an amount and a currency, both strings");
		return;
	}
	r = field_set_money(d->field, d->record, d->amount, d->currency, &why);
	if (r)
		problem_at(d, r, d->path, value, "%s", why.text);
}

/* ---- names ---- */

static int match(const struct record_type *t, size_t i, struct str path)
{
	const char *p = t->fields[i].path;

	if (strncmp(p, path.p, path.n) != 0)
		return TARGET_NONE;
	return p[path.n] == '\0' ? TARGET_FIELD : p[path.n] == '.' ? TARGET_NODE : TARGET_NONE;
}

/* Records mostly come in the table's order, so the field after the last one is tried first. */
static int find(struct decoder *d, int *ret_index)
{
	struct str path = { d->path, d->path_n };

	if (d->hint < d->type->n_fields && match(d->type, d->hint, path) == TARGET_FIELD) {
		*ret_index = (int)d->hint;
		return TARGET_FIELD;
	}
	for (size_t i = 0; i < d->type->n_fields; i++) {
		int m = match(d->type, i, path);

		if (m != TARGET_NONE) {
			*ret_index = (int)i;
			return m;
		}
	}
	return TARGET_NONE;
}

static bool see(uint64_t *seen, int index)
{
	uint64_t bit = UINT64_C(1) << index;
	bool is_new = !(*seen & bit);

	*seen |= bit;
	return is_new;
}

static void set_path(struct decoder *d, struct str name)
{
	size_t n = d->prefix_n[d->depth];

	if (n)
		d->path[n++] = '.';
	memcpy(d->path + n, name.p, name.n);
	d->path_n = n + name.n;
	d->path[d->path_n] = '\0';
}

static void record_name(struct decoder *d, struct str name)
{
	int index = NOT_A_FIELD;
	bool is_new = true;

	set_path(d, name);
	/* A dot inside a name is no level of a path. */
	d->target = memchr(name.p, '.', name.n) ? TARGET_NONE : (enum target)find(d, &index);
	if (d->target == TARGET_FIELD) {
		d->field = &d->type->fields[index];
		d->hint = (size_t)index + 1;
		is_new = see(&d->seen, index);
	} else if (d->target == TARGET_NODE) {
		is_new = see(&d->seen_node[d->depth], index);
	} else if (d->type->is_closed) {
		problem_at(d, DECODE_E_SHAPE, d->path, d->n_values + 1, "unknown member");
	}
	if (!is_new) {
		problem_at(d, DECODE_E_SHAPE, d->path, d->n_values + 1, "repeated member");
		d->target = TARGET_NONE;
	}
}

static void on_name(struct decoder *d, struct str name)
{
	if (d->mode == MODE_RECORD)
		record_name(d, name);
	else if (d->mode == MODE_RAW)
		raw_name(d, name);
	else if (d->mode == MODE_MONEY && d->depth == d->mode_depth + 1)
		money_name(d, name);
}

/* ---- values ---- */

static void enter(struct decoder *d, enum mode mode)
{
	d->mode = mode;
	d->mode_depth = d->depth;
}

/* An object or array begins where the record's own members are. */
static void record_open(struct decoder *d, bool is_array)
{
	enum got got = is_array ? GOT_ARRAY : GOT_OBJECT;
	enum target target = d->target;

	d->target = TARGET_NONE;
	if (d->depth == 0)
		return;
	if (target == TARGET_NODE && !is_array) {
		assert(d->depth < KNOWN_MAX);
		d->prefix_n[d->depth + 1] = d->path_n;
		return;
	}
	enter(d, MODE_SKIP);
	if (target == TARGET_NODE) {
		problem_at(d, DECODE_E_SHAPE, d->path, d->n_values, "expected an object, got %s",
			GOT_NAMES[got]);
	} else if (target == TARGET_FIELD && d->field->kind == FIELD_MONEY && !is_array) {
		d->mode = MODE_MONEY;
		d->amount = d->currency = STR_NONE;
		d->money_member = NULL;
		d->money_values = d->n_values;
	} else if (target == TARGET_FIELD && d->field->kind == FIELD_RAW) {
		if (text_open(d, field_max(d->field))) {
			d->mode = MODE_RAW;
			raw_open(d, is_array);
		}
	} else if (target == TARGET_FIELD) {
		wrong_type(d, got);
	}
}

static void on_open(struct decoder *d, bool is_array)
{
	d->n_values++;
	if (d->mode == MODE_RECORD) {
		record_open(d, is_array);
	} else if (d->mode == MODE_RAW) {
		raw_open(d, is_array);
	} else if (d->mode == MODE_MONEY) {
		money_wrong(d, is_array ? GOT_ARRAY : GOT_OBJECT);
	}
	d->depth++;
}

static void on_close(struct decoder *d, bool is_array)
{
	d->depth--;
	if (d->mode == MODE_RECORD)
		return;
	if (d->mode == MODE_RAW) {
		text_put(d, is_array ? "]" : "}", 1);
		d->is_raw_first = false;
	}
	if (d->depth != d->mode_depth)
		return;
	if (d->mode == MODE_RAW)
		raw_finish(d);
	else if (d->mode == MODE_MONEY)
		money_finish(d, d->money_values);
	d->mode = MODE_RECORD;
}

static void record_scalar(struct decoder *d, enum got got, struct str text)
{
	enum target target = d->target;
	const struct field *f = d->field;
	struct field_why why;

	d->target = TARGET_NONE;
	if (target == TARGET_NODE)
		problem_at(d, DECODE_E_SHAPE, d->path, d->n_values, "expected an object, got %s",
			GOT_NAMES[got]);
	if (target != TARGET_FIELD)
		return;
	if (got == GOT_NULL && (f->flags & FIELD_NULLABLE))
		return;
	if (got == GOT_NUMBER && field_is_number(f)) {
		settle(d, field_set_number(f, d->record, text, &why), &why);
	} else if ((got == GOT_TRUE || got == GOT_FALSE) && f->kind == FIELD_BOOL) {
		*(int *)field_at(f, d->record) = got == GOT_TRUE ? TRI_TRUE : TRI_FALSE;
	} else if (got != GOT_NULL && f->kind == FIELD_RAW) {
		if (text_open(d, field_max(f))) {
			text_put(d, text.p, text.n);
			raw_finish(d);
		}
	} else {
		wrong_type(d, got);
	}
}

static void on_scalar(struct decoder *d, enum got got, struct str text)
{
	d->n_values++;
	if (d->mode == MODE_RECORD) {
		record_scalar(d, got, text);
	} else if (d->mode == MODE_RAW) {
		raw_lead(d);
		text_put(d, text.p, text.n);
	} else if (d->mode == MODE_MONEY) {
		money_wrong(d, got);
	}
}

static void record_text_start(struct decoder *d)
{
	enum target target = d->target;

	d->target = TARGET_NONE;
	d->text.p = NULL;
	if (target == TARGET_NODE)
		problem_at(d, DECODE_E_SHAPE, d->path, d->n_values, "expected an object, got %s",
			GOT_NAMES[GOT_TEXT]);
	if (target != TARGET_FIELD)
		return;
	if (field_is_text(d->field))
		d->is_reading_text = true;
	else if (d->field->kind != FIELD_RAW)
		wrong_type(d, GOT_TEXT);
	else if (text_open(d, field_max(d->field))) {
		text_put(d, "\"", 1);
		d->is_reading_text = true;
	}
}

static void on_text_start(struct decoder *d)
{
	d->n_values++;
	d->is_reading_text =
		d->mode == MODE_RAW || (d->mode == MODE_MONEY && d->depth == d->mode_depth + 1);
	if (d->mode == MODE_RECORD) {
		record_text_start(d);
	} else if (d->mode == MODE_RAW) {
		raw_lead(d);
		text_put(d, "\"", 1);
	} else if (d->is_reading_text) {
		money_text(d, "", 0);
	}
}

static void record_text(struct decoder *d, char *p, size_t n, bool is_end)
{
	size_t max = field_max(d->field);
	struct field_why why;
	struct str text = { p, n };
	bool is_ours = d->text.p;

	if (d->field->kind == FIELD_RAW) {
		raw_put_string(d, p, n);
		if (is_end) {
			text_put(d, "\"", 1);
			raw_finish(d);
		}
		return;
	}
	if (!is_end && !is_ours && !text_open(d, max))
		return;
	if (d->text.p)
		text_put(d, p, n);
	if (!is_end)
		return;
	/* Most texts come whole and go straight from LEJP's buffer to the arena. */
	text.n = json_join_surrogates(p, n);
	if (is_ours)
		text = text_close(d, max);
	if (text.p)
		settle(d, field_set_text(d->field, d->record, text, is_ours, d->arena, &why), &why);
}

static void on_text(struct decoder *d, char *p, size_t n, bool is_end)
{
	if (!d->is_reading_text)
		return;
	if (d->mode == MODE_RECORD) {
		record_text(d, p, n, is_end);
	} else if (d->mode == MODE_MONEY) {
		money_text(d, p, n);
	} else {
		raw_put_string(d, p, n);
		if (is_end)
			text_put(d, "\"", 1);
	}
}

static void on_value(struct decoder *d, struct lejp_ctx *ctx, char reason)
{
	switch (reason) {
	case LEJPCB_VAL_STR_START:
		on_text_start(d);
		break;
	case LEJPCB_VAL_STR_CHUNK:
	case LEJPCB_VAL_STR_END:
		on_text(d, ctx->buf, ctx->npos, reason == LEJPCB_VAL_STR_END);
		break;
	case LEJPCB_VAL_NUM_INT:
	case LEJPCB_VAL_NUM_FLOAT:
		on_scalar(d, GOT_NUMBER, (struct str){ ctx->buf, ctx->npos });
		break;
	case LEJPCB_VAL_TRUE:
		on_scalar(d, GOT_TRUE, STR("true"));
		break;
	case LEJPCB_VAL_FALSE:
		on_scalar(d, GOT_FALSE, STR("false"));
		break;
	case LEJPCB_VAL_NULL:
		on_scalar(d, GOT_NULL, STR("null"));
		break;
	default:
		break;
	}
}

static signed char on_event(struct lejp_ctx *ctx, char reason)
{
	struct decoder *d = ctx->user;

	if (d->is_stopped)
		return -1; /* LEJP does not look at what the end of an array returns */
	switch (reason) {
	case LEJPCB_PAIR_NAME:
		on_name(d, str_of(ctx->path));
		break;
	case LEJPCB_OBJECT_START:
	case LEJPCB_ARRAY_START:
		ctx->pst[ctx->pst_sp].ppos = 0;
		ctx->ipos = 0;
		on_open(d, reason == LEJPCB_ARRAY_START);
		break;
	case LEJPCB_OBJECT_END:
	case LEJPCB_ARRAY_END:
		on_close(d, reason == LEJPCB_ARRAY_END);
		break;
	default:
		on_value(d, ctx, reason);
	}
	return d->is_stopped ? -1 : 0;
}

static int feed(struct decoder *d)
{
	struct lejp_ctx ctx;
	int r = LEJP_CONTINUE;

	lejp_construct(&ctx, on_event, d, NULL, 0);
	for (size_t at = 0; at < d->json.n && r == LEJP_CONTINUE; at += PIECE) {
		size_t n = d->json.n - at < PIECE ? d->json.n - at : PIECE;

		r = lejp_parse(&ctx, (const unsigned char *)d->json.p + at, (int)n);
		if (ctx.dcount > 1)
			ctx.dcount = 1;
	}
	lejp_destruct(&ctx);
	return r;
}

static void check_required(struct decoder *d)
{
	for (size_t i = 0; i < d->type->n_fields; i++) {
		const struct field *f = &d->type->fields[i];

		if ((f->flags & FIELD_REQUIRED) && !(d->seen >> i & 1))
			problem_at(d, DECODE_E_SHAPE, f->path, 0, "missing");
	}
}

int decode(const struct record_type *type, void *ret, struct str json, struct arena *a,
	struct fault *f)
{
	struct decoder d = { .type = type, .record = ret, .arena = a, .json = json, .fault = f };
	struct json_problem problem;
	int r;

	assert(type->n_fields <= FIELDS_MAX);
	memset(ret, 0, type->size);
	r = json_gate(json, true, &problem);
	if (r) {
		r = r == JSON_GATE_E_LIMIT ? DECODE_E_TOO_LARGE : DECODE_E_JSON;
		return fault_set(f, FAULT_REJECT, r, "%s: %s (byte %zu)", type->name, problem.what,
			problem.offset);
	}
	r = feed(&d);
	/* "{}", which this LEJP refuses, is the one thing that passed the gate and comes back so.
	 */
	if (r < 0 && r != LEJP_REJECT_MEMBERS_NO_CLOSE && !d.is_stopped)
		return fault_set(f, FAULT_REJECT, DECODE_E_JSON, "%s: %s", type->name,
			lejp_error_to_string(r));
	if (!d.is_stopped)
		check_required(&d);
	return d.code;
}
