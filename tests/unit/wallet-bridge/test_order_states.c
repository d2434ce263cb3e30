/* What may follow what, said a second time: not as a table but as words, state by state. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "wallet-bridge/order_states.h"

#define N_STATES (ORDER_CANCELLED + 1)

/* Every state is named exactly once in each row. */
static const struct expectation {
	const char *from;
	const char *enter, *release, *same, *never;
} rows[] = {
	{ "ACCEPTED", "RESERVED SENT MINED CONFIRMED FINAL HELD REJECTED",
		"REVERTED EXPIRED CANCELLED", "ACCEPTED", "" },
	{ "RESERVED", "SENT MINED CONFIRMED FINAL HELD", "REVERTED EXPIRED CANCELLED",
		"ACCEPTED RESERVED", "REJECTED" },
	{ "SENT", "MINED CONFIRMED FINAL HELD", "REVERTED EXPIRED CANCELLED",
		"ACCEPTED RESERVED SENT", "REJECTED" },
	{ "MINED", "SENT CONFIRMED FINAL HELD", "REVERTED", "ACCEPTED RESERVED MINED",
		"REJECTED EXPIRED CANCELLED" },
	{ "CONFIRMED", "SENT FINAL HELD", "REVERTED", "ACCEPTED RESERVED MINED CONFIRMED",
		"REJECTED EXPIRED CANCELLED" },
	{ "HELD", "RESERVED SENT MINED CONFIRMED FINAL", "REVERTED EXPIRED CANCELLED",
		"ACCEPTED HELD", "REJECTED" },
	{ "FINAL", "", "", "ACCEPTED RESERVED SENT MINED CONFIRMED FINAL HELD",
		"REJECTED REVERTED EXPIRED CANCELLED" },
	{ "REJECTED", "", "", "ACCEPTED REJECTED",
		"RESERVED SENT MINED CONFIRMED FINAL HELD REVERTED EXPIRED CANCELLED" },
	{ "REVERTED", "", "", "ACCEPTED RESERVED SENT MINED CONFIRMED HELD REVERTED",
		"FINAL REJECTED EXPIRED CANCELLED" },
	{ "EXPIRED", "", "", "ACCEPTED RESERVED SENT HELD EXPIRED",
		"MINED CONFIRMED FINAL REJECTED REVERTED CANCELLED" },
	{ "CANCELLED", "", "", "ACCEPTED RESERVED SENT HELD CANCELLED",
		"MINED CONFIRMED FINAL REJECTED REVERTED EXPIRED" },
};

static enum order_state state_named(const char *name)
{
	for (int s = 0; s < N_STATES; s++)
		if (strcmp(order_state_names[s], name) == 0)
			return (enum order_state)s;
	cr_assert(false, "no state %s", name);
	return ORDER_ACCEPTED;
}

static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = strstr(words, word); at; at = strstr(at + 1, word))
		if ((at == words || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
			return true;
	return false;
}

static int expected(const struct expectation *row, const char *to)
{
	int n = 0, want = -1;

	if (has_word(row->enter, to))
		n++, want = ORDER_ENTER;
	if (has_word(row->release, to))
		n++, want = ORDER_ENTER_RELEASE;
	if (has_word(row->same, to))
		n++, want = ORDER_SAME;
	if (has_word(row->never, to))
		n++, want = ORDER_NEVER;
	cr_assert(eq(int, n, 1), "%s -> %s is named %d times", row->from, to, n);
	return want;
}

Test(order_states, every_pair_is_judged_as_expected)
{
	bool is_seen[N_STATES] = { false };

	cr_assert(eq(sz, ARRAY_LEN(rows), N_STATES));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum order_state from = state_named(rows[i].from);

		cr_assert(not(is_seen[from]));
		is_seen[from] = true;
		for (int to = 0; to < N_STATES; to++) {
			int want = expected(&rows[i], order_state_names[to]);
			int got = (int)order_states_judge(from, (enum order_state)to);

			cr_expect(eq(int, got, want), "%s -> %s", rows[i].from,
				order_state_names[to]);
		}
	}
}

Test(order_states, a_terminal_state_is_never_left_and_the_others_can_be)
{
	static const char terminal[] = "REJECTED REVERTED EXPIRED CANCELLED FINAL";

	for (int from = 0; from < N_STATES; from++) {
		bool can_leave = false;

		for (int to = 0; to < N_STATES; to++) {
			enum order_verdict v =
				order_states_judge((enum order_state)from, (enum order_state)to);

			can_leave = can_leave || v == ORDER_ENTER || v == ORDER_ENTER_RELEASE;
		}
		cr_expect(eq(int, can_leave, !has_word(terminal, order_state_names[from])), "%s",
			order_state_names[from]);
		cr_expect(eq(int, order_state_is_terminal((enum order_state)from), !can_leave));
	}
}

Test(order_states, a_release_is_due_exactly_for_the_states_that_free_the_unit)
{
	for (int from = 0; from < N_STATES; from++) {
		for (int to = 0; to < N_STATES; to++) {
			enum order_verdict v =
				order_states_judge((enum order_state)from, (enum order_state)to);
			bool frees = order_state_release_reason((enum order_state)to) != NULL;

			if (v == ORDER_ENTER || v == ORDER_ENTER_RELEASE)
				cr_expect(eq(int, v == ORDER_ENTER_RELEASE, frees), "%s -> %s",
					order_state_names[from], order_state_names[to]);
		}
	}
}

Test(order_states, the_reason_of_a_release_names_its_state_and_back)
{
	static const char frees[] = "REVERTED EXPIRED CANCELLED";

	for (int s = 0; s < N_STATES; s++) {
		const char *reason = order_state_release_reason((enum order_state)s);

		if (!has_word(frees, order_state_names[s])) {
			cr_expect(eq(ptr, (void *)reason, NULL), "%s", order_state_names[s]);
			cr_expect(
				eq(int, order_state_of_release(str_of(order_state_names[s])), -1));
			continue;
		}
		cr_assert(reason != NULL, "%s", order_state_names[s]);
		cr_expect(eq(str, (char *)reason, (char *)order_state_names[s]));
		cr_expect(eq(int, order_state_of_release(str_of(reason)), s));
	}
}

Test(order_states, a_reason_of_another_text_names_no_state)
{
	static const char *const texts[] = { "", "expired", "EXPIRED ", "EXPIRE", "SOLD_OUT" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		cr_expect(
			eq(int, order_state_of_release(str_of(texts[i])), -1), "\"%s\"", texts[i]);
	cr_expect(eq(int, order_state_of_release(STR_NONE), -1));
}

static enum order_state walk(enum order_state s, const enum order_state *to, size_t n, size_t *told)
{
	*told = 0;
	for (size_t i = 0; i < n; i++) {
		enum order_verdict v = order_states_judge(s, to[i]);

		if (v != ORDER_ENTER && v != ORDER_ENTER_RELEASE)
			continue;
		s = to[i];
		++*told;
	}
	return s;
}

Test(order_states, a_reorg_goes_back_to_sent_and_forward_again)
{
	static const enum order_state seen[] = { ORDER_RESERVED, ORDER_SENT, ORDER_MINED,
		ORDER_SENT, ORDER_MINED, ORDER_CONFIRMED, ORDER_SENT, ORDER_MINED, ORDER_CONFIRMED,
		ORDER_FINAL };
	size_t told;

	cr_expect(eq(int, walk(ORDER_ACCEPTED, seen, ARRAY_LEN(seen), &told), ORDER_FINAL));
	cr_expect(eq(sz, told, ARRAY_LEN(seen)));
}

Test(order_states, lost_and_repeated_outcomes_tell_each_state_once)
{
	static const enum order_state seen[] = { ORDER_RESERVED, ORDER_RESERVED, ORDER_MINED,
		ORDER_MINED, ORDER_FINAL, ORDER_CONFIRMED, ORDER_FINAL, ORDER_EXPIRED };
	size_t told;

	cr_expect(eq(int, walk(ORDER_ACCEPTED, seen, ARRAY_LEN(seen), &told), ORDER_FINAL));
	cr_expect(eq(sz, told, 3), "RESERVED MINED FINAL");
}

Test(order_states, what_was_seen_on_the_chain_is_given_up_only_by_way_of_sent)
{
	static const enum order_state direct[] = { ORDER_SENT, ORDER_MINED, ORDER_EXPIRED };
	static const enum order_state reorg[] = { ORDER_SENT, ORDER_MINED, ORDER_SENT,
		ORDER_EXPIRED };
	size_t told;

	cr_expect(eq(int, walk(ORDER_RESERVED, direct, ARRAY_LEN(direct), &told), ORDER_MINED));
	cr_expect(eq(int, walk(ORDER_RESERVED, reorg, ARRAY_LEN(reorg), &told), ORDER_EXPIRED));
}
