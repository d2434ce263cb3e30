/*
 * `souk ws-server | pricing | bidding | connectors | wallet-bridge`: a role as a process. Each is
 * made on the same process, handed its seams, run, drained, freed; what differs is a handful of
 * calls.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bidding/bidding_role.h"
#include "common/base/log.h"
#include "common/model/topics.h"
#include "connectors/connectors.h"
#include "pricing/pricing_role.h"
#include "souk/args.h"
#include "souk/process.h"
#include "wallet-bridge/executor.h"
#include "wallet-bridge/wallet_role.h"
#include "ws-server/ws_server_role.h"

#define PORT_WS_SERVER  9464
#define PORT_PRICING    9465
#define PORT_BIDDING    9466
#define PORT_CONNECTORS 9467
#define PORT_WALLET     9468

/* One running role. */
struct running {
	struct process process;
	struct gateway *gateway;
	struct ws_server *server;
	struct pricing *pricing;
	struct bidding *bidding;
	struct connectors *connectors;
	struct wallet_bridge *bridge;
	struct executor *executor;
	unsigned n_draining; /* parts of one process */
};

static void stopped(void *ctx)
{
	process_stopped(&((struct running *)ctx)->process);
}

static int run_role(const struct command *c, int argc, char **argv, const struct process_need *need,
	int (*run)(struct running *r, struct fault *f))
{
	struct args a;
	struct settings s = { 0 };
	struct fault f = { 0 };
	struct running *r = calloc(1, sizeof(*r));
	int e = args_parse(&a, c, argc, argv, NULL, 0);

	if (e || !r) {
		free(r);
		return e ? e - 1 : EXIT_FAILED;
	}
	e = args_settings(&a, c, need->section, need->default_admin_port, &s);
	if (e) {
		free(r);
		return e;
	}
	e = process_init(&r->process, need, &s, &f);
	if (!e)
		e = run(r, &f);
	if (e)
		log_error("process", "cannot run", "why=%s",
			log_quote(str_of(f.text[0] ? f.text : strerror(-e))));
	process_fini(&r->process);
	free(r);
	settings_unload(&s);
	return e == -EINVAL ? EXIT_USAGE : e ? EXIT_FAILED : EXIT_DONE;
}

/* ---- ws-server ---- */

static bool gateway_is_ready(void *ctx, struct buf *why)
{
	return gateway_ready(((struct running *)ctx)->gateway, why);
}

static void gateway_stop(void *ctx)
{
	gateway_drain(((struct running *)ctx)->gateway, stopped, ctx);
}

static int run_gateway(struct running *r, struct fault *f)
{
	struct process *p = &r->process;
	const struct gateway_config *config = &p->settings->ws;
	struct ws_server_config server;
	int e = gateway_new(&r->gateway,
		&(struct gateway_env){ p->loop, p->bus, p->cache, p->metrics, p->instance,
			p->settings->kafka.topic_prefix },
		config, f);

	if (e)
		return e;
	server = gateway_server_config(config);
	e = ws_server_lws_new(
		&r->server, p->host, &server, gateway_ops(), r->gateway, p->metrics, f);
	if (!e) {
		gateway_set_server(r->gateway, r->server);
		log_info("ws", "listening", "address=%s port=%d", config->listen,
			ws_server_port(r->server));
		e = process_run(p, gateway_is_ready, gateway_stop, r, f);
	}
	ws_server_free(r->server);
	gateway_free(r->gateway);
	return e;
}

static int ws_server_command(int argc, char **argv)
{
	static const char *const warm[] = { TOPIC_INTEREST, TOPIC_ORDERS, NULL };
	static const struct process_need need = { "ws-server", "ws", true, true, warm,
		PORT_WS_SERVER };

	return run_role(&command_ws_server, argc, argv, &need, run_gateway);
}

/* ---- pricing ---- */

static bool pricing_is_ready(void *ctx, struct buf *why)
{
	return pricing_ready(((struct running *)ctx)->pricing, why);
}

static void pricing_stop(void *ctx)
{
	pricing_drain(((struct running *)ctx)->pricing, stopped, ctx);
}

static int run_pricing(struct running *r, struct fault *f)
{
	struct process *p = &r->process;
	int e = pricing_new(&r->pricing,
		&(struct pricing_env){ p->loop, p->bus, p->cache, p->metrics, p->instance },
		&p->settings->pricing, f);

	if (!e)
		e = process_run(p, pricing_is_ready, pricing_stop, r, f);
	pricing_free(r->pricing);
	return e;
}

static int pricing_command(int argc, char **argv)
{
	static const struct process_need need = { "pricing", "pricing", true, true,
		pricing_warm_topics, PORT_PRICING };

	return run_role(&command_pricing, argc, argv, &need, run_pricing);
}

/* ---- bidding ---- */

static bool bidding_is_ready(void *ctx, struct buf *why)
{
	return bidding_ready(((struct running *)ctx)->bidding, why);
}

static void bidding_stop(void *ctx)
{
	bidding_drain(((struct running *)ctx)->bidding, stopped, ctx);
}

static int make_ws_client(
	void *host, struct ws_client **ret, const struct ws_client_ops *ops, void *ctx)
{
	return ws_client_lws_new(ret, host, ops, ctx);
}

static int run_bidding(struct running *r, struct fault *f)
{
	struct process *p = &r->process;
	int e = bidding_new(&r->bidding,
		&(struct bidding_env){ p->loop, p->bus, p->cache, p->metrics, p->instance,
			{ make_ws_client, p->host } },
		&p->settings->bidding, f);

	if (!e)
		e = process_run(p, bidding_is_ready, bidding_stop, r, f);
	bidding_free(r->bidding);
	return e;
}

static int bidding_command(int argc, char **argv)
{
	static const char *const warm[] = { TOPIC_MARKET_EVENTS, TOPIC_BESTBID, NULL };
	static const struct process_need need = { "bidding", "bidding", true, true, warm,
		PORT_BIDDING };

	return run_role(&command_bidding, argc, argv, &need, run_bidding);
}

/* ---- connectors ---- */

static bool connectors_is_ready(void *ctx, struct buf *why)
{
	return connectors_ready(((struct running *)ctx)->connectors, why);
}

static int run_connectors(struct running *r, struct fault *f)
{
	struct process *p = &r->process;
	int e = connectors_new(&r->connectors,
		&(struct connectors_env){ p->loop, p->bus, p->cache, p->metrics, p->instance },
		&p->settings->connectors, f);

	if (!e)
		e = process_run(p, connectors_is_ready, NULL, r, f);
	connectors_free(r->connectors);
	return e;
}

static int connectors_command(int argc, char **argv)
{
	static const struct process_need need = { "connectors", "connectors", true, true, NULL,
		PORT_CONNECTORS };

	return run_role(&command_connectors, argc, argv, &need, run_connectors);
}

/* ---- wallet-bridge ---- */

/* The bridge and the executor speak to each other through the logs only; they share a process
 * because each needs little of one. */
static bool wallet_is_ready(void *ctx, struct buf *why)
{
	struct running *r = ctx;
	bool is_ready = wallet_bridge_ready(r->bridge, why);

	return executor_ready(r->executor, why) && is_ready;
}

static void part_stopped(void *ctx)
{
	struct running *r = ctx;

	if (--r->n_draining == 0)
		stopped(r);
}

static void wallet_stop(void *ctx)
{
	struct running *r = ctx;

	r->n_draining = 2;
	executor_drain(r->executor, part_stopped, r);
	wallet_bridge_drain(r->bridge, part_stopped, r);
}

static int make_executor(
	struct running *r, const char *group, struct executor_config *config, struct fault *f)
{
	struct process *p = &r->process;
	const struct wallet_config *w = &p->settings->wallet;

	*config = (struct executor_config){
		.group = group,
		.reservation_ms = w->reservation_ms,
		.items_max = (size_t)w->items_max,
		.orders_max = (size_t)w->orders_max,
		.step_ms = w->dry_run_step_ms,
		.fail_bps = w->dry_run_fail_bps,
		.hold_bps = w->dry_run_hold_bps,
		.never_bps = w->dry_run_never_bps,
	};
	return executor_dry_run_new(&r->executor,
		&(struct executor_env){ p->loop, p->bus, p->metrics, p->instance }, config, f);
}

static int run_wallet(struct running *r, struct fault *f)
{
	struct process *p = &r->process;
	struct executor_config config;
	char group[256];
	int e = wallet_bridge_new(&r->bridge,
		&(struct wallet_bridge_env){ p->loop, p->bus, p->cache, p->metrics, p->instance },
		&p->settings->wallet, f);

	snprintf(group, sizeof(group), "%s-executor", p->settings->wallet.group);
	if (!e)
		e = make_executor(r, group, &config, f);
	if (!e)
		e = process_run(p, wallet_is_ready, wallet_stop, r, f);
	executor_free(r->executor);
	wallet_bridge_free(r->bridge);
	return e;
}

static int wallet_command(int argc, char **argv)
{
	static const struct process_need need = { "wallet-bridge", "wallet", true, true,
		wallet_bridge_warm_topics, PORT_WALLET };

	return run_role(&command_wallet_bridge, argc, argv, &need, run_wallet);
}

#define ROLE_USAGE "[--config FILE] [--set key=value]…"

const struct command command_ws_server = { "ws-server", "the client edge: WebSocket sessions",
	ROLE_USAGE, ws_server_command, false };
const struct command command_pricing = { "pricing", "the price maker: interest in, offers out",
	ROLE_USAGE, pricing_command, false };
const struct command command_bidding = { "bidding",
	"the market: OpenSea's stream in, best bids out", ROLE_USAGE, bidding_command, false };
const struct command command_connectors = { "connectors", "table topics into Redis", ROLE_USAGE,
	connectors_command, false };
const struct command command_wallet_bridge = { "wallet-bridge",
	"orders: decided, paid for, told of", ROLE_USAGE, wallet_command, false };
