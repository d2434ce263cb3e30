#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/base/config.h"

static char path[64];

static void setup(void)
{
	snprintf(path, sizeof(path), "/tmp/souk-file-XXXXXX");
	close(mkstemp(path));
}

static void teardown(void)
{
	unlink(path);
}

TestSuite(file, .init = setup, .fini = teardown);

static void put(const void *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	cr_assert(eq(sz, (size_t)write(fd, p, n), n));
	close(fd);
}

Test(file, whole_content_comes_with_a_nul_behind_it)
{
	struct fault f = { 0 };
	char *text = NULL;
	size_t n = 0;

	put("a\0b\n", 4);
	cr_assert(zero(int, file_read(path, 4, &text, &n, &f)));
	cr_expect(eq(sz, n, 4));
	cr_expect(zero(int, memcmp(text, "a\0b\n", 5)));
	free(text);
}

Test(file, empty_file_is_an_empty_text)
{
	char *text = NULL;

	cr_assert(zero(int, file_read(path, 0, &text, NULL, NULL)));
	cr_expect(eq(str, text, ""));
	free(text);
}

Test(file, longer_than_allowed_is_refused)
{
	struct fault f = { 0 };
	char *text = NULL;

	put("abcde", 5);
	cr_expect(eq(int, file_read(path, 4, &text, NULL, &f), -EFBIG));
	cr_expect(zero(ptr, text));
	cr_expect(ne(ptr, strstr(f.text, ": longer than 4 bytes"), NULL), "%s", f.text);
}

Test(file, larger_than_one_block_is_read_whole)
{
	char *in = malloc(100001), *text = NULL;
	size_t n = 0;

	for (int i = 0; i < 100001; i++)
		in[i] = (char)i;
	put(in, 100001);
	cr_assert(zero(int, file_read(path, SIZE_MAX, &text, &n, NULL)));
	cr_assert(eq(sz, n, 100001));
	cr_expect(zero(int, memcmp(in, text, n)));
	free(in);
	free(text);
}

Test(file, missing_file_and_folder_give_their_errno)
{
	struct fault f = { 0 };
	char *text = NULL;

	cr_expect(eq(int, file_read("/nonexistent/x", 9, &text, NULL, &f), -ENOENT));
	cr_expect(eq(int, f.kind, FAULT_FATAL));
	cr_expect(eq(str, f.text, "/nonexistent/x: No such file or directory"));
	cr_expect(eq(int, file_read("/tmp", 9, &text, NULL, &f), -EISDIR));
}
