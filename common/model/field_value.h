#pragma once

/*
 * One value of a record's table, however it came: a JSON text or number (decode.c), a row's text
 * (row_codec.c). Internal to common/model.
 */
#include "common/base/arena.h"
#include "common/model/decode.h"

struct field_why {
	char text[160];
};

size_t field_max(const struct field *f);
/* "an integer", "one of view, dwell, touch": what would be right. */
void field_expected(const struct field *f, struct field_why *ret);
bool field_is_text(const struct field *f); /* read from a JSON text */

static inline bool field_is_number(const struct field *f)
{
	return f->kind == FIELD_I64 || f->kind == FIELD_TIME || f->kind == FIELD_COUNT;
}

static inline void *field_at(const struct field *f, const void *record)
{
	return (char *)record + f->offset;
}

/* All: 0, DECODE_E_SHAPE or DECODE_E_TOO_LARGE with @why; the record is untouched then. */

/* For field_is_text(). Copies into @a, or, if @is_ours, takes @text as it stands in the arena. */
int field_set_text(const struct field *f, void *record, struct str text, bool is_ours,
	struct arena *a, struct field_why *why);
/* For field_is_number(): the characters of a JSON number. */
int field_set_number(const struct field *f, void *record, struct str number, struct field_why *why);
int field_set_money(const struct field *f, void *record, struct str amount, struct str code,
	struct field_why *why);
