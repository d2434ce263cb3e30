#pragma once

/*
 * `souk confirm` without its command line: the newest row of an item on inventory.v1 is written
 * once more, with the header `x-souk-confirm: 1`. Connectors lets its price pass, whatever the
 * breaker says, and keeps the version in order (connectors/tables/breaker.h).
 *
 * The newest row is the one with the highest version, which is the one in Redis; of equal versions
 * the later. A delete after it leaves nothing to confirm.
 *
 * The topic is compacted, so the copy would in time replace a row that was written between reading
 * and writing. So the records between are read afterwards, and written again behind the copy: the
 * source's last word stays the last, and the outcome is CONFIRM_CHANGED.
 */
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"
#include "common/io/bus.h"
#include "common/io/loop.h"
#include "common/model/money.h"
#include "common/model/version.h"

enum confirm_outcome {
	CONFIRM_DONE,
	CONFIRM_NO_ITEM, /* never written, or deleted */
	CONFIRM_CHANGED, /* another row came meanwhile: look at it first */
	CONFIRM_FAILED,  /* err says why; it may be written or not */
};

struct confirm_result {
	enum confirm_outcome outcome;
	int err;
	struct version ver;
	struct money list;
	int32_t partition; /* of the copy */
	int64_t offset;
};

struct confirm;
typedef void (*confirm_fn)(void *ctx, const struct confirm_result *result);

/* @item is valid; copied. @fn comes once, from the loop; confirm_free() may be called from it. 0,
 * -ENOMEM, or bus_reader_open()'s errors. */
MUST_CHECK int confirm_new(struct confirm **ret, struct loop *loop, struct bus *bus,
	struct str item, confirm_fn fn, void *ctx);
struct confirm *confirm_free(struct confirm *c);
DEFINE_CLEANUP(struct confirm *, confirm_free)
