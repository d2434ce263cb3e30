/* The run's memory of its events: nothing acknowledged may be forgotten silently. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>

#include "souk/demo/tracker.h"

static struct str id_of(uint64_t k)
{
	static char text[4][40];
	static int at;
	char *t = text[at++ % 4];

	snprintf(t, 40, "%08x-0000-8000-8000-%012llx", (unsigned)(k * 2654435761u),
		(unsigned long long)k);
	return str_of(t);
}

Test(tracker, an_event_is_complete_when_acked_decided_and_heard_in_any_order)
{
	CLEANUP(tracker_free) struct tracker *t = NULL;

	cr_assert(zero(int, tracker_new(&t)));
	tracker_sent(t, 7, id_of(7), 1234);
	cr_expect(eq(i64, tracker_mark(t, 7, TRACKED_HEARD), 1234));
	cr_expect(eq(u64, tracker_open(t), 0), "not acknowledged: nobody was promised anything");
	cr_expect(eq(i64, tracker_mark(t, 7, TRACKED_ACKED), 1234));
	cr_expect(eq(u64, tracker_open(t), 1));
	cr_expect(eq(i64, tracker_mark_id(t, id_of(7), TRACKED_DECIDED), 1234));
	cr_expect(eq(u64, tracker_open(t), 0));
	cr_expect(eq(u64, tracker_counts(t)->complete, 1));
}

Test(tracker, a_second_answer_is_counted_and_gives_no_time)
{
	CLEANUP(tracker_free) struct tracker *t = NULL;

	cr_assert(zero(int, tracker_new(&t)));
	tracker_sent(t, 1, id_of(1), 5);
	cr_expect(eq(i64, tracker_mark(t, 1, TRACKED_HEARD), 5));
	cr_expect(eq(i64, tracker_mark(t, 1, TRACKED_HEARD), -1));
	cr_expect(eq(u64, tracker_counts(t)->heard_twice, 1));
	cr_expect(eq(u64, tracker_counts(t)->heard, 1));
}

Test(tracker, a_place_taken_from_an_open_event_is_an_overrun)
{
	CLEANUP(tracker_free) struct tracker *t = NULL;

	cr_assert(zero(int, tracker_new(&t)));
	tracker_sent(t, 3, id_of(3), 1);
	tracker_mark(t, 3, TRACKED_ACKED);
	tracker_sent(t, 3 + TRACKER_MAX, id_of(3 + TRACKER_MAX), 2);
	cr_expect(eq(u64, tracker_counts(t)->overrun, 1));
	cr_expect(eq(i64, tracker_mark(t, 3, TRACKED_HEARD), -1), "the old event is gone");
	cr_expect(eq(i64, tracker_mark_id(t, id_of(3), TRACKED_DECIDED), -1));
	cr_expect(eq(i64, tracker_mark_id(t, id_of(3 + TRACKER_MAX), TRACKED_DECIDED), 2));
}

Test(tracker, a_complete_event_leaves_its_place_without_complaint)
{
	CLEANUP(tracker_free) struct tracker *t = NULL;

	cr_assert(zero(int, tracker_new(&t)));
	tracker_sent(t, 3, id_of(3), 1);
	tracker_mark(t, 3, TRACKED_ACKED);
	tracker_mark(t, 3, TRACKED_DECIDED);
	tracker_mark(t, 3, TRACKED_HEARD);
	tracker_sent(t, 3 + TRACKER_MAX, id_of(4), 2);
	cr_expect(eq(u64, tracker_counts(t)->overrun, 0));
}

Test(tracker, unknown_and_malformed_ids_are_not_found)
{
	CLEANUP(tracker_free) struct tracker *t = NULL;

	cr_assert(zero(int, tracker_new(&t)));
	tracker_sent(t, 1, id_of(1), 5);
	cr_expect(eq(i64, tracker_mark_id(t, id_of(2), TRACKED_DECIDED), -1));
	cr_expect(eq(i64, tracker_mark_id(t, STR("x"), TRACKED_DECIDED), -1));
	cr_expect(eq(i64,
		tracker_mark_id(t, STR("zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz"), TRACKED_DECIDED),
		-1));
}

Test(tracker, an_example_names_what_is_missing)
{
	CLEANUP(tracker_free) struct tracker *t = NULL;
	unsigned marks = 0;

	cr_assert(zero(int, tracker_new(&t)));
	cr_expect(eq(u64, tracker_example(t, &marks), UINT64_MAX));
	tracker_sent(t, 9, id_of(9), 5);
	tracker_mark(t, 9, TRACKED_ACKED);
	tracker_mark(t, 9, TRACKED_DECIDED);
	cr_expect(eq(u64, tracker_example(t, &marks), 9));
	cr_expect(eq(u32, marks, TRACKED_ACKED | TRACKED_DECIDED));
}

Test(tracker, an_event_whose_session_ended_needs_its_decision_only)
{
	CLEANUP(tracker_free) struct tracker *t = NULL;

	cr_assert(zero(int, tracker_new(&t)));
	tracker_sent(t, 1, id_of(1), 5);
	tracker_mark(t, 1, TRACKED_ACKED);
	tracker_mark(t, 1, TRACKED_LOST);
	cr_expect(eq(u64, tracker_open(t), 1));
	tracker_mark_id(t, id_of(1), TRACKED_DECIDED);
	cr_expect(eq(u64, tracker_open(t), 0));
	cr_expect(eq(u64, tracker_counts(t)->lost, 1));
}

Test(tracker, an_event_that_was_never_acknowledged_is_not_lost)
{
	CLEANUP(tracker_free) struct tracker *t = NULL;

	cr_assert(zero(int, tracker_new(&t)));
	tracker_sent(t, 1, id_of(1), 5);
	tracker_mark(t, 1, TRACKED_LOST);
	cr_expect(eq(u64, tracker_counts(t)->lost, 0));
	cr_expect(eq(u64, tracker_counts(t)->cut, 1));
	cr_expect(eq(u64, tracker_open(t), 0));
}

Test(tracker, marks_can_be_asked_for)
{
	CLEANUP(tracker_free) struct tracker *t = NULL;

	cr_assert(zero(int, tracker_new(&t)));
	tracker_sent(t, 1, id_of(1), 5);
	cr_expect(not(tracker_is(t, 1, TRACKED_HEARD)));
	tracker_mark(t, 1, TRACKED_HEARD);
	cr_expect(tracker_is(t, 1, TRACKED_HEARD));
	cr_expect(
		not(tracker_is(t, 1 + TRACKER_MAX, TRACKED_HEARD)), "another event of that place");
}
