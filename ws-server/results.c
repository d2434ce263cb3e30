/*
 * The bridge may write a result again after a restart, the same one: results are facts of its log
 * (docs/adr/0008). So what counts is `n`, and a record that is not above it is dropped. Conflicts
 * have no n of their own; of one order they are told apart by their time.
 */
#include "ws-server/results.h"

#include <errno.h>
#include <stdlib.h>

#include "common/model/order.h"
#include "ws-server/push.h"
#include "ws-server/session.h"
#include "ws-server/topic_reader.h"

#define SCRATCH     (16 * 1024)
#define REMEMBER_MS (30 * 86400 * INT64_C(1000)) /* as long as an order is remembered at all */

struct results {
	struct gateway *gateway;
	struct topic_reader *reader;
	struct arena *arena;
};

static void on_record(void *ctx, const struct bus_record *r);

int results_new(struct results **ret, struct gateway *g)
{
	CLEANUP(results_free) struct results *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->gateway = g;
	r = arena_new(&t->arena, SCRATCH);
	if (r == 0)
		r = topic_reader_new(&t->reader, g->env.loop, g->env.bus, TOPIC_PAYMENT_RESULTS,
			BUS_FROM_END, on_record, t);
	if (r < 0)
		return r;
	*ret = TAKE(t);
	return 0;
}

struct results *results_free(struct results *t)
{
	if (!t)
		return NULL;
	topic_reader_free(t->reader);
	arena_free(t->arena);
	free(t);
	return NULL;
}

bool results_has_begun(const struct results *t)
{
	return topic_reader_has_begun(t->reader);
}

bool results_raise(struct session *s, const struct payment_result *r)
{
	int64_t now_ms = loop_now_ms(s->gateway->env.loop);
	bool is_conflict = r->n == 0;
	struct version rev = { { (uint64_t)(is_conflict ? r->ts : r->n) } };
	struct shown_key key;

	return shown_key(&key, is_conflict ? STR("conflict") : STR("order"), r->order) == 0 &&
	       shown_raise(&s->states, &key, rev, now_ms + REMEMBER_MS, now_ms);
}

static enum result_fate tell(struct session *s, const struct payment_result *r)
{
	if (!s || s->state != SESSION_OPEN || !session_speaks_for(s, r->user))
		return RESULT_NO_SESSION;
	if (!results_raise(s, r))
		return RESULT_OLD_N;
	push_order(s, r);
	return RESULT_PUSHED;
}

static void count(struct results *t, enum result_fate fate)
{
	counter_add(t->gateway->metrics.results[fate], 1);
}

static void tell_all(struct results *t, const struct payment_result *r)
{
	const struct users *users = t->gateway->users;
	const struct users_entry *e = users_next(users, r->user, NULL);

	if (!e)
		count(t, RESULT_NO_SESSION);
	for (; e; e = users_next(users, r->user, e))
		count(t, tell(users_session(e), r));
}

static void on_record(void *ctx, const struct bus_record *record)
{
	struct results *t = ctx;
	struct payment_result r;

	arena_reset(t->arena);
	if (!str_is_set(record->value) ||
		decode(&payment_result_type, &r, record->value, t->arena, NULL) != 0)
		count(t, RESULT_BAD_RECORD);
	else if (r.n > 0)
		tell_all(t, &r);
	else
		count(t, tell(sessions_find(
				      t->gateway->sessions, bus_header(record, "x-souk-session")),
				 &r));
}
