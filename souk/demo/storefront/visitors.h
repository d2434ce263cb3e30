#pragma once

/*
 * Who walks into the shop: a name and a token for each tab.
 *
 *	GET /api/session               a newcomer, whom no table knows
 *	GET /api/session?as=TIER       one of the data's bidders of that tier: "silver", "gold",
 *				       "platinum"
 *	GET /api/session?user=U        a fresh token for a name that was given before
 *
 *	{"ws":"ws://…/v1/ws","user":"visitor-5f3c…","as":"newcomer","token":"…","expires":ms,
 *	 "now":ms,"speed":1440}
 *
 * Anyone may ask for anyone's token: it is a demo on this machine's loopback. No role has such a
 * door.
 */
#include "common/io/loop.h"
#include "souk/demo/schedule.h"
#include "souk/demo/storefront/server.h"

struct visitors;

struct visitors_config {
	const char *ws_url;
	const char *secret_file;
	uint32_t n_users; /* the most active bidders have rows: see feeder.h */
	int64_t speed;
};

/* Borrows @s, @loop and the texts of @config. 0 or -ENOMEM. */
MUST_CHECK int visitors_new(struct visitors **ret, struct loop *loop, const struct schedule *s,
	const struct visitors_config *config);
struct visitors *visitors_free(struct visitors *v);
DEFINE_CLEANUP(struct visitors *, visitors_free)

/* server_fn; @ctx is the visitors. */
int visitors_answer(void *ctx, struct str query, struct buf *body);
