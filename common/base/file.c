/*
 * Reads to the end instead of trusting the size: secrets often come from a pipe or a mounted volume
 * that reports none.
 */
#include "common/base/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"

static int failed(struct fault *f, const char *path, int code)
{
	return fault_set(f, FAULT_FATAL, code, "%s: %s", path, strerror(-code));
}

static int read_all(int fd, size_t max, struct buf *b)
{
	char block[4096];

	for (;;) {
		ssize_t n = read(fd, block, sizeof(block));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		if ((size_t)n > max - b->n)
			return -EFBIG;
		buf_put(b, block, (size_t)n);
	}
	buf_putc(b, '\0');
	return b->failed ? -ENOMEM : 0;
}

int file_read(const char *path, size_t max, char **ret, size_t *ret_n, struct fault *f)
{
	CLEANUP(buf_fini) struct buf b = BUF_INIT(max < SIZE_MAX ? max + 1 : max);
	int fd, r;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return failed(f, path, -errno);
	r = read_all(fd, max, &b);
	close(fd);
	if (r == -EFBIG)
		return fault_set(f, FAULT_FATAL, r, "%s: longer than %zu bytes", path, max);
	if (r < 0)
		return failed(f, path, r);
	if (ret_n)
		*ret_n = b.n - 1;
	*ret = TAKE(b.p);
	return 0;
}
