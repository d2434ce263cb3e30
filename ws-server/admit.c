#include "ws-server/admit.h"

#include "ws-server/session.h"
#include "ws-server/token_bucket.h"

#define BUSY_RETRY_MS 100

void admit_count(const struct admit *a, enum command_result result)
{
	if (a->results)
		counter_add(a->results[result], 1);
}

void admit_refuse(
	const struct admit *a, enum command_result result, enum error_code code, const char *detail)
{
	admit_count(a, result);
	reply_error(a->session, a->command->id,
		&(struct reply_error){ .code = code, .detail = detail });
}

void admit_unavailable(const struct admit *a, const char *detail)
{
	admit_count(a, COMMAND_UNAVAILABLE);
	reply_unavailable(a->session, a->command->id, detail);
}

bool admit_rate(const struct admit *a, struct token_bucket *bucket, const char *too_many)
{
	struct session *s = a->session;
	struct reply_error e = { .code = ERROR_RATE_LIMITED };

	if (s->n_ops >= s->gateway->config->commands_in_flight) {
		e.detail = "too many commands in flight";
		e.retry_after_ms = BUSY_RETRY_MS;
	} else {
		e.retry_after_ms = token_bucket_take(bucket, a->command->received_us);
		if (e.retry_after_ms == 0)
			return true;
		e.detail = too_many;
	}
	admit_count(a, COMMAND_RATE_LIMITED);
	reply_error(s, a->command->id, &e);
	return false;
}

bool admit_part(const struct admit *a, const struct record_type *type, struct str json, void *ret)
{
	struct fault f = { 0 };
	int r = decode(type, ret, json, a->session->gateway->arena, &f);

	if (r != 0)
		admit_refuse(a, COMMAND_BAD,
			r == DECODE_E_TOO_LARGE ? ERROR_TOO_LARGE : ERROR_BAD_COMMAND, f.text);
	return r == 0;
}

bool admit_members(const struct admit *a, const struct record_type *type, void *ret)
{
	return admit_part(a, type, a->command->json, ret);
}

bool admit_user(const struct admit *a, struct str *user)
{
	struct session *s = a->session;

	if (!str_is_set(*user)) {
		if (s->claims.is_act_as) {
			admit_refuse(a, COMMAND_BAD, ERROR_BAD_COMMAND,
				"user: required in a session that acts for others");
			return false;
		}
		*user = str_of(s->claims.user);
	}
	if (!session_speaks_for(s, *user)) {
		admit_refuse(a, COMMAND_FORBIDDEN, ERROR_FORBIDDEN,
			"user: the token does not allow to act for this user");
		return false;
	}
	if (s->claims.is_act_as)
		users_add(s->gateway->users, &s->users, *user);
	return true;
}
