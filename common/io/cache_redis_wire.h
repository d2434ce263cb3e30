#pragma once

/* What goes over a Redis connection: requests as RESP commands, kept until they are answered, and
 * replies as rows. */
#include <hiredis/hiredis.h>
#include <sys/queue.h>

#include "common/base/buf.h"
#include "common/io/cache.h"
#include "common/io/cache_scripts.h"

enum redis_answer { ANSWER_READ, ANSWER_WRITE, ANSWER_BOOL };

struct redis_req {
	TAILQ_ENTRY(redis_req) link;
	enum redis_answer answer;
	bool is_script; /* else a read: repeating it does no harm */
	union {
		cache_read_fn read;
		cache_write_fn write;
		cache_bool_fn yes;
	} fn;
	void *ctx;
	int64_t sent_us;
	/* Commands, one after the other in one text. */
	struct buf wire;
	size_t *ends; /* of each command in it */
	size_t n;     /* commands = replies to come */
	/* Replies. */
	size_t n_replies;
	int err;
	int64_t number;
	struct cache_row *rows;
	void **texts; /* one block a row */
};
TAILQ_HEAD(redis_reqs, redis_req);

/* Room for @n commands, with rows for their replies when @answer is ANSWER_READ. NULL when out of
 * memory. */
struct redis_req *redis_req_new(enum redis_answer answer, size_t n, void *ctx);
struct redis_req *redis_req_free(struct redis_req *r);
DEFINE_CLEANUP(struct redis_req *, redis_req_free)
/* Forgets the replies, so that the commands can be sent again. */
void redis_req_rewind(struct redis_req *r);

/* One command: its head, then as many arguments as it said. */
void redis_wire_begin(struct buf *b, size_t argc);
void redis_wire_arg(struct buf *b, struct str s);
void redis_wire_i64(struct buf *b, int64_t v);
void redis_wire_u64(struct buf *b, uint64_t v);
/* Closes command @i of @r. */
void redis_wire_end(struct redis_req *r, size_t i);

/* Takes the next reply in; true when it was the last. @ret_cut counts fields beyond ROW_FIELDS_MAX.
 */
bool redis_req_take(struct redis_req *r, const redisReply *reply, uint64_t *ret_cut);
/* Calls back. */
void redis_req_answer(struct redis_req *r);

/* 0, or the -errno of an error reply: -ENOSPC for OOM, -EIO for the rest. */
int redis_reply_error(const redisReply *reply);
bool redis_reply_is(const redisReply *reply, const char *error);
