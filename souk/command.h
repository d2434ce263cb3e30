#pragma once

/* A subcommand of the binary: one file each, one line in main.c's table. */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/fault.h"

struct settings;

struct command {
	const char *name; /* one or two words: "demo", "config check" */
	const char *summary;
	const char *usage;                 /* lines after "Usage: souk NAME" */
	int (*run)(int argc, char **argv); /* argv[0] = the last word of the name; exit code */
	bool is_hidden;
};

extern const struct command command_bidding, command_cache_reset, command_config_check,
	command_config_doc, command_config_print, command_confirm, command_connectors, command_demo,
	command_demo_part, command_pause, command_pricing, command_recompute, command_resume,
	command_rules, command_rules_check, command_rules_eval, command_rules_explain,
	command_rules_fields, command_rules_test, command_token, command_topics_check,
	command_topics_create, command_version, command_wallet_bridge, command_ws_server;

#define EXIT_DONE   0
#define EXIT_FAILED 1 /* the check or the work failed */
#define EXIT_USAGE  2 /* wrong usage or configuration */

/* A part of the demo that runs as a child (`souk demo-part NAME …`). */
struct demo_part {
	const char *name;        /* "world" | "shoppers" | "storefront" */
	const char *data;        /* folder of the auctions' files */
	const char *listen;      /* world: of the stand-in; storefront: of the pages */
	const char *token;       /* world: what the stand-in expects; shoppers: unused */
	const char *url;         /* shoppers, storefront: of ws-server */
	const char *secret_file; /* shoppers, storefront: to sign tokens */
	const char *roles;       /* storefront: admin ports, "ws-server=9464,pricing=9465" */
	int64_t start_ms;
	int64_t speed;
	uint32_t users;
	uint32_t sessions;
	double rate;
	uint64_t seed;
	uint32_t
		order_one_in; /* shoppers: of the offers heard one in so many is ordered; 0: none */
};

int demo_world(const struct settings *settings, const struct demo_part *part, struct fault *f);
int demo_shoppers(const struct settings *settings, const struct demo_part *part, struct fault *f);
int demo_storefront(const struct settings *settings, const struct demo_part *part, struct fault *f);
