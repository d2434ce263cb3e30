#pragma once

/*
 * A client of OpenSea's stream: Phoenix channels over one WebSocket. It joins the topics it is told
 * to, keeps the connection alive, and comes back after whatever happens; it says when something may
 * have been missed, since the stream has no replay.
 *
 * Timings are those of phoenix.js: a heartbeat at least every 30 s, and one unanswered as long ends
 * the connection; a join unanswered for 10 s is left and tried again after 1, 2, 5, 10 s.
 * Reconnects use full jitter (100 ms, at most 5 s), because OpenSea drops everybody at once. A
 * refused key is tried slowly (30 to 60 s), from the file again.
 */
#include <stdbool.h>
#include <stdint.h>

#include "bidding/opensea/decode.h"
#include "common/base/cleanup.h"
#include "common/base/fault.h"
#include "common/base/metrics.h"
#include "common/base/str.h"
#include "common/io/loop.h"
#include "common/io/ws_client.h"

struct opensea_stream;
struct opensea_topic;

struct opensea_stream_config {
	const char *url;      /* without token and vsn */
	const char *key_file; /* read at each first try and after each refusal */
	int64_t heartbeat_ms;
	int64_t quiet_ms; /* a connection silent as long is asked for a heartbeat reply at once */
	int64_t join_timeout_ms;
	int64_t stall_ms; /* a joined topic without an event as long is joined again; 0 = never */
	uint64_t seed;    /* of the jitter */
};

/* From the loop; a topic may be told to leave from inside. */
struct opensea_topic_ops {
	/* @again: it was joined before, and what happened in between is lost. */
	void (*joined)(void *ctx, bool again);
	/* @message passed json_gate(); it and @a, which is the message's scratch, are borrowed. */
	void (*event)(void *ctx, struct str event, struct str message, struct arena *a);
};

/* Copies @config's texts. 0, -ENOMEM, or an error of reading the key file, with @f. */
MUST_CHECK int opensea_stream_new(struct opensea_stream **ret, struct loop *loop,
	const struct ws_client_factory *factory, const struct opensea_stream_config *config,
	struct metrics *m, struct fault *f);
struct opensea_stream *opensea_stream_free(struct opensea_stream *s); /* its topics too */
DEFINE_CLEANUP(struct opensea_stream *, opensea_stream_free)

/* topic `collection:<slug>`; nothing happens before it is wanted. NULL when out of memory. */
struct opensea_topic *opensea_stream_topic(
	struct opensea_stream *s, const char *slug, const struct opensea_topic_ops *ops, void *ctx);
/* Joins or leaves. The connection is opened for the first topic wanted, and stays. */
void opensea_topic_want(struct opensea_topic *t, bool is_wanted);
bool opensea_topic_is_joined(const struct opensea_topic *t);
/* Wall clock of the last frame that proves the topic alive: one of its own, or a heartbeat's reply
 * while it is joined; 0 = never. */
int64_t opensea_topic_heard_ms(const struct opensea_topic *t);

/* Closes for good. */
void opensea_stream_stop(struct opensea_stream *s);

/* Counts a message whose content was bad; frames that are bad by themselves are counted inside. */
void opensea_stream_count_bad(struct opensea_stream *s, enum opensea_reason reason);
