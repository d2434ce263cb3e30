/*
 * A live offer is passed on as the bytes that came, signed quote and all. LF separates objects in a
 * frame, so a record that was written with line breaks has them turned into spaces: between tokens
 * they mean the same, and inside a JSON text they cannot occur.
 */
#include "ws-server/push.h"

#include "common/base/json_out.h"
#include "ws-server/market.h"
#include "ws-server/session.h"

#define RETRY_STALE_MS  2000
#define RETRY_LIMIT_MS  5000
#define RETRY_PAUSED_MS 10000

/* When asking again may have another answer; 0: it is not a matter of time. */
static int64_t retry_after_ms(int reason)
{
	switch (reason) {
	case REASON_STALE_PROFILE:
	case REASON_STALE_LOYALTY:
	case REASON_STALE_INVENTORY:
	case REASON_STALE_MARKET:
		return RETRY_STALE_MS;
	case REASON_QUOTE_LIMIT:
		return RETRY_LIMIT_MS;
	case REASON_PAUSED:
		return RETRY_PAUSED_MS;
	default:
		return 0;
	}
}

struct push {
	struct session *session;
	struct json_out j;
	size_t seq_at;
};

static struct push begin(struct session *s, const char *type)
{
	struct push p = { .session = s, .j = JSON_OUT(&s->gateway->out) };

	buf_clear(&s->gateway->out);
	json_begin(&p.j, NULL);
	json_strz(&p.j, "type", type);
	p.seq_at = s->gateway->out.n;
	return p;
}

static void end(struct push *p, enum push_type type, struct outbox_message *m)
{
	struct gateway *g = p->session->gateway;

	json_end(&p->j);
	m->text = buf_str(&g->out);
	counter_add(g->metrics.pushes[type], 1);
	session_send(p->session, m);
}

/* A session that acts for many is told whom this is for. */
static void put_user(struct push *p, struct str user)
{
	if (p->session->claims.is_act_as)
		json_str(&p->j, "user", user);
}

static struct str event_of(const struct offer *o)
{
	return str_is_set(o->client_id) ? o->client_id : o->interest;
}

static void put_live(struct push *p, struct str json)
{
	struct buf *out = &p->session->gateway->out;
	size_t from = out->n;

	json_raw(&p->j, "offer", json);
	for (size_t i = from; !out->failed && i < out->n; i++)
		if (out->p[i] == '\n' || out->p[i] == '\r')
			out->p[i] = ' ';
}

static void put_withdrawn(struct push *p, const struct offer *o)
{
	char rev[VERSION_TEXT_MAX];

	json_str(&p->j, "event", event_of(o));
	json_begin(&p->j, "offer");
	json_str(&p->j, "id", o->id);
	json_str(&p->j, "rev", (struct str){ rev, version_format(rev, o->rev) });
	if (o->reason != REASON_NONE)
		json_strz(&p->j, "reason", reason_names[o->reason]);
	json_raw_opt(&p->j, "alternatives", o->alternatives);
	json_end(&p->j);
}

static void put_none(struct push *p, const struct offer *o)
{
	int64_t retry_ms = retry_after_ms(o->reason);

	json_str(&p->j, "event", event_of(o));
	json_str_opt(&p->j, "item", o->item);
	if (o->reason != REASON_NONE)
		json_strz(&p->j, "reason", reason_names[o->reason]);
	if (retry_ms > 0)
		json_i64(&p->j, "retry_after_ms", retry_ms);
	json_raw_opt(&p->j, "alternatives", o->alternatives);
}

void push_offer(struct session *s, const struct offer *o, struct str json,
	const struct shown_key *key, bool is_first)
{
	static const struct {
		const char *type;
		enum push_type counted;
	} by_state[] = {
		[OFFER_LIVE] = { "offer", PUSH_OFFER },
		[OFFER_WITHDRAWN] = { "offer_withdrawn", PUSH_OFFER_WITHDRAWN },
		[OFFER_NONE] = { "no_offer", PUSH_NO_OFFER },
	};
	struct push p = begin(s, by_state[o->state].type);

	put_user(&p, o->user);
	if (o->state == OFFER_LIVE)
		put_live(&p, json);
	else if (o->state == OFFER_WITHDRAWN)
		put_withdrawn(&p, o);
	else
		put_none(&p, o);
	end(&p, by_state[o->state].counted,
		&(struct outbox_message){
			.seq_at = p.seq_at, .key = key, .ts_ms = is_first ? o->ts : 0 });
}

void push_put_order(struct json_out *j, const struct payment_result *r)
{
	json_begin(j, "order");
	json_str(j, "id", r->client_id);
	json_strz(j, "state", order_state_names[r->state]);
	json_i64(j, "n", r->n);
	json_str_opt(j, "item", r->item);
	json_str_opt(j, "reason", r->reason);
	json_str_opt(j, "tx", r->tx);
	if (r->block > 0)
		json_i64(j, "block", r->block);
	if (r->dry_run != TRI_ABSENT)
		json_bool(j, "dry_run", r->dry_run == TRI_TRUE);
	if (r->ts > 0)
		json_i64(j, "ts", r->ts);
	json_end(j);
}

void push_order(struct session *s, const struct payment_result *r)
{
	struct push p = begin(s, "order");

	put_user(&p, r->user);
	push_put_order(&p.j, r);
	end(&p, PUSH_ORDER, &(struct outbox_message){ .seq_at = p.seq_at });
}

void push_market(struct session *s, const struct market_item *i)
{
	struct push p = begin(s, "market");

	json_str(&p.j, "item", market_item_id(i));
	money_json_or_null(&p.j, "bid", i->bid);
	money_json_or_null(&p.j, "ask", i->ask);
	money_json(&p.j, "floor", i->floor);
	money_json(&p.j, "last_sale", i->last_sale);
	json_i64(&p.j, "as_of", i->as_of);
	end(&p, PUSH_MARKET, &(struct outbox_message){ .seq_at = p.seq_at, .key = &i->key });
}

void push_ping(struct session *s)
{
	struct push p = begin(s, "ping");

	json_i64(&p.j, "now", loop_now_ms(s->gateway->env.loop));
	end(&p, PUSH_PING, &(struct outbox_message){ 0 });
}

void push_draining(struct session *s, int64_t retry_ms)
{
	struct push p = begin(s, "draining");

	json_i64(&p.j, "retry_ms", retry_ms);
	end(&p, PUSH_DRAINING, &(struct outbox_message){ 0 });
}
