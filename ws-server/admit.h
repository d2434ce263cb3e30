#pragma once

/* What every command that costs something is asked before it is taken. Whoever is turned away has
 * been answered and counted. */
#include <stdbool.h>
#include <stdint.h>

#include "common/model/decode.h"
#include "ws-server/commands.h"
#include "ws-server/gateway_metrics.h"
#include "ws-server/reply.h"

struct token_bucket;

struct admit {
	struct session *session;
	const struct command *command;
	struct counter *const *results; /* by enum command_result; NULL: not counted */
};

void admit_count(const struct admit *a, enum command_result result);
void admit_refuse(const struct admit *a, enum command_result result, enum error_code code,
	const char *detail);
void admit_unavailable(const struct admit *a, const char *detail);

/* The session's rate and its commands in flight. @too_many says of what there are too many. */
bool admit_rate(const struct admit *a, struct token_bucket *bucket, const char *too_many);
/* The command's members, by @type into @ret, in the gateway's arena. */
bool admit_members(const struct admit *a, const struct record_type *type, void *ret);
/* The same of a part of it that came as FIELD_RAW. */
bool admit_part(const struct admit *a, const struct record_type *type, struct str json, void *ret);
/* Who it is for: *@user if it names one, else the session's own. Results for that user are pushed
 * to the session from now on. */
bool admit_user(const struct admit *a, struct str *user);
