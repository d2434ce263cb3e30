/*
 * Time zones out of the system's zone files (TZif, RFC 8536, version 2 or later: 64-bit times).
 *
 * glibc knows one zone at a time, process-wide, through the environment; we need several and from
 * any thread. A file is read once, checked as input from outside, and kept: there are about 600
 * names. Offsets need no memory at all: a zone of that kind is an address in an empty table, and
 * its place there says how many minutes it is away from UTC.
 *
 * Not looked for: "localtime" and "posixrules", which depend on the host, and the "right/" files,
 * whose clocks count leap seconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "pricing/cel/lib_impl.h"

#define ZONE_FOLDER   "/usr/share/zoneinfo/"
#define ZONE_NAME_MAX 64
#define ZONE_FILE_MAX (64 * 1024)
#define N_BUCKETS     1024 /* more than CEL_ZONES_MAX, a power of two */

_Static_assert(CEL_ZONES_MAX < N_BUCKETS, "the hash always has an empty place");

struct zone_file {
	char name[ZONE_NAME_MAX + 1];
	uint32_t n; /* of times */
	const int64_t *times;
	const int32_t *offsets; /* from times[i] on */
	int32_t first;          /* before times[0] */
	bool has_rule;
	struct zone_rule rule; /* after times[n - 1] */
};

struct cel_zone {
	struct zone_file *file; /* NULL: one of fixed[] */
};

#define FIXED_MINUTES_MAX (23 * 60 + 59)

static const struct cel_zone fixed[2 * FIXED_MINUTES_MAX + 1];
static struct cel_zone buckets[N_BUCKETS];
static unsigned n_files;

/* Of one or two digits, below @max; -1 if it is none. */
static int offset_part(struct str s, int max)
{
	int v = 0;

	if (s.n < 1 || s.n > 2)
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		if (!str_is_digit(s.p[i]))
			return -1;
		v = v * 10 + s.p[i] - '0';
	}
	return v < max ? v : -1;
}

/* "+02:00", "-08:00", "02:00"; and "2:00", which the specification does not have and cel-go reads.
 */
static const struct cel_zone *fixed_zone(struct str s)
{
	bool is_west = s.n > 0 && s.p[0] == '-';
	bool has_sign = is_west || (s.n > 0 && s.p[0] == '+');
	const char *colon;
	int hours, minutes;

	s = (struct str){ s.p + has_sign, s.n - has_sign };
	colon = s.n ? memchr(s.p, ':', s.n) : NULL;
	if (!colon)
		return NULL;
	hours = offset_part((struct str){ s.p, (size_t)(colon - s.p) }, 24);
	minutes = offset_part((struct str){ colon + 1, s.n - (size_t)(colon - s.p) - 1 }, 60);
	if (hours < 0 || minutes < 0)
		return NULL;
	minutes += hours * 60;
	return &fixed[FIXED_MINUTES_MAX + (is_west ? -minutes : minutes)];
}

/* Letters, digits, "_+-", and single slashes between them: nothing leaves the folder. */
static bool is_name(struct str s)
{
	char before = '/';

	if (s.n == 0 || s.n > ZONE_NAME_MAX || str_eqz(s, "localtime") ||
		str_eqz(s, "posixrules") || str_starts(s, STR("right/")))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!is_letter && !str_is_digit(c) && c != '_' && c != '+' && c != '-' &&
			(c != '/' || before == '/'))
			return false;
		before = c;
	}
	return before != '/';
}

static int read_file(const char *path, unsigned char *ret, size_t cap, size_t *ret_n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t r;

	if (fd < 0)
		return -errno;
	do {
		r = read(fd, ret + n, cap - n);
		if (r > 0)
			n += (size_t)r;
	} while ((r > 0 && n < cap) || (r < 0 && errno == EINTR));
	close(fd);
	*ret_n = n;
	return r < 0 ? -EIO : n == cap ? -EFBIG : 0;
}

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be64(const unsigned char *p)
{
	return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

#define HEADER_BYTES 44

struct header { /* the counts of RFC 8536 3.1 */
	uint32_t n_isut, n_isstd, n_leap, n_times, n_types, n_chars;
};

/* Of the header at @p, with @left bytes; false if it is none, or its counts cannot be true. */
static bool read_header(const unsigned char *p, size_t left, struct header *ret)
{
	if (left < HEADER_BYTES || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
		return false;
	*ret = (struct header){ be32(p + 20), be32(p + 24), be32(p + 28), be32(p + 32),
		be32(p + 36), be32(p + 40) };
	return ret->n_isut <= 256 && ret->n_isstd <= 256 && ret->n_leap <= ZONE_FILE_MAX &&
	       ret->n_times <= ZONE_FILE_MAX && ret->n_types >= 1 && ret->n_types <= 256 &&
	       ret->n_chars <= ZONE_FILE_MAX;
}

static size_t data_bytes(const struct header *h, size_t n_time_bytes)
{
	return h->n_times * (n_time_bytes + 1) + h->n_types * 6u + h->n_chars +
	       h->n_leap * (n_time_bytes + 4) + h->n_isstd + h->n_isut;
}

/* Times, then the number of each one's type, then the types. */
static int read_times(struct zone_file *f, const unsigned char *p, const struct header *h)
{
	const unsigned char *types = p + h->n_times * 9u;
	int64_t *times = calloc(h->n_times + 1, sizeof(*times));
	int32_t *offsets = calloc(h->n_times + 1, sizeof(*offsets));
	bool is_good = times && offsets;

	f->times = times;
	f->offsets = offsets;
	f->n = h->n_times;
	f->first = (int32_t)be32(types);
	for (uint32_t i = 0; is_good && i < h->n_times; i++) {
		unsigned type = p[h->n_times * 8u + i];

		is_good = type < h->n_types;
		if (!is_good)
			break;
		times[i] = be64(p + i * 8u);
		offsets[i] = (int32_t)be32(types + type * 6u);
		is_good = i == 0 || times[i] > times[i - 1];
	}
	return is_good ? 0 : -EINVAL;
}

/* "\n<TZ text>\n"; an empty text says that there is no rule. */
static bool read_footer(struct zone_file *f, const unsigned char *p, size_t left)
{
	const unsigned char *end = left > 1 ? memchr(p + 1, '\n', left - 1) : NULL;

	if (!end || p[0] != '\n')
		return false;
	f->has_rule = end != p + 1;
	return !f->has_rule || zone_rule_parse(&f->rule,
				       (struct str){ (const char *)p + 1, (size_t)(end - p - 1) });
}

/* The old block with 32-bit times is skipped, the second one read. */
static int parse(struct zone_file *f, const unsigned char *p, size_t n)
{
	struct header h;
	size_t skip;

	if (!read_header(p, n, &h))
		return -EINVAL;
	skip = HEADER_BYTES + data_bytes(&h, 4);
	if (skip > n || !read_header(p + skip, n - skip, &h) || h.n_leap != 0)
		return -EINVAL;
	p += skip + HEADER_BYTES;
	n -= skip + HEADER_BYTES;
	if (data_bytes(&h, 8) > n)
		return -EINVAL;
	if (read_times(f, p, &h) != 0 ||
		!read_footer(f, p + data_bytes(&h, 8), n - data_bytes(&h, 8)))
		return -EINVAL;
	return 0;
}

static struct zone_file *file_free(struct zone_file *f)
{
	if (f) {
		free((void *)f->times);
		free((void *)f->offsets);
	}
	free(f);
	return NULL;
}
DEFINE_CLEANUP(struct zone_file *, file_free)

static struct zone_file *load(struct str name)
{
	CLEANUP(file_free) struct zone_file *f = calloc(1, sizeof(*f));
	unsigned char *bytes = malloc(ZONE_FILE_MAX);
	char path[sizeof(ZONE_FOLDER) + ZONE_NAME_MAX];
	size_t n = 0;
	int r = -ENOMEM;

	snprintf(path, sizeof(path), ZONE_FOLDER STR_FMT, STR_ARG(name));
	if (f && bytes) {
		r = str_copy(f->name, sizeof(f->name), name);
		if (r == 0)
			r = read_file(path, bytes, ZONE_FILE_MAX, &n);
		if (r == 0)
			r = parse(f, bytes, n);
	}
	free(bytes);
	return r == 0 ? TAKE(f) : NULL;
}

static unsigned hash(struct str name)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (unsigned char)name.p[i]) * 16777619u;
	return (h ^ h >> 15) % N_BUCKETS;
}

static const struct cel_zone *named_zone(struct str name)
{
	unsigned at = hash(name);

	for (; buckets[at].file; at = (at + 1) % N_BUCKETS)
		if (str_eqz(name, buckets[at].file->name))
			return &buckets[at];
	if (n_files == CEL_ZONES_MAX || !is_name(name))
		return NULL;
	buckets[at].file = load(name);
	if (!buckets[at].file)
		return NULL;
	n_files++;
	return &buckets[at];
}

const struct cel_zone *cel_zone_find(struct str name)
{
	const struct cel_zone *zone = fixed_zone(name);

	if (zone)
		return zone;
	/* "" is UTC in Go, and so in cel-go */
	return name.n == 0 || str_eqz(name, "UTC") ? &fixed[FIXED_MINUTES_MAX] : named_zone(name);
}

/* How many of the times are not after @seconds. */
static uint32_t n_passed(const struct zone_file *f, int64_t seconds)
{
	uint32_t low = 0, high = f->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (f->times[middle] <= seconds)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int32_t cel_zone_offset(const struct cel_zone *z, int64_t utc_seconds)
{
	const struct zone_file *f = z->file;
	uint32_t n;

	if (!f)
		return (int32_t)(z - fixed - FIXED_MINUTES_MAX) * 60;
	n = n_passed(f, utc_seconds);
	if (n == f->n && f->has_rule)
		return zone_rule_offset(&f->rule, utc_seconds);
	return n == 0 ? f->first : f->offsets[n - 1];
}
