/* The store as JSON: numbers as short as they can be, a hole is null. */
#include "souk/demo/storefront/ops_store.h"

#include <math.h>

#include "common/base/json_out.h"
#include "souk/demo/storefront/ops_store_internal.h"

static void put_number(struct json_out *j, const char *key, double v)
{
	if (!isfinite(v) || fabs(v) > 9e15)
		json_out_null(j, key);
	else if (v == floor(v))
		json_i64(j, key, (int64_t)v);
	else
		json_f64(j, key, v, 3);
}

/* Index of the last row; only if there is one. */
static size_t last_row(const struct ops_store *s)
{
	return (s->n_rows - 1) % OPS_ROWS;
}

static int64_t now_of(const struct ops_store *s)
{
	return s->n_rows ? s->t_ms[last_row(s)] : 0;
}

static double last_of(const struct ops_store *s, const char *family, const char *label)
{
	for (size_t i = 0; s->n_rows && i < s->n_columns; i++)
		if (s->column[i]->family == ops_family(family) &&
			str_eqz(str_of(label), s->column[i]->label))
			return (double)s->column[i]->row[last_row(s)];
	return NAN;
}

static void put_roles(const struct ops_store *s, struct json_out *j)
{
	static const char *const states[] = { "away", "not_ready", "ready" };

	json_begin_array(j, "roles");
	for (size_t i = 0; i < s->n_roles; i++) {
		const struct ops_role *r = &s->role[i];

		json_begin(j, NULL);
		json_strz(j, "role", r->name);
		json_strz(j, "state", states[r->state]);
		if (r->why[0] && r->state == 1)
			json_strz(j, "why", r->why);
		json_u64(j, "restarts", r->restarts);
		if (r->start_s > 0)
			json_i64(j, "started", (int64_t)(r->start_s * 1000));
		put_number(j, "cpu", last_of(s, "cpu", r->name));
		put_number(j, "memory_bytes", last_of(s, "memory", r->name));
		json_end(j);
	}
	json_end_array(j);
}

static void put_feeds(const struct ops_store *s, struct json_out *j)
{
	json_begin_array(j, "feeds");
	for (size_t i = 0; i < s->n_feeds; i++) {
		const struct ops_feed *f = &s->feed[i];

		json_begin(j, NULL);
		json_strz(j, "side", f->side);
		json_strz(j, "shard", f->shard);
		if (f->age_ms >= 0) {
			json_i64(j, "age_ms", f->age_ms);
			json_bool(j, "complete", f->is_complete);
			json_bool(j, "gap", f->has_gap);
		}
		json_end(j);
	}
	json_end_array(j);
}

typedef void (*put_fn)(
	const struct ops_store *s, const struct ops_column *c, const void *ctx, struct json_out *j);

/* {family:{label:…}} of all families of a kind; @any: of every kind. */
static void put_families(const struct ops_store *s, struct json_out *j, const char *key,
	enum ops_kind kind, bool any, put_fn put, const void *ctx)
{
	json_begin(j, key);
	for (size_t f = 0; f < ops_n_families; f++) {
		bool is_open = false;

		for (size_t i = 0; i < s->n_columns; i++) {
			const struct ops_column *c = s->column[i];

			if (c->family != &ops_families[f] || (!any && c->family->kind != kind))
				continue;
			if (!is_open)
				json_begin(j, ops_families[f].name);
			is_open = true;
			put(s, c, ctx, j);
		}
		if (is_open)
			json_end(j);
	}
	json_end(j);
}

static void put_total(
	const struct ops_store *s, const struct ops_column *c, const void *ctx, struct json_out *j)
{
	(void)s;
	(void)ctx;
	put_number(j, c->label, c->total);
}

static void put_last(
	const struct ops_store *s, const struct ops_column *c, const void *ctx, struct json_out *j)
{
	(void)ctx;
	put_number(j, c->label, s->n_rows ? (double)c->row[last_row(s)] : NAN);
}

void ops_store_write_now(const struct ops_store *s, struct buf *out)
{
	struct json_out j = JSON_OUT(out);

	json_begin(&j, NULL);
	json_i64(&j, "now", now_of(s));
	put_roles(s, &j);
	put_families(s, &j, "totals", OPS_RATE, false, put_total, NULL);
	put_families(s, &j, "rates", OPS_RATE, false, put_last, NULL);
	put_families(s, &j, "values", OPS_VALUE, false, put_last, NULL);
	put_families(s, &j, "latency_ms", OPS_LATENCY, false, put_last, NULL);
	put_feeds(s, &j);
	json_u64(&j, "dropped", s->dropped);
	json_end(&j);
}

static void put_rows(
	const struct ops_store *s, const struct ops_column *c, const void *ctx, struct json_out *j)
{
	json_begin_array(j, c->label);
	for (uint64_t i = *(const uint64_t *)ctx; i < s->n_rows; i++)
		put_number(j, NULL, (double)c->row[i % OPS_ROWS]);
	json_end_array(j);
}

void ops_store_write_series(const struct ops_store *s, int64_t since, struct buf *out)
{
	struct json_out j = JSON_OUT(out);
	uint64_t from = s->n_rows > OPS_ROWS ? s->n_rows - OPS_ROWS : 0;

	while (from < s->n_rows && s->t_ms[from % OPS_ROWS] <= since)
		from++;
	json_begin(&j, NULL);
	json_i64(&j, "now", now_of(s));
	json_i64(&j, "step_ms", OPS_STEP_MS);
	json_begin_array(&j, "t");
	for (uint64_t i = from; i < s->n_rows; i++)
		json_i64(&j, NULL, s->t_ms[i % OPS_ROWS]);
	json_end_array(&j);
	put_families(s, &j, "series", OPS_RATE, true, put_rows, &from);
	json_end(&j);
}
