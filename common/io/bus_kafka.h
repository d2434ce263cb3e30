#pragma once

/*
 * Inside the real bus: what its files share. Nobody else includes this.
 *
 * bus_kafka.c           the bus, topics, heard and up
 * bus_kafka_handle.c    one librdkafka client on the loop: settings, queue -> eventfd -> loop,
 * events bus_kafka_reaper.c    ends clients off the loop bus_kafka_pulse.c     the thread that asks
 * for metadata once a second bus_kafka_producer.c  sending bus_kafka_lanes.c   what waits before
 * librdkafka gets it bus_kafka_feed.c      a consuming
 * client: partitions with own start, end and hold bus_kafka_reader.c    reading by hand: a feed
 * bus_kafka_group.c     membership client + a feed
 * bus_kafka_admin.c     topics
 */
#include <ev.h>
#include <librdkafka/rdkafka.h>
#include <sys/queue.h>
#include <time.h>

#include "common/io/bus.h"

#define KAFKA_FETCH_MAX 256 /* records taken from a partition at once */
#define KAFKA_CLOSE_MS  5000
#define KAFKA_LINGER_MS 3000

struct bus_kafka;
struct kafka_feed;
struct kafka_group;
struct kafka_handle;
struct kafka_lane;
struct kafka_pulse;
struct kafka_reader;
struct kafka_reaper;
struct kafka_report;

/* ---- topics ---- */

struct kafka_topic {
	struct kafka_topic *next;
	char *full;                /* with the prefix */
	const char *name;          /* within @full */
	rd_kafka_topic_t *sends;   /* of the present producer, NULL: not sent to yet */
	struct kafka_lane **lanes; /* by partition; NULL where nothing was sent yet */
	int32_t n_lanes;
	bool is_warm; /* must be known before the bus is up */
};

/* ---- one librdkafka client ---- */

struct kafka_handle_ops {
	/* Borrows @e. */
	void (*event)(struct kafka_handle *h, rd_kafka_event_t *e);
	/* After every wake-up, the events done. May be NULL. */
	void (*turn)(struct kafka_handle *h);
};

struct kafka_handle {
	struct bus_kafka *bus;
	const struct kafka_handle_ops *ops;
	rd_kafka_t *rk;
	rd_kafka_queue_t *queue;
	int fd; /* eventfd, -1 while closed */
	struct ev_io io;
	struct loop_timer *tick;
	int64_t heard_ms; /* wall ms; for a consuming client, of its least heard leader */
};

enum kafka_role { KAFKA_PRODUCER, KAFKA_FEED, KAFKA_MEMBER };

/* A configuration with ours, the user's, then @extra (name, value, …, NULL). NULL with @f. */
rd_kafka_conf_t *kafka_conf(const struct bus_kafka_config *config, enum kafka_role role,
	const char *const *extra, struct fault *f);

/* 0, -EINVAL with @f, -ENOMEM, -EMFILE. @h must not move afterwards. */
int kafka_handle_init(struct kafka_handle *h, struct bus_kafka *bus, enum kafka_role role,
	const char *const *extra, const struct kafka_handle_ops *ops, struct fault *f);
/* Leaves the loop; the client ends in the background, after @pulse (may be NULL). Accepts a zeroed
 * handle. */
void kafka_handle_fini(struct kafka_handle *h, struct kafka_pulse *pulse);
/* Have another turn soon. */
void kafka_handle_kick(struct kafka_handle *h);
/* Wakes this handle when @q (another queue of its client) gets something; or no longer. */
void kafka_handle_watch(struct kafka_handle *h, rd_kafka_queue_t *q);
void kafka_handle_unwatch(rd_kafka_queue_t *q);
/* Serves what is there, as the loop would. */
void kafka_handle_serve(struct kafka_handle *h);

/* From librdkafka's statistics JSON: how long ago (us) the least heard broker that leads a
 * partition of this client was heard; -1 if one was never; -2 if the client has no partitions. */
int64_t kafka_stats_idle_us(const char *json, size_t n);

/* ---- ending clients ---- */

int kafka_reaper_new(struct kafka_reaper **ret);
/* Takes both; destroys them on a thread of its own. */
void kafka_reap(struct kafka_reaper *r, rd_kafka_t *rk, struct kafka_pulse *pulse);
/* Waits until all are gone; false after @timeout_ms. */
bool kafka_reaper_wait(struct kafka_reaper *r, int timeout_ms);
/* Threads that have not ended keep what they need. */
struct kafka_reaper *kafka_reaper_free(struct kafka_reaper *r);

/* ---- pulse ---- */

/* Borrows @rk until freed. 0 or -errno. */
int kafka_pulse_new(struct kafka_pulse **ret, rd_kafka_t *rk);
void kafka_pulse_stop(struct kafka_pulse *p);                /* returns at once */
struct kafka_pulse *kafka_pulse_free(struct kafka_pulse *p); /* waits for its thread: up to 1 s */
void kafka_pulse_kick(struct kafka_pulse *p);                /* a topic is new: ask now */
int32_t kafka_pulse_partitions(struct kafka_pulse *p, const char *full);
int kafka_pulse_brokers(struct kafka_pulse *p); /* as last heard, 0 = not yet */
/* Wall and monotonic time of the last answer, 0 = never. */
void kafka_pulse_heard(struct kafka_pulse *p, int64_t *ret_wall_ms, int64_t *ret_mono_us);

/* ---- producer ---- */

/* A message until its report. */
struct kafka_report {
	struct kafka_report *next, **prev;
	STAILQ_ENTRY(kafka_report) in_lane; /* while it waits */
	struct kafka_lane *lane;            /* NULL: given to librdkafka past the lanes */
	bus_sent_fn sent;
	void *ctx;
	int64_t sent_us;
	/* while it waits */
	rd_kafka_headers_t *headers; /* or NULL */
	char *bytes;                 /* key, then value */
	size_t n_key, n_value;
	bool has_key, has_value;
};

struct kafka_producer {
	struct kafka_handle h; /* first */
	struct kafka_pulse *pulse;
	struct kafka_report *reports; /* one a message in flight, waiting ones included */
	size_t n_in_flight;
	bool is_fatal; /* to be replaced */
	/* of the settings */
	size_t messages_max, bytes_max, message_max;
	unsigned window; /* requests in flight for each broker */
	/* the lanes */
	TAILQ_HEAD(, kafka_lane) ready; /* with something that waits and nothing in the air */
	unsigned n_lanes_in_air;
	size_t bytes_waiting;
	bool is_kicked;
	int64_t swept_us;
};

int kafka_producer_init(struct kafka_producer *p, struct bus_kafka *bus, struct fault *f);
void kafka_producer_fini(struct kafka_producer *p);
int kafka_producer_send(struct kafka_producer *p, const struct bus_message *m);
/* Makes @t known to the producer, hence to the pulse. 0 or -ENOMEM. */
int kafka_producer_know(struct kafka_producer *p, struct kafka_topic *t);
/* Gives a message to librdkafka; @headers are its own then. */
rd_kafka_resp_err_t kafka_producer_give(struct kafka_producer *p, struct kafka_topic *t,
	const struct bus_message *m, rd_kafka_headers_t *headers, struct kafka_report *x);
/* @x's end, told to who sent it. */
void kafka_producer_report(struct kafka_producer *p, struct kafka_report *x, int err,
	int32_t partition, int64_t offset);

/* ---- lanes ---- */

/* Reads its bounds from the settings of the open client. */
void kafka_lanes_init(struct kafka_producer *p);
/* Of @m's partition; NULL: not known yet, or no memory. */
struct kafka_lane *kafka_lane_of(
	struct kafka_producer *p, struct kafka_topic *t, const struct bus_message *m);
/* Copies; takes @headers. 0 or -ENOBUFS (nothing was taken). */
int kafka_lane_put(struct kafka_producer *p, struct kafka_lane *l, const struct bus_message *m,
	rd_kafka_headers_t *headers, struct kafka_report *x);
/* A message of the lane was reported. */
void kafka_lane_landed(struct kafka_producer *p, struct kafka_lane *l);
/* Gives librdkafka what may go now. */
void kafka_lanes_turn(struct kafka_producer *p);
/* What waits belongs to nobody any more: its reports are ended by the caller. */
void kafka_lanes_forget(struct kafka_producer *p);
void kafka_lanes_free(struct kafka_topic *t);
void kafka_report_drop_copy(struct kafka_report *x);

/* ---- feed ---- */

struct kafka_entry;

struct kafka_feed {
	struct kafka_handle h; /* first */
	const struct bus_reader_ops *ops;
	void *ctx;
	struct kafka_entry **v;
	size_t n, cap;
	bool is_gone;
};

int kafka_feed_init(struct kafka_feed *feed, struct bus_kafka *bus,
	const struct bus_reader_ops *ops, void *ctx, struct fault *f);
void kafka_feed_fini(struct kafka_feed *feed);
void kafka_feed_stop(struct kafka_feed *feed); /* no callback from now on; fini when none runs */
void kafka_feed_sweep(struct kafka_feed *feed);
int kafka_feed_add(struct kafka_feed *feed, struct kafka_topic *t, int32_t partition, int64_t from,
	int64_t until);
void kafka_feed_remove(struct kafka_feed *feed, const char *topic, int32_t partition);
void kafka_feed_hold(struct kafka_feed *feed, const char *topic, int32_t partition, bool hold);
int64_t kafka_feed_high(struct kafka_feed *feed, const char *topic, int32_t partition);

/* ---- reader and group, as ops of the bus ---- */

int kafka_reader_open(
	struct bus *b, struct bus_reader **ret, const struct bus_reader_ops *ops, void *ctx);
void kafka_reader_close(struct bus_reader *r);
int kafka_reader_add(
	struct bus_reader *r, const char *topic, int32_t partition, int64_t from, int64_t until);
void kafka_reader_remove(struct bus_reader *r, const char *topic, int32_t partition);
int64_t kafka_reader_high(struct bus_reader *r, const char *topic, int32_t partition);
int64_t kafka_readers_heard_ms(const struct bus_kafka *k); /* the least; INT64_MAX: none reads */
void kafka_readers_sweep(struct bus_kafka *k);

int kafka_group_open(struct bus *b, struct bus_group **ret, const char *group,
	const char *const *topics, size_t n_topics, const struct bus_group_ops *ops, void *ctx);
void kafka_group_close(struct bus_group *g);
void kafka_group_start(struct bus_group *g, const char *topic, int32_t partition, int64_t from);
void kafka_group_hold(struct bus_group *g, const char *topic, int32_t partition, bool hold);
int kafka_group_commit(struct bus_group *g, const char *topic, int32_t partition,
	int64_t next_offset, struct str metadata);
int64_t kafka_group_high(struct bus_group *g, const char *topic, int32_t partition);
int64_t kafka_groups_heard_ms(const struct bus_kafka *k);
void kafka_groups_sweep(struct bus_kafka *k);
bool kafka_groups_are_closed(const struct bus_kafka *k);
void kafka_groups_serve(struct bus_kafka *k);
void kafka_groups_abandon(struct bus_kafka *k); /* of a bus that is freed: those still closing */

/* ---- the bus ---- */

struct kafka_counters {
	struct counter *sent_ok, *sent_timeout, *sent_size, *sent_error, *sent_full;
	struct counter *received, *headers_cut, *out_of_range, *commit_errors, *producers;
	struct counter *err_transport, *err_timeout, *err_auth, *err_topic, *err_group, *err_fatal,
		*err_other;
	struct gauge *in_flight;
	struct histogram *latency;
};

struct bus_kafka {
	struct bus bus; /* first */
	struct loop *loop;
	struct bus_kafka_config config; /* owned copies */
	char **properties;
	struct kafka_counters n;
	struct kafka_topic *topics;
	struct kafka_reaper *reaper;
	struct kafka_producer producer;
	struct kafka_reader *readers;
	struct kafka_group *groups;
	unsigned n_busy; /* callbacks on the stack: nothing is freed meanwhile */
	rd_kafka_message_t *messages[KAFKA_FETCH_MAX];
	struct bus_record records[KAFKA_FETCH_MAX];
	struct bus_header headers[KAFKA_FETCH_MAX * BUS_HEADERS_MAX];
};

struct kafka_topic *bus_kafka_topic(struct bus_kafka *k, const char *name); /* NULL: no memory */
void bus_kafka_count_error(struct bus_kafka *k, rd_kafka_resp_err_t err);
int64_t bus_kafka_mono_us(void);
int64_t bus_kafka_wall_ms(void);
void bus_kafka_deadline(struct timespec *ret, int64_t ms); /* monotonic, for condition variables */
