#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/model/ledger.h"

Test(ledger, executors_report_all_states_but_those_of_the_bridge)
{
	cr_expect(not(outcome_state_is(ORDER_ACCEPTED)));
	cr_expect(not(outcome_state_is(ORDER_RESERVED)));
	cr_expect(not(outcome_state_is(ORDER_REJECTED)));
	for (int s = ORDER_SENT; s <= ORDER_HELD; s++)
		cr_expect(outcome_state_is(s), "%s", order_state_names[s]);
	for (int s = ORDER_REVERTED; s <= ORDER_CANCELLED; s++)
		cr_expect(outcome_state_is(s), "%s", order_state_names[s]);
}

Test(ledger, nothing_follows_an_end)
{
	for (int s = 0; order_state_names[s]; s++)
		cr_expect(eq(int, outcome_state_is_last(s),
				  s == ORDER_FINAL || s == ORDER_REVERTED || s == ORDER_EXPIRED ||
					  s == ORDER_CANCELLED),
			"%s", order_state_names[s]);
}

Test(ledger, an_unreadable_outcome_still_tells_its_shard_and_epoch)
{
	CLEANUP(arena_free) struct arena *a = NULL;
	struct outcome_record o;
	struct fault f = { 0 };

	cr_assert(zero(int, arena_new(&a, 1024)));
	cr_expect(eq(int,
		decode(&outcome_record_type, &o,
			STR("{\"type\":\"outcome\",\"shard\":3,\"epoch\":77,\"state\":\"LOST\"}"),
			a, &f),
		DECODE_E_SHAPE));
	cr_expect(eq(i64, o.shard, 3));
	cr_expect(eq(i64, o.epoch, 77));
	cr_expect(not(str_is_set(o.order)));
}
