#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>

#include "common/base/cleanup.h"
#include "common/model/version.h"

#define MAX_64 "18446744073709551615"

static struct version version(const char *text)
{
	struct version v = { { 0 } };

	cr_assert(zero(int, version_parse(&v, str_of(text))), "%s", text);
	return v;
}

Test(version, parts_are_compared_as_numbers)
{
	static const char *const ascending[] = { "0", "0.0.0.1", "1", "7.0.0.1", "7.1", "9", "9.2",
		"9.10", "10", "12.91", MAX_64, MAX_64 ".0.0." MAX_64,
		MAX_64 "." MAX_64 "." MAX_64 "." MAX_64 };

	for (size_t i = 0; i < ARRAY_LEN(ascending); i++) {
		for (size_t k = 0; k < ARRAY_LEN(ascending); k++) {
			int want = (i > k) - (i < k);

			cr_expect(eq(int, version_cmp(version(ascending[i]), version(ascending[k])),
					  want),
				"%s and %s", ascending[i], ascending[k]);
		}
	}
}

Test(version, a_missing_part_is_zero)
{
	cr_expect(zero(int, version_cmp(version("7"), version("7.0"))));
	cr_expect(zero(int, version_cmp(version("7"), version("7.0.0.0"))));
	cr_expect(zero(int, version_cmp(version("0"), version("0.0"))));
}

Test(version, malformed_text_is_refused_and_leaves_the_result_alone)
{
	static const char *const bad[] = { "", ".", "1.", ".1", "1..2", "1.2.3.4.5", "1.2.3.4.",
		"01", "1.00", "-1", "+1", " 1", "1 ", "1a", "v1", "1,2", "0x1" };
	struct version v = { { 4, 3, 2, 1 } };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_expect(eq(int, version_parse(&v, str_of(bad[i])), -EINVAL), "%s", bad[i]);
	cr_expect(eq(int, version_parse(&v, STR_NONE), -EINVAL));
	cr_expect(eq(u64, v.part[0], 4));
}

Test(version, a_part_over_64_bits_is_out_of_range)
{
	struct version v;

	cr_expect(eq(int, version_parse(&v, STR("18446744073709551616")), -ERANGE));
	cr_expect(eq(int, version_parse(&v, STR("1.99999999999999999999999")), -ERANGE));
}

Test(version, written_form_has_no_trailing_zero_parts)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "0", "0" },
		{ "0.0.0.0", "0" },
		{ "7.0", "7" },
		{ "7.0.0.1", "7.0.0.1" },
		{ "0.1.0", "0.1" },
		{ "12.91", "12.91" },
	};
	char text[VERSION_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect(
			eq(sz, version_format(text, version(rows[i].text)), strlen(rows[i].want)));
		cr_expect(eq(str, text, (char *)rows[i].want));
	}
}

Test(version, the_longest_written_form_fits)
{
	char text[VERSION_TEXT_MAX];
	const char *longest = MAX_64 "." MAX_64 "." MAX_64 "." MAX_64;

	cr_expect(eq(sz, version_format(text, version(longest)), VERSION_STORED_LEN));
	cr_expect(eq(str, text, (char *)longest));
}

Test(version, stored_form_is_four_padded_parts)
{
	char text[VERSION_TEXT_MAX];

	cr_expect(eq(sz, version_format_stored(text, version("12.91")), VERSION_STORED_LEN));
	cr_expect(eq(str, text,
		"00000000000000000012.00000000000000000091."
		"00000000000000000000.00000000000000000000"));
}

Test(version, byte_order_of_the_stored_form_is_version_order)
{
	static const char *const ascending[] = { "0", "0.1", "9", "10", "10.0.0.9", "10.0.0.10",
		"10.1", MAX_64 };

	for (size_t i = 1; i < ARRAY_LEN(ascending); i++) {
		char a[VERSION_TEXT_MAX], b[VERSION_TEXT_MAX];

		version_format_stored(a, version(ascending[i - 1]));
		version_format_stored(b, version(ascending[i]));
		cr_expect(lt(int, memcmp(a, b, VERSION_STORED_LEN), 0), "%s and %s",
			ascending[i - 1], ascending[i]);
	}
}

Test(version, stored_form_survives_and_back)
{
	static const char *const texts[] = { "0", "12.91", "1.2.3.4",
		MAX_64 "." MAX_64 "." MAX_64 "." MAX_64 };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct version v;
		char text[VERSION_TEXT_MAX];

		version_format_stored(text, version(texts[i]));
		cr_assert(zero(int, version_parse_stored(&v, str_of(text))));
		cr_expect(zero(int, version_cmp(v, version(texts[i]))));
	}
}

Test(version, anything_else_is_not_a_stored_form)
{
	char text[VERSION_TEXT_MAX];
	struct version v;

	cr_expect(eq(int, version_parse_stored(&v, STR("12.91")), -EINVAL));
	cr_expect(eq(int, version_parse_stored(&v, STR_NONE), -EINVAL));
	version_format_stored(text, version("1.2.3.4"));
	cr_expect(eq(int, version_parse_stored(&v, (struct str){ text, VERSION_STORED_LEN - 1 }),
		-EINVAL));
	text[20] = '0';
	cr_expect(
		eq(int, version_parse_stored(&v, str_of(text)), -EINVAL), "a separator is missing");
	version_format_stored(text, version("1.2.3.4"));
	text[3] = ' ';
	cr_expect(eq(int, version_parse_stored(&v, str_of(text)), -EINVAL), "padded with a space");
	version_format_stored(text, version(MAX_64));
	text[19] = '6';
	cr_expect(eq(int, version_parse_stored(&v, str_of(text)), -EINVAL), "2^64");
}
