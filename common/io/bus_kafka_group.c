/*
 * Membership in a group. The member client subscribes, answers rebalances and commits, but reads
 * nothing: it answers every assignment with an empty one, which Kafka does not mind, and a feed
 * reads the partitions that the role has started. Committed offsets with their metadata are asked
 * for with ListConsumerGroupOffsets, which answers on the member's queue.
 *
 * Commits of a turn travel together, one request at a time (rd_kafka_commit_queue: the plain
 * asynchronous call tells its result to a callback only); one that fails stays due, and the tick
 * tries again. When partitions are revoked, the role is told first, and what is due then is sent
 * before the revocation is answered: the broker still takes it, the next owner still sees it.
 *
 * A member that leaves lives on until the coordinator has said goodbye, at most KAFKA_CLOSE_MS.
 */
#include "common/io/bus_kafka.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "common/base/log.h"

#define COMMIT_STALE_US 10000000
#define ASK_TIMEOUT_MS  5000

struct group_part {
	struct kafka_topic *topic;
	int32_t partition;
	bool is_told, is_revoked, gone;
	bool held;
	bool is_due;           /* a commit is */
	int64_t commit_offset; /* asked for last; -1: none yet */
	char *meta;
	size_t n_meta;
};

struct kafka_group {
	struct bus_group group; /* first */
	struct kafka_group *next;
	struct kafka_handle h;
	struct kafka_feed feed;
	const struct bus_group_ops *ops;
	void *ctx;
	char *name;
	struct group_part **v;
	size_t n, cap;
	uint64_t generation;      /* of the assignment: tells late answers from fresh ones */
	bool must_ask, must_wait; /* for committed offsets; until the next tick, after a failure */
	int64_t tick_us;
	bool is_committing;
	int64_t commit_sent_us;
	bool is_gone, is_closing, is_closed;
	int64_t close_until_us;
};

static struct kafka_group *group_of(struct bus_group *g)
{
	return (struct kafka_group *)g;
}

static struct kafka_group *group_of_handle(struct kafka_handle *h)
{
	return (struct kafka_group *)((char *)h - offsetof(struct kafka_group, h));
}

static struct group_part *find(const struct kafka_group *g, const char *topic, int32_t partition)
{
	for (size_t i = 0; i < g->n; i++) {
		struct group_part *p = g->v[i];

		if (!p->gone && p->partition == partition && strcmp(p->topic->name, topic) == 0)
			return p;
	}
	return NULL;
}

static struct group_part *find_full(
	const struct kafka_group *g, const char *full, int32_t partition)
{
	for (size_t i = 0; i < g->n; i++) {
		struct group_part *p = g->v[i];

		if (!p->gone && p->partition == partition && strcmp(p->topic->full, full) == 0)
			return p;
	}
	return NULL;
}

/* ---- commits ---- */

static void add_commit(rd_kafka_topic_partition_list_t *list, const struct group_part *p)
{
	rd_kafka_topic_partition_t *x =
		rd_kafka_topic_partition_list_add(list, p->topic->full, p->partition);

	x->offset = p->commit_offset;
	x->metadata = p->n_meta ? malloc(p->n_meta) : NULL; /* freed with the list */
	if (!x->metadata)
		return;
	memcpy(x->metadata, p->meta, p->n_meta);
	x->metadata_size = p->n_meta;
}

static void send_commits(struct kafka_group *g)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);

	for (size_t i = 0; i < g->n; i++)
		if (g->v[i]->is_due && !g->v[i]->gone)
			add_commit(list, g->v[i]);
	if (list->cnt && rd_kafka_commit_queue(g->h.rk, list, g->h.queue, NULL, NULL) ==
				 RD_KAFKA_RESP_ERR_NO_ERROR) {
		g->is_committing = true;
		g->commit_sent_us = bus_kafka_mono_us();
		for (size_t i = 0; i < g->n; i++)
			g->v[i]->is_due = false;
	} else if (list->cnt) {
		counter_add(g->h.bus->n.commit_errors, 1);
		g->must_wait = true;
	}
	rd_kafka_topic_partition_list_destroy(list);
}

static void on_committed(struct kafka_group *g, rd_kafka_event_t *e)
{
	const rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(e);
	rd_kafka_resp_err_t all = rd_kafka_event_error(e);

	g->is_committing = false;
	for (int i = 0; list && i < list->cnt; i++) {
		const rd_kafka_topic_partition_t *x = &list->elems[i];
		rd_kafka_resp_err_t err = all ? all : x->err;
		struct group_part *p = find_full(g, x->topic, x->partition);

		if (!err)
			continue;
		counter_add(g->h.bus->n.commit_errors, 1);
		log_debug("kafka", "commit failed",
			"group=%s topic=%s partition=%d offset=%lld error=%s", g->name, x->topic,
			x->partition, (long long)x->offset, rd_kafka_err2name(err));
		/* Of an earlier assignment, perhaps: only what this one asked for is sent again. */
		if (p && p->commit_offset >= 0)
			p->is_due = g->must_wait = true;
	}
}

/* ---- assignment ---- */

static void part_free(struct group_part *p)
{
	free(p->meta);
	free(p);
}

static struct group_part *part_new(struct kafka_group *g, const char *full, int32_t partition)
{
	const char *prefix = g->h.bus->config.topic_prefix;

	if (g->n == g->cap) {
		size_t cap = g->cap ? 2 * g->cap : 16;
		struct group_part **v = realloc(g->v, cap * sizeof(*v));

		if (!v)
			return NULL;
		g->v = v;
		g->cap = cap;
	}

	struct group_part *p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->topic = bus_kafka_topic(g->h.bus, full + strlen(prefix));
	p->partition = partition;
	p->commit_offset = -1;
	if (!p->topic) {
		free(p);
		return NULL;
	}
	return g->v[g->n++] = p;
}

static void answer(struct kafka_group *g, bool is_assigned)
{
	rd_kafka_topic_partition_list_t *none =
		is_assigned ? rd_kafka_topic_partition_list_new(0) : NULL;
	rd_kafka_resp_err_t err = rd_kafka_assign(g->h.rk, none);

	if (none)
		rd_kafka_topic_partition_list_destroy(none);
	if (err)
		bus_kafka_count_error(g->h.bus, err);
}

static void on_assigned(struct kafka_group *g, const rd_kafka_topic_partition_list_t *list)
{
	answer(g, true);
	if (g->is_gone)
		return;
	g->generation++;
	for (int i = 0; i < list->cnt; i++)
		if (!part_new(g, list->elems[i].topic, list->elems[i].partition))
			log_debug("kafka", "out of memory", "group=%s partition=%d", g->name,
				list->elems[i].partition);
	g->must_ask = g->n > 0;
	g->must_wait = false;
}

static void on_revoked(struct kafka_group *g)
{
	g->generation++;
	g->must_ask = false;
	for (size_t i = 0; i < g->n && !g->is_gone; i++) {
		struct group_part *p = g->v[i];

		if (p->gone)
			continue;
		p->is_revoked = true;
		kafka_feed_remove(&g->feed, p->topic->name, p->partition);
		if (p->is_told)
			g->ops->revoked(g->ctx, p->topic->name, p->partition);
	}
	send_commits(g);
	for (size_t i = 0; i < g->n; i++)
		g->v[i]->gone = true;
	answer(g, false);
}

static void ask_committed(struct kafka_group *g)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)g->n);
	rd_kafka_AdminOptions_t *options =
		rd_kafka_AdminOptions_new(g->h.rk, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
	rd_kafka_ListConsumerGroupOffsets_t *request;
	char why[128];

	for (size_t i = 0; i < g->n; i++)
		if (!g->v[i]->gone && !g->v[i]->is_told)
			rd_kafka_topic_partition_list_add(
				list, g->v[i]->topic->full, g->v[i]->partition);
	request = rd_kafka_ListConsumerGroupOffsets_new(g->name, list);
	rd_kafka_AdminOptions_set_request_timeout(options, ASK_TIMEOUT_MS, why, sizeof(why));
	rd_kafka_AdminOptions_set_opaque(options, (void *)(uintptr_t)g->generation);
	rd_kafka_ListConsumerGroupOffsets(g->h.rk, &request, 1, options, g->h.queue);
	rd_kafka_ListConsumerGroupOffsets_destroy(request);
	rd_kafka_AdminOptions_destroy(options);
	rd_kafka_topic_partition_list_destroy(list);
	g->must_ask = false;
}

static const rd_kafka_topic_partition_list_t *offsets_of(rd_kafka_event_t *e)
{
	const rd_kafka_ListConsumerGroupOffsets_result_t *result =
		rd_kafka_event_ListConsumerGroupOffsets_result(e);
	const rd_kafka_group_result_t **groups;
	size_t n = 0;

	if (rd_kafka_event_error(e) || !result)
		return NULL;
	groups = rd_kafka_ListConsumerGroupOffsets_result_groups(result, &n);
	if (!n || rd_kafka_group_result_error(groups[0]))
		return NULL;
	return rd_kafka_group_result_partitions(groups[0]);
}

static void on_offsets(struct kafka_group *g, rd_kafka_event_t *e)
{
	const rd_kafka_topic_partition_list_t *list = offsets_of(e);
	uint64_t generation = (uint64_t)(uintptr_t)rd_kafka_event_opaque(e);
	bool is_complete = list != NULL;

	if (generation != g->generation)
		return;
	for (int i = 0; list && i < list->cnt; i++) {
		const rd_kafka_topic_partition_t *x = &list->elems[i];
		struct group_part *p = find_full(g, x->topic, x->partition);

		if (g->is_gone)
			return;
		if (x->err)
			is_complete = false;
		if (x->err || !p || p->is_told)
			continue;
		p->is_told = true;
		g->ops->assigned(g->ctx, p->topic->name, p->partition,
			x->offset < 0 ? BUS_NO_OFFSET : x->offset,
			x->offset < 0 ? STR_NONE
				      : (struct str){ x->metadata_size ? x->metadata : "",
						x->metadata_size });
	}
	if (!is_complete) {
		bus_kafka_count_error(g->h.bus, rd_kafka_event_error(e));
		g->must_ask = g->must_wait = true;
	}
}

static void on_event(struct kafka_handle *h, rd_kafka_event_t *e)
{
	struct kafka_group *g = group_of_handle(h);

	switch (rd_kafka_event_type(e)) {
	case RD_KAFKA_EVENT_REBALANCE:
		if (rd_kafka_event_error(e) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
			on_assigned(g, rd_kafka_event_topic_partition_list(e));
		else
			on_revoked(g);
		break;
	case RD_KAFKA_EVENT_OFFSET_COMMIT:
		on_committed(g, e);
		break;
	case RD_KAFKA_EVENT_LISTCONSUMERGROUPOFFSETS_RESULT:
		if (!g->is_gone)
			on_offsets(g, e);
		break;
	default:
		break;
	}
}

/* ---- turns ---- */

static void leave_group(struct kafka_group *g)
{
	rd_kafka_error_t *err;

	if (!g->is_closing) {
		g->is_closing = true;
		g->close_until_us = bus_kafka_mono_us() + KAFKA_CLOSE_MS * 1000;
		send_commits(g);
		err = rd_kafka_consumer_close_queue(g->h.rk, g->h.queue);
		if (err) {
			rd_kafka_error_destroy(err);
			g->is_closed = true;
		}
		return;
	}
	if (rd_kafka_consumer_closed(g->h.rk) || bus_kafka_mono_us() > g->close_until_us)
		g->is_closed = true;
}

static bool has_due(const struct kafka_group *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i]->is_due && !g->v[i]->gone)
			return true;
	return false;
}

static void on_turn(struct kafka_handle *h)
{
	struct kafka_group *g = group_of_handle(h);
	int64_t now = bus_kafka_mono_us();

	if (g->is_gone) {
		leave_group(g);
		return;
	}
	if (now - g->tick_us >= 1000000) { /* the handle's own tick sees to it that we come by */
		g->tick_us = now;
		g->must_wait = false;
	}
	if (g->is_committing && now - g->commit_sent_us > COMMIT_STALE_US)
		g->is_committing = false;
	if (g->must_wait)
		return;
	if (g->must_ask)
		ask_committed(g);
	if (has_due(g) && !g->is_committing)
		send_commits(g);
}

static const struct kafka_handle_ops OPS = { .event = on_event, .turn = on_turn };

/* The feed's callbacks, handed on. A partition whose start is not in the log begins at the
 * beginning: the group's policy. */
static void on_records(void *ctx, const struct bus_record *r, size_t n)
{
	struct kafka_group *g = ctx;

	g->ops->records(g->ctx, r, n);
}

static void on_at_end(void *ctx, const char *topic, int32_t partition, int64_t next_offset)
{
	struct kafka_group *g = ctx;

	if (g->ops->at_end)
		g->ops->at_end(g->ctx, topic, partition, next_offset);
}

static const struct bus_reader_ops FEED_OPS = { .records = on_records, .at_end = on_at_end };

/* ---- life ---- */

static int subscribe(struct kafka_group *g, const char *const *topics, size_t n_topics)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n_topics);
	rd_kafka_resp_err_t err;

	for (size_t i = 0; i < n_topics; i++) {
		struct kafka_topic *t = bus_kafka_topic(g->h.bus, topics[i]);

		if (t)
			rd_kafka_topic_partition_list_add(list, t->full, RD_KAFKA_PARTITION_UA);
	}
	err = (size_t)list->cnt == n_topics ? rd_kafka_subscribe(g->h.rk, list)
					    : RD_KAFKA_RESP_ERR__INVALID_ARG;
	rd_kafka_topic_partition_list_destroy(list);
	return err ? -EINVAL : 0;
}

static void group_free(struct kafka_group *g)
{
	kafka_feed_fini(&g->feed);
	kafka_handle_fini(&g->h, NULL);
	for (size_t i = 0; i < g->n; i++)
		part_free(g->v[i]);
	free(g->v);
	free(g->name);
	free(g);
}

int kafka_group_open(struct bus *b, struct bus_group **ret, const char *group,
	const char *const *topics, size_t n_topics, const struct bus_group_ops *ops, void *ctx)
{
	struct bus_kafka *k = (struct bus_kafka *)b;
	const char *const extra[] = { "group.id", group, NULL };
	struct kafka_group *g = calloc(1, sizeof(*g));
	int r;

	if (!g)
		return -ENOMEM;
	g->group.bus = b;
	g->ops = ops;
	g->ctx = ctx;
	g->name = strdup(group);
	r = g->name ? 0 : -ENOMEM;
	if (r || (r = kafka_feed_init(&g->feed, k, &FEED_OPS, g, NULL)) ||
		(r = kafka_handle_init(&g->h, k, KAFKA_MEMBER, extra, &OPS, NULL)) ||
		(r = subscribe(g, topics, n_topics))) {
		group_free(g);
		return r;
	}
	g->next = k->groups;
	k->groups = g;
	*ret = &g->group;
	return 0;
}

/* Asked from within a callback, leaving waits for the turn's end: an assignment may be half
 * answered. */
void kafka_group_close(struct bus_group *group)
{
	struct kafka_group *g = group_of(group);

	g->is_gone = true;
	kafka_feed_stop(&g->feed);
	kafka_handle_kick(&g->h);
	if (!g->h.bus->n_busy)
		kafka_handle_serve(&g->h);
}

static void sweep_parts(struct kafka_group *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		if (g->v[i]->gone)
			part_free(g->v[i]);
		else
			g->v[n++] = g->v[i];
	}
	g->n = n;
}

void kafka_groups_sweep(struct bus_kafka *k)
{
	for (struct kafka_group **at = &k->groups; *at;) {
		struct kafka_group *g = *at;

		sweep_parts(g);
		if (g->feed.is_gone)
			kafka_feed_fini(&g->feed);
		else
			kafka_feed_sweep(&g->feed);
		if (!g->is_closed) {
			at = &g->next;
			continue;
		}
		*at = g->next;
		group_free(g);
	}
}

bool kafka_groups_are_closed(const struct bus_kafka *k)
{
	return !k->groups;
}

void kafka_groups_serve(struct bus_kafka *k)
{
	struct kafka_group *next;

	for (struct kafka_group *g = k->groups; g; g = next) {
		next = g->next;
		assert(g->is_gone);
		kafka_handle_serve(&g->h); /* frees @g, at most */
	}
}

void kafka_groups_abandon(struct bus_kafka *k)
{
	for (struct kafka_group *g = k->groups; g; g = g->next)
		g->is_closed = true;
	kafka_groups_sweep(k);
}

int64_t kafka_groups_heard_ms(const struct bus_kafka *k)
{
	int64_t least = INT64_MAX;

	for (const struct kafka_group *g = k->groups; g; g = g->next)
		if (g->feed.n && g->feed.h.heard_ms < least)
			least = g->feed.h.heard_ms;
	return least;
}

/* ---- the role's calls ---- */

void kafka_group_start(struct bus_group *group, const char *topic, int32_t partition, int64_t from)
{
	struct kafka_group *g = group_of(group);
	struct group_part *p = find(g, topic, partition);

	if (!p || !p->is_told || p->is_revoked)
		return;
	kafka_feed_remove(&g->feed, topic, partition); /* started before: over again */
	if (kafka_feed_add(&g->feed, p->topic, partition, from, -1))
		return;
	kafka_feed_hold(&g->feed, topic, partition, p->held);
}

void kafka_group_hold(struct bus_group *group, const char *topic, int32_t partition, bool hold)
{
	struct kafka_group *g = group_of(group);
	struct group_part *p = find(g, topic, partition);

	if (!p)
		return;
	p->held = hold;
	kafka_feed_hold(&g->feed, topic, partition, hold);
}

int kafka_group_commit(struct bus_group *group, const char *topic, int32_t partition,
	int64_t next_offset, struct str metadata)
{
	struct kafka_group *g = group_of(group);
	struct group_part *p = find(g, topic, partition);
	char *meta = NULL;

	if (!p || !p->is_told)
		return -EINVAL;
	if (metadata.p && metadata.n && !(meta = malloc(metadata.n)))
		return -ENOMEM;
	if (meta)
		memcpy(meta, metadata.p, metadata.n);
	free(p->meta);
	p->meta = meta;
	p->n_meta = meta ? metadata.n : 0;
	p->commit_offset = next_offset;
	if (!p->is_due && !g->is_committing)
		kafka_handle_kick(&g->h);
	p->is_due = true;
	return 0;
}

int64_t kafka_group_high(struct bus_group *group, const char *topic, int32_t partition)
{
	return kafka_feed_high(&group_of(group)->feed, topic, partition);
}
