/*
 * Members are bidders that the simulated shoppers seldom are (those take every seventh), with a
 * profile that allows pricing, so that their prices have something to show. Which one of a tier is
 * drawn anew for each tab.
 */
#include "souk/demo/storefront/visitors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/crypto.h"
#include "common/base/json_out.h"
#include "souk/demo/feeder.h"
#include "ws-server/ws_server_role.h"

#define TOKEN_TTL_MS    3600000
#define NAME_BYTES      6
#define NEWCOMER_PREFIX "visitor-"
#define USER_MAX        64
#define EVERY_SHOPPER   7 /* shoppers.c */

struct visitors {
	struct loop *loop;
	const struct schedule *schedule;
	struct visitors_config config;
};

int visitors_new(struct visitors **ret, struct loop *loop, const struct schedule *s,
	const struct visitors_config *config)
{
	struct visitors *v = calloc(1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	*v = (struct visitors){ .loop = loop, .schedule = s, .config = *config };
	if (v->config.n_users > s->n_users)
		v->config.n_users = s->n_users;
	*ret = v;
	return 0;
}

struct visitors *visitors_free(struct visitors *v)
{
	free(v);
	return NULL;
}

static int refuse(struct buf *body, int status, const char *code, const char *title)
{
	struct json_out j = JSON_OUT(body);

	json_begin(&j, NULL);
	json_begin(&j, "error");
	json_strz(&j, "code", code);
	json_strz(&j, "title", title);
	json_end(&j);
	json_end(&j);
	return status;
}

/* 0 or -EIO. */
static int name_newcomer(char ret[USER_MAX])
{
	uint8_t bytes[NAME_BYTES];
	const size_t n = strlen(NEWCOMER_PREFIX);

	if (crypto_random(bytes, sizeof(bytes)))
		return -EIO;
	memcpy(ret, NEWCOMER_PREFIX, n);
	hex_encode(ret + n, bytes, sizeof(bytes));
	return 0;
}

static bool is_candidate(const struct visitors *v, uint32_t i, enum loyalty_tier tier)
{
	const struct schedule_user *u = &v->schedule->users[i];

	return i % EVERY_SHOPPER != 0 && feeder_tier(u->spent_before) == tier &&
	       feeder_allows_pricing(u);
}

/* A random bidder of the tier. 0, -ENOENT (the data has none) or -EIO. */
static int draw_member(const struct visitors *v, enum loyalty_tier tier, char ret[USER_MAX])
{
	uint32_t n = 0, draw;

	for (uint32_t i = 0; i < v->config.n_users; i++)
		n += is_candidate(v, i, tier);
	if (n == 0)
		return -ENOENT;
	if (crypto_random(&draw, sizeof(draw)))
		return -EIO;
	draw %= n;
	for (uint32_t i = 0; i < v->config.n_users; i++)
		if (is_candidate(v, i, tier) && draw-- == 0)
			return str_copy(ret, USER_MAX, str_of(v->schedule->users[i].address));
	return -ENOENT;
}

/* Only names that we give: others' records are theirs. */
static bool is_ours(const struct visitors *v, const char *user)
{
	const size_t prefix = strlen(NEWCOMER_PREFIX), digits = 2 * (size_t)NAME_BYTES;

	if (strncmp(user, NEWCOMER_PREFIX, prefix) == 0)
		return strlen(user) == prefix + digits &&
		       strspn(user + prefix, "0123456789abcdef") == digits;
	for (uint32_t i = 0; i < v->config.n_users; i++)
		if (strcmp(v->schedule->users[i].address, user) == 0)
			return true;
	return false;
}

static const char *tier_of(const struct visitors *v, const char *user)
{
	for (uint32_t i = 0; i < v->config.n_users; i++)
		if (strcmp(v->schedule->users[i].address, user) == 0)
			return loyalty_tier_names[feeder_tier(v->schedule->users[i].spent_before)];
	return "newcomer";
}

static int tier_named(const char *name)
{
	for (int t = TIER_SILVER; loyalty_tier_names[t]; t++)
		if (strcmp(loyalty_tier_names[t], name) == 0)
			return t;
	return -1;
}

static int give(const struct visitors *v, const char *user, struct buf *body)
{
	const int64_t now_ms = loop_now_ms(v->loop), expires_ms = now_ms + TOKEN_TTL_MS;
	CLEANUP(buf_fini) struct buf token = BUF_INIT(4096);
	struct fault f = { 0 };
	struct json_out j = JSON_OUT(body);

	if (gateway_token(&token, v->config.secret_file, user, NULL, expires_ms, &f) ||
		token.failed)
		return refuse(body, 503, "unavailable", "No token could be made");
	json_begin(&j, NULL);
	json_strz(&j, "ws", v->config.ws_url);
	json_strz(&j, "user", user);
	json_strz(&j, "as", tier_of(v, user));
	json_str(&j, "token", buf_str(&token));
	json_i64(&j, "expires", expires_ms);
	json_i64(&j, "now", now_ms);
	json_i64(&j, "speed", v->config.speed);
	json_end(&j);
	return 200;
}

int visitors_answer(void *ctx, struct str query, struct buf *body)
{
	const struct visitors *v = ctx;
	char as[16], user[USER_MAX];
	int r;

	if (server_param(query, "user", user, sizeof(user)) != -ENOENT)
		return is_ours(v, user) ? give(v, user, body)
					: refuse(body, 404, "not_found", "No such visitor");
	r = server_param(query, "as", as, sizeof(as));
	if (r == -ENOENT || (!r && strcmp(as, "newcomer") == 0))
		r = name_newcomer(user);
	else if (r || tier_named(as) < 0)
		return refuse(body, 400, "bad_query", "as: newcomer, silver, gold or platinum");
	else
		r = draw_member(v, (enum loyalty_tier)tier_named(as), user);
	if (r == -ENOENT)
		return refuse(body, 404, "not_found", "The data has no such member");
	return r ? refuse(body, 503, "unavailable", "No name could be drawn") : give(v, user, body);
}
