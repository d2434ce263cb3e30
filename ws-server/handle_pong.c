/* pong: the frame itself was the sign of life. */
#include "ws-server/commands.h"

void handle_pong(struct session *s, const struct command *c)
{
	(void)s;
	(void)c;
}
