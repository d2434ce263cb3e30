/*
 * Once an append failed, all later ones are dropped too: a document with a hole in it must not look
 * like a shorter document.
 */
#include "common/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define CAP_FIRST 256

void buf_fini(struct buf *b)
{
	free(b->p);
	*b = BUF_INIT(b->max);
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	b->failed = false;
}

/* Room for @n more bytes, and one beyond `cap` for the NUL of vsnprintf(). */
static bool reserve(struct buf *b, size_t n)
{
	size_t cap;
	char *p;

	if (b->failed)
		return false;
	if (n > b->max || b->n > b->max - n) {
		b->failed = true;
		return false;
	}
	if (b->p && n <= b->cap - b->n)
		return true;

	cap = b->cap > b->max / 2 ? b->max : b->cap * 2;
	if (cap < b->n + n)
		cap = b->n + n;
	if (cap < CAP_FIRST)
		cap = CAP_FIRST < b->max ? CAP_FIRST : b->max;
	p = cap < SIZE_MAX ? realloc(b->p, cap + 1) : NULL;
	if (!p) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

void buf_put(struct buf *b, const void *p, size_t n)
{
	if (n == 0 || !reserve(b, n))
		return;
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

void buf_puts(struct buf *b, struct str s)
{
	buf_put(b, s.p, s.n);
}

void buf_putc(struct buf *b, char c)
{
	buf_put(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
		return;
	}
	if (!reserve(b, (size_t)n))
		return;
	va_start(ap, fmt);
	vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
}
