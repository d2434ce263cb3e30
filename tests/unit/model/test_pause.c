#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>

#include "common/base/buf.h"
#include "common/model/pause.h"

static struct pauses *empty(void)
{
	struct pauses *p = NULL;

	cr_assert(zero(int, pauses_new(&p)));
	return p;
}

static bool set(struct pauses *p, const char *key)
{
	return pauses_apply(p, str_of(key), true);
}

static bool resume(struct pauses *p, const char *key)
{
	return pauses_apply(p, str_of(key), false);
}

Test(pause, nothing_is_paused_at_first)
{
	CLEANUP(pauses_free) struct pauses *p = empty();

	cr_expect(not(pauses_has(p, STR_NONE)));
	cr_expect(not(pauses_has(p, STR("azuki"))));
	cr_expect(not(pauses_has(p, STR("all"))));
	cr_expect(not(pauses_overflowed(p)));
}

Test(pause, a_collection_is_paused_by_its_slug_and_no_other)
{
	CLEANUP(pauses_free) struct pauses *p = empty();

	cr_expect(set(p, "pause/azuki"));
	cr_expect(pauses_has(p, STR("azuki")));
	cr_expect(not(pauses_has(p, STR("azuk"))));
	cr_expect(not(pauses_has(p, STR("azuki2"))));
	cr_expect(not(pauses_has(p, STR_NONE)));
	cr_expect(not(pauses_has(p, STR(""))));
	cr_expect(resume(p, "pause/azuki"));
	cr_expect(not(pauses_has(p, STR("azuki"))));
}

Test(pause, all_pauses_every_collection_and_items_without_one)
{
	CLEANUP(pauses_free) struct pauses *p = empty();

	set(p, "pause/all");
	cr_expect(pauses_has(p, STR_NONE));
	cr_expect(pauses_has(p, STR("azuki")));
	resume(p, "pause/all");
	cr_expect(not(pauses_has(p, STR_NONE)));
}

Test(pause, resuming_all_leaves_what_was_paused_by_name)
{
	CLEANUP(pauses_free) struct pauses *p = empty();

	set(p, "pause/azuki");
	set(p, "pause/all");
	resume(p, "pause/all");
	cr_expect(pauses_has(p, STR("azuki")));
	cr_expect(not(pauses_has(p, STR("doodles"))));
}

Test(pause, saying_it_twice_changes_nothing)
{
	CLEANUP(pauses_free) struct pauses *p = empty();

	set(p, "pause/a");
	set(p, "pause/a");
	resume(p, "pause/b");
	resume(p, "pause/a");
	cr_expect(not(pauses_has(p, STR("a"))));
	cr_expect(resume(p, "pause/a"));
}

Test(pause, other_keys_are_not_of_a_pause)
{
	CLEANUP(pauses_free) struct pauses *p = empty();
	char over[6 + PAUSE_SLUG_MAX + 2];

	cr_expect(not(set(p, "gallery")));
	cr_expect(not(set(p, "pause")));
	cr_expect(not(set(p, "pause/")));
	cr_expect(not(set(p, "paused/azuki")));
	cr_expect(not(set(p, "")));
	cr_expect(not(pauses_apply(p, STR_NONE, true)));
	snprintf(over, sizeof(over), "pause/%0*d", PAUSE_SLUG_MAX + 1, 7);
	cr_expect(not(set(p, over)));
	over[6 + PAUSE_SLUG_MAX] = '\0';
	cr_expect(set(p, over));
	cr_expect(not(pauses_has(p, STR_NONE)));
}

Test(pause, any_order_of_many_is_found_again)
{
	CLEANUP(pauses_free) struct pauses *p = empty();
	char key[32];

	for (unsigned i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "pause/c%u", i * 617 % 1000);
		set(p, key);
	}
	for (unsigned i = 0; i < 1000; i += 2) {
		snprintf(key, sizeof(key), "pause/c%u", i);
		resume(p, key);
	}
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "c%u", i);
		cr_assert(eq(int, pauses_has(p, str_of(key)), i % 2), "%s", key);
	}
}

static void fill(struct pauses *p)
{
	char key[32];

	for (unsigned i = 0; i < PAUSES_MAX; i++) {
		snprintf(key, sizeof(key), "pause/c%u", i);
		set(p, key);
	}
}

Test(pause, as_many_as_there_is_room_for_are_kept)
{
	CLEANUP(pauses_free) struct pauses *p = empty();

	fill(p);
	cr_expect(not(pauses_overflowed(p)));
	cr_expect(not(pauses_has(p, STR("other"))));
	set(p, "pause/c7"); /* not one more */
	set(p, "pause/all");
	resume(p, "pause/all");
	cr_expect(not(pauses_overflowed(p)));
}

Test(pause, one_more_pauses_everything_and_no_resume_ends_that)
{
	CLEANUP(pauses_free) struct pauses *p = empty();

	fill(p);
	set(p, "pause/one-more");
	cr_expect(pauses_overflowed(p));
	cr_expect(pauses_has(p, STR("other")));
	cr_expect(pauses_has(p, STR_NONE));
	resume(p, "pause/c7");
	cr_expect(pauses_has(p, STR("one-more")));
	cr_expect(pauses_overflowed(p));
}

Test(pause, the_key_of_a_pause_is_read_back)
{
	CLEANUP(pauses_free) struct pauses *p = empty();
	CLEANUP(buf_fini) struct buf key = BUF_INIT(256);

	pauses_key(&key, STR_NONE);
	cr_expect(str_eqz(buf_str(&key), "pause/all"));
	buf_clear(&key);
	pauses_key(&key, STR("azuki"));
	cr_expect(str_eqz(buf_str(&key), "pause/azuki"));
	cr_expect(pauses_apply(p, buf_str(&key), true));
	cr_expect(pauses_has(p, STR("azuki")));
}
