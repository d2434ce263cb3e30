#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/io/bus.h"

struct vector {
	const char *bytes;
	size_t n;
	int32_t of_24, of_7;
};

/* Printed by org.apache.kafka.common.utils.Utils of kafka-clients 3.9.2: toPositive(murmur2(bytes))
 * % n. */
static const struct vector JAVA[] = {
	{ "", 0, 9, 2 }, { "4", 1, 1, 6 }, { "34", 2, 18, 6 }, { "234", 3, 2, 4 },
	{ "1234", 4, 12, 0 }, { "kafka", 5, 4, 3 }, { "giberish123456789", 17, 20, 5 },
	{ "PreAmbleWillBeRemoved,ThePrePartThatIs", 38, 20, 1 }, { "u_7d1f", 6, 17, 3 },
	{ "ethereum:boredapeyachtclub", 26, 10, 1 }, { "\xc3\xa9t\xc3\xa9\xe2\x82\xac", 8, 17, 3 },
	{ "\xff\x80\x00\xfe\x81", 5, 16, 2 }, /* bytes that are negative in Java */
};

Test(bus, partition_of_a_key_is_javas)
{
	for (size_t i = 0; i < ARRAY_LEN(JAVA); i++) {
		struct str key = { JAVA[i].bytes, JAVA[i].n };

		cr_expect(eq(i32, bus_partition_of(key, 24), JAVA[i].of_24), "vector %zu", i);
		cr_expect(eq(i32, bus_partition_of(key, 7), JAVA[i].of_7), "vector %zu", i);
		cr_expect(zero(i32, bus_partition_of(key, 1)));
	}
}

Test(bus, absent_key_hashes_like_an_empty_one)
{
	cr_expect(eq(i32, bus_partition_of(STR_NONE, 24), 9));
}

Test(bus, last_header_of_a_name_wins)
{
	const struct bus_header headers[] = { { STR("a"), STR("1") }, { STR("b"), STR("2") },
		{ STR("a"), STR("3") } };
	struct bus_record r = { .headers = headers, .n_headers = 3 };

	cr_expect(str_eq(bus_header(&r, "a"), STR("3")));
	cr_expect(str_eq(bus_header(&r, "b"), STR("2")));
	cr_expect(not(str_is_set(bus_header(&r, "ab"))));
	cr_expect(not(str_is_set(bus_header(&(struct bus_record){ 0 }, "a"))));
}
