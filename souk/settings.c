#include "souk/settings.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/model/money.h"

static const struct config_row kafka_rows[] = {
	{ .key = "bootstrap",
		.type = CONFIG_STR,
		.def = "127.0.0.1:9092",
		.offset = offsetof(struct kafka_settings, bootstrap),
		.help = "Brokers to start from, host:port, comma separated." },
	{ .key = "topic_prefix",
		.type = CONFIG_STR,
		.def = "",
		.offset = offsetof(struct kafka_settings, topic_prefix),
		.help = "Before every topic name and consumer group." },
	{ .key = "properties",
		.type = CONFIG_MAP,
		.offset = offsetof(struct kafka_settings, properties),
		.help = "Passed to librdkafka as they are (security.protocol, sasl.*, ssl.*, …)." },
};

static const struct config_row redis_rows[] = {
	{ .key = "url",
		.type = CONFIG_STR,
		.def = "redis://127.0.0.1:6379/0",
		.offset = offsetof(struct redis_settings, url),
		.flags = CONFIG_SECRET,
		.help = "redis://[:password@]host:port/db or unix:///path." },
};

static const struct config_row admin_rows[] = {
	{ .key = "listen",
		.type = CONFIG_STR,
		.offset = offsetof(struct admin_settings, listen),
		.help = "Where /livez /readyz /startupz /metrics are served. Default 127.0.0.1 and "
			"the role's port: ws-server 9464, pricing 9465, bidding 9466, connectors "
			"9467, wallet-bridge 9468." },
};

static const char *const log_levels[] = { "error", "warn", "info", "debug", NULL };
static const char *const log_formats[] = { "logfmt", "json", NULL };

static const struct config_row log_rows[] = {
	{ .key = "level",
		.type = CONFIG_ENUM,
		.def = "info",
		.choices = log_levels,
		.offset = offsetof(struct log_settings, level),
		.help = "Least important line that is written." },
	{ .key = "format",
		.type = CONFIG_ENUM,
		.def = "logfmt",
		.choices = log_formats,
		.offset = offsetof(struct log_settings, format),
		.help = "logfmt for people, json for collectors." },
};

static const struct config_row money_rows[] = {
	{ .key = "currencies",
		.type = CONFIG_LIST,
		.offset = offsetof(struct money_settings, currencies),
		.help = "More currencies, CODE:decimals or CODE:decimals:class (same class = one "
			"to one), beside ETH, WETH, GHST, USDC, EUR, USD, JPY." },
};

void settings_sections(struct settings *s, struct config_section ret[SETTINGS_SECTIONS])
{
	struct config_section all[SETTINGS_SECTIONS] = {
		{ "kafka", kafka_rows, ARRAY_LEN(kafka_rows), &s->kafka, NULL, false },
		{ "redis", redis_rows, ARRAY_LEN(redis_rows), &s->redis, NULL, false },
		{ "ws", gateway_config_rows, gateway_config_n_rows, &s->ws, NULL, false },
		{ "pricing", pricing_config_rows, pricing_config_n_rows, &s->pricing, NULL, false },
		{ "bidding", bidding_config_rows, bidding_config_n_rows, &s->bidding, NULL, false },
		{ "connectors", connectors_config_rows, connectors_config_n_rows, &s->connectors,
			NULL, false },
		{ "wallet", wallet_config_rows, wallet_config_n_rows, &s->wallet, NULL, false },
		{ "admin", admin_rows, ARRAY_LEN(admin_rows), &s->admin, NULL, false },
		{ "log", log_rows, ARRAY_LEN(log_rows), &s->log, NULL, false },
		{ "money", money_rows, ARRAY_LEN(money_rows), &s->money, NULL, false },
	};

	for (size_t i = 0; i < SETTINGS_SECTIONS; i++) {
		assert(all[i].n_rows <= SETTINGS_ROWS_MAX);
		all[i].origins = s->origins[i];
	}
	memcpy(ret, all, sizeof(all));
}

/* "CODE:decimals[:class]" */
static int define_currency(const char *text, struct fault *f)
{
	char code[16];
	unsigned decimals, class = 0;
	int end = 0;

	if ((sscanf(text, "%15[^:]:%u%n:%u%n", code, &decimals, &end, &class, &end) < 2) ||
		text[end] != '\0' || currency_define(str_of(code), decimals, class))
		return fault_set(f, FAULT_FATAL, -EINVAL,
			"money.currencies: %s: CODE:decimals or CODE:decimals:class, code 2 to 8 "
			"of A-Z 0-9, decimals 0 to 36, one number of decimals in a class",
			text);
	return 0;
}

int settings_load(struct settings *s, const struct config_source *source, const char *role,
	int default_admin_port, struct fault *f)
{
	struct config_section sections[SETTINGS_SECTIONS];
	int r;

	*s = (struct settings){ 0 };
	settings_sections(s, sections);
	for (size_t i = 0; i < SETTINGS_SECTIONS; i++)
		sections[i].is_partial = !role || strcmp(sections[i].name, role) != 0;
	r = config_load(sections, SETTINGS_SECTIONS, source, f);
	if (r)
		return r;
	for (size_t i = 0; !r && i < s->money.currencies.n; i++)
		r = define_currency(s->money.currencies.items[i], f);
	if (r) {
		settings_unload(s);
		return r;
	}
	if (s->admin.listen)
		snprintf(s->admin_listen, sizeof(s->admin_listen), "%s", s->admin.listen);
	else
		snprintf(s->admin_listen, sizeof(s->admin_listen), "127.0.0.1:%d",
			default_admin_port);
	return 0;
}

void settings_unload(struct settings *s)
{
	struct config_section sections[SETTINGS_SECTIONS];

	settings_sections(s, sections);
	config_unload(sections, SETTINGS_SECTIONS);
}
