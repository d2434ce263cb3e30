#include <stdio.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "ws-server/shown.h"

static struct shown_key key(const char *user, const char *offer)
{
	struct shown_key k;

	cr_assert(zero(int, shown_key(&k, str_of(user), str_of(offer))));
	return k;
}

static bool raise(struct shown *s, struct shown_key k, uint64_t epoch, uint64_t n, int64_t until_ms)
{
	return shown_raise(s, &k, (struct version){ { epoch, n } }, until_ms, 1000);
}

Test(shown, only_a_higher_revision_is_new)
{
	struct shown s;
	struct shown_key k = key("u", "o");

	shown_init(&s, 8);
	cr_expect(raise(&s, k, 7, 1, 2000));
	cr_expect(not(raise(&s, k, 7, 1, 2000)), "the same");
	cr_expect(raise(&s, k, 7, 3, 2000));
	cr_expect(not(raise(&s, k, 7, 2, 2000)));
	cr_expect(not(raise(&s, k, 6, 9, 2000)), "of a former owner");
	cr_expect(raise(&s, k, 8, 1, 2000), "a new owner begins at 1");
	shown_fini(&s);
}

Test(shown, has_says_whether_anything_was_shown)
{
	struct shown s;
	struct shown_key k = key("u", "o"), other = key("u", "o2");

	shown_init(&s, 8);
	cr_expect(not(shown_has(&s, &k)), "an empty table");
	cr_expect(raise(&s, k, 7, 1, 2000));
	cr_expect(shown_has(&s, &k));
	cr_expect(not(shown_has(&s, &other)));
	shown_fini(&s);
}

Test(shown, offers_of_two_users_are_two)
{
	struct shown s;

	shown_init(&s, 8);
	cr_expect(raise(&s, key("a", "bo"), 1, 1, 2000));
	cr_expect(raise(&s, key("ab", "o"), 1, 1, 2000), "the parts of a key do not run together");
	cr_expect(raise(&s, key("a", "o"), 1, 1, 2000));
	shown_fini(&s);
}

Test(shown, full_table_forgets_what_was_raised_longest_ago)
{
	struct shown s;

	shown_init(&s, 4);
	for (int i = 0; i < 4; i++) {
		char offer[2] = { (char)('a' + i), 0 };

		cr_assert(raise(&s, key("u", offer), 1, 1, 5000));
	}
	cr_assert(raise(&s, key("u", "a"), 1, 2, 5000), "younger than all now");
	cr_expect(raise(&s, key("u", "e"), 1, 1, 9000));
	cr_expect(eq(u64, s.n_forgotten, 1));
	cr_expect(eq(sz, (size_t)s.n, 4));
	cr_expect(not(raise(&s, key("u", "a"), 1, 2, 5000)), "still known");
	cr_expect(not(raise(&s, key("u", "c"), 1, 1, 5000)), "still known");
	cr_expect(raise(&s, key("u", "b"), 1, 1, 5000), "forgotten");
	shown_fini(&s);
}

Test(shown, every_one_of_many_is_found_and_the_table_is_bounded)
{
	enum { MAX = 5000 }; /* no power of two */
	struct shown s;
	char offer[16];

	shown_init(&s, MAX);
	for (int i = 0; i < MAX + 1000; i++) {
		snprintf(offer, sizeof(offer), "of-%d", i);
		cr_assert(raise(&s, key("u", offer), 1, 1, 5000));
	}
	cr_expect(eq(u64, s.n_forgotten, 1000));
	cr_expect(eq(sz, (size_t)s.n, MAX));
	cr_expect(eq(sz, (size_t)s.cap, MAX));
	for (int i = 1000; i < MAX + 1000; i++) {
		snprintf(offer, sizeof(offer), "of-%d", i);
		cr_assert(not(raise(&s, key("u", offer), 1, 1, 5000)), "%s", offer);
	}
	for (int i = 0; i < 1000; i++) {
		snprintf(offer, sizeof(offer), "of-%d", i);
		cr_assert(raise(&s, key("u", offer), 1, 1, 5000), "%s", offer);
	}
	shown_fini(&s);
}

Test(shown, places_of_entries_that_went_are_used_again)
{
	struct shown s;
	char offer[16];

	shown_init(&s, 64);
	for (int i = 0; i < 1000; i++) {
		struct version rev = { { 1, 1 } };

		snprintf(offer, sizeof(offer), "of-%d", i);
		struct shown_key k = key("u", offer);

		cr_assert(shown_raise(&s, &k, rev, 100 * i + 250, 100 * i));
		cr_assert(not(shown_raise(&s, &k, rev, 100 * i + 250, 100 * i)));
	}
	cr_expect(zero(u64, s.n_forgotten));
	cr_expect(eq(sz, (size_t)s.n, 3), "of the last 250 ms");
	cr_expect(eq(sz, (size_t)s.cap, 4));
	shown_fini(&s);
}

Test(shown, entries_whose_time_is_over_make_room)
{
	struct shown s;

	shown_init(&s, 4);
	for (int i = 0; i < 4; i++) {
		char offer[2] = { (char)('a' + i), 0 };

		cr_assert(raise(&s, key("u", offer), 1, 1, 999));
	}
	cr_expect(raise(&s, key("u", "e"), 1, 1, 9000));
	cr_expect(zero(u64, s.n_forgotten));
	cr_expect(eq(sz, (size_t)s.n, 1));
	shown_fini(&s);
}

Test(shown, id_too_long_for_a_key_is_refused)
{
	struct shown_key k;
	char text[256];

	memset(text, 'x', sizeof(text));
	cr_expect(lt(int, shown_key(&k, (struct str){ text, 256 }, STR("o")), 0));
	cr_expect(zero(int, shown_key(&k, (struct str){ text, 255 }, (struct str){ text, 255 })));
}
