#include "ws-server/commands.h"
#include "ws-server/reply.h"

void handle_unsupported(struct session *s, const struct command *c)
{
	reply_error(s, c->id, &(struct reply_error){ .code = ERROR_UNSUPPORTED });
}
