#pragma once

/* Section `pricing` of the configuration. */
#include "common/base/config.h"

struct pricing_config {
	char *rules_file;
	char *rules_name;
	char *quote_keys_file;
	char *group;
	int64_t heartbeat_ms;
	int64_t max_age_profile_ms, max_age_loyalty_ms, max_age_inventory_ms, max_age_market_ms;
	int64_t offer_ttl_ms;
	int64_t floor_over_bid_bps, min_margin_bps, max_premium_bps, max_discount_bps, moved_bps;
	struct config_list round; /* "ETH=0.0001" */
	int64_t live_per_user, live_per_item;
	int64_t in_flight_max;
	int64_t recent_max;
	int64_t memo_max;
	int64_t live_max;
	int64_t revision_ms;
};

extern const struct config_row pricing_config_rows[];
extern const size_t pricing_config_n_rows;
