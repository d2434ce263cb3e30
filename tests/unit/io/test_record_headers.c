#include <errno.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/io/record_headers.h"

#define NOW INT64_C(1795527781123)

static void expect_header(
	const struct record_headers *h, size_t i, const char *name, const char *value)
{
	cr_assert(lt(sz, i, h->n));
	cr_expect(str_eqz(h->v[i].name, name), "%zu is not %s", i, name);
	cr_expect(str_eqz(h->v[i].value, value), "%s is " STR_FMT, name, STR_ARG(h->v[i].value));
}

Test(record_headers, cloud_event_is_the_whole_binary_mode_set)
{
	struct record_headers h = { 0 };
	char id[] = "i-1:7.1";

	cr_assert(zero(int, record_headers_cloud_event(&h, str_of(id), STR("souk.nft.offers.v1"),
				    "pricing", "one", NOW)));
	id[0] = 'x'; /* it was copied */
	cr_expect(eq(sz, h.n, 6));
	expect_header(&h, 0, "ce_specversion", "1.0");
	expect_header(&h, 1, "ce_id", "i-1:7.1");
	expect_header(&h, 2, "ce_type", "souk.nft.offers.v1");
	expect_header(&h, 3, "ce_source", "/souk/pricing/one");
	expect_header(&h, 4, "ce_time", "2026-11-24T13:43:01.123Z");
	expect_header(&h, 5, "content-type", "application/json");
}

Test(record_headers, source_without_an_instance_is_the_role)
{
	struct record_headers h = { 0 };

	cr_assert(zero(
		int, record_headers_cloud_event(&h, STR("a"), STR("souk.t"), "demo", NULL, NOW)));
	expect_header(&h, 3, "ce_source", "/souk/demo");
}

Test(record_headers, what_does_not_fit_puts_nothing)
{
	struct record_headers h = { 0 };
	char longest[RECORD_ID_MAX];

	memset(longest, 'a', sizeof(longest));
	const struct str fits = { longest, sizeof(longest) - 1 };
	const struct str too_long = { longest, sizeof(longest) };

	cr_expect(eq(int, record_headers_cloud_event(&h, too_long, STR("t"), "demo", NULL, NOW),
		-ENAMETOOLONG));
	longest[sizeof(longest) - 1] = '\0';
	cr_expect(eq(int, record_headers_cloud_event(&h, STR("a"), STR("t"), "demo", longest, NOW),
		-ENAMETOOLONG));
	cr_expect(eq(int, record_headers_cloud_event(&h, STR("a"), STR("t"), "demo", NULL, -1),
		-ERANGE));
	cr_expect(zero(sz, h.n));
	cr_expect(zero(int, record_headers_cloud_event(&h, fits, STR("t"), "demo", NULL, NOW)));
	cr_expect(eq(sz, h.v[1].value.n, sizeof(longest) - 1));
}

Test(record_headers, absent_value_is_left_out_and_an_empty_one_is_not)
{
	struct record_headers h = { 0 };

	record_headers_put(&h, "absent", STR_NONE);
	record_headers_put(&h, "empty", STR(""));
	cr_expect(eq(sz, h.n, 1));
	expect_header(&h, 0, "empty", "");
}

Test(record_headers, copied_ones_leave_room_for_ours)
{
	struct bus_header theirs[BUS_HEADERS_MAX];
	struct bus_record r = { .headers = theirs };
	struct record_headers h = { 0 };

	for (size_t i = 0; i < BUS_HEADERS_MAX; i++)
		theirs[i] = (struct bus_header){ STR("theirs"), STR("v") };
	r.n_headers = BUS_HEADERS_MAX - 2;
	cr_expect(zero(sz, record_headers_copy(&h, &r, 2)));
	cr_expect(eq(sz, h.n, BUS_HEADERS_MAX - 2));
	h.n = 0;
	r.n_headers = BUS_HEADERS_MAX;
	cr_expect(eq(sz, record_headers_copy(&h, &r, 2), 2));
	record_headers_put(&h, "first", STR("1"));
	record_headers_put(&h, "second", STR("2"));
	cr_expect(eq(sz, h.n, BUS_HEADERS_MAX));
	expect_header(&h, BUS_HEADERS_MAX - 3, "theirs", "v");
	expect_header(&h, BUS_HEADERS_MAX - 1, "second", "2");
	h.n = 0;
	r = (struct bus_record){ 0 };
	cr_expect(zero(sz, record_headers_copy(&h, &r, 2)));
	cr_expect(zero(sz, h.n));
}
