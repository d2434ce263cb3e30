#include "ws-server/interest_op.h"

#include <stdlib.h>

#include "ws-server/session.h"

struct interest_op *interest_op_new(struct session *s)
{
	struct gateway *g = s->gateway;
	struct interest_op *op;

	if (g->n_ops >= g->config->events_in_flight)
		return NULL;
	op = calloc(1, sizeof(*op));
	if (!op)
		return NULL;
	op->gateway = g;
	op->session = s;
	LIST_INSERT_HEAD(&g->ops, op, in_gateway);
	g->n_ops++;
	LIST_INSERT_HEAD(&s->ops, op, in_session);
	s->n_ops++;
	return op;
}

static void leave_session(struct interest_op *op)
{
	if (!op->session)
		return;
	LIST_REMOVE(op, in_session);
	op->session->n_ops--;
	op->session = NULL;
}

void interest_op_free(struct interest_op *op)
{
	leave_session(op);
	LIST_REMOVE(op, in_gateway);
	op->gateway->n_ops--;
	free(op);
}

struct interest_op *interest_op_find(const struct interest_ops *ops, int64_t command_id)
{
	struct interest_op *op;

	LIST_FOREACH(op, ops, in_session)
		if (op->command_id == command_id)
			return op;
	return NULL;
}

void interest_ops_detach(struct session *s)
{
	struct interest_op *op;

	while ((op = LIST_FIRST(&s->ops)))
		leave_session(op);
}

void interest_ops_free(struct gateway *g)
{
	struct interest_op *op;

	while ((op = LIST_FIRST(&g->ops)))
		interest_op_free(op);
}
