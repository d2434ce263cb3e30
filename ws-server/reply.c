#include "ws-server/reply.h"

#include "common/base/json_out.h"
#include "ws-server/push.h"
#include "ws-server/session.h"

static const struct error_text {
	const char *code;
	const char *title;
	bool is_temporary;
} errors[] = {
	[ERROR_BAD_JSON] = { "bad_json", "The text is not a JSON object", false },
	[ERROR_BAD_COMMAND] = { "bad_command", "The command is not valid", false },
	[ERROR_UNKNOWN_TYPE] = { "unknown_type", "There is no command of this type", false },
	[ERROR_UNAUTHORIZED] = { "unauthorized", "The token is not valid", false },
	[ERROR_FORBIDDEN] = { "forbidden", "The session may not do this", false },
	[ERROR_TOO_LARGE] = { "too_large", "The command is too large", false },
	[ERROR_RATE_LIMITED] = { "rate_limited", "Too many commands", true },
	[ERROR_UNAVAILABLE] = { "unavailable", "Not available at the moment", true },
	[ERROR_NOT_FOUND] = { "not_found", "There is nothing of this id", false },
	[ERROR_CONFLICT] = { "conflict", "The id stands for something else", false },
	[ERROR_UNSUPPORTED] = { "unsupported", "This server does not offer that", false },
};

static struct json_out begin(struct session *s, int64_t id, const char *type)
{
	struct json_out j = JSON_OUT(&s->gateway->out);

	buf_clear(&s->gateway->out);
	json_begin(&j, NULL);
	if (id > 0)
		json_i64(&j, "id", id);
	else
		json_out_null(&j, "id");
	json_strz(&j, "type", type);
	return j;
}

static void end(struct session *s, struct json_out *j)
{
	json_end(j);
	session_send(s, &(struct outbox_message){ .text = buf_str(&s->gateway->out) });
}

void reply_error(struct session *s, int64_t id, const struct reply_error *e)
{
	const struct error_text *text = &errors[e->code];
	struct json_out j = begin(s, id, "error");

	json_begin(&j, "error");
	json_strz(&j, "code", text->code);
	json_strz(&j, "title", text->title);
	if (e->detail)
		json_strz(&j, "detail", e->detail);
	json_bool(&j, "temporary", text->is_temporary || e->is_temporary);
	json_strz(&j, "applied", e->is_unknown ? "unknown" : "no");
	if (e->retry_after_ms > 0)
		json_i64(&j, "retry_after_ms", e->retry_after_ms);
	json_end(&j);
	gateway_metrics_error(&s->gateway->metrics, text->code);
	end(s, &j);
}

void reply_unavailable(struct session *s, int64_t id, const char *detail)
{
	reply_error(s, id,
		&(struct reply_error){ .code = ERROR_UNAVAILABLE,
			.detail = detail,
			.retry_after_ms = gateway_random_ms(s->gateway, RETRY_MIN_MS, 1000) });
}

void reply_unknown(struct session *s, int64_t id, const char *detail)
{
	reply_error(s, id,
		&(struct reply_error){ .code = ERROR_UNAVAILABLE,
			.detail = detail,
			.retry_after_ms = gateway_random_ms(s->gateway, RETRY_MIN_MS, 1000),
			.is_unknown = true });
}

void reply_ack(struct session *s, int64_t id, const char *what, const char *name)
{
	struct json_out j = begin(s, id, "ack");

	if (what)
		json_strz(&j, what, name);
	counter_add(s->gateway->metrics.acks, 1);
	end(s, &j);
}

void reply_order(struct session *s, int64_t id, const struct payment_result *r)
{
	struct json_out j = begin(s, id, "order");

	push_put_order(&j, r);
	end(s, &j);
}

static void put_limits(struct json_out *j, const struct session *s)
{
	const struct gateway_config *config = s->gateway->config;

	json_begin(j, "limits");
	json_i64(j, "message_max", config->message_max);
	json_i64(j, "commands_in_flight", config->commands_in_flight);
	json_i64(j, "events_per_s",
		s->claims.is_act_as ? config->act_as_events_per_s : config->events_per_s);
	json_i64(j, "orders_per_s",
		s->claims.is_act_as ? config->act_as_events_per_s : config->orders_per_s);
	json_i64(j, "queries_per_s",
		s->claims.is_act_as ? config->act_as_events_per_s : config->queries_per_s);
	json_i64(j, "watches", (int64_t)s->watches.max);
	json_end(j);
}

void reply_connected(struct session *s, int64_t id)
{
	struct json_out j = begin(s, id, "connected");

	json_str(&j, "session", session_id(s));
	json_strz(&j, "epoch", s->epoch);
	json_u64(&j, "seq", s->outbox.seq);
	json_bool(&j, "recovered", false);
	json_i64(&j, "ping_s", s->gateway->config->ping_s);
	json_i64(&j, "expires", s->claims.expires_ms);
	json_i64(&j, "now", loop_now_ms(s->gateway->env.loop));
	put_limits(&j, s);
	json_strz(&j, "server", "souk/" SOUK_VERSION);
	end(s, &j);
}

void reply_refreshed(struct session *s, int64_t id)
{
	struct json_out j = begin(s, id, "refreshed");

	json_i64(&j, "expires", s->claims.expires_ms);
	end(s, &j);
}
