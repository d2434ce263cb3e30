/*
 * Deliberately not the bridge's code or tables: each rule is written here once more, from the
 * contract.
 */
#include "souk/demo/order_verdict.h"

#include <stdio.h>

#define PAID_BY_LEDGER \
	(1u << ORDER_SENT | 1u << ORDER_MINED | 1u << ORDER_CONFIRMED | 1u << ORDER_FINAL | \
		1u << ORDER_HELD | 1u << ORDER_REVERTED | 1u << ORDER_EXPIRED | \
		1u << ORDER_CANCELLED)

static bool is_final(const struct booked_order *o)
{
	return (o->n && o->states[o->n - 1] == ORDER_FINAL) || (o->ledger & 1u << ORDER_FINAL);
}

static void judge_answers(struct order_book *b, const struct booked_order *o)
{
	const bool must_hear = (o->flags & BOOKED_OURS) && (o->flags & BOOKED_ACKED);

	if ((o->flags & BOOKED_ACKED) && !(o->flags & BOOKED_MADE))
		order_book_breach(b, BREACH_ACK_WITHOUT_RECORD, o->id);
	if ((o->flags & BOOKED_MADE) && !o->n)
		order_book_breach(b, BREACH_UNANSWERED, o->id);
	if (must_hear && (!o->heard_n || o->heard_n < o->n))
		order_book_breach(b, BREACH_UNHEARD, o->id);
	if (o->heard_n && (o->heard_n > o->n || o->states[o->heard_n - 1] != o->heard_state))
		order_book_breach(b, BREACH_HEARD_OTHERWISE, o->id);
}

static void judge_request(struct order_book *b, const struct booked_order *o)
{
	if (!(o->flags & BOOKED_REQUESTED))
		return;
	if (!(o->flags & BOOKED_MADE))
		order_book_breach(b, BREACH_REQUEST_WITHOUT_ORDER, o->id);
	else if (o->made_terms != o->request_terms)
		order_book_breach(b, BREACH_REQUEST_DIFFERS, o->id);
}

/* Every result rests on a record: accepted on a request, rejected on a refusal, the way of the
 * payment on the ledger. */
static void judge_foundation(struct order_book *b, const struct booked_order *o)
{
	bool is_founded = true;

	for (unsigned i = 0; i < o->n; i++) {
		const unsigned state = o->states[i];

		if (state == ORDER_REJECTED)
			is_founded = is_founded && (o->flags & BOOKED_REFUSED);
		else
			is_founded = is_founded && (o->flags & BOOKED_REQUESTED);
		if (1u << state & PAID_BY_LEDGER)
			is_founded = is_founded && (o->ledger & 1u << state);
	}
	if (!is_founded)
		order_book_breach(b, BREACH_UNFOUNDED, o->id);
}

static void judge_unit(struct order_book *b, const struct booked_order *o)
{
	const unsigned last = o->n ? o->states[o->n - 1] : ORDER_ACCEPTED;

	if ((last == ORDER_REVERTED || last == ORDER_EXPIRED || last == ORDER_CANCELLED) &&
		!(o->flags & BOOKED_RELEASED))
		order_book_breach(b, BREACH_NOT_RELEASED, o->id);
	if (!is_final(o))
		return;
	if (o->flags & BOOKED_RELEASED)
		order_book_breach(b, BREACH_PAID_AND_RELEASED, o->id);
	/* The one too many is the example. */
	if (o->item && ++o->item->finals > o->item->supply_max)
		order_book_breach(b, BREACH_SOLD_TWICE, o->id);
}

static void judge_refusal(struct order_book *b, const struct booked_order *o)
{
	static const char *const never[] = { "BAD_QUOTE", "WRONG_USER", "WRONG_WALLET",
		"BAD_SIGNATURE", "UNSUPPORTED" };
	const char *want = o->flags & BOOKED_TAMPERED      ? "BAD_QUOTE"
			   : o->flags & BOOKED_UNSUPPORTED ? "UNSUPPORTED"
							   : NULL;
	const char *reason = b->reasons[o->reason];
	bool is_right = true;

	if (!(o->flags & BOOKED_OURS) || !o->n)
		return;
	if (want)
		is_right = o->states[o->n - 1] == ORDER_REJECTED && strcmp(reason, want) == 0;
	for (size_t i = 0; !want && i < ARRAY_LEN(never); i++)
		if (o->states[o->n - 1] == ORDER_REJECTED && strcmp(reason, never[i]) == 0)
			is_right = false;
	if (!is_right)
		order_book_breach(b, BREACH_WRONG_JUDGEMENT, o->id);
}

/* A snapshot that was taken behind the last record that moved the item is the sum of all. */
static void judge_item(struct order_book *b, const struct booked_item *it, uint32_t i)
{
	char name[ORDER_BOOK_TEXT_MAX];

	if (!it->has_snapshot || it->snapshot.through <= it->moved ||
		(it->snapshot.supply == it->supply && it->snapshot.taken == it->taken))
		return;
	snprintf(name, sizeof(name), "item %u: taken %lld not %lld", i, (long long)it->taken,
		(long long)it->snapshot.taken);
	order_book_breach(b, BREACH_SNAPSHOT_DIFFERS, name);
}

void order_verdict(struct order_book *b)
{
	for (uint32_t i = 0; i < b->n_items; i++) {
		b->items[i].finals = 0;
		judge_item(b, &b->items[i], i);
	}
	for (uint32_t i = 0; i < b->n_orders; i++) {
		const struct booked_order *o = &b->orders[i];

		judge_answers(b, o);
		judge_request(b, o);
		judge_foundation(b, o);
		judge_unit(b, o);
		judge_refusal(b, o);
	}
}
