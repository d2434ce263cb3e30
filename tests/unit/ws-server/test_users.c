#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>

#include "ws-server/users.h"

/* Sessions are only passed on here. */
#define A ((struct session *)(void *)&marks[0])
#define B ((struct session *)(void *)&marks[1])
static char marks[2];

static size_t count(const struct users *t, const char *user, const struct session *of)
{
	const struct users_entry *e = NULL;
	size_t n = 0;

	while ((e = users_next(t, str_of(user), e)))
		n += !of || users_session(e) == of;
	return n;
}

Test(users, each_session_of_a_user_is_met_once)
{
	CLEANUP(users_free) struct users *t = NULL;
	struct users_of a, b;

	cr_assert(zero(int, users_new(&t, 1)));
	users_of_init(&a, A, 8);
	users_of_init(&b, B, 8);
	users_add(t, &a, STR("ann"));
	users_add(t, &a, STR("ann"));
	users_add(t, &b, STR("ann"));
	users_add(t, &b, STR("bob"));
	cr_expect(eq(sz, count(t, "ann", A), 1));
	cr_expect(eq(sz, count(t, "ann", B), 1));
	cr_expect(eq(sz, count(t, "bob", NULL), 1));
	cr_expect(zero(sz, count(t, "an", NULL)));
	users_of_fini(t, &b);
	cr_expect(eq(sz, count(t, "ann", NULL), 1));
	cr_expect(zero(sz, count(t, "bob", NULL)));
	users_of_fini(t, &a);
	users_of_fini(t, &a);
}

Test(users, naming_a_user_again_keeps_it_from_being_forgotten)
{
	CLEANUP(users_free) struct users *t = NULL;
	struct users_of a;

	cr_assert(zero(int, users_new(&t, 16)));
	users_of_init(&a, A, 2);
	users_add(t, &a, STR("ann"));
	users_add(t, &a, STR("bob"));
	users_add(t, &a, STR("ann"));
	users_add(t, &a, STR("cid"));
	cr_expect(eq(sz, count(t, "ann", A), 1));
	cr_expect(zero(sz, count(t, "bob", A)));
	cr_expect(eq(sz, count(t, "cid", A), 1));
	cr_expect(eq(sz, a.n, 2));
	cr_expect(eq(u64, a.n_forgotten, 1));
	users_of_fini(t, &a);
}

Test(users, more_than_were_expected_are_taken)
{
	CLEANUP(users_free) struct users *t = NULL;
	struct users_of a;
	char name[16];

	cr_assert(zero(int, users_new(&t, 16)));
	users_of_init(&a, A, 1000);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "u_%d", i);
		users_add(t, &a, str_of(name));
	}
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "u_%d", i);
		cr_assert(eq(sz, count(t, name, A), 1));
	}
	users_of_fini(t, &a);
	cr_expect(zero(sz, count(t, "u_0", NULL)));
}

Test(users, session_that_never_connected_has_none)
{
	CLEANUP(users_free) struct users *t = NULL;
	struct users_of a = { 0 };

	cr_assert(zero(int, users_new(&t, 16)));
	users_of_fini(t, &a);
	cr_expect(zero(sz, a.n));
}
