#pragma once

/* Section `wallet` of the configuration. */
#include "common/base/config.h"

enum wallet_executor { WALLET_EXECUTOR_DRY_RUN };

struct wallet_config {
	char *quote_keys_file;
	char *group;
	int64_t order_slack_bps, floor_over_bid_bps, min_margin_bps;
	int64_t open_per_user;
	int64_t items_max, orders_max; /* a partition */
	int64_t in_flight_max;
	int64_t heartbeat_ms;
	int64_t reservation_ms;
	int64_t order_view_ttl_ms;
	int64_t executor; /* enum wallet_executor */
	int64_t dry_run_step_ms, dry_run_fail_bps, dry_run_hold_bps, dry_run_never_bps;
};

extern const struct config_row wallet_config_rows[];
extern const size_t wallet_config_n_rows;
