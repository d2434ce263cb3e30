/* What shoppers do with their offers: the same for the same seed, and all kinds of it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

#include "souk/demo/order_plan.h"

#define MANY 120000

Test(order_plan, the_same_seed_and_event_give_the_same_plan)
{
	for (uint64_t k = 0; k < 1000; k++) {
		struct order_plan a = order_plan(7, k, 3), b = order_plan(7, k, 3);

		cr_expect(eq(int, a.orders, b.orders));
		cr_expect(eq(i64, a.hesitate_ms, b.hesitate_ms));
		cr_expect(eq(int, a.misuse, b.misuse));
		cr_expect(eq(int, a.twice, b.twice));
		cr_expect(eq(int, a.leaves, b.leaves));
	}
}

Test(order_plan, another_seed_orders_other_things)
{
	int same = 0, n = 0;

	for (uint64_t k = 0; k < 1200; k++) {
		n += order_plan(1, k, 12).orders;
		same += order_plan(1, k, 12).orders && order_plan(2, k, 12).orders;
	}
	cr_expect(gt(int, n, 0));
	cr_expect(lt(int, same, n / 2));
}

Test(order_plan, a_share_of_zero_orders_nothing_and_of_one_everything)
{
	for (uint64_t k = 0; k < 1000; k++) {
		cr_expect(not(order_plan(1, k, 0).orders));
		cr_expect(order_plan(1, k, 1).orders);
	}
}

Test(order_plan, one_offer_in_twelve_is_ordered)
{
	int n = 0;

	for (uint64_t k = 0; k < MANY; k++)
		n += order_plan(1, k, 12).orders;
	cr_expect(gt(int, n, MANY / 12 * 95 / 100));
	cr_expect(lt(int, n, MANY / 12 * 105 / 100));
}

Test(order_plan, every_kind_of_shopper_is_among_a_few_hundred_orders)
{
	int at_once = 0, later = 0, late = 0, first = 0, stubborn = 0, twice = 0, leaves = 0;
	int misuse[MISUSE_OTHER_BODY + 1] = { 0 };

	for (uint64_t k = 0; k < 400; k++) {
		struct order_plan p = order_plan(1, k, 1);

		at_once += p.hesitate_ms == 0;
		later += p.hesitate_ms >= 300 && p.hesitate_ms < 7300;
		late += p.hesitate_ms == ORDER_PLAN_LATE_MS;
		first += p.first_quote;
		stubborn += p.stubborn;
		twice += p.twice;
		leaves += p.leaves;
		misuse[p.misuse]++;
	}
	cr_expect(eq(int, at_once + later + late, 400));
	cr_expect(gt(int, at_once, 150));
	cr_expect(gt(int, later, 150));
	cr_expect(gt(int, late, 0));
	cr_expect(gt(int, first, 80));
	cr_expect(gt(int, stubborn, 80));
	cr_expect(gt(int, twice, 20));
	cr_expect(gt(int, leaves, 15));
	for (int m = MISUSE_TAMPER; m <= MISUSE_OTHER_BODY; m++)
		cr_expect(gt(int, misuse[m], 0));
	cr_expect(gt(int, misuse[MISUSE_NONE], 300), "most are honest");
}
