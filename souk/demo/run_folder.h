#pragma once

/*
 * A run's private folder (0700): configuration and secrets of its children, their logs, the
 * sockets. Removed whole at the end.
 */
#include "common/base/fault.h"
#include "souk/demo/options.h"

#define RUN_ROLES 5

struct run_folder {
	char path[128];
	char config_path[160];
	char secret_path[160];
	char redis_socket[160];
	char redis_url[256];
	char kafka[256];
	char prefix[40];
	char stream_token[36];
	int64_t start_ms;
	int ws_port, stream_port, http_port;
	int admin_port[RUN_ROLES]; /* in the order of run_roles */
	int world_admin_port, shoppers_admin_port, storefront_admin_port;
};

/* "ws-server", "pricing", "bidding", "connectors", "wallet-bridge" */
extern const char *const run_roles[RUN_ROLES];

/* Picks ports and makes the folder with its secrets. 0 or -errno with @f. */
MUST_CHECK int run_folder_make(
	struct run_folder *r, const struct demo_options *o, int64_t now_ms, struct fault *f);
/* The configuration file, once kafka and redis_url are known. */
MUST_CHECK int run_folder_configure(
	const struct run_folder *r, const struct demo_options *o, struct fault *f);
/* Removes it and what is in it. */
void run_folder_remove(const struct run_folder *r);
