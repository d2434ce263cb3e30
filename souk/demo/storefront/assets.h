#pragma once

/* The files of souk/demo/web, put into the binary by tools/embed.c. */
#include <stddef.h>

struct asset {
	const char *path; /* "/js/shop.js" */
	const unsigned char *p;
	size_t n;
};

extern const struct asset assets[];
extern const size_t n_assets;
