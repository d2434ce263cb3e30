/*
 * Places are a ring by event number; a chained hash over the first 8 bytes of the interest id finds
 * them from a decision. All memory is taken at the start.
 */
#include "souk/demo/tracker.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/crypto.h"

#define BUCKETS (TRACKER_MAX * 2)
#define NONE    UINT32_MAX

struct place {
	uint64_t k;
	uint64_t id[2];
	int64_t intended_us;
	uint32_t next; /* in the bucket */
	uint8_t marks;
	bool used;
};

struct tracker {
	struct place *places;
	uint32_t *buckets;
	struct tracker_counts counts;
};

int tracker_new(struct tracker **ret)
{
	CLEANUP(tracker_free) struct tracker *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->places = calloc(TRACKER_MAX, sizeof(*t->places));
	t->buckets = malloc(BUCKETS * sizeof(*t->buckets));
	if (!t->places || !t->buckets)
		return -ENOMEM;
	memset(t->buckets, 0xff, BUCKETS * sizeof(*t->buckets));
	*ret = TAKE(t);
	return 0;
}

struct tracker *tracker_free(struct tracker *t)
{
	if (t) {
		free(t->places);
		free(t->buckets);
		free(t);
	}
	return NULL;
}

/* The 16 bytes of a UUID text. */
static bool id_bytes(struct str text, uint64_t ret[2])
{
	char hex[32];
	size_t n = 0;

	if (text.n != 36)
		return false;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != '-' && n < sizeof(hex))
			hex[n++] = text.p[i];
	return n == sizeof(hex) && hex_decode(ret, 16, (struct str){ hex, n }) == 0;
}

static uint32_t *bucket(struct tracker *t, const uint64_t id[2])
{
	return &t->buckets[(id[0] ^ id[1]) % BUCKETS];
}

static void unlink_place(struct tracker *t, uint32_t i)
{
	uint32_t *at = bucket(t, t->places[i].id);

	while (*at != i)
		at = &t->places[*at].next;
	*at = t->places[i].next;
	t->places[i].used = false;
}

static bool is_open(const struct place *p)
{
	return p->used && (p->marks & TRACKED_ACKED) &&
	       !((p->marks & TRACKED_DECIDED) && (p->marks & (TRACKED_HEARD | TRACKED_LOST)));
}

void tracker_sent(struct tracker *t, uint64_t k, struct str interest, int64_t intended_us)
{
	const uint32_t i = (uint32_t)(k % TRACKER_MAX);
	struct place *p = &t->places[i];

	if (p->used) {
		t->counts.overrun += is_open(p);
		unlink_place(t, i);
	}
	*p = (struct place){ .k = k, .intended_us = intended_us };
	if (!id_bytes(interest, p->id))
		return;
	p->used = true;
	p->next = *bucket(t, p->id);
	*bucket(t, p->id) = i;
	t->counts.sent++;
}

static int64_t mark(struct tracker *t, uint32_t i, enum tracker_mark m)
{
	struct place *p = &t->places[i];
	const uint8_t all = TRACKED_ACKED | TRACKED_DECIDED | TRACKED_HEARD;

	if (p->marks & m) {
		t->counts.heard_twice += m == TRACKED_HEARD;
		return -1;
	}
	p->marks |= (uint8_t)m;
	t->counts.acked += m == TRACKED_ACKED;
	t->counts.decided += m == TRACKED_DECIDED;
	t->counts.heard += m == TRACKED_HEARD;
	t->counts.refused += m == TRACKED_REFUSED;
	t->counts.lost += m == TRACKED_LOST && (p->marks & TRACKED_ACKED);
	t->counts.cut += m == TRACKED_LOST && !(p->marks & TRACKED_ACKED);
	if ((p->marks & all) == all)
		t->counts.complete++;
	return p->intended_us;
}

int64_t tracker_mark(struct tracker *t, uint64_t k, enum tracker_mark m)
{
	const uint32_t i = (uint32_t)(k % TRACKER_MAX);

	return t->places[i].used && t->places[i].k == k ? mark(t, i, m) : -1;
}

int64_t tracker_mark_id(struct tracker *t, struct str interest, enum tracker_mark m)
{
	uint64_t id[2];

	if (!id_bytes(interest, id))
		return -1;
	for (uint32_t i = *bucket(t, id); i != NONE; i = t->places[i].next)
		if (t->places[i].id[0] == id[0] && t->places[i].id[1] == id[1])
			return mark(t, i, m);
	return -1;
}

bool tracker_is(const struct tracker *t, uint64_t k, enum tracker_mark m)
{
	const struct place *p = &t->places[k % TRACKER_MAX];

	return p->used && p->k == k && (p->marks & m);
}

const struct tracker_counts *tracker_counts(const struct tracker *t)
{
	return &t->counts;
}

uint64_t tracker_open(const struct tracker *t)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < TRACKER_MAX; i++)
		n += is_open(&t->places[i]);
	return n;
}

uint64_t tracker_example(const struct tracker *t, unsigned *ret_marks)
{
	for (uint32_t i = 0; i < TRACKER_MAX; i++) {
		if (is_open(&t->places[i])) {
			*ret_marks = t->places[i].marks;
			return t->places[i].k;
		}
	}
	return UINT64_MAX;
}
