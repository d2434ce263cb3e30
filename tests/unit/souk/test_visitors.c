/* Who may walk in, and under which name. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/io/sim/loop_sim.h"
#include "souk/demo/feeder.h"
#include "souk/demo/storefront/visitors.h"

#define NOW_MS  1795000000000
#define ETH(n)  ((u128)(n)*1000000000000000000ull)
#define N_USERS 64
#define N_FED   40 /* the rest has no rows */

static struct schedule_user users[N_USERS];
static struct schedule schedule = { .users = users, .n_users = N_USERS };
static struct loop *loop;
static struct visitors *visitors;
static char secret[] = "/tmp/souk-visitors-XXXXXX";

static void setup(void)
{
	const int fd = mkstemp(secret);

	cr_assert(fd >= 0 && write(fd, "0123456789abcdef0123456789abcdef", 32) == 32);
	close(fd);
	for (unsigned i = 0; i < N_USERS; i++) {
		snprintf(users[i].address, sizeof(users[i].address), "0x%040x", i * 7919);
		users[i].spent_before = i % 4 == 1   ? ETH(1)
					: i % 4 == 2 ? ETH(30)
						     : 0; /* silver, platinum, none: no gold */
	}
	cr_assert(zero(int, loop_sim_new(&loop, NOW_MS)));
	cr_assert(zero(int, visitors_new(&visitors, loop, &schedule,
				    &(struct visitors_config){ .ws_url = "ws://x/v1/ws",
					    .secret_file = secret,
					    .n_users = N_FED,
					    .speed = 1440 })));
}

static void teardown(void)
{
	visitors_free(visitors);
	loop_free(loop);
	unlink(secret);
}

TestSuite(visitors, .init = setup, .fini = teardown);

static json_t *ask(const char *query, int want)
{
	CLEANUP(buf_fini) struct buf body = BUF_INIT(1 << 16);
	const int status = visitors_answer(visitors, query ? str_of(query) : STR_NONE, &body);
	json_t *j = json_loadb(body.p, body.n, 0, NULL);

	cr_expect(eq(int, status, want), "%s", query ? query : "");
	cr_assert(j != NULL);
	cr_expect(eq(int, json_object_get(j, "error") != NULL, want != 200));
	return j;
}

static const char *text(const json_t *j, const char *key)
{
	const char *t = json_string_value(json_object_get(j, key));

	return t ? t : "";
}

Test(visitors, whoever_says_nothing_is_a_newcomer_with_a_name_of_their_own)
{
	json_auto_t *a = ask(NULL, 200), *b = ask("as=newcomer", 200);

	cr_expect(strncmp(text(a, "user"), "visitor-", 8) == 0);
	cr_expect(ne(str, (char *)text(a, "user"), (char *)text(b, "user")));
	cr_expect(eq(str, (char *)text(a, "as"), "newcomer"));
	cr_expect(eq(str, (char *)text(a, "ws"), "ws://x/v1/ws"));
	cr_expect(strlen(text(a, "token")) > 40);
	cr_expect(eq(i64, json_integer_value(json_object_get(a, "now")), NOW_MS));
	cr_expect(json_integer_value(json_object_get(a, "expires")) > NOW_MS);
}

Test(visitors, a_member_is_a_bidder_of_that_tier_whom_the_tables_know)
{
	for (int i = 0; i < 50; i++) {
		json_auto_t *j = ask("as=platinum", 200);
		uint32_t u = 0;

		while (u < N_USERS && strcmp(users[u].address, text(j, "user")) != 0)
			u++;
		cr_assert(u < N_FED);
		cr_expect(eq(u32, u % 4, 2));
		cr_expect(feeder_allows_pricing(&users[u]));
		cr_expect(eq(str, (char *)text(j, "as"), "platinum"));
	}
}

Test(visitors, a_name_that_was_given_gets_another_token)
{
	json_auto_t *first = ask("as=silver", 200);
	char query[128];

	snprintf(query, sizeof(query), "user=%s", text(first, "user"));
	json_auto_t *again = ask(query, 200);

	cr_expect(eq(str, (char *)text(again, "user"), (char *)text(first, "user")));
	cr_expect(eq(str, (char *)text(again, "as"), "silver"));
	json_auto_t *newcomer = ask("user=visitor-0123456789ab", 200);

	cr_expect(eq(str, (char *)text(newcomer, "as"), "newcomer"));
}

Test(visitors, others_are_refused)
{
	static const struct {
		const char *query;
		int status;
	} cases[] = {
		{ "as=emperor", 400 },
		{ "as=none", 400 },
		{ "as=%zz", 400 },
		{ "as=a-tier-with-a-very-long-name", 400 },
		{ "as=gold", 404 }, /* nobody of the data */
		{ "user=u_42", 404 },
		{ "user=visitor-0123456789aB", 404 },
		{ "user=visitor-0123", 404 },
		{ "user=", 404 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_auto_t *j = ask(cases[i].query, cases[i].status);

		cr_expect(json_object_get(j, "token") == NULL);
	}
	char query[128];

	snprintf(query, sizeof(query), "user=%s", users[N_FED].address);
	json_auto_t *unknown = ask(query, 404);

	cr_expect(json_object_get(unknown, "token") == NULL);
}

Test(visitors, without_the_secret_no_one_walks_in)
{
	unlink(secret);
	json_auto_t *j = ask(NULL, 503);

	cr_expect(json_object_get(j, "token") == NULL);
}
