/*
 * Asked for each event and hardly ever changed, and mostly empty: a sorted array, searched by
 * halves. A pause that cannot be kept, for its number or for want of memory, must still act.
 */
#include "common/model/pause.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/buf.h"

#define PREFIX "pause/"
#define ALL    "all"

struct pauses {
	bool is_all, is_over;
	size_t n;
	struct str slug[PAUSES_MAX]; /* rising; owned */
};

int pauses_new(struct pauses **ret)
{
	struct pauses *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	*ret = p;
	return 0;
}

struct pauses *pauses_free(struct pauses *p)
{
	if (!p)
		return NULL;
	for (size_t i = 0; i < p->n; i++)
		free((char *)p->slug[i].p);
	free(p);
	return NULL;
}

/* Where @slug is or would be. */
static size_t place(const struct pauses *p, struct str slug, bool *ret_is_there)
{
	size_t lo = 0, hi = p->n;

	*ret_is_there = false;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = str_cmp(p->slug[mid], slug);

		if (order == 0) {
			*ret_is_there = true;
			return mid;
		}
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void pause_slug(struct pauses *p, struct str slug)
{
	bool is_there;
	size_t at = place(p, slug, &is_there);
	char *copy;

	if (is_there)
		return;
	copy = p->n < PAUSES_MAX ? malloc(slug.n) : NULL;
	if (!copy) {
		p->is_over = true;
		return;
	}
	memcpy(copy, slug.p, slug.n);
	memmove(&p->slug[at + 1], &p->slug[at], (p->n - at) * sizeof(p->slug[0]));
	p->slug[at] = (struct str){ copy, slug.n };
	p->n++;
}

static void resume_slug(struct pauses *p, struct str slug)
{
	bool is_there;
	size_t at = place(p, slug, &is_there);

	if (!is_there)
		return;
	free((char *)p->slug[at].p);
	p->n--;
	memmove(&p->slug[at], &p->slug[at + 1], (p->n - at) * sizeof(p->slug[0]));
}

bool pauses_apply(struct pauses *p, struct str key, bool is_set)
{
	struct str slug;

	if (!str_starts(key, STR(PREFIX)))
		return false;
	slug = (struct str){ key.p + strlen(PREFIX), key.n - strlen(PREFIX) };
	if (slug.n == 0 || slug.n > PAUSE_SLUG_MAX)
		return false; /* no collection has such a slug */
	if (str_eqz(slug, ALL))
		p->is_all = is_set;
	else if (is_set)
		pause_slug(p, slug);
	else
		resume_slug(p, slug);
	return true;
}

bool pauses_has(const struct pauses *p, struct str collection)
{
	bool is_there = false;

	if (p->is_all || p->is_over)
		return true;
	if (p->n && collection.n)
		(void)place(p, collection, &is_there);
	return is_there;
}

bool pauses_overflowed(const struct pauses *p)
{
	return p->is_over;
}

void pauses_key(struct buf *out, struct str collection)
{
	buf_puts(out, STR(PREFIX));
	buf_puts(out, str_is_set(collection) ? collection : STR(ALL));
}

/* ---- the value ---- */

static const struct field pause_fields[] = {
	{ "since", FIELD_TIME, FIELD_REQUIRED, offsetof(struct pause_record, since), 0, NULL },
	{ "by", FIELD_STR, 0, offsetof(struct pause_record, by), 128, NULL },
	{ "note", FIELD_STR, 0, offsetof(struct pause_record, note), PAUSE_NOTE_MAX, NULL },
};

const struct record_type pause_record_type = {
	.name = "pause",
	.fields = pause_fields,
	.n_fields = ARRAY_LEN(pause_fields),
	.size = sizeof(struct pause_record),
};

void pause_record_json(struct json_out *j, const struct pause_record *p)
{
	json_begin(j, NULL);
	json_i64(j, "since", p->since);
	json_str_opt(j, "by", p->by);
	json_str_opt(j, "note", p->note);
	json_end(j);
}
