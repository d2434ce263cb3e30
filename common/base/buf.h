#pragma once

/*
 * A growable byte buffer with a maximum. Writing past the maximum (or out of memory) sets `failed`
 * and drops the bytes, so that a chain of appends is checked once at its end.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"

struct buf {
	char *p;
	size_t n;   /* bytes in use */
	size_t cap; /* bytes allocated */
	size_t max;
	bool failed;
};

#define BUF_INIT(max_) ((struct buf){ .max = (max_) })

void buf_fini(struct buf *b); /* accepts a zeroed buffer; leaves it empty and usable */
static inline void buf_finip(struct buf *b)
{
	buf_fini(b);
} /* CLEANUP(buf_fini) struct buf b = BUF_INIT(4096); */

void buf_clear(struct buf *b); /* keeps the memory, clears `failed` */
void buf_put(struct buf *b, const void *p, size_t n);
void buf_puts(struct buf *b, struct str s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Borrows until the next write. */
static inline struct str buf_str(const struct buf *b)
{
	return (struct str){ b->p ? b->p : "", b->n };
}
