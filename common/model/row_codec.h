#pragma once

/*
 * Records to rows and back, by the tables of decode.h. Fields are named as the record's top-level
 * members; money is two fields (`bid`, `bid_currency`), nested objects and lists are compact JSON
 * text, an absent or null member is an absent field. A nested path ("signal.kind") has no row form
 * (assert). Beside a record's fields a stored row has ver, et, gen and src: cache.h adds and strips
 * them; `ver` is given to the struct by the reader (rows.ver is stored form).
 */
#include "common/base/arena.h"
#include "common/base/fault.h"
#include "common/base/row.h"
#include "common/model/decode.h"

/* Only members that are present; texts that need a form of their own are made in the arena, others
 * are borrowed from the record. FIELD_VERSION members are left out (the caller gives the version to
 * the cache). 0 or DECODE_E_TOO_LARGE. */
MUST_CHECK int row_encode(
	const struct record_type *type, const void *record, struct row *ret, struct arena *a);

/* With the checks of decode(); FIELD_VERSION members are left zero. Texts are copied. */
MUST_CHECK int row_decode(const struct record_type *type, void *ret, const struct row *row,
	struct arena *a, struct fault *f);
