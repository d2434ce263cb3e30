#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>

#include "pricing/keyed.h"

static void put(struct keyed *k, const char *key, int value)
{
	int *v = keyed_put(k, str_of(key));

	cr_assert(v != NULL);
	*v = value;
}

static int get(struct keyed *k, const char *key)
{
	int *v = keyed_get(k, str_of(key));

	return v ? *v : -1;
}

Test(keyed, finds_what_was_put_and_nothing_else)
{
	CLEANUP(keyed_free) struct keyed *k = NULL;

	cr_assert(zero(int, keyed_new(&k, 8, sizeof(int))));
	put(k, "a", 1);
	put(k, "", 2);
	cr_expect(eq(int, get(k, "a"), 1));
	cr_expect(eq(int, get(k, ""), 2));
	cr_expect(eq(int, get(k, "b"), -1));
	put(k, "a", 3);
	cr_expect(eq(int, get(k, "a"), 3));
	cr_expect(eq(sz, keyed_count(k), 2));
}

Test(keyed, when_full_the_one_put_longest_ago_goes_and_is_counted)
{
	CLEANUP(keyed_free) struct keyed *k = NULL;

	cr_assert(zero(int, keyed_new(&k, 2, sizeof(int))));
	put(k, "a", 1);
	put(k, "b", 2);
	put(k, "a", 1); /* renews it */
	put(k, "c", 3);
	cr_expect(eq(int, get(k, "b"), -1));
	cr_expect(eq(int, get(k, "a"), 1));
	cr_expect(eq(u64, keyed_evicted(k), 1));
}

Test(keyed, values_do_not_move_while_others_come_and_go)
{
	CLEANUP(keyed_free) struct keyed *k = NULL;
	char key[16];
	int *first;

	cr_assert(zero(int, keyed_new(&k, 500, sizeof(int))));
	first = keyed_put(k, STR("first"));
	*first = 7;
	for (int i = 0; i < 499; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		put(k, key, i);
	}
	cr_expect(eq(ptr, keyed_get(k, STR("first")), first));
	for (int i = 0; i < 499; i += 2) {
		snprintf(key, sizeof(key), "k%d", i);
		keyed_remove(k, str_of(key));
	}
	cr_expect(eq(int, *first, 7));
	cr_expect(eq(sz, keyed_count(k), 250));
	cr_expect(eq(int, get(k, "k1"), 1));
	cr_expect(eq(int, get(k, "k2"), -1));
}

Test(keyed, oldest_is_the_order_of_last_put)
{
	CLEANUP(keyed_free) struct keyed *k = NULL;
	struct str key;

	cr_assert(zero(int, keyed_new(&k, 4, sizeof(int))));
	cr_expect(eq(ptr, keyed_oldest(k, NULL), NULL));
	put(k, "a", 1);
	put(k, "b", 2);
	put(k, "a", 1);
	cr_expect(ne(ptr, keyed_oldest(k, &key), NULL));
	cr_expect(str_eqz(key, "b"));
	keyed_clear(k);
	cr_expect(eq(sz, keyed_count(k), 0));
}
