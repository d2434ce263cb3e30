/*
 * connect: who is there. The token comes with the command, or came with the upgrade. `resume` is
 * read by no one yet: every session is new, and says so with `recovered`: false.
 */
#include "common/model/decode.h"
#include "ws-server/commands.h"
#include "ws-server/reply.h"
#include "ws-server/session.h"

struct connect_command {
	struct str token;
};

static const struct field fields[] = {
	{ "token", FIELD_STR, FIELD_NULLABLE, offsetof(struct connect_command, token),
		2 * AUTH_TOKEN_MAX,
		NULL }, /* over AUTH_TOKEN_MAX it is a bad token, not a bad command */
};
static const struct record_type type = {
	.name = "connect",
	.fields = fields,
	.n_fields = ARRAY_LEN(fields),
	.size = sizeof(struct connect_command),
};

static void refuse(struct session *s, int64_t id, const char *detail)
{
	reply_error(s, id, &(struct reply_error){ .code = ERROR_UNAUTHORIZED, .detail = detail });
	session_close(s, CLOSE_INVALID_TOKEN, str_of(detail));
}

void handle_connect(struct session *s, const struct command *c)
{
	struct gateway *g = s->gateway;
	struct connect_command command;
	struct auth_claims claims;
	struct fault f = { 0 };
	int r;

	if (s->state == SESSION_OPEN) {
		reply_error(s, c->id,
			&(struct reply_error){ .code = ERROR_BAD_COMMAND,
				.detail = "the session is connected already" });
		return;
	}
	if (decode(&type, &command, c->json, g->arena, &f) != 0) {
		reply_error(s, c->id,
			&(struct reply_error){ .code = ERROR_BAD_COMMAND, .detail = f.text });
		session_strike(s);
		return;
	}
	if (str_is_set(command.token)) {
		r = auth_verify(g->auth, command.token, loop_now_ms(g->env.loop), &claims);
		if (r != 0) {
			refuse(s, c->id, auth_error(r));
			return;
		}
	} else if (s->has_claims && s->claims.expires_ms > loop_now_ms(g->env.loop)) {
		claims = s->claims;
	} else {
		refuse(s, c->id, s->has_claims ? auth_error(AUTH_E_EXPIRED) : "no token was given");
		return;
	}
	session_open(s, &claims);
	reply_connected(s, c->id);
}
