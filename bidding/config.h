#pragma once

/* Section `bidding` of the configuration. */
#include "common/base/config.h"

struct bidding_config {
	char *stream_url;
	char *rest_url;
	char *api_key_file;
	struct config_list collections; /* "slug=…;chain=…;…": see collection.h */
	int64_t heartbeat_ms;
	int64_t stream_heartbeat_ms;
	int64_t join_timeout_ms;
	int64_t stall_ms;
	int64_t publish_ms;
	int64_t max_orders, max_items, max_ended;
	int64_t events_in_flight;
	int64_t rows_in_flight;
	int64_t drain_timeout_ms;
};

extern const struct config_row bidding_config_rows[];
extern const size_t bidding_config_n_rows;
