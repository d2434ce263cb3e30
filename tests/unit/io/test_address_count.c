#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#include "common/io/address_count.h"

static struct address address(const char *text)
{
	struct sockaddr_storage s = { 0 };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&s;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&s;

	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
		v4->sin_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
		v6->sin6_family = AF_INET6;
	return address_of(&s);
}

static bool same(const char *a, const char *b)
{
	struct address x = address(a), y = address(b);

	return x.word[0] == y.word[0] && x.word[1] == y.word[1];
}

Test(address_count, an_ipv6_client_is_its_64)
{
	cr_expect(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
	cr_expect(not(same("2001:db8:1:2::1", "2001:db8:1:3::1")));
}

Test(address_count, an_ipv4_client_is_the_same_through_either_socket)
{
	cr_expect(same("192.0.2.7", "::ffff:192.0.2.7"));
	cr_expect(not(same("192.0.2.7", "192.0.2.8")));
	cr_expect(not(same("192.0.2.7", "::192.0.2.7")));
}

Test(address_count, counts_up_and_down)
{
	CLEANUP(address_count_free) struct address_count *c = NULL;
	struct address a = address("192.0.2.1"), b = address("2001:db8::1");

	cr_assert(zero(int, address_count_new(&c, 2)));
	cr_expect(zero(sz, address_count_get(c, a)));
	cr_assert(zero(int, address_count_add(c, a)));
	cr_assert(zero(int, address_count_add(c, a)));
	cr_assert(zero(int, address_count_add(c, b)));
	cr_expect(eq(sz, address_count_get(c, a), 2));
	address_count_remove(c, a);
	cr_expect(eq(sz, address_count_get(c, a), 1));
	address_count_remove(c, a);
	cr_expect(zero(sz, address_count_get(c, a)));
	cr_expect(eq(sz, address_count_get(c, b), 1));
}

Test(address_count, full_refuses_a_new_address_but_not_a_known_one)
{
	CLEANUP(address_count_free) struct address_count *c = NULL;

	cr_assert(zero(int, address_count_new(&c, 1)));
	cr_assert(zero(int, address_count_add(c, address("192.0.2.1"))));
	cr_expect(eq(int, address_count_add(c, address("192.0.2.2")), -ENOSPC));
	cr_expect(zero(int, address_count_add(c, address("192.0.2.1"))));
}

/* Against an array: long chains, holes in them, wrapping around. */
Test(address_count, a_long_come_and_go_loses_nobody)
{
	CLEANUP(address_count_free) struct address_count *c = NULL;
	enum { N = 300 };
	size_t counts[N] = { 0 };
	uint32_t random = 1;

	cr_assert(zero(int, address_count_new(&c, N)));
	for (int step = 0; step < 50000; step++) {
		struct address a = { { 0, 0 } };
		size_t i;

		random = random * 1664525u + 1013904223u;
		i = (random >> 8) % N;
		a.word[1] = i;
		if (random >> 31 && counts[i] > 0) {
			address_count_remove(c, a);
			counts[i]--;
		} else if (counts[i] < 3) {
			cr_assert(zero(int, address_count_add(c, a)));
			counts[i]++;
		}
		cr_assert(eq(sz, address_count_get(c, a), counts[i]));
	}
	for (size_t i = 0; i < N; i++) {
		struct address a = { { 0, i } };

		cr_expect(eq(sz, address_count_get(c, a), counts[i]));
	}
}
