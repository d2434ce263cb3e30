/*
 * What a shopper is told of its orders is kept by number: a push must rise above the last one of
 * its session; an answer to order_status may repeat what was pushed, and raises it.
 */
#include "common/base/log.h"
#include "souk/demo/shopper_orders_internal.h"

#define FOUND_MS 1000 /* between two questions for an order that is not found */

static struct placed *find_placed(struct shopper_orders *o, struct str name)
{
	for (size_t i = 0; i < SHOPPER_ORDERS; i++)
		if (o->placed[i].is_used && str_eqz(name, o->placed[i].name))
			return &o->placed[i];
	return NULL;
}

static void is_acked(struct shopper_orders *o, struct placed *p)
{
	if (!p->is_acked && !p->was_cut)
		histogram_add(o->shared->order_ack, shopper_orders_now_us(o) - p->first_us);
	p->is_acked = true;
	p->must_repeat = false;
	p->wants_status = p->wants_status || (p->was_cut && !p->is_over);
	p->next_us = 0;
	p->news_us = shopper_orders_now_us(o);
	order_audit_acked(o->shared->orders, id_str(&p->id));
}

void shopper_orders_acked(struct shopper_orders *o, uint64_t id, struct str name)
{
	struct placed *p = NULL;
	const enum command_kind kind = shopper_orders_land(o, id, &p);

	if (kind == COMMAND_OTHER_BODY)
		return; /* the answer is a push */
	p = find_placed(o, name);
	if (!p)
		return;
	if (!p->is_acked && p->plan.misuse == MISUSE_OTHER_BODY && !p->other_body_sent) {
		is_acked(o, p);
		p->other_body_sent = p->other_body_waits =
			shopper_orders_say(o, COMMAND_OTHER_BODY, p);
		o->counts->conflicts_sent += p->other_body_sent;
		return;
	}
	is_acked(o, p);
}

static void conflict_told(struct shopper_orders *o, struct placed *p)
{
	o->counts->conflicts_told += p->other_body_waits;
	if (!p->other_body_sent)
		order_audit_wrongly_refused(o->shared->orders, id_str(&p->id));
	p->other_body_waits = false;
}

static void order_error(struct shopper_orders *o, struct placed *p, const struct told_error *e)
{
	if (e->is_temporary) {
		const int64_t wait_ms = e->retry_after_ms > 200 ? e->retry_after_ms : 200;

		p->next_us = shopper_orders_now_us(o) + wait_ms * 1000;
		return;
	}
	o->counts->refused++;
	p->is_over = true;
	if (!(p->plan.misuse == MISUSE_INSTALMENTS && str_eqz(e->code, "unsupported")))
		order_audit_wrongly_refused(o->shared->orders, id_str(&p->id));
}

/* Not found, and that is temporary: the gateway knows the order, its state comes. Else nobody here
 * does: it is ordered again, since the same id gets the first one's answer. */
static void status_error(struct shopper_orders *o, struct placed *p, const struct told_error *e)
{
	const int64_t patience_ms = FOUND_MS << (p->asked < 3 ? p->asked : 3);
	const int64_t wait_ms = e->retry_after_ms > patience_ms ? e->retry_after_ms : patience_ms;

	p->asked++;
	p->next_us = shopper_orders_now_us(o) + wait_ms * 1000;
	if (!str_eqz(e->code, "not_found") || e->is_temporary)
		return;
	if (++p->not_found >= SHOPPER_NOT_FOUND_MAX) {
		p->not_found = 0;
		p->must_repeat = true;
	}
}

bool shopper_orders_error(struct shopper_orders *o, uint64_t id, const struct told_error *e)
{
	struct placed *p = NULL;

	switch (shopper_orders_land(o, id, &p)) {
	case COMMAND_NONE:
		return false;
	case COMMAND_PLACE:
		if (!p->is_acked && !p->is_over)
			order_error(o, p, e);
		return true;
	case COMMAND_OTHER_BODY:
		if (str_eqz(e->code, "conflict")) {
			conflict_told(o, p);
		} else {
			o->counts->conflicts_lost++;
			p->other_body_waits = false;
		}
		return true;
	case COMMAND_STATUS:
		status_error(o, p, e);
		return true;
	}
	return false;
}

static bool ends(struct str state)
{
	static const char *const over[] = { "FINAL", "REJECTED", "REVERTED", "EXPIRED",
		"CANCELLED" };

	for (size_t i = 0; i < ARRAY_LEN(over); i++)
		if (str_eqz(state, over[i]))
			return true;
	return false;
}

static void take_state(struct shopper_orders *o, struct placed *p, const struct told_order *t)
{
	order_audit_heard(o->shared->orders, id_str(&p->id), t->n, t->state);
	if (t->n <= p->n)
		return;
	if (str_eqz(t->state, "RESERVED") && !p->was_cut)
		histogram_add(o->shared->order_reserved, shopper_orders_now_us(o) - p->first_us);
	p->n = t->n;
	p->is_over = ends(t->state);
	if (o->shared->sold && (str_eqz(t->state, "FINAL") || str_eqz(t->reason, "SOLD_OUT")))
		o->shared->sold(o->shared->ctx, str_of(p->item));
}

void shopper_orders_told(struct shopper_orders *o, uint64_t id, const struct told_order *t)
{
	struct placed *p = NULL;
	const enum command_kind kind = shopper_orders_land(o, id, &p);

	p = find_placed(o, t->id);
	if (!p)
		return; /* another session of the user made it, or it ended long ago */
	if (str_eqz(t->state, "CONFLICT")) {
		conflict_told(o, p);
		return;
	}
	p->news_us = shopper_orders_now_us(o);
	if (kind == COMMAND_STATUS) {
		if (p->asked_in_quiet && t->n > p->n) {
			o->counts->learned_late++;
			log_info("shopper", "a state that was not pushed",
				"order=%s n=%lld of=%lld", p->id.text, (long long)p->n,
				(long long)t->n);
		}
		p->wants_status = p->asked_in_quiet = p->must_repeat = false;
		p->asked = p->not_found = 0;
		if (t->n > p->session_n)
			p->session_n = t->n; /* pushes go on from there */
	} else {
		if (t->n <= p->session_n)
			order_audit_pushed_back(o->shared->orders, id_str(&p->id));
		p->session_n = t->n;
	}
	take_state(o, p, t);
}
