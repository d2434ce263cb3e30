/*
 * A scrape is taken whole or not at all: samples go to `incoming` first, and only when the text has
 * been read are differences formed. So a restart is known before the first difference, and a text
 * that breaks off changes nothing.
 *
 * Look-ups are scans: some hundred samples of a role against some ten columns of a family, once a
 * second.
 */
#include "souk/demo/storefront/ops_store.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "souk/demo/storefront/ops_store_internal.h"
#include "souk/demo/storefront/ops_text.h"

#define START_SLACK_S 2 /* the kernel's idea of the boot time moves when the clock is set */

const double ops_quantiles[3] = { 0.5, 0.9, 0.99 };
const char *const ops_quantile_names[3] = { "p50", "p90", "p99" };

/* ---- columns ---- */

/* NULL: no room. */
static struct ops_column *column_get(
	struct ops_store *s, const struct ops_family *f, size_t role, struct str label)
{
	struct ops_column *c;

	for (size_t i = 0; i < s->n_columns; i++) {
		c = s->column[i];
		if (c->family == f && str_eqz(label, c->label))
			return c;
	}
	if (s->n_columns == OPS_COLUMNS_MAX || label.n >= OPS_LABEL_MAX ||
		memchr(label.p, '\0', label.n) || !(c = calloc(1, sizeof(*c)))) {
		s->dropped++;
		return NULL;
	}
	c->family = f;
	c->role = role;
	memcpy(c->label, label.p, label.n);
	c->value = NAN;
	for (size_t i = 0; i < OPS_ROWS; i++)
		c->row[i] = NAN;
	s->column[s->n_columns++] = c;
	return c;
}

static int histogram_add_family(struct ops_store *s, const struct ops_family *f, size_t role)
{
	struct ops_histogram *h = &s->histogram[s->n_histograms];

	assert(s->n_histograms < OPS_HISTOGRAMS_MAX);
	h->family = f;
	h->role = role;
	for (size_t i = 0; i < ARRAY_LEN(ops_quantiles); i++) {
		h->quantile[i] = column_get(s, f, role, str_of(ops_quantile_names[i]));
		if (!h->quantile[i])
			return -ENOMEM;
	}
	s->n_histograms++;
	return 0;
}

int ops_store_new(struct ops_store **ret, const char *const *roles, size_t n_roles)
{
	CLEANUP(ops_store_free) struct ops_store *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	if (n_roles > OPS_ROLES_MAX)
		return -EINVAL;
	s->n_roles = n_roles;
	for (size_t r = 0; r < n_roles; r++) {
		s->role[r].name = roles[r];
		if (!column_get(s, ops_family("up"), r, str_of(roles[r])))
			return -ENOMEM;
		for (size_t i = 0; i < ops_n_families; i++) {
			const struct ops_family *f = &ops_families[i];

			if (f->kind == OPS_LATENCY && strcmp(f->role, roles[r]) == 0 &&
				histogram_add_family(s, f, r))
				return -ENOMEM;
		}
	}
	*ret = TAKE(s);
	return 0;
}

struct ops_store *ops_store_free(struct ops_store *s)
{
	for (size_t i = 0; s && i < s->n_columns; i++)
		free(s->column[i]);
	free(s);
	return NULL;
}

/* ---- a scrape ---- */

struct scrape {
	struct ops_store *store;
	size_t role;
	double start_s;
	size_t n_samples;
};

static void take_bucket(struct ops_histogram *h, const struct ops_sample *sample)
{
	const struct str le = ops_sample_label(sample, "le");
	char text[32], *end = text;
	double bound = NAN;

	if (str_is_set(le) && str_copy(text, sizeof(text), le) == 0)
		bound = strtod(text, &end);
	if (end == text || *end || !ops_buckets_add(&h->incoming, bound, sample->value))
		h->is_bad = true;
}

static bool is_bucket_of(struct str name, const char *metric)
{
	const struct str base = str_of(metric), suffix = STR("_bucket");

	return name.n == base.n + suffix.n && str_starts(name, base) &&
	       memcmp(name.p + base.n, suffix.p, suffix.n) == 0;
}

static void take_number(
	struct scrape *x, const struct ops_family *f, const struct ops_sample *sample)
{
	struct ops_store *s = x->store;
	const struct str label = !f->role   ? str_of(s->role[x->role].name)
				 : f->label ? ops_sample_label(sample, f->label)
					    : STR("all");
	struct ops_column *c;

	if (!str_is_set(label) || !isfinite(sample->value) ||
		(f->kind == OPS_RATE && sample->value < 0))
		return;
	c = column_get(s, f, x->role, label);
	if (!c)
		return;
	c->incoming = sample->value;
	c->has_incoming = true;
}

static void on_sample(void *ctx, const struct ops_sample *sample)
{
	struct scrape *x = ctx;
	struct ops_store *s = x->store;

	x->n_samples++;
	if (str_eq(sample->name, STR("process_start_time_seconds")) && isfinite(sample->value))
		x->start_s = sample->value;
	for (size_t i = 0; i < s->n_histograms; i++)
		if (s->histogram[i].role == x->role &&
			is_bucket_of(sample->name, s->histogram[i].family->metric))
			take_bucket(&s->histogram[i], sample);
	for (size_t i = 0; i < ops_n_families; i++) {
		const struct ops_family *f = &ops_families[i];

		if (f->metric && f->kind != OPS_LATENCY && str_eqz(sample->name, f->metric) &&
			(!f->role || strcmp(f->role, s->role[x->role].name) == 0))
			take_number(x, f, sample);
	}
}

static void begin_scrape(struct ops_store *s, size_t role)
{
	for (size_t i = 0; i < s->n_columns; i++)
		if (s->column[i]->role == role)
			s->column[i]->has_incoming = false;
	for (size_t i = 0; i < s->n_histograms; i++)
		if (s->histogram[i].role == role) {
			s->histogram[i].incoming.n = 0;
			s->histogram[i].is_bad = false;
		}
}

static bool is_usable(const struct ops_histogram *h)
{
	return !h->is_bad && ops_buckets_is_whole(&h->incoming);
}

/* Whether the process began from zero since the last scrape. */
static bool is_reset(const struct ops_store *s, const struct scrape *x)
{
	const struct ops_role *r = &s->role[x->role];

	if (!r->was_scraped)
		return false;
	if (x->start_s > 0 && r->start_s > 0 && fabs(x->start_s - r->start_s) > START_SLACK_S)
		return true;
	for (size_t i = 0; i < s->n_columns; i++) {
		const struct ops_column *c = s->column[i];

		if (c->role == x->role && c->family->kind == OPS_RATE && c->has_incoming &&
			c->incoming < c->raw)
			return true;
	}
	for (size_t i = 0; i < s->n_histograms; i++) {
		const struct ops_histogram *h = &s->histogram[i];
		const struct ops_buckets *last = &h->latency.last;

		if (h->role == x->role && is_usable(h) && last->n == h->incoming.n)
			for (size_t k = 0; k < last->n; k++)
				if (h->incoming.count[k] < last->count[k])
					return true;
	}
	return false;
}

/* @elapsed_s: since the last scrape; 0: this is the first, of which no rate can be told. */
static void settle_column(struct ops_column *c, bool is_reset, double elapsed_s)
{
	const double before = is_reset ? 0 : c->raw;

	if (c->family->kind == OPS_VALUE) {
		c->value = c->has_incoming ? c->incoming : NAN;
		return;
	}
	/* A counter that is not there yet has counted nothing. */
	if (!c->has_incoming)
		c->incoming = before;
	c->total += c->incoming - before;
	c->value = elapsed_s > 0 ? (c->incoming - before) / elapsed_s : NAN;
	c->raw = c->incoming;
}

static void settle_histogram(struct ops_histogram *h, bool is_reset)
{
	struct ops_buckets window;

	if (!is_usable(h))
		return;
	ops_latency_scraped(&h->latency, &h->incoming, is_reset);
	ops_latency_window(&h->latency, &window);
	for (size_t i = 0; i < ARRAY_LEN(ops_quantiles); i++)
		h->quantile[i]->value = ops_buckets_quantile(&window, ops_quantiles[i]) * 1000;
}

int ops_store_metrics(struct ops_store *s, size_t role, int64_t mono_ms, struct str text)
{
	struct scrape x = { .store = s, .role = role };
	struct ops_role *r = &s->role[role];
	size_t skipped;

	assert(role < s->n_roles);
	begin_scrape(s, role);
	if (ops_text_read(text, on_sample, &x, &skipped) || !x.n_samples)
		return -EBADMSG;

	const bool reset = is_reset(s, &x);
	const double elapsed_s = r->was_scraped ? (double)(mono_ms - r->scraped_ms) / 1000 : 0;

	for (size_t i = 0; i < s->n_columns; i++)
		if (s->column[i]->role == role && s->column[i]->family->metric &&
			s->column[i]->family->kind != OPS_LATENCY)
			settle_column(s->column[i], reset, elapsed_s);
	for (size_t i = 0; i < s->n_histograms; i++)
		if (s->histogram[i].role == role)
			settle_histogram(&s->histogram[i], reset);
	r->restarts += reset;
	r->start_s = x.start_s;
	r->scraped_ms = mono_ms;
	r->was_scraped = r->has_answered = true;
	return 0;
}

void ops_store_ready(struct ops_store *s, size_t role, bool is_ready, struct str why)
{
	struct ops_role *r = &s->role[role];
	const char *nl = why.n ? memchr(why.p, '\n', why.n) : NULL; /* the first cause is enough */

	assert(role < s->n_roles);
	if (nl)
		why.n = (size_t)(nl - why.p);
	if (why.n >= OPS_WHY_MAX)
		why.n = OPS_WHY_MAX - 1;
	r->is_ready = is_ready;
	memcpy(r->why, why.n ? why.p : "", why.n);
	r->why[why.n] = '\0';
}

void ops_store_feeds(struct ops_store *s, const struct ops_feed *feeds, size_t n)
{
	const struct ops_family *family = ops_family("feed_age");

	if (n > OPS_FEEDS_MAX) {
		s->dropped += n - OPS_FEEDS_MAX;
		n = OPS_FEEDS_MAX;
	}
	memcpy(s->feed, feeds, n * sizeof(*feeds));
	s->n_feeds = n;
	s->has_feeds = true;
	for (size_t i = 0; i < n; i++) {
		struct ops_column *c = column_get(s, family, OPS_ROLES_MAX, str_of(feeds[i].side));
		const double age_s = (double)feeds[i].age_ms / 1000;

		if (c && feeds[i].age_ms >= 0 && !(c->value > age_s))
			c->value = age_s;
	}
}

/* ---- rows ---- */

static void end_role(struct ops_store *s, size_t role)
{
	struct ops_role *r = &s->role[role];
	struct ops_column *up = column_get(s, ops_family("up"), role, str_of(r->name));

	r->state = r->has_answered ? (r->is_ready ? 2 : 1) : 0;
	if (!r->has_answered)
		r->why[0] = '\0';
	assert(up);
	up->value = r->state;
	r->has_answered = r->is_ready = false;
}

void ops_store_commit(struct ops_store *s, int64_t t_ms)
{
	const size_t at = s->n_rows % OPS_ROWS;
	const int64_t last = s->n_rows ? s->t_ms[(s->n_rows - 1) % OPS_ROWS] : INT64_MIN;

	for (size_t i = 0; i < s->n_roles; i++)
		end_role(s, i);
	if (!s->has_feeds)
		s->n_feeds = 0;
	s->has_feeds = false;
	for (size_t i = 0; i < s->n_histograms; i++)
		ops_latency_next(&s->histogram[i].latency);
	for (size_t i = 0; i < s->n_columns; i++) {
		s->column[i]->row[at] = (float)s->column[i]->value;
		s->column[i]->value = NAN;
	}
	s->t_ms[at] = t_ms > last ? t_ms : last + 1;
	s->n_rows++;
}

size_t ops_store_rows(const struct ops_store *s)
{
	return s->n_rows < OPS_ROWS ? (size_t)s->n_rows : OPS_ROWS;
}
