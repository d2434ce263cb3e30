#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/base/fault.h"

Test(fault, set_returns_the_code_and_fills_all)
{
	struct fault f = { 0 };

	cr_expect(eq(int, fault_set(&f, FAULT_RETRY, -ETIMEDOUT, "after %d ms", 5), -ETIMEDOUT));
	cr_expect(eq(int, f.kind, FAULT_RETRY));
	cr_expect(eq(int, f.code, -ETIMEDOUT));
	cr_expect(eq(str, f.text, "after 5 ms"));
}

Test(fault, null_is_accepted)
{
	cr_expect(eq(int, fault_set(NULL, FAULT_FATAL, -EIO, "%s", "x"), -EIO));
}

Test(fault, text_may_wrap_itself)
{
	struct fault f = { .text = "inner" };

	fault_set(&f, FAULT_REJECT, 1, "outer: %s", f.text);
	cr_expect(eq(str, f.text, "outer: inner"));
}

Test(fault, long_text_is_cut)
{
	struct fault f = { 0 };

	fault_set(&f, FAULT_REJECT, 1, "%0300d", 0);
	cr_expect(eq(sz, strlen(f.text), sizeof(f.text) - 1));
}
