#pragma once

/*
 * Inside the in-memory bus: what its two files share. sim_broker.c keeps logs, groups and the buses
 * that are connected; bus_sim.c is one client of it.
 */
#include "common/io/sim/bus_sim.h"

struct sim_topic;
struct sim_group_state;
struct bus_sim;

/* A record and all its bytes in one allocation. */
struct sim_record {
	struct bus_record r;
	int64_t visible_us; /* a reader may have it from then on */
};

struct sim_part {
	struct sim_record **v; /* v[0] is at offset low */
	size_t n, cap;
	int64_t low;
};

struct sim_topic {
	struct sim_topic *next;
	char *name; /* with prefix */
	int32_t n_parts;
	struct sim_part *parts;
	unsigned fail_n; /* reports to fail yet */
	int fail_err;
};

/* A topic as one bus names it. */
struct sim_name {
	struct sim_name *next;
	char *full;
	const char *name; /* the part of @full after the prefix */
};

/* One partition being read, by hand or for a group. */
struct sim_cursor {
	const struct sim_name *name;
	int32_t partition;
	int64_t pos;   /* BUS_FROM_*: not resolved yet */
	int64_t until; /* -1: none */
	int64_t ready_us;
	bool started, held, checked, told_end;
	bool revoked; /* the member is being told: only commits are taken yet */
	bool gone;    /* removed or revoked; swept when no callback runs */
	bool has_commit;
	int64_t commit_offset, commit_due_us;
	char *commit_meta;
	size_t n_commit_meta;
};

struct sim_cursors {
	struct sim_cursor **v;
	size_t n, cap;
};

struct sim_reader {
	struct bus_reader reader; /* first */
	struct sim_reader *next;
	const struct bus_reader_ops *ops;
	void *ctx;
	struct sim_cursors cursors;
	bool gone;
};

struct sim_member {
	struct bus_group group;  /* first */
	struct sim_member *next; /* of its bus */
	struct sim_group_state *state;
	struct sim_member *next_in_group; /* join order */
	const struct sim_name **topics;
	size_t n_topics;
	const struct bus_group_ops *ops;
	void *ctx;
	struct sim_cursors cursors;
	bool gone;
};

struct sim_commit {
	struct sim_commit *next;
	char *topic;
	int32_t partition;
	int64_t offset;
	char *meta;
	size_t n_meta;
};

struct sim_group_state {
	struct sim_group_state *next;
	char *name;
	struct sim_member *members;
	struct sim_commit *commits;
	bool is_dirty; /* membership or topics changed: rebalance */
};

struct sim_broker {
	struct loop *loop;
	struct loop_timer *rebalance;
	struct sim_topic *topics;
	struct sim_group_state *groups;
	struct bus_sim *buses;
	bool is_down;
	int64_t down_wall_ms, down_mono_us;
	int64_t latency_us;
	unsigned n_busy; /* callbacks on the stack: nothing is freed meanwhile */
};

struct sim_send {
	struct sim_send *next;
	struct sim_record *record;
	struct sim_topic *topic;
	int32_t partition;
	int64_t deadline_us; /* while waiting for the broker */
	int64_t report_us;   /* once answered */
	int err;
	int64_t offset;
	bus_sent_fn sent;
	void *ctx;
};

struct sim_sends {
	struct sim_send *first, **last;
	size_t n;
};

struct bus_sim {
	struct bus bus; /* first */
	struct bus_sim *next;
	struct sim_broker *broker;
	char *prefix;
	struct sim_name *names;
	struct sim_reader *readers;
	struct sim_member *members;
	struct sim_sends waiting, answered;
	size_t queue_max;
	uint32_t round_robin;
	struct loop_timer *send_timer, *read_timer;
	int64_t read_due_us; /* -1: not armed */
};

/* Copies; NULL when out of memory. @topic is borrowed. */
struct sim_record *sim_record_new(
	const char *topic, int32_t partition, const struct bus_record *src);

struct sim_topic *sim_topic_find(struct sim_broker *b, const char *full);
struct sim_part *sim_part_find(struct sim_broker *b, const char *full, int32_t partition);
int64_t sim_part_high(const struct sim_part *p);
/* Takes @record, gives its offset; -ENOMEM (not taken). Wakes the readers. */
int sim_part_append(
	struct sim_broker *b, struct sim_part *p, struct sim_record *record, int64_t *ret_offset);

/* Joins / leaves: the rebalance follows at the next turn. */
int sim_group_join(struct sim_broker *b, struct sim_member *m, const char *group);
void sim_group_leave(struct sim_broker *b, struct sim_member *m);
/* Stores a pending commit of @c, if the broker is there. */
void sim_group_apply_commit(struct sim_broker *b, struct sim_group_state *g, struct sim_cursor *c);

struct sim_cursor *sim_cursor_new(
	struct sim_cursors *cs, const struct sim_name *name, int32_t partition);

/* Something may be readable at @due_us, for every bus. */
void bus_sim_wake_all(struct sim_broker *b, int64_t due_us);
void bus_sim_sweep(struct sim_broker *b); /* frees what is gone, once no callback runs */
