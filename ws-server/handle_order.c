/*
 * order: a quote comes back to be paid; a record on orders.v1, acknowledged when the broker has it.
 *
 * What is judged here is what is needed to route it, and its shape. Whether the quote is ours and
 * still good is for wallet-bridge to say, as a state of the order: so the quote goes on as it came,
 * unknown members included. Its answer comes by results, which every gateway reads, not by the
 * reply slot.
 *
 * An id stands for one order of its user. This gateway tells a repetition from a conflict as far as
 * it remembers, and of what the session itself has under way. Beyond that wallet-bridge does, but
 * only among orders of one partition: another item's order may lie in another one.
 */
#include "common/base/log.h"
#include "common/model/order_body.h"
#include "ws-server/admit.h"
#include "ws-server/command_op.h"
#include "ws-server/publish.h"
#include "ws-server/session.h"

struct order_command {
	struct str client_id, user, quote, wallet, signature, pay;
};

static const struct field fields[] = {
	{ "order.id", FIELD_ID, FIELD_REQUIRED, offsetof(struct order_command, client_id), 0,
		NULL },
	{ "order.quote", FIELD_RAW, FIELD_REQUIRED, offsetof(struct order_command, quote), 0,
		NULL },
	{ "order.wallet", FIELD_WALLET, 0, offsetof(struct order_command, wallet), 0, NULL },
	{ "order.signature", FIELD_STR, 0, offsetof(struct order_command, signature), 2048, NULL },
	{ "order.pay", FIELD_RAW, 0, offsetof(struct order_command, pay), 1024, NULL },
	{ "user", FIELD_USER, 0, offsetof(struct order_command, user), 0, NULL },
};
static const struct record_type type = {
	.name = "order",
	.fields = fields,
	.n_fields = ARRAY_LEN(fields),
	.size = sizeof(struct order_command),
};

/* Of the quote, what the record says beside it. */
static const struct field routing_fields[] = {
	{ "item", FIELD_ITEM, FIELD_REQUIRED, offsetof(struct order, item), 0, NULL },
	{ "offer", FIELD_ID, FIELD_REQUIRED, offsetof(struct order, offer), 0, NULL },
	{ "rev", FIELD_VERSION, FIELD_REQUIRED, offsetof(struct order, rev), 0, NULL },
	{ "price", FIELD_MONEY, FIELD_REQUIRED, offsetof(struct order, price), 0, NULL },
};
static const struct record_type routing_type = {
	.name = "order.quote",
	.fields = routing_fields,
	.n_fields = ARRAY_LEN(routing_fields),
	.size = sizeof(struct order),
};

enum pay_mode { PAY_NOW, PAY_INSTALMENTS };
static const char *const pay_modes[] = { "now", "instalments", NULL };

struct pay {
	int mode; /* enum pay_mode */
};

static const struct field pay_fields[] = {
	{ "mode", FIELD_ENUM, FIELD_REQUIRED, offsetof(struct pay, mode), 0, pay_modes },
};
static const struct record_type pay_type = {
	.name = "order.pay",
	.fields = pay_fields,
	.n_fields = ARRAY_LEN(pay_fields),
	.size = sizeof(struct pay),
};

static bool check_pay(const struct admit *a, struct order_command *command)
{
	struct pay pay;

	if (!str_is_set(command->pay)) {
		command->pay = STR("{\"mode\":\"now\"}");
		return true;
	}
	if (!admit_part(a, &pay_type, command->pay, &pay))
		return false;
	if (pay.mode == PAY_NOW)
		return true;
	admit_refuse(a, COMMAND_UNSUPPORTED, ERROR_UNSUPPORTED,
		"order.pay.mode: instalments are not offered yet");
	return false;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool check_signature(const struct admit *a, struct str signature)
{
	bool is_good = signature.n > 2 && signature.n % 2 == 0 && str_starts(signature, STR("0x"));

	for (size_t i = 2; is_good && i < signature.n; i++)
		is_good = is_hex(signature.p[i]);
	if (is_good || !str_is_set(signature))
		return true;
	admit_refuse(a, COMMAND_BAD, ERROR_BAD_COMMAND,
		"order.signature: expected 0x and pairs of hex digits");
	return false;
}

static bool read_order(const struct admit *a, struct order *ret)
{
	struct order_command command;

	if (!admit_members(a, &type, &command) || !admit_user(a, &command.user) ||
		!check_pay(a, &command) || !check_signature(a, command.signature) ||
		!admit_part(a, &routing_type, command.quote, ret))
		return false;
	ret->client_id = command.client_id;
	ret->user = command.user;
	ret->session = session_id(a->session);
	ret->quote = command.quote;
	ret->wallet = command.wallet;
	ret->signature = command.signature;
	ret->pay = command.pay;
	ret->ts = loop_now_ms(a->session->gateway->env.loop);
	return true;
}

static void acknowledge(struct command_op *op)
{
	struct gateway *g = op->gateway;
	int64_t now_us = loop_mono_us(g->env.loop);

	idempotency_add(g->acked_orders, &op->record, op->body, now_us / 1000);
	g->metrics.orders_forgotten->value = idempotency_forgotten(g->acked_orders);
	counter_add(g->metrics.orders[COMMAND_ACKED], 1);
	histogram_add(g->metrics.order_ack_seconds, now_us - op->received_us);
	if (op->session)
		reply_ack(op->session, op->command_id, "order", op->name);
}

static void on_report(void *ctx, int err, int32_t partition, int64_t offset)
{
	struct command_op *op = ctx;
	struct gateway *g = op->gateway;

	log_debug("order", "reported", "order=%s err=%d partition=%d offset=%lld", op->record.text,
		err, (int)partition, (long long)offset);
	if (err == 0) {
		acknowledge(op);
	} else {
		counter_add(g->metrics.orders[COMMAND_FAILED], 1);
		if (op->session)
			reply_unknown(op->session, op->command_id,
				"the broker did not confirm the order");
	}
	command_op_done(op);
}

static void publish(const struct admit *a, const struct order *o, const struct id *id,
	const uint8_t body[SHA256_BYTES])
{
	struct session *s = a->session;
	struct command_op *op = command_op_new(s, a->command);

	if (!op) {
		admit_unavailable(a, "too many commands are in flight");
		return;
	}
	op->record = *id;
	op->is_order = true;
	memcpy(op->body, body, sizeof(op->body));
	(void)str_copy(op->name, sizeof(op->name), o->client_id);
	if (publish_order(s->gateway, o, s->traceparent, on_report, op) < 0) {
		command_op_free(op);
		admit_unavailable(a, "the broker does not take orders");
	}
}

static void conflict(const struct admit *a, const char *detail)
{
	admit_refuse(a, COMMAND_CONFLICT, ERROR_CONFLICT, detail);
}

static void repeat(const struct admit *a, const struct order *o)
{
	char name[CLIENT_ID_MAX];

	(void)str_copy(name, sizeof(name), o->client_id);
	admit_count(a, COMMAND_REPEATED);
	reply_ack(a->session, a->command->id, "order", name);
}

/* An order of this id that asks for something else and has no report yet. */
static bool has_other_in_flight(
	const struct session *s, const struct id *id, const uint8_t body[SHA256_BYTES])
{
	const struct command_op *op;

	LIST_FOREACH(op, &s->ops, in_session)
		if (op->is_order && strcmp(op->record.text, id->text) == 0 &&
			memcmp(op->body, body, sizeof(op->body)) != 0)
			return true;
	return false;
}

void handle_order(struct session *s, const struct command *c)
{
	struct gateway *g = s->gateway;
	struct admit a = { s, c, g->metrics.orders };
	struct order o;
	struct id id;
	uint8_t body[SHA256_BYTES];
	const uint8_t *known;
	const char *why;

	if (!admit_rate(&a, &s->orders, "too many orders") || !read_order(&a, &o))
		return;
	if (id_for_order(&id, o.user, o.client_id) < 0 || order_body_digest(body, &o) < 0) {
		admit_unavailable(&a, "no id could be made");
		return;
	}
	o.id = id_str(&id);
	known = idempotency_body(g->acked_orders, &id, c->received_us / 1000);
	if (known && memcmp(known, body, sizeof(body)) == 0)
		repeat(&a, &o);
	else if (known)
		conflict(&a, "order.id: another order has this id, and goes on");
	else if (has_other_in_flight(s, &id, body))
		conflict(&a, "order.id: another order has this id, and is on its way");
	else if (!gateway_can_order(g, &why))
		admit_unavailable(&a, why);
	else
		publish(&a, &o, &id, body);
}
