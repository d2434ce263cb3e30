/* watch, unwatch: an item's market. It is nobody's in particular, so no user is asked for. */
#include "common/model/decode.h"
#include "ws-server/admit.h"
#include "ws-server/session.h"

struct watch_command {
	struct str item;
};

static const struct field fields[] = {
	{ "item", FIELD_ITEM, FIELD_REQUIRED, offsetof(struct watch_command, item), 0, NULL },
};
static const struct record_type type = {
	.name = "watch",
	.fields = fields,
	.n_fields = ARRAY_LEN(fields),
	.size = sizeof(struct watch_command),
};

static bool is_admitted(const struct admit *a, struct watch_command *ret)
{
	return admit_rate(a, &a->session->queries, "too many queries") &&
	       admit_members(a, &type, ret);
}

static void acknowledge(const struct admit *a)
{
	reply_ack(a->session, a->command->id, NULL, NULL);
}

void handle_watch(struct session *s, const struct command *c)
{
	struct watches *watches = s->gateway->watches;
	struct admit a = { s, c, NULL };
	struct watch_command command;
	int r;

	if (!is_admitted(&a, &command))
		return;
	r = watches_add(watches, &s->watches, command.item);
	if (r == WATCHES_E_MANY) {
		admit_refuse(&a, COMMAND_RATE_LIMITED, ERROR_RATE_LIMITED,
			"too many items are watched: unwatch one first");
	} else if (r < 0) {
		admit_unavailable(&a, "too many items are watched by all");
	} else {
		acknowledge(&a);
		watches_tell(watches, &s->watches, command.item);
	}
}

void handle_unwatch(struct session *s, const struct command *c)
{
	struct admit a = { s, c, NULL };
	struct watch_command command;

	if (!is_admitted(&a, &command))
		return;
	watches_remove(s->gateway->watches, &s->watches, command.item);
	acknowledge(&a);
}
