/* Each thing that the audit of orders promises, broken once: it must be named, and nothing else. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdarg.h>
#include <stdio.h>

#include "common/model/topics.h"
#include "souk/demo/order_audit.h"

#define ITEM  "eip155:1/erc721:0x3b3ee1931dc30c1957379fac9aba94d1c48a5405/77"
#define PRICE "{\"amount\":\"1000\",\"currency\":\"ETH\"}"

static struct order_audit *audit;
static int64_t next_offset[8]; /* per topic, one partition each */

static void setup(void)
{
	cr_assert(zero(int, order_audit_new(&audit)));
	memset(next_offset, 0, sizeof(next_offset));
}

static void teardown(void)
{
	order_audit_free(audit);
}

TestSuite(order_audit, .init = setup, .fini = teardown);

static int64_t *offset_of(const char *topic)
{
	static const char *const topics[] = { TOPIC_ORDERS, TOPIC_PAYMENT_REQUESTS,
		TOPIC_PAYMENT_RESULTS, TOPIC_LEDGER, TOPIC_STOCK };
	size_t i = 0;

	while (strcmp(topics[i], topic) != 0)
		i++;
	return &next_offset[i];
}

/* Appends; @epoch < 0: no header. Returns the offset. */
static int64_t put(const char *topic, int64_t epoch, const char *format, ...)
{
	char value[2048], text[24];
	va_list args;

	va_start(args, format);
	const int n = vsnprintf(value, sizeof(value), format, args);

	va_end(args);
	snprintf(text, sizeof(text), "%lld", (long long)epoch);
	const struct bus_header header = { STR("x-souk-epoch"), str_of(text) };
	const struct bus_record r = { .topic = topic,
		.offset = (*offset_of(topic))++,
		.key = STR("k"),
		.value = { value, (size_t)n },
		.headers = &header,
		.n_headers = epoch >= 0 };

	order_audit_record(audit, &r);
	return r.offset;
}

static int64_t owner(void)
{
	return put(TOPIC_PAYMENT_REQUESTS, -1,
		"{\"type\":\"owner\",\"shard\":0,\"instance\":\"i\",\"ts\":1}");
}

static void supply(int64_t epoch, const char *ver, int n)
{
	put(TOPIC_PAYMENT_REQUESTS, epoch,
		"{\"type\":\"supply\",\"item\":\"" ITEM "\",\"ver\":\"%s\",\"supply\":%d}", ver, n);
}

static void made(const char *id)
{
	put(TOPIC_ORDERS, -1,
		"{\"id\":\"%s\",\"client_id\":\"c\",\"user\":\"u\",\"item\":\"" ITEM
		"\",\"price\":" PRICE "}",
		id);
}

static void request(int64_t epoch, const char *id)
{
	put(TOPIC_PAYMENT_REQUESTS, epoch,
		"{\"type\":\"request\",\"order\":\"%s\",\"item\":\"" ITEM "\",\"price\":" PRICE "}",
		id);
}

static void refusal(int64_t epoch, const char *id, const char *reason)
{
	put(TOPIC_PAYMENT_REQUESTS, epoch,
		"{\"type\":\"refusal\",\"order\":\"%s\",\"item\":\"" ITEM "\",\"reason\":\"%s\"}",
		id, reason);
}

static void release(int64_t epoch, const char *id)
{
	put(TOPIC_PAYMENT_REQUESTS, epoch,
		"{\"type\":\"release\",\"order\":\"%s\",\"item\":\"" ITEM
		"\",\"reason\":\"EXPIRED\"}",
		id);
}

static void result(const char *id, int n, const char *state, const char *reason)
{
	put(TOPIC_PAYMENT_RESULTS, -1,
		"{\"order\":\"%s\",\"client_id\":\"c\",\"n\":%d,\"user\":\"u\",\"item\":\"" ITEM
		"\",\"state\":\"%s\"%s%s%s,\"ts\":1}",
		id, n, state, *reason ? ",\"reason\":\"" : "", reason, *reason ? "\"" : "");
}

static void outcome(const char *id, int64_t epoch, const char *state)
{
	put(TOPIC_LEDGER, -1,
		"{\"type\":\"outcome\",\"shard\":0,\"epoch\":%lld,\"order\":\"%s\",\"item\":\"" ITEM
		"\",\"step\":1,\"state\":\"%s\",\"ts\":1}",
		(long long)epoch, id, state);
}

static void ours(const char *id)
{
	order_audit_sent(audit, str_of(id), EXPECT_JUDGED);
	order_audit_acked(audit, str_of(id));
}

static void heard(const char *id, int n, const char *state)
{
	order_audit_heard(audit, str_of(id), n, str_of(state));
}

/* An order of ours that is accepted, reserved and heard of. */
static void reserved(int64_t epoch, const char *id)
{
	ours(id);
	made(id);
	request(epoch, id);
	result(id, 1, "RESERVED", "");
	heard(id, 1, "RESERVED");
}

/* As result n, founded on the ledger, and heard. */
static void paid_step(const char *id, int n, const char *state)
{
	outcome(id, 0, state);
	result(id, n, state, "");
	heard(id, n, state);
}

static void expect_whole(void)
{
	const uint64_t n = order_audit_judge(audit);
	const struct order_book *b = order_audit_book(audit);

	for (size_t i = 0; i < BREACHES; i++)
		cr_expect(zero(u64, b->breaches[i].n), "%s: %s (%s)", breach_kinds[i].check,
			breach_kinds[i].text, b->breaches[i].example);
	cr_expect(zero(u64, n));
}

static void expect_only(enum order_breach kind, const char *example)
{
	order_audit_judge(audit);
	const struct order_book *b = order_audit_book(audit);

	for (size_t i = 0; i < BREACHES; i++)
		cr_expect(eq(u64, b->breaches[i].n, i == kind ? 1 : 0), "%s: %s (%s)",
			breach_kinds[i].check, breach_kinds[i].text, b->breaches[i].example);
	cr_expect(eq(str, (char *)b->breaches[kind].example, (char *)example));
	cr_expect(not(order_book_holds(b, breach_kinds[kind].check)));
}

/* ---- what is as it should be ---- */

Test(order_audit, an_order_on_its_whole_way_breaks_nothing)
{
	supply(owner(), "1", 1);
	reserved(0, "o-1");
	cr_expect(eq(u64, order_audit_open(audit), 1));
	paid_step("o-1", 2, "SENT");
	paid_step("o-1", 3, "MINED");
	paid_step("o-1", 4, "SENT"); /* a reorganisation */
	paid_step("o-1", 5, "HELD");
	paid_step("o-1", 6, "CONFIRMED");
	paid_step("o-1", 7, "FINAL");
	cr_expect(zero(u64, order_audit_open(audit)));
	expect_whole();
	cr_expect(eq(u64, order_audit_counts(audit)->states[ORDER_FINAL], 1));
}

Test(order_audit, the_topics_may_be_read_in_any_order)
{
	heard("o-1", 1, "RESERVED");
	result("o-1", 1, "RESERVED", "");
	cr_expect(gt(u64, order_audit_judge(audit), 0), "too early");
	supply(owner(), "1", 1);
	request(0, "o-1");
	made("o-1");
	ours("o-1");
	expect_whole();
}

Test(order_audit, records_that_come_again_change_nothing)
{
	supply(owner(), "1", 1);
	for (int i = 0; i < 3; i++) {
		reserved(0, "o-1");
		supply(0, "1", 1);
	}
	paid_step("o-1", 2, "EXPIRED");
	release(0, "o-1");
	release(0, "o-1");
	result("o-1", 1, "RESERVED", "");
	expect_whole();
	cr_expect(eq(u64, order_audit_counts(audit)->repeats, 2));
	cr_expect(eq(u64, order_audit_counts(audit)->releases, 1));
}

Test(order_audit, a_released_unit_can_be_sold_to_the_next)
{
	supply(owner(), "1", 1);
	reserved(0, "o-1");
	paid_step("o-1", 2, "REVERTED");
	release(0, "o-1");
	reserved(0, "o-2");
	paid_step("o-2", 2, "FINAL");
	expect_whole();
}

Test(order_audit, what_a_former_owner_says_counts_for_nothing)
{
	const int64_t first = owner();

	supply(first, "1", 1);
	reserved(first, "o-1");
	const int64_t second = owner();

	request(first, "o-2");
	release(first, "o-1");
	refusal(first, "o-1", "SOLD_OUT");
	made("o-2");
	refusal(second, "o-2", "SOLD_OUT");
	result("o-2", 1, "REJECTED", "SOLD_OUT");
	expect_whole();
	cr_expect(eq(u64, order_audit_counts(audit)->voided, 3));
	cr_expect(eq(u64, order_audit_counts(audit)->requests, 1));
}

Test(order_audit, without_an_epoch_nothing_counts)
{
	owner();
	request(-1, "o-1");
	expect_whole();
	cr_expect(eq(u64, order_audit_counts(audit)->voided, 1));
}

Test(order_audit, a_supply_that_ends_leaves_what_was_taken)
{
	supply(owner(), "1", 1);
	reserved(0, "o-1");
	supply(0, "2", 0);
	supply(0, "1.5", 1); /* older: ignored */
	paid_step("o-1", 2, "FINAL");
	expect_whole();
}

Test(order_audit, a_visitors_order_needs_an_answer_but_no_shopper)
{
	supply(owner(), "1", 1);
	made("o-1");
	cr_expect(eq(u64, order_audit_open(audit), 1));
	request(0, "o-1");
	result("o-1", 1, "RESERVED", "");
	paid_step("o-1", 2, "FINAL");
	cr_expect(zero(u64, order_audit_open(audit)));
	expect_whole();
}

Test(order_audit, an_order_that_was_never_acknowledged_promises_nothing)
{
	order_audit_sent(audit, STR("o-1"), EXPECT_JUDGED);
	cr_expect(zero(u64, order_audit_open(audit)));
	expect_whole();
}

Test(order_audit, a_conflict_is_counted_and_is_no_state)
{
	supply(owner(), "1", 1);
	reserved(0, "o-1");
	made("o-1");
	result("o-1", 0, "CONFLICT", "");
	expect_whole();
	cr_expect(eq(u64, order_audit_counts(audit)->conflicts, 1));
}

Test(order_audit, states_and_reasons_are_those_of_the_last_result)
{
	owner();
	for (int i = 0; i < 2; i++) {
		const char *id = i ? "o-1" : "o-2";

		ours(id);
		made(id);
		refusal(0, id, "SOLD_OUT");
		result(id, 1, "REJECTED", "SOLD_OUT");
		heard(id, 1, "REJECTED");
	}
	expect_whole();
	cr_expect(eq(u64, order_audit_counts(audit)->states[ORDER_REJECTED], 2));
	cr_expect(eq(str, (char *)order_audit_book(audit)->reasons[1], "SOLD_OUT"));
	cr_expect(eq(u64, order_audit_counts(audit)->reasons[1], 2));
}

/* ---- every_order_answered ---- */

Test(order_audit, an_order_without_a_result_is_unanswered)
{
	made("o-1");
	expect_only(BREACH_UNANSWERED, "o-1");
}

Test(order_audit, a_shopper_who_missed_the_last_state_was_not_answered)
{
	supply(owner(), "1", 1);
	reserved(0, "o-1");
	outcome("o-1", 0, "FINAL");
	result("o-1", 2, "FINAL", "");
	cr_expect(eq(u64, order_audit_open(audit), 1));
	expect_only(BREACH_UNHEARD, "o-1");
}

Test(order_audit, an_ack_without_a_record_is_a_lie)
{
	ours("o-1");
	order_audit_judge(audit);
	cr_expect(not(order_book_holds(order_audit_book(audit), "every_order_answered")));
	cr_expect(eq(u64, order_audit_book(audit)->breaches[BREACH_ACK_WITHOUT_RECORD].n, 1));
}

/* ---- one_request_per_order ---- */

Test(order_audit, two_requests_that_differ_are_seen)
{
	supply(owner(), "1", 1);
	reserved(0, "o-1");
	put(TOPIC_PAYMENT_REQUESTS, 0,
		"{\"type\":\"request\",\"order\":\"o-1\",\"item\":\"" ITEM "\",\"price\":" PRICE
		",\"ts\":2}");
	expect_only(BREACH_TWO_REQUESTS, "o-1");
}

Test(order_audit, a_request_for_what_was_refused_is_seen)
{
	supply(owner(), "1", 1);
	made("o-1");
	refusal(0, "o-1", "LIMIT");
	result("o-1", 1, "REJECTED", "LIMIT");
	request(0, "o-1");
	expect_only(BREACH_DECIDED_OTHERWISE, "o-1");
}

Test(order_audit, a_refusal_of_what_was_requested_is_seen)
{
	supply(owner(), "1", 1);
	reserved(0, "o-1");
	refusal(0, "o-1", "LIMIT");
	expect_only(BREACH_DECIDED_OTHERWISE, "o-1");
}

Test(order_audit, a_request_that_nobody_ordered_is_seen)
{
	supply(owner(), "1", 1);
	request(0, "o-1");
	expect_only(BREACH_REQUEST_WITHOUT_ORDER, "o-1");
}

Test(order_audit, a_request_for_another_price_is_seen)
{
	supply(owner(), "1", 1);
	put(TOPIC_ORDERS, -1,
		"{\"id\":\"o-1\",\"item\":\"" ITEM
		"\",\"price\":{\"amount\":\"999\",\"currency\":\"ETH\"}}");
	request(0, "o-1");
	result("o-1", 1, "RESERVED", "");
	expect_only(BREACH_REQUEST_DIFFERS, "o-1");
}

/* ---- stock_adds_up ---- */

Test(order_audit, a_unit_taken_twice_is_beyond_the_supply)
{
	supply(owner(), "1", 1);
	reserved(0, "o-1");
	reserved(0, "o-2");
	expect_only(BREACH_BEYOND_SUPPLY, "o-2");
}

Test(order_audit, an_item_that_was_never_supplied_cannot_be_taken)
{
	owner();
	reserved(0, "o-1");
	expect_only(BREACH_BEYOND_SUPPLY, "o-1");
}

Test(order_audit, a_release_of_nothing_is_seen)
{
	supply(owner(), "1", 1);
	release(0, "o-1");
	expect_only(BREACH_RELEASE_OF_NOTHING, "o-1");
}

Test(order_audit, an_expired_order_must_give_its_unit_back)
{
	supply(owner(), "1", 1);
	reserved(0, "o-1");
	paid_step("o-1", 2, "EXPIRED");
	expect_only(BREACH_NOT_RELEASED, "o-1");
}

Test(order_audit, a_snapshot_is_compared_once_it_covers_everything)
{
	supply(owner(), "1", 1);
	put(TOPIC_STOCK, -1,
		"{\"item\":\"" ITEM "\",\"ver\":\"0.1\",\"supply\":1,\"taken\":0,\"through\":2}");
	reserved(0, "o-1");
	expect_whole(); /* from before the request */
	put(TOPIC_STOCK, -1,
		"{\"item\":\"" ITEM "\",\"ver\":\"0.2\",\"supply\":1,\"taken\":1,\"through\":3}");
	expect_whole();
	put(TOPIC_STOCK, -1,
		"{\"item\":\"" ITEM "\",\"ver\":\"0.3\",\"supply\":1,\"taken\":0,\"through\":3}");
	expect_only(BREACH_SNAPSHOT_DIFFERS, "item 0: taken 1 not 0");
}

/* ---- nothing_sold_twice ---- */

Test(order_audit, a_second_final_order_for_one_unit_is_seen)
{
	supply(owner(), "1", 1);
	reserved(0, "o-1");
	paid_step("o-1", 2, "FINAL");
	reserved(0, "o-2");
	paid_step("o-2", 2, "FINAL");
	order_audit_judge(audit);
	const struct order_book *b = order_audit_book(audit);

	cr_expect(eq(u64, b->breaches[BREACH_SOLD_TWICE].n, 1));
	cr_expect(eq(str, (char *)b->breaches[BREACH_SOLD_TWICE].example, "o-2"));
	cr_expect(not(order_book_holds(b, "nothing_sold_twice")));
	cr_expect(not(order_book_holds(b, "stock_adds_up")), "it was beyond the supply, too");
}

Test(order_audit, a_payment_that_ends_after_the_release_is_seen)
{
	supply(owner(), "1", 1);
	reserved(0, "o-1");
	paid_step("o-1", 2, "EXPIRED");
	release(0, "o-1");
	outcome("o-1", 0, "FINAL");
	expect_only(BREACH_PAID_AND_RELEASED, "o-1");
}

Test(order_audit, an_executor_that_was_replaced_says_nothing)
{
	supply(owner(), "1", 1);
	reserved(0, "o-1");
	outcome("o-1", 0, "EXPIRED");
	put(TOPIC_LEDGER, -1, "{\"type\":\"owner\",\"shard\":0,\"instance\":\"i\",\"ts\":1}");
	outcome("o-1", 0, "FINAL");
	release(0, "o-1");
	result("o-1", 2, "EXPIRED", "");
	heard("o-1", 2, "EXPIRED");
	expect_whole();
	cr_expect(eq(u64, order_audit_counts(audit)->voided, 1));
}

/* ---- results_in_order ---- */

Test(order_audit, a_hole_in_the_numbers_is_seen)
{
	supply(owner(), "1", 1);
	reserved(0, "o-1");
	paid_step("o-1", 3, "FINAL");
	expect_only(BREACH_RESULT_MISSING, "o-1");
}

Test(order_audit, a_number_with_two_states_is_seen)
{
	supply(owner(), "1", 1);
	reserved(0, "o-1");
	result("o-1", 1, "REJECTED", "LIMIT");
	expect_only(BREACH_RESULT_CHANGED, "o-1");
}

Test(order_audit, a_terminal_state_is_never_left)
{
	static const char *const ends[] = { "FINAL", "REVERTED", "EXPIRED", "CANCELLED" };

	supply(owner(), "1", 4);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		char id[8];

		snprintf(id, sizeof(id), "o-%zu", i);
		reserved(0, id);
		paid_step(id, 2, ends[i]);
		if (i)
			release(0, id);
		paid_step(id, 3, "SENT");
	}
	order_audit_judge(audit);
	cr_expect(eq(u64, order_audit_book(audit)->breaches[BREACH_TRANSITION].n, ARRAY_LEN(ends)));
}

Test(order_audit, states_that_may_not_follow_are_seen)
{
	supply(owner(), "1", 2);
	reserved(0, "o-1");
	paid_step("o-1", 2, "CONFIRMED");
	paid_step("o-1", 3, "MINED");
	expect_only(BREACH_TRANSITION, "o-1");
}

Test(order_audit, an_order_does_not_begin_paid)
{
	supply(owner(), "1", 1);
	made("o-1");
	request(0, "o-1");
	paid_step("o-1", 1, "SENT");
	expect_only(BREACH_TRANSITION, "o-1");
}

Test(order_audit, an_acceptance_needs_a_request)
{
	owner();
	made("o-1");
	result("o-1", 1, "RESERVED", "");
	expect_only(BREACH_UNFOUNDED, "o-1");
}

Test(order_audit, a_rejection_needs_a_refusal)
{
	owner();
	made("o-1");
	result("o-1", 1, "REJECTED", "LIMIT");
	expect_only(BREACH_UNFOUNDED, "o-1");
}

Test(order_audit, a_payment_needs_the_ledger)
{
	supply(owner(), "1", 1);
	reserved(0, "o-1");
	result("o-1", 2, "SENT", "");
	heard("o-1", 2, "SENT");
	expect_only(BREACH_UNFOUNDED, "o-1");
}

Test(order_audit, a_shopper_who_is_told_otherwise_is_seen)
{
	supply(owner(), "1", 1);
	ours("o-1");
	made("o-1");
	request(0, "o-1");
	result("o-1", 1, "RESERVED", "");
	heard("o-1", 1, "REJECTED");
	expect_only(BREACH_HEARD_OTHERWISE, "o-1");
}

Test(order_audit, a_push_that_goes_back_is_named)
{
	order_audit_pushed_back(audit, STR("o-1"));
	expect_only(BREACH_PUSHED_BACK, "o-1");
}

/* ---- refusals_are_right ---- */

Test(order_audit, a_tampered_quote_must_be_refused_as_such)
{
	supply(owner(), "1", 1);
	order_audit_sent(audit, STR("o-1"), EXPECT_BAD_QUOTE);
	reserved(0, "o-1");
	expect_only(BREACH_WRONG_JUDGEMENT, "o-1");
}

Test(order_audit, a_tampered_quote_that_is_refused_is_right)
{
	owner();
	order_audit_sent(audit, STR("o-1"), EXPECT_BAD_QUOTE);
	made("o-1");
	refusal(0, "o-1", "BAD_QUOTE");
	result("o-1", 1, "REJECTED", "BAD_QUOTE");
	expect_whole();
}

Test(order_audit, an_honest_order_is_not_refused_as_a_bad_one)
{
	owner();
	ours("o-1");
	made("o-1");
	refusal(0, "o-1", "BAD_QUOTE");
	result("o-1", 1, "REJECTED", "BAD_QUOTE");
	heard("o-1", 1, "REJECTED");
	expect_only(BREACH_WRONG_JUDGEMENT, "o-1");
}

Test(order_audit, instalments_that_are_taken_are_seen)
{
	supply(owner(), "1", 1);
	order_audit_sent(audit, STR("o-1"), EXPECT_UNSUPPORTED);
	reserved(0, "o-1");
	expect_only(BREACH_WRONG_JUDGEMENT, "o-1");
}

/* ---- order_audit_complete ---- */

Test(order_audit, what_cannot_be_read_is_counted)
{
	put(TOPIC_PAYMENT_RESULTS, -1, "{\"order\":");
	put(TOPIC_PAYMENT_RESULTS, -1, "{\"order\":\"o-1\",\"n\":1,\"state\":\"LOST\"}");
	put(TOPIC_ORDERS, -1, "{\"id\":\"o-1\"}");
	put(TOPIC_STOCK, -1, "{\"ver\":\"1\"}");
	order_audit_judge(audit);
	cr_expect(eq(u64, order_audit_book(audit)->breaches[BREACH_UNREADABLE].n, 4));
	cr_expect(eq(str, (char *)order_audit_book(audit)->breaches[BREACH_UNREADABLE].example,
		"payments.results.v1 0:0"));
}

Test(order_audit, more_results_than_the_book_holds_are_an_overrun)
{
	result("o-1", ORDER_BOOK_RESULTS_MAX + 1, "RESERVED", "");
	order_audit_missed(audit, TOPIC_ORDERS);
	order_audit_judge(audit);
	cr_expect(eq(u64, order_audit_book(audit)->breaches[BREACH_OVERRUN].n, 2));
	cr_expect(not(order_book_holds(order_audit_book(audit), "order_audit_complete")));
}
