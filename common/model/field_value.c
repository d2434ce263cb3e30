/*
 * The checks are here once, so that what a topic refuses is refused in a row too.
 */
#include "common/model/field_value.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/model/item.h"
#include "common/model/money.h"
#include "common/model/version.h"

#define SAFE_INTEGER_MAX ((INT64_C(1) << 53) - 1)
#define SHOWN_MAX        24 /* bytes of a refused value that a message repeats */

static const struct kind {
	const char *expected;
	size_t max;
	bool is_text;
} KINDS[] = {
	[FIELD_STR] = { "a string", 1024, true },
	[FIELD_ITEM] = { "an item id", ITEM_MAX, true },
	[FIELD_USER] = { "a user of 1..128 bytes without control characters", 128, true },
	[FIELD_WALLET] = { "a wallet (0x and 40 hex digits)", 42, true },
	[FIELD_ID] = { "an id of 1..128 visible ASCII characters", 128, true },
	[FIELD_I64] = { "an integer", 20, false },
	[FIELD_TIME] = { "an integer (milliseconds since 1970)", 20, false },
	[FIELD_BOOL] = { "true or false", 5, false },
	[FIELD_ENUM] = { NULL, 64, true },
	[FIELD_MONEY] = { "money {\"amount\",\"currency\"}", 0, false },
	[FIELD_VERSION] = { "a version text like \"12.91\"", VERSION_TEXT_MAX, true },
	[FIELD_RAW] = { "a value", 4096, false },
	[FIELD_COUNT] = { "an integer from 0", 20, false },
	[FIELD_CONST] = { NULL, 64, true },
	[FIELD_HEX] = { "lower-case hex digits", 16, true },
};

size_t field_max(const struct field *f)
{
	return f->max ? f->max : KINDS[f->kind].max;
}

bool field_is_text(const struct field *f)
{
	return KINDS[f->kind].is_text;
}

void field_expected(const struct field *f, struct field_why *ret)
{
	size_t n = 0;

	if (f->kind == FIELD_CONST) {
		snprintf(ret->text, sizeof(ret->text), "\"%s\"", f->names[0]);
		return;
	}
	if (f->kind != FIELD_ENUM) {
		snprintf(ret->text, sizeof(ret->text), "%s", KINDS[f->kind].expected);
		return;
	}
	n = (size_t)snprintf(ret->text, sizeof(ret->text), "one of");
	for (size_t i = 0; f->names[i] && n < sizeof(ret->text); i++) {
		if (*f->names[i])
			n += (size_t)snprintf(ret->text + n, sizeof(ret->text) - n, "%s %s",
				n > 6 ? "," : "", f->names[i]);
	}
}

static int refuse(const struct field *f, struct field_why *why)
{
	struct field_why expected;

	field_expected(f, &expected);
	snprintf(why->text, sizeof(why->text), "expected %.*s", (int)sizeof(why->text) - 16,
		expected.text);
	return DECODE_E_SHAPE;
}

/* Only for values that cannot name a person. */
static int refuse_showing(const struct field *f, struct str text, struct field_why *why)
{
	char shown[SHOWN_MAX + 1];
	size_t n = text.n < SHOWN_MAX ? text.n : SHOWN_MAX;
	size_t at;

	for (size_t i = 0; i < n; i++)
		shown[i] = text.p[i] > 0x20 && text.p[i] < 0x7f ? text.p[i] : '?';
	shown[n] = '\0';
	refuse(f, why);
	at = strlen(why->text);
	if (at + n + 16 > sizeof(why->text))
		at = sizeof(why->text) - n - 16;
	snprintf(
		why->text + at, sizeof(why->text) - at, ", got %s%s", shown, text.n > n ? "…" : "");
	return DECODE_E_SHAPE;
}

static int set_enum(const struct field *f, void *record, struct str text, struct field_why *why)
{
	for (int i = 0; f->names[i]; i++) {
		if (*f->names[i] && str_eqz(text, f->names[i])) {
			*(int *)field_at(f, record) = i;
			return 0;
		}
	}
	return refuse_showing(f, text, why);
}

static int set_const(const struct field *f, void *record, struct str text, struct field_why *why)
{
	if (!str_eqz(text, f->names[0]))
		return refuse_showing(f, text, why);
	*(struct str *)field_at(f, record) = str_of(f->names[0]);
	return 0;
}

static bool is_lower_hex(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	}
	return s.n > 0;
}

static bool is_right(const struct field *f, struct str text)
{
	switch (f->kind) {
	case FIELD_ITEM:
		return item_is_valid(text);
	case FIELD_USER:
		return user_is_valid(text);
	case FIELD_WALLET:
		return wallet_is_valid(text);
	case FIELD_ID:
		return str_is_visible_ascii(text, field_max(f));
	case FIELD_HEX:
		return is_lower_hex(text);
	default:
		return true;
	}
}

static void lower(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] + ('a' - 'A'));
	}
}

int field_set_text(const struct field *f, void *record, struct str text, bool is_ours,
	struct arena *a, struct field_why *why)
{
	assert(field_is_text(f));
	if (text.n > field_max(f)) {
		snprintf(why->text, sizeof(why->text), "%zu bytes, at most %zu", text.n,
			field_max(f));
		return DECODE_E_TOO_LARGE;
	}
	if (text.n == 0 && (f->flags & FIELD_NONEMPTY)) {
		snprintf(why->text, sizeof(why->text), "must not be empty");
		return DECODE_E_SHAPE;
	}
	if (f->kind == FIELD_ENUM)
		return set_enum(f, record, text, why);
	if (f->kind == FIELD_CONST)
		return set_const(f, record, text, why);
	if (f->kind == FIELD_VERSION)
		return version_parse(field_at(f, record), text) ? refuse_showing(f, text, why) : 0;
	if (!is_right(f, text))
		return refuse(f, why);
	if (!is_ours)
		text = arena_copy(a, text);
	if (!text.p) {
		snprintf(why->text, sizeof(why->text), "no room left for this record");
		return DECODE_E_TOO_LARGE;
	}
	if (f->kind == FIELD_WALLET)
		lower((char *)text.p, text.n);
	*(struct str *)field_at(f, record) = text;
	return 0;
}

int field_set_number(const struct field *f, void *record, struct str number, struct field_why *why)
{
	int64_t v;
	int r = str_to_i64(number, &v);

	if (r == -ERANGE || (!r && f->kind != FIELD_I64 && (v < 0 || v > SAFE_INTEGER_MAX))) {
		snprintf(why->text, sizeof(why->text), "out of range (%s)",
			f->kind == FIELD_I64 ? "64 bits" : "0 .. 2^53 - 1");
		return DECODE_E_SHAPE;
	}
	if (r)
		return refuse_showing(f, number, why);
	*(int64_t *)field_at(f, record) = v;
	return 0;
}

int field_set_money(const struct field *f, void *record, struct str amount, struct str code,
	struct field_why *why)
{
	int r = money_make(field_at(f, record), amount, code);

	if (!r)
		return 0;
	*(struct money *)field_at(f, record) = (struct money){ 0 };
	snprintf(why->text, sizeof(why->text), "%s", money_error(r));
	return DECODE_E_SHAPE;
}
