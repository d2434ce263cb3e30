#pragma once

/* nft.interest.v1: a shopper's glance. Context fields decide rules; `wallet`, `geo` are removed or
 * coarsened by ws-server as consent says. */
#include "common/base/json_out.h"
#include "common/model/decode.h"

enum signal_kind { SIGNAL_VIEW, SIGNAL_DWELL, SIGNAL_TOUCH, SIGNAL_ASK, SIGNAL_WISHLIST };
extern const char
	*const signal_kind_names[]; /* "view", "dwell", "touch", "ask", "wishlist", NULL */
extern const char *const signal_source_names[]; /* "", "touch", "pointer", "viewer-ray",
						   "transient-pointer", NULL ("" = absent) */
extern const char *const device_names[];        /* "", "ar-headset", "phone", "desktop", "console",
						   "server", NULL ("" = absent) */

struct interest {
	struct str id;
	struct str client_id;
	int64_t ts;
	int64_t client_ts;
	struct str user;
	struct str session;
	struct str wallet;
	struct str item;
	int signal_kind;
	int64_t dwell_ms;
	int signal_source;
	struct str place;
	int device;
	struct str locale;
	struct str app;
	struct str h3;
	int consent_personalization; /* enum tribool */
	int consent_location;
};

extern const struct record_type interest_type;
void interest_json(struct json_out *j, const char *key, const struct interest *i);

/* The client's command {"type":"interest"} shares signal and context with the record: members
 * `event`, `item`, `signal`, `context`, `ts`, `user`, decoded into the same struct (event ->
 * client_id, ts -> client_ts; `id` is the command's number and is read by ws-server, not here). */
extern const struct record_type interest_command_type;
