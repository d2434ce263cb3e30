#pragma once

/*
 * The whole configuration of the binary: the union of every role's section and of what they share.
 * One file can serve every role.
 */
#include "common/base/config.h"
#include "bidding/config.h"
#include "connectors/connectors.h"
#include "pricing/config.h"
#include "wallet-bridge/config.h"
#include "ws-server/ws_server_role.h"

#define SETTINGS_SECTIONS 10
#define SETTINGS_ROWS_MAX 48

struct kafka_settings {
	char *bootstrap;
	char *topic_prefix;
	struct config_list properties;
};

struct redis_settings {
	char *url;
};

struct admin_settings {
	char *listen; /* NULL: 127.0.0.1 and the role's own port */
};

struct log_settings {
	int64_t level;
	int64_t format;
};

struct money_settings {
	struct config_list currencies; /* "CODE:decimals[:parity]" beside the shipped ones */
};

struct settings {
	struct kafka_settings kafka;
	struct redis_settings redis;
	struct admin_settings admin;
	struct log_settings log;
	struct money_settings money;
	struct gateway_config ws;
	struct pricing_config pricing;
	struct bidding_config bidding;
	struct connectors_config connectors;
	struct wallet_config wallet;
	/* where each value came from */
	struct config_origin origins[SETTINGS_SECTIONS][SETTINGS_ROWS_MAX];
	char admin_listen[64]; /* effective, for the role that was named */
};

/* Fills @ret's sections table over @s: for config_load, config_print and config_doc. */
void settings_sections(struct settings *s, struct config_section ret[SETTINGS_SECTIONS]);

/* Loads and applies what is process-wide (currencies). @role: the section whose required keys must
 * be there, NULL: of none. @default_admin_port as in process_need. 0 or -errno with @f. */
MUST_CHECK int settings_load(struct settings *s, const struct config_source *source,
	const char *role, int default_admin_port, struct fault *f);
void settings_unload(struct settings *s);
