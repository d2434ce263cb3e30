#include "ws-server/command_op.h"

#include <stdlib.h>

#include "ws-server/session.h"

struct command_op *command_op_new(struct session *s, const struct command *c)
{
	struct gateway *g = s->gateway;
	struct command_op *op;

	if (g->n_ops >= g->config->events_in_flight)
		return NULL;
	op = calloc(1, sizeof(*op));
	if (!op)
		return NULL;
	op->gateway = g;
	op->session = s;
	op->command_id = c->id;
	op->received_us = c->received_us;
	LIST_INSERT_HEAD(&g->ops, op, in_gateway);
	g->n_ops++;
	LIST_INSERT_HEAD(&s->ops, op, in_session);
	s->n_ops++;
	return op;
}

static void leave_session(struct command_op *op)
{
	if (!op->session)
		return;
	LIST_REMOVE(op, in_session);
	op->session->n_ops--;
	op->session = NULL;
}

void command_op_free(struct command_op *op)
{
	leave_session(op);
	LIST_REMOVE(op, in_gateway);
	op->gateway->n_ops--;
	free(op);
}

void command_op_done(struct command_op *op)
{
	struct session *s = op->session;

	command_op_free(op);
	if (s)
		session_op_done(s);
}

struct command_op *command_op_find(const struct command_ops *ops, int64_t command_id)
{
	struct command_op *op;

	LIST_FOREACH(op, ops, in_session)
		if (op->command_id == command_id)
			return op;
	return NULL;
}

void command_op_detach_all(struct session *s)
{
	struct command_op *op;

	while ((op = LIST_FIRST(&s->ops)))
		leave_session(op);
}

void command_op_free_all(struct gateway *g)
{
	struct command_op *op;

	while ((op = LIST_FIRST(&g->ops)))
		command_op_free(op);
}
