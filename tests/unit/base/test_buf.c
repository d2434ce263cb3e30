#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/base/buf.h"

static bool holds(const struct buf *b, const char *text)
{
	return str_eqz(buf_str(b), text);
}

Test(buf, appends_in_order)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(4096);

	buf_puts(&b, STR("a"));
	buf_putc(&b, 'b');
	buf_printf(&b, "%d-%s", 42, "x");
	buf_put(&b, "", 0);
	cr_expect(holds(&b, "ab42-x"));
	cr_expect(not(b.failed));
}

Test(buf, empty_buffer_is_a_set_empty_text)
{
	struct buf b = BUF_INIT(1);

	cr_expect(str_is_set(buf_str(&b)));
	cr_expect(zero(sz, buf_str(&b).n));
	buf_fini(&b);
}

Test(buf, maximum_can_be_reached_but_not_passed)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(4);

	buf_printf(&b, "%s", "abcd");
	cr_expect(not(b.failed));
	buf_putc(&b, 'e');
	cr_expect(b.failed);
	cr_expect(holds(&b, "abcd"));
}

Test(buf, nothing_is_appended_after_a_failure_until_cleared)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(4);

	buf_puts(&b, STR("ab"));
	buf_puts(&b, STR("cde"));
	buf_putc(&b, 'x');
	cr_expect(b.failed);
	cr_expect(holds(&b, "ab"));
	buf_clear(&b);
	buf_printf(&b, "%d", 7);
	cr_expect(holds(&b, "7"));
	cr_expect(not(b.failed));
}

Test(buf, grows_through_many_appends)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(100000);

	for (int i = 0; i < 10000; i++)
		buf_printf(&b, "%05d", i);
	cr_assert(not(b.failed));
	cr_assert(eq(sz, b.n, 50000));
	cr_expect(zero(int, memcmp(b.p + 49995, "09999", 5)));
	cr_expect(le(sz, b.cap, b.max));
}

Test(buf, size_overflow_fails)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(SIZE_MAX);

	buf_putc(&b, 'a');
	buf_put(&b, "", SIZE_MAX); /* never read: refused before */
	cr_expect(b.failed);
	cr_expect(eq(sz, b.n, 1));
}

Test(buf, fini_leaves_it_usable)
{
	struct buf b = BUF_INIT(8);

	buf_puts(&b, STR("abc"));
	buf_fini(&b);
	cr_expect(zero(sz, b.n));
	buf_puts(&b, STR("d"));
	cr_expect(holds(&b, "d"));
	buf_fini(&b);
	buf_fini(&b);
}
