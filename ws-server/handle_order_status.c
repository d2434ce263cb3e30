/*
 * order_status: where an order stands, from the view that wallet-bridge keeps in Redis.
 *
 * The view follows the log, so a moment after its acknowledgement an order may have none yet. Then
 * it is not found, which is temporary if this gateway knows of the acknowledgement. The id asked
 * for is made of the user and the client's id, so nobody can ask for another's. It is answered once
 * this gateway reads results: what follows the state that is told will be pushed, without a gap.
 */
#include <stdio.h>

#include "common/model/order.h"
#include "common/model/row_codec.h"
#include "ws-server/admit.h"
#include "ws-server/command_op.h"
#include "ws-server/results.h"
#include "ws-server/session.h"

struct status_command {
	struct str order, user;
};

static const struct field fields[] = {
	{ "order", FIELD_ID, FIELD_REQUIRED, offsetof(struct status_command, order), 0, NULL },
	{ "user", FIELD_USER, 0, offsetof(struct status_command, user), 0, NULL },
};
static const struct record_type type = {
	.name = "order_status",
	.fields = fields,
	.n_fields = ARRAY_LEN(fields),
	.size = sizeof(struct status_command),
};

/* A result without the order's id, which is in the key. */
static const struct field view_fields[] = {
	{ "client_id", FIELD_ID, 0, offsetof(struct payment_result, client_id), 0, NULL },
	{ "n", FIELD_COUNT, FIELD_REQUIRED, offsetof(struct payment_result, n), 0, NULL },
	{ "item", FIELD_ITEM, 0, offsetof(struct payment_result, item), 0, NULL },
	{ "state", FIELD_ENUM, FIELD_REQUIRED, offsetof(struct payment_result, state), 0,
		order_state_names },
	{ "reason", FIELD_ID, 0, offsetof(struct payment_result, reason), 64, NULL },
	{ "tx", FIELD_ID, 0, offsetof(struct payment_result, tx), 0, NULL },
	{ "block", FIELD_COUNT, 0, offsetof(struct payment_result, block), 0, NULL },
	{ "dry_run", FIELD_BOOL, 0, offsetof(struct payment_result, dry_run), 0, NULL },
	{ "ts", FIELD_TIME, 0, offsetof(struct payment_result, ts), 0, NULL },
};
static const struct record_type view_type = {
	.name = "order view",
	.fields = view_fields,
	.n_fields = ARRAY_LEN(view_fields),
	.size = sizeof(struct payment_result),
};

static void not_found(struct command_op *op)
{
	struct gateway *g = op->gateway;
	bool is_acked =
		idempotency_has(g->acked_orders, &op->record, loop_mono_us(g->env.loop) / 1000);

	reply_error(op->session, op->command_id,
		&(struct reply_error){ .code = ERROR_NOT_FOUND,
			.detail = is_acked ? "the order was acknowledged and has no state yet"
					   : "no order of this id is known",
			.retry_after_ms = is_acked ? RETRY_MIN_MS : 0,
			.is_temporary = is_acked });
}

static void answer(struct command_op *op, const struct cache_row *row)
{
	struct payment_result r;

	arena_reset(op->gateway->arena);
	if (row_decode(&view_type, &r, &row->row, op->gateway->arena, NULL) != 0) {
		reply_unavailable(op->session, op->command_id, "the order's state cannot be read");
		return;
	}
	r.order = id_str(&op->record);
	r.client_id = str_of(op->name);
	(void)results_raise(op->session, &r);
	reply_order(op->session, op->command_id, &r);
}

static void on_read(void *ctx, int err, const struct cache_row *rows, size_t n)
{
	struct command_op *op = ctx;

	if (op->session && err < 0)
		reply_unavailable(op->session, op->command_id, "states of orders cannot be read");
	else if (op->session && (n != 1 || rows[0].state != CACHE_PRESENT))
		not_found(op);
	else if (op->session)
		answer(op, &rows[0]);
	command_op_done(op);
}

static void ask(const struct admit *a, const struct status_command *command, const struct id *id)
{
	struct gateway *g = a->session->gateway;
	struct command_op *op = command_op_new(a->session, a->command);
	char text[ID_TEXT_MAX + 8];
	struct str key;

	if (!op) {
		admit_unavailable(a, "too many commands are in flight");
		return;
	}
	op->record = *id;
	(void)str_copy(op->name, sizeof(op->name), command->order);
	key = (struct str){ text, (size_t)snprintf(text, sizeof(text), "order:{%s}", id->text) };
	if (cache_read(g->env.cache, &key, 1, on_read, op) < 0) {
		command_op_free(op);
		admit_unavailable(a, "states of orders cannot be read");
	}
}

void handle_order_status(struct session *s, const struct command *c)
{
	struct admit a = { s, c, NULL };
	struct status_command command;
	struct id id;

	if (!admit_rate(&a, &s->queries, "too many queries") ||
		!admit_members(&a, &type, &command) || !admit_user(&a, &command.user))
		return;
	if (id_for_order(&id, command.user, command.order) < 0)
		admit_unavailable(&a, "no id could be made");
	else if (!results_has_begun(s->gateway->results))
		admit_unavailable(&a, "results of orders are not read yet");
	else
		ask(&a, &command, &id);
}
