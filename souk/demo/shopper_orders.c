/* An order is sent with the same bytes until its ack comes, in however many sessions. */
#include "souk/demo/shopper_orders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/json_out.h"
#include "souk/demo/shopper_orders_internal.h"

#define AWAY_MIN_MS  300
#define AWAY_SPAN_MS 3000

int shopper_orders_new(struct shopper_orders **ret, struct shopper *s)
{
	struct shopper_orders *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	o->s = s;
	o->shared = s->shared;
	o->counts = &s->shared->order_counts;
	*ret = o;
	return 0;
}

static void drop_intent(struct intent *i)
{
	free(i->first);
	free(i->newest);
	free(i->item);
	*i = (struct intent){ 0 };
}

static void drop_placed(struct placed *p)
{
	free(p->quote);
	free(p->item);
	*p = (struct placed){ 0 };
}

struct shopper_orders *shopper_orders_free(struct shopper_orders *o)
{
	if (!o)
		return NULL;
	for (size_t i = 0; i < SHOPPER_INTENTS; i++)
		drop_intent(&o->intents[i]);
	for (size_t i = 0; i < SHOPPER_ORDERS; i++)
		drop_placed(&o->placed[i]);
	free(o);
	return NULL;
}

static char *copy(struct str s)
{
	return strndup(s.p ? s.p : "", s.n);
}

/* ---- commands ---- */

/* A place for one more command; NULL: enough are unanswered. */
static uint64_t *book_flight(struct shopper_orders *o, enum command_kind kind, struct placed *p)
{
	for (size_t i = 0; i < SHOPPER_ORDERS_FLIGHT; i++) {
		if (o->flight[i].id == 0) {
			o->flight[i].kind = kind;
			o->flight[i].p = p;
			return &o->flight[i].id;
		}
	}
	return NULL;
}

enum command_kind shopper_orders_land(struct shopper_orders *o, uint64_t id, struct placed **ret)
{
	for (size_t i = 0; i < SHOPPER_ORDERS_FLIGHT; i++) {
		if (id && o->flight[i].id == id) {
			o->flight[i].id = 0;
			*ret = o->flight[i].p;
			return o->flight[i].kind;
		}
	}
	return COMMAND_NONE;
}

/* Those of @p that are still unanswered will not be waited for. */
static void forget_flights(struct shopper_orders *o, const struct placed *p)
{
	for (size_t i = 0; i < SHOPPER_ORDERS_FLIGHT; i++)
		if (o->flight[i].p == p && o->flight[i].kind != COMMAND_OTHER_BODY)
			o->flight[i].id = 0;
}

/* The other body differs in its wallet: named where the first names none, and the other way round.
 */
static void write_order(struct buf *b, const struct shopper *s, const struct placed *p, uint64_t id,
	bool other_body)
{
	struct json_out j = JSON_OUT(b);

	json_begin(&j, NULL);
	json_u64(&j, "id", id);
	json_strz(&j, "type", "order");
	json_begin(&j, "order");
	json_strz(&j, "id", p->name);
	json_raw(&j, "quote", str_of(p->quote));
	if (p->plan.names_wallet != other_body)
		json_strz(&j, "wallet", s->user);
	json_begin(&j, "pay");
	json_strz(&j, "mode", p->plan.misuse == MISUSE_INSTALMENTS ? "instalments" : "now");
	json_end(&j);
	json_end(&j);
	json_end(&j);
}

static void write_status(struct buf *b, const struct placed *p, uint64_t id)
{
	struct json_out j = JSON_OUT(b);

	json_begin(&j, NULL);
	json_u64(&j, "id", id);
	json_strz(&j, "type", "order_status");
	json_strz(&j, "order", p->name);
	json_end(&j);
}

bool shopper_orders_say(struct shopper_orders *o, enum command_kind kind, struct placed *p)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(16384);
	struct shopper *s = o->s;
	uint64_t *flight = s->is_connected && !s->away_ms ? book_flight(o, kind, p) : NULL;

	if (!flight)
		return false;
	if (kind == COMMAND_STATUS)
		write_status(&b, p, s->next_id);
	else
		write_order(&b, s, p, s->next_id, kind == COMMAND_OTHER_BODY);
	if (!shopper_send(s, &b))
		return false;
	*flight = s->next_id++;
	return true;
}

/* ---- ordering ---- */

/* A free place, or that of the order that ended longest ago. */
static struct placed *free_place(struct shopper_orders *o)
{
	struct placed *oldest = NULL;

	for (size_t i = 0; i < SHOPPER_ORDERS; i++) {
		struct placed *p = &o->placed[i];

		if (!p->is_used)
			return p;
		if (p->is_over && !p->other_body_waits && (!oldest || p->serial < oldest->serial))
			oldest = p;
	}
	if (oldest) {
		forget_flights(o, oldest);
		drop_placed(oldest);
	}
	return oldest;
}

/* A price that was never quoted: the first digit of the amount is another. */
static bool tamper(char *quote)
{
	char *amount = strstr(quote, "\"amount\":\"");

	if (!amount)
		return false;
	amount += strlen("\"amount\":\"");
	*amount = *amount == '1' ? '2' : '1';
	return true;
}

static void send_first(struct shopper_orders *o, struct placed *p)
{
	p->next_us = p->first_us; /* at once when the shopper is connected again */
	if (!shopper_orders_say(o, COMMAND_PLACE, p))
		return;
	p->next_us = p->first_us + SHOPPER_ORDER_ASK_MS * 1000;
	if (p->plan.twice && shopper_orders_say(o, COMMAND_PLACE, p))
		o->counts->twice++;
	if (p->plan.leaves && !o->shared->is_finishing)
		shopper_leave(o->s, AWAY_MIN_MS + (int64_t)(shopper_random(o->s) % AWAY_SPAN_MS));
}

/* Takes @quote and @item. */
static void place(struct shopper_orders *o, const struct order_plan *plan, uint64_t k, char *quote,
	char *item)
{
	struct placed *p = free_place(o);

	if (!p || !quote || !item) {
		o->counts->crowded++;
		free(quote);
		free(item);
		return;
	}
	*p = (struct placed){ .is_used = true, .plan = *plan, .quote = quote, .item = item };
	p->serial = ++o->serial;
	p->first_us = p->news_us = shopper_orders_now_us(o);
	/* Then it can be sent in a later session only. */
	p->was_cut = !o->s->is_connected || o->s->away_ms;
	snprintf(p->name, sizeof(p->name), "o-%lld-%llu", (long long)o->shared->run,
		(unsigned long long)k);
	if (id_for_order(&p->id, str_of(o->s->user), str_of(p->name)) ||
		(plan->misuse == MISUSE_TAMPER && !tamper(p->quote))) {
		o->counts->crowded++;
		drop_placed(p);
		return;
	}
	o->counts->placed++;
	o->counts->tampered += plan->misuse == MISUSE_TAMPER;
	o->counts->unsupported += plan->misuse == MISUSE_INSTALMENTS;
	order_audit_sent(o->shared->orders, id_str(&p->id),
		plan->misuse == MISUSE_TAMPER        ? EXPECT_BAD_QUOTE
		: plan->misuse == MISUSE_INSTALMENTS ? EXPECT_UNSUPPORTED
						     : EXPECT_JUDGED);
	send_first(o, p);
}

static struct intent *find_intent(struct shopper_orders *o, struct str offer)
{
	for (size_t i = 0; i < SHOPPER_INTENTS; i++)
		if (o->intents[i].is_used && str_eqz(offer, o->intents[i].offer))
			return &o->intents[i];
	return NULL;
}

static void think(struct shopper_orders *o, const struct offer *offer, uint64_t k,
	const struct order_plan *plan)
{
	for (size_t n = 0; n < SHOPPER_INTENTS; n++) {
		struct intent *i = &o->intents[n];

		if (i->is_used)
			continue;
		*i = (struct intent){ .is_used = true, .k = k, .plan = *plan };
		i->due_us = shopper_orders_now_us(o) + plan->hesitate_ms * 1000;
		(void)str_copy(i->offer, sizeof(i->offer), offer->id);
		i->first = copy(offer->quote);
		i->newest = copy(offer->quote);
		i->item = copy(offer->item);
		if (!i->first || !i->newest || !i->item)
			drop_intent(i);
		return;
	}
	o->counts->crowded++;
}

void shopper_orders_offer(
	struct shopper_orders *o, const struct offer *offer, uint64_t k, bool is_first)
{
	struct intent *i = find_intent(o, offer->id);

	if (i) {
		char *newest = copy(offer->quote);

		if (newest) {
			free(i->newest);
			i->newest = newest;
		}
		return;
	}
	if (!is_first || o->shared->is_finishing)
		return;
	struct order_plan plan = order_plan(o->shared->seed, k, o->shared->order_one_in);

	if (!plan.orders)
		return;
	if (plan.hesitate_ms)
		think(o, offer, k, &plan);
	else
		place(o, &plan, k, copy(offer->quote), copy(offer->item));
}

void shopper_orders_withdrawn(struct shopper_orders *o, struct str offer)
{
	struct intent *i = find_intent(o, offer);

	if (i)
		i->is_withdrawn = true;
}

static void decide(struct shopper_orders *o, struct intent *i)
{
	char **quote = i->plan.first_quote ? &i->first : &i->newest;

	if (o->shared->is_finishing || (i->is_withdrawn && !i->plan.stubborn)) {
		o->counts->changed++;
	} else {
		o->counts->first_quote += i->plan.first_quote && strcmp(i->first, i->newest) != 0;
		place(o, &i->plan, i->k, TAKE(*quote), TAKE(i->item));
	}
	drop_intent(i);
}

/* ---- sessions and time ---- */

void shopper_orders_connected(struct shopper_orders *o)
{
	for (size_t i = 0; i < SHOPPER_ORDERS; i++) {
		struct placed *p = &o->placed[i];

		if (!p->is_used || p->is_over)
			continue;
		p->wants_status = p->is_acked;
		p->asked_in_quiet = false;
		p->asked = 0;
		p->next_us = 0;
	}
}

void shopper_orders_closed(struct shopper_orders *o)
{
	memset(o->flight, 0, sizeof(o->flight));
	for (size_t i = 0; i < SHOPPER_ORDERS; i++) {
		struct placed *p = &o->placed[i];

		p->session_n = 0;
		p->was_cut = true;
		o->counts->conflicts_lost += p->other_body_waits;
		p->other_body_waits = false; /* it is told to the session that asked only */
	}
}

static void pursue(struct shopper_orders *o, struct placed *p, int64_t at_us)
{
	const bool must_order = !p->is_acked || p->must_repeat;

	if (p->is_acked && !p->wants_status && at_us - p->news_us > SHOPPER_ORDER_QUIET_MS * 1000) {
		p->wants_status = p->asked_in_quiet = true;
		p->next_us = at_us;
	}
	if (at_us < p->next_us || (!must_order && !p->wants_status))
		return;
	forget_flights(o, p);
	if (!shopper_orders_say(o, must_order ? COMMAND_PLACE : COMMAND_STATUS, p))
		return;
	*(must_order ? &o->counts->retries : &o->counts->asked) += 1;
	p->next_us = at_us + SHOPPER_ORDER_ASK_MS * 1000;
}

void shopper_orders_tick(struct shopper_orders *o, int64_t at_us)
{
	for (size_t i = 0; i < SHOPPER_INTENTS; i++)
		if (o->intents[i].is_used &&
			(o->shared->is_finishing || o->intents[i].due_us <= at_us))
			decide(o, &o->intents[i]);
	for (size_t i = 0; i < SHOPPER_ORDERS && o->s->is_connected; i++)
		if (o->placed[i].is_used && !o->placed[i].is_over)
			pursue(o, &o->placed[i], at_us);
}

size_t shopper_orders_open(const struct shopper_orders *o)
{
	size_t n = 0;

	for (size_t i = 0; i < SHOPPER_ORDERS; i++)
		n += o->placed[i].is_used &&
		     (!o->placed[i].is_over || o->placed[i].other_body_waits);
	return n;
}

void shopper_orders_close_book(struct shopper_orders *o)
{
	for (size_t i = 0; i < SHOPPER_ORDERS; i++)
		if (o->placed[i].other_body_waits)
			order_audit_wrongly_refused(o->shared->orders, id_str(&o->placed[i].id));
}
