/* refresh: a later token for the same user and rights. A bad one leaves the session as it was. */
#include "common/model/decode.h"
#include "ws-server/commands.h"
#include "ws-server/reply.h"
#include "ws-server/session.h"

struct refresh_command {
	struct str token;
};

static const struct field fields[] = {
	{ "token", FIELD_STR, FIELD_REQUIRED, offsetof(struct refresh_command, token),
		2 * AUTH_TOKEN_MAX, NULL },
};
static const struct record_type type = {
	.name = "refresh",
	.fields = fields,
	.n_fields = ARRAY_LEN(fields),
	.size = sizeof(struct refresh_command),
};

static bool is_same(const struct auth_claims *a, const struct auth_claims *b)
{
	return strcmp(a->user, b->user) == 0 && a->is_act_as == b->is_act_as &&
	       strcmp(a->act_prefix, b->act_prefix) == 0;
}

void handle_refresh(struct session *s, const struct command *c)
{
	struct gateway *g = s->gateway;
	struct refresh_command command;
	struct auth_claims claims;
	struct fault f = { 0 };
	int r;

	if (decode(&type, &command, c->json, g->arena, &f) != 0) {
		reply_error(s, c->id,
			&(struct reply_error){ .code = ERROR_BAD_COMMAND, .detail = f.text });
		return;
	}
	r = auth_verify(g->auth, command.token, loop_now_ms(g->env.loop), &claims);
	if (r != 0) {
		reply_error(s, c->id,
			&(struct reply_error){
				.code = ERROR_UNAUTHORIZED, .detail = auth_error(r) });
		return;
	}
	if (!is_same(&s->claims, &claims)) {
		reply_error(s, c->id,
			&(struct reply_error){ .code = ERROR_FORBIDDEN,
				.detail = "the token is for another user or other rights: connect "
					  "anew" });
		return;
	}
	session_refresh(s, &claims);
	reply_refreshed(s, c->id);
}
