#pragma once

/*
 * What a dry run does with an order: a pure function of the order's id, the configuration and where
 * the order stands, so that an executor that was restarted, or a second one, goes on in the same
 * way. The clock decides one thing only: a payment that was not begun in time is not begun.
 *
 *	SENT -> MINED -> CONFIRMED -> FINAL      most
 *	SENT -> REVERTED                         fail_bps
 *	HELD -> SENT ...                         hold_bps, for four times as long as a step
 *	MINED -> SENT -> MINED ...               a reorg, DRY_RUN_REORG_BPS of those that do not
 *fail EXPIRED                                  never_bps, after reservation_ms; and whoever is late
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"
#include "common/model/order.h"
#include "wallet-bridge/executor.h"

#define DRY_RUN_REORG_BPS  300
#define DRY_RUN_HOLD_STEPS 4
#define DRY_RUN_TX_MAX     67 /* 0x, 64 digits and a NUL */

struct dry_run_step {
	enum order_state state;
	int64_t wait_ms;         /* after the outcome before it, or after the request's record */
	const char *reason;      /* NULL: none */
	char tx[DRY_RUN_TX_MAX]; /* "": none */
	int64_t block;           /* 0: none */
};

enum { DRY_RUN_PLAN_E_OVER = 1 /* nothing follows that state */ };

/*
 * The outcome that follows @n outcomes, the last of which had @state (any value if @n is 0).
 * @is_late: reservation_ms has passed, which counts as long as the payment is not begun. 0,
 * DRY_RUN_PLAN_E_OVER, -EIO (no digest).
 */
MUST_CHECK int dry_run_plan_next(struct dry_run_step *ret, const struct executor_config *c,
	struct str order, int64_t n, int state, bool is_late);
/* Whether a payment was begun, in the same terms. */
static inline bool dry_run_plan_is_begun(int64_t n, int state)
{
	return n > 0 && state != ORDER_HELD;
}
