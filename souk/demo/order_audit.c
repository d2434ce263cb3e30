/*
 * A judgement is made on the breaches as they came, so that one which came too early (the topics
 * are not read in step) leaves nothing behind.
 */
#include "souk/demo/order_audit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "souk/demo/order_audit_internal.h"
#include "souk/demo/order_verdict.h"

#define SCRATCH_BYTES (1u << 16)

int order_audit_new(struct order_audit **ret)
{
	CLEANUP(order_audit_free) struct order_audit *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	int r = order_book_new(&a->book);

	if (!r)
		r = arena_new(&a->scratch, SCRATCH_BYTES);
	if (r)
		return r;
	memset(a->epoch, 0xff, sizeof(a->epoch)); /* -1: nobody speaks */
	memset(a->ledger_epoch, 0xff, sizeof(a->ledger_epoch));
	*ret = TAKE(a);
	return 0;
}

struct order_audit *order_audit_free(struct order_audit *a)
{
	if (a) {
		order_book_free(a->book);
		arena_free(a->scratch);
		free(a);
	}
	return NULL;
}

void order_audit_breach(struct order_audit *a, enum order_breach kind, const char *id)
{
	a->live[kind]++;
	order_book_breach(a->book, kind, id);
}

int order_audit_state_of(struct str name)
{
	for (int i = 0; order_state_names[i]; i++)
		if (str_eqz(name, order_state_names[i]))
			return i;
	return -1;
}

void order_audit_missed(struct order_audit *a, const char *topic)
{
	order_audit_breach(a, BREACH_OVERRUN, topic);
}

/* ---- shoppers ---- */

void order_audit_sent(struct order_audit *a, struct str id, enum order_expected expected)
{
	struct booked_order *o = order_book_order(a->book, id);

	if (!o)
		return;
	o->flags |= BOOKED_OURS;
	if (expected == EXPECT_BAD_QUOTE)
		o->flags |= BOOKED_TAMPERED;
	else if (expected == EXPECT_UNSUPPORTED)
		o->flags |= BOOKED_UNSUPPORTED;
}

void order_audit_acked(struct order_audit *a, struct str id)
{
	struct booked_order *o = order_book_order(a->book, id);

	if (o)
		o->flags |= BOOKED_ACKED;
}

void order_audit_heard(struct order_audit *a, struct str id, int64_t n, struct str state)
{
	struct booked_order *o = order_book_order(a->book, id);
	const int s = order_audit_state_of(state);

	if (!o)
		return;
	if (s < 0 || n < 1 || n > ORDER_BOOK_RESULTS_MAX) {
		order_audit_breach(a, BREACH_HEARD_OTHERWISE, o->id);
	} else if (n > o->heard_n) {
		o->heard_n = (uint8_t)n;
		o->heard_state = (uint8_t)s;
	} else if (n == o->heard_n && o->heard_state != s) {
		order_audit_breach(a, BREACH_HEARD_OTHERWISE, o->id);
	}
}

static void breach_of(struct order_audit *a, enum order_breach kind, struct str id)
{
	char text[ORDER_BOOK_TEXT_MAX];

	snprintf(text, sizeof(text), STR_FMT, STR_ARG(id));
	order_audit_breach(a, kind, text);
}

void order_audit_pushed_back(struct order_audit *a, struct str id)
{
	breach_of(a, BREACH_PUSHED_BACK, id);
}

void order_audit_wrongly_refused(struct order_audit *a, struct str id)
{
	breach_of(a, BREACH_WRONG_JUDGEMENT, id);
}

/* ---- the end ---- */

uint64_t order_audit_open(const struct order_audit *a)
{
	uint64_t open = 0;

	for (uint32_t i = 0; i < a->book->n_orders; i++) {
		const struct booked_order *o = &a->book->orders[i];
		const bool is_promised = o->flags & (BOOKED_MADE | BOOKED_ACKED);
		const bool must_hear = (o->flags & BOOKED_OURS) && (o->flags & BOOKED_ACKED);

		open += is_promised && (!o->n || !order_state_is_over(o->states[o->n - 1]) ||
					       (must_hear && o->heard_n < o->n));
	}
	return open;
}

static void count_states(struct order_audit *a)
{
	memset(a->counts.states, 0, sizeof(a->counts.states));
	memset(a->counts.reasons, 0, sizeof(a->counts.reasons));
	for (uint32_t i = 0; i < a->book->n_orders; i++) {
		const struct booked_order *o = &a->book->orders[i];

		if (!(o->flags & BOOKED_MADE) || !o->n)
			continue;
		a->counts.states[o->states[o->n - 1]]++;
		a->counts.reasons[o->reason]++;
	}
}

uint64_t order_audit_judge(struct order_audit *a)
{
	uint64_t n = 0;

	for (size_t i = 0; i < BREACHES; i++)
		a->book->breaches[i].n = a->live[i];
	order_verdict(a->book);
	count_states(a);
	for (size_t i = 0; i < BREACHES; i++)
		n += a->book->breaches[i].n;
	return n;
}

const struct order_audit_counts *order_audit_counts(const struct order_audit *a)
{
	return &a->counts;
}

const struct order_book *order_audit_book(const struct order_audit *a)
{
	return a->book;
}
