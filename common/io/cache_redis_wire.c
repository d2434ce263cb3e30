/*
 * We write RESP ourselves: a request is kept as the bytes that were sent, so that it can be sent
 * again after the server lost its scripts, and a read of many keys is one allocation. Rows are
 * copied out of the replies, because hiredis frees each reply when its callback returns, and the
 * caller gets all rows at once.
 */
#include "common/io/cache_redis_wire.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define WIRE_MAX (64u << 20)

struct redis_req *redis_req_new(enum redis_answer answer, size_t n, void *ctx)
{
	CLEANUP(redis_req_free) struct redis_req *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->answer = answer;
	r->is_script = true;
	r->n = n;
	r->ctx = ctx;
	r->wire = BUF_INIT(WIRE_MAX);
	r->ends = calloc(n, sizeof(*r->ends));
	if (!r->ends)
		return NULL;
	if (answer == ANSWER_READ) {
		r->rows = calloc(n, sizeof(*r->rows));
		r->texts = calloc(n, sizeof(*r->texts));
		if (!r->rows || !r->texts)
			return NULL;
	}
	return TAKE(r);
}

struct redis_req *redis_req_free(struct redis_req *r)
{
	if (!r)
		return NULL;
	for (size_t i = 0; r->texts && i < r->n; i++)
		free(r->texts[i]);
	free(r->texts);
	free(r->rows);
	free(r->ends);
	buf_fini(&r->wire);
	free(r);
	return NULL;
}

void redis_req_rewind(struct redis_req *r)
{
	r->n_replies = 0;
	r->err = 0;
	for (size_t i = 0; r->texts && i < r->n; i++) {
		free(r->texts[i]);
		r->texts[i] = NULL;
		r->rows[i] = (struct cache_row){ .state = CACHE_MISSING };
	}
}

void redis_wire_begin(struct buf *b, size_t argc)
{
	buf_printf(b, "*%zu\r\n", argc);
}

void redis_wire_arg(struct buf *b, struct str s)
{
	buf_printf(b, "$%zu\r\n", s.n);
	buf_puts(b, s);
	buf_puts(b, STR("\r\n"));
}

void redis_wire_i64(struct buf *b, int64_t v)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRId64, v);

	redis_wire_arg(b, (struct str){ text, (size_t)n });
}

void redis_wire_u64(struct buf *b, uint64_t v)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRIu64, v);

	redis_wire_arg(b, (struct str){ text, (size_t)n });
}

void redis_wire_end(struct redis_req *r, size_t i)
{
	r->ends[i] = r->wire.n;
}

bool redis_reply_is(const redisReply *reply, const char *error)
{
	return reply->type == REDIS_REPLY_ERROR && !strncmp(reply->str, error, strlen(error));
}

int redis_reply_error(const redisReply *reply)
{
	if (reply->type != REDIS_REPLY_ERROR)
		return 0;
	return redis_reply_is(reply, "OOM ") ? -ENOSPC : -EIO;
}

/* ---- rows ---- */

static bool is_hash(const redisReply *reply)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements % 2)
		return false;
	for (size_t i = 0; i < reply->elements; i++) {
		if (reply->element[i]->type != REDIS_REPLY_STRING)
			return false;
	}
	return true;
}

/* Text @i of the reply, copied to *at. */
static struct str take_text(const redisReply *reply, size_t i, char **at)
{
	struct str s = { *at, (size_t)reply->element[i]->len };

	memcpy(*at, reply->element[i]->str, s.n);
	*at += s.n;
	return s;
}

static bool is_own(struct str name)
{
	return str_eqz(name, "ver") || str_eqz(name, "src") || str_eqz(name, "gen") ||
	       str_eqz(name, "et") || str_eqz(name, "del");
}

static void take_own(struct cache_row *row, struct row_field f)
{
	if (str_eqz(f.name, "ver"))
		row->ver = f.value.n ? f.value : STR_NONE;
	else if (str_eqz(f.name, "src"))
		row->src = f.value;
	else if (str_eqz(f.name, "gen"))
		(void)str_to_u64(f.value, &row->gen);
	else if (str_eqz(f.name, "et"))
		(void)str_to_i64(f.value, &row->et);
	else
		row->state = CACHE_TOMBSTONE;
}

static bool has_src(const redisReply *reply)
{
	for (size_t i = 0; i < reply->elements; i += 2) {
		if (!strcmp(reply->element[i]->str, "src"))
			return true;
	}
	return false;
}

static int row_take(struct redis_req *r, size_t i, const redisReply *reply, uint64_t *ret_cut)
{
	struct cache_row *row = &r->rows[i];
	size_t n = 1;
	char *at;

	if (!is_hash(reply))
		return -EIO;
	if (reply->elements == 0)
		return 0;
	for (size_t k = 0; k < reply->elements; k++)
		n += (size_t)reply->element[k]->len;
	at = r->texts[i] = malloc(n);
	if (!at)
		return -ENOMEM;
	bool is_stored = has_src(reply);

	row->state = CACHE_PRESENT;
	for (size_t k = 0; k < reply->elements; k += 2) {
		struct row_field f;

		f.name = take_text(reply, k, &at);
		f.value = take_text(reply, k + 1, &at);
		if (is_own(f.name) && (is_stored || !str_eqz(f.name, "del")))
			take_own(row, f);
		if ((!is_stored || !is_own(f.name)) && row_put(&row->row, f.name, f.value))
			(*ret_cut)++;
	}
	return 0;
}

bool redis_req_take(struct redis_req *r, const redisReply *reply, uint64_t *ret_cut)
{
	int err = redis_reply_error(reply);

	if (!err && r->answer == ANSWER_READ)
		err = row_take(r, r->n_replies, reply, ret_cut);
	else if (!err && reply->type == REDIS_REPLY_INTEGER)
		r->number = reply->integer;
	else if (!err)
		err = -EIO;
	if (err && !r->err)
		r->err = err;
	return ++r->n_replies == r->n;
}

void redis_req_answer(struct redis_req *r)
{
	switch (r->answer) {
	case ANSWER_READ:
		if (r->fn.read)
			r->fn.read(r->ctx, r->err, r->err ? NULL : r->rows, r->err ? 0 : r->n);
		break;
	case ANSWER_WRITE:
		if (r->fn.write)
			r->fn.write(
				r->ctx, r->err, !r->err && r->number ? CACHE_APPLIED : CACHE_STALE);
		break;
	case ANSWER_BOOL:
		if (r->fn.yes)
			r->fn.yes(r->ctx, r->err, !r->err && r->number);
		break;
	}
}
