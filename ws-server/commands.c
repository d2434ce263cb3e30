/*
 * The envelope (`type`, `id`) is read first and by itself, so that whatever is wrong with the rest
 * can be answered with the right id. Scratch memory of a command is the gateway's arena, reset for
 * each.
 */
#include "ws-server/commands.h"

#include <stdlib.h>

#include "common/model/decode.h"
#include "ws-server/command_op.h"
#include "ws-server/reply.h"
#include "ws-server/session.h"

enum { COMMAND_NO_ID = 1 };

struct command_row {
	const char *type;
	unsigned flags;
	void (*handle)(struct session *s, const struct command *c);
};

/* keep sorted alphabetically, a table is searched by halves */
static const struct command_row commands[] = {
	{ "connect", 0, handle_connect },
	{ "interest", 0, handle_interest },
	{ "order", 0, handle_order },
	{ "order_status", 0, handle_order_status },
	{ "pong", COMMAND_NO_ID, handle_pong },
	{ "refresh", 0, handle_refresh },
	{ "unwatch", 0, handle_unwatch },
	{ "watch", 0, handle_watch },
};

struct envelope {
	struct str type;
	int64_t id;
};

static const struct field envelope_fields[] = {
	{ "type", FIELD_STR, FIELD_REQUIRED, offsetof(struct envelope, type), 64, NULL },
	{ "id", FIELD_I64, 0, offsetof(struct envelope, id), 0, NULL },
};
static const struct record_type envelope_type = {
	.name = "command",
	.fields = envelope_fields,
	.n_fields = ARRAY_LEN(envelope_fields),
	.size = sizeof(struct envelope),
};

static int compare(const void *key, const void *row)
{
	return str_cmp(*(const struct str *)key, str_of(((const struct command_row *)row)->type));
}

static const struct command_row *find(struct str type)
{
	return bsearch(&type, commands, ARRAY_LEN(commands), sizeof(commands[0]), compare);
}

static bool is_id(int64_t id)
{
	return id >= 1 && id <= COMMAND_ID_MAX;
}

static void refuse(struct session *s, int64_t id, enum error_code code, const char *detail)
{
	reply_error(s, is_id(id) ? id : 0, &(struct reply_error){ .code = code, .detail = detail });
	session_strike(s);
}

static bool read_envelope(struct session *s, struct str line, struct envelope *ret)
{
	struct fault f = { 0 };
	int r = decode(&envelope_type, ret, line, s->gateway->arena, &f);

	if (r == DECODE_E_JSON)
		refuse(s, 0, ERROR_BAD_JSON, f.text);
	else if (r == DECODE_E_TOO_LARGE)
		refuse(s, ret->id, ERROR_TOO_LARGE, f.text);
	else if (r != 0)
		refuse(s, ret->id, ERROR_BAD_COMMAND, f.text);
	return r == 0;
}

static bool check_id(struct session *s, const struct envelope *e)
{
	if (!is_id(e->id)) {
		refuse(s, 0, ERROR_BAD_COMMAND, "id: an integer from 1 to 2^53 - 1 is required");
		return false;
	}
	if (command_op_find(&s->ops, e->id)) {
		refuse(s, e->id, ERROR_BAD_COMMAND, "id: a command with this id is in flight");
		return false;
	}
	return true;
}

void commands_run(struct session *s, struct str line)
{
	struct envelope e;
	const struct command_row *row;
	struct command c = { .json = line, .received_us = loop_mono_us(s->gateway->env.loop) };

	arena_reset(s->gateway->arena);
	if (!read_envelope(s, line, &e))
		return;
	row = find(e.type);
	if (s->state == SESSION_NEW && !(row && row->handle == handle_connect)) {
		session_close(s, CLOSE_MISUSE, STR("connect comes first"));
		return;
	}
	if (!(row && row->flags & COMMAND_NO_ID) && !check_id(s, &e))
		return;
	c.id = e.id;
	if (!row)
		reply_error(s, c.id, &(struct reply_error){ .code = ERROR_UNKNOWN_TYPE });
	else
		row->handle(s, &c);
}
