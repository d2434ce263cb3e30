/* The v8 vectors are those of docs/protocol/ids.md, computed apart from this code. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/model/ids.h"

#define NOW_MS 1795334400123

static void expect_v8(const char *want, const struct str *parts, size_t n_parts)
{
	struct id id;

	cr_assert(zero(int, id_v8(&id, parts, n_parts)));
	cr_expect(eq(str, id.text, (char *)want));
}

Test(ids, v8_of_no_parts_is_the_hash_of_nothing)
{
	expect_v8("e3b0c442-98fc-8c14-9afb-f4c8996fb924", NULL, 0);
}

Test(ids, an_interest_keeps_its_vector)
{
	struct id id;

	cr_assert(zero(int, id_for_interest(&id, STR("u_42"), STR("ev-1"))));
	cr_expect(eq(str, id.text, "8610bf72-e558-8145-a5d5-dfc802276d14"));
}

Test(ids, an_offer_keeps_its_vector)
{
	struct id interest, offer;

	cr_assert(zero(int, id_for_interest(&interest, STR("u_42"), STR("ev-1"))));
	cr_assert(zero(int, id_for_offer(&offer, id_str(&interest))));
	cr_expect(eq(str, offer.text, "3ce2d8ab-f97f-8e0b-9e5e-99f79e994a66"));
}

Test(ids, an_order_differs_from_an_interest_of_the_same_ids)
{
	struct id id;

	cr_assert(zero(int, id_for_order(&id, STR("u_42"), STR("ev-1"))));
	cr_expect(eq(str, id.text, "33b54ff6-a7b9-8d0c-9161-fbb7bb6527e1"));
}

Test(ids, moving_a_byte_between_parts_makes_another_id)
{
	struct id id;

	cr_assert(zero(int, id_for_interest(&id, STR("u_4"), STR("2ev-1"))));
	cr_expect(eq(str, id.text, "82b10b2b-43d1-8670-98dc-30163459708d"));
}

Test(ids, parts_are_bytes_and_lengths_count_bytes)
{
	struct str parts[] = { STR("souk-interest"), STR("j\xc3\xb3zef"), STR("\xc5\x82/\"x\"") };

	expect_v8("4454287b-e1ae-81d2-8481-0c40d6ffacf7", parts, ARRAY_LEN(parts));
}

Test(ids, the_longest_user_and_client_id_fit)
{
	char user[128], client_id[128];
	struct id id;

	memset(user, 'u', sizeof(user));
	memset(client_id, 'c', sizeof(client_id));
	cr_assert(zero(
		int, id_for_order(&id, (struct str){ user, 128 }, (struct str){ client_id, 128 })));
	cr_expect(eq(str, id.text, "672f9a09-04cd-8154-b683-0b43753782d6"));
}

Test(ids, parts_over_the_input_limit_are_refused)
{
	char bytes[ID_V8_INPUT_MAX];
	struct id id;

	memset(bytes, 'x', sizeof(bytes));
	cr_expect(zero(int, id_v8(&id, &(struct str){ bytes, ID_V8_INPUT_MAX - 4 }, 1)));
	cr_expect(eq(int, id_v8(&id, &(struct str){ bytes, ID_V8_INPUT_MAX - 3 }, 1), -EINVAL));
	cr_expect(eq(int, id_v8(&id, &(struct str){ bytes, SIZE_MAX }, 1), -EINVAL));
	cr_expect(eq(int,
		id_v8(&id, (struct str[]){ { bytes, ID_V8_INPUT_MAX - 6 }, { bytes, 0 } }, 2),
		-EINVAL));
}

/* Time and counter are the first 18 characters; after them only the variant is fixed. */
static void expect_v7(struct id id, const char *want)
{
	cr_expect(eq(sz, strlen(id.text), 36));
	cr_expect(zero(int, strncmp(id.text, want, 18)), "%s, not %s", id.text, want);
	cr_expect(eq(chr, id.text[18], '-'));
	cr_expect(gt(sz, strspn(id.text + 19, "89ab"), 0), "%s", id.text);
	cr_expect(eq(chr, id.text[23], '-'));
	cr_expect(eq(sz, strspn(id.text + 24, "0123456789abcdef"), 12));
}

Test(ids, v7_has_the_time_then_the_count)
{
	struct id id;

	cr_assert(zero(int, id_v7(&id, NOW_MS)));
	expect_v7(id, "01a20244-e87b-7000");
	cr_assert(zero(int, id_v7(&id, NOW_MS)));
	expect_v7(id, "01a20244-e87b-7001");
	cr_assert(zero(int, id_v7(&id, NOW_MS + 1)));
	expect_v7(id, "01a20244-e87c-7000");
}

Test(ids, v7_carries_into_the_next_millisecond_when_the_count_is_used_up)
{
	struct id id;

	for (int i = 0; i < 4096; i++)
		cr_assert(zero(int, id_v7(&id, NOW_MS)));
	expect_v7(id, "01a20244-e87b-7fff");
	cr_assert(zero(int, id_v7(&id, NOW_MS)));
	expect_v7(id, "01a20244-e87c-7000");
	cr_assert(zero(int, id_v7(&id, NOW_MS + 1)));
	expect_v7(id, "01a20244-e87c-7001");
}

Test(ids, v7_order_survives_a_clock_that_goes_back)
{
	struct id before, after;

	cr_assert(zero(int, id_v7(&before, NOW_MS)));
	cr_assert(zero(int, id_v7(&after, NOW_MS - 60000)));
	cr_expect(gt(str, after.text, before.text));
	expect_v7(after, "01a20244-e87b-7001");
}

Test(ids, v7_reaches_both_ends_of_48_bits)
{
	struct id id;

	cr_assert(zero(int, id_v7(&id, 0)));
	expect_v7(id, "00000000-0000-7001"); /* the count starts above the zero that no id has */
	cr_assert(zero(int, id_v7(&id, (INT64_C(1) << 48) - 1)));
	expect_v7(id, "ffffffff-ffff-7000");
}

Test(ids, v7_of_one_tick_differ_by_their_random_bits)
{
	struct id a, b;

	cr_assert(zero(int, id_v7(&a, NOW_MS)));
	cr_assert(zero(int, id_v7(&b, NOW_MS)));
	cr_expect(ne(str, a.text + 19, b.text + 19));
}

#define N_PER_THREAD 2000

static void *make_ids(void *arg)
{
	struct id *ids = arg;

	for (int i = 0; i < N_PER_THREAD; i++) {
		if (id_v7(&ids[i], NOW_MS) < 0)
			return arg;
	}
	return NULL;
}

static int by_text(const void *a, const void *b)
{
	return strncmp(a, b, 18);
}

Test(ids, v7_ticks_are_unique_across_threads)
{
	static struct id ids[2 * N_PER_THREAD];
	pthread_t other;
	void *failed;

	cr_assert(zero(int, pthread_create(&other, NULL, make_ids, ids + N_PER_THREAD)));
	cr_assert(eq(ptr, make_ids(ids), NULL));
	cr_assert(zero(int, pthread_join(other, &failed)));
	cr_assert(eq(ptr, failed, NULL));
	qsort(ids, ARRAY_LEN(ids), sizeof(ids[0]), by_text);
	for (size_t i = 1; i < ARRAY_LEN(ids); i++)
		cr_assert(lt(int, by_text(&ids[i - 1], &ids[i]), 0), "%s twice", ids[i].text);
}
