/*
 * The broker's side: logs, groups, faults. Groups behave like Kafka's eager protocol with the range
 * assignor: on every change all members lose everything and get their share anew, all revocations
 * before the first assignment, so a role cannot come to depend on a gentler rebalance than the real
 * one.
 */
#include "common/io/sim/sim_broker.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* ---- records and logs ---- */

static struct str put(char **at, struct str s)
{
	struct str ret = s.p ? (struct str){ *at, s.n } : STR_NONE;

	if (s.n)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return ret;
}

struct sim_record *sim_record_new(
	const char *topic, int32_t partition, const struct bus_record *src)
{
	size_t n_bytes = src->key.n + src->value.n + 1;

	for (size_t i = 0; i < src->n_headers; i++)
		n_bytes += src->headers[i].name.n + src->headers[i].value.n;

	size_t n_headers_bytes = src->n_headers * sizeof(struct bus_header);
	struct sim_record *rec = malloc(sizeof(*rec) + n_headers_bytes + n_bytes);
	if (!rec)
		return NULL;
	*rec = (struct sim_record){ .r = *src };

	struct bus_header *headers = (struct bus_header *)(rec + 1);
	char *at = (char *)headers + n_headers_bytes;

	rec->r.topic = topic;
	rec->r.partition = partition;
	rec->r.key = put(&at, src->key);
	rec->r.value = put(&at, src->value);
	rec->r.headers = headers;
	for (size_t i = 0; i < src->n_headers; i++)
		headers[i] = (struct bus_header){ put(&at, src->headers[i].name),
			put(&at, src->headers[i].value) };
	return rec;
}

struct sim_topic *sim_topic_find(struct sim_broker *b, const char *full)
{
	for (struct sim_topic *t = b->topics; t; t = t->next)
		if (strcmp(t->name, full) == 0)
			return t;
	return NULL;
}

struct sim_part *sim_part_find(struct sim_broker *b, const char *full, int32_t partition)
{
	struct sim_topic *t = sim_topic_find(b, full);

	return t && partition >= 0 && partition < t->n_parts ? &t->parts[partition] : NULL;
}

int64_t sim_part_high(const struct sim_part *p)
{
	return p->low + (int64_t)p->n;
}

int sim_part_append(
	struct sim_broker *b, struct sim_part *p, struct sim_record *record, int64_t *ret_offset)
{
	if (p->n == p->cap) {
		size_t cap = p->cap ? 2 * p->cap : 16;
		struct sim_record **v = realloc(p->v, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		p->v = v;
		p->cap = cap;
	}
	record->r.offset = *ret_offset = sim_part_high(p);
	record->visible_us = loop_mono_us(b->loop) + b->latency_us;
	p->v[p->n++] = record;
	bus_sim_wake_all(b, record->visible_us);
	return 0;
}

/* ---- groups ---- */

static void schedule_rebalance(struct sim_broker *b)
{
	loop_timer_start_us(b->rebalance, b->latency_us);
}

static struct sim_group_state *group_get(struct sim_broker *b, const char *name)
{
	for (struct sim_group_state *g = b->groups; g; g = g->next)
		if (strcmp(g->name, name) == 0)
			return g;

	struct sim_group_state *g = calloc(1, sizeof(*g));
	if (!g || !(g->name = strdup(name))) {
		free(g);
		return NULL;
	}
	g->next = b->groups;
	return b->groups = g;
}

int sim_group_join(struct sim_broker *b, struct sim_member *m, const char *group)
{
	struct sim_group_state *g = group_get(b, group);
	struct sim_member **at;

	if (!g)
		return -ENOMEM;
	for (at = &g->members; *at; at = &(*at)->next_in_group)
		;
	*at = m;
	m->state = g;
	g->is_dirty = true;
	schedule_rebalance(b);
	return 0;
}

void sim_group_leave(struct sim_broker *b, struct sim_member *m)
{
	struct sim_member **at;

	for (size_t i = 0; i < m->cursors.n; i++) {
		sim_group_apply_commit(b, m->state, m->cursors.v[i]);
		m->cursors.v[i]->gone = true;
	}
	for (at = &m->state->members; *at != m; at = &(*at)->next_in_group)
		;
	*at = m->next_in_group;
	m->state->is_dirty = true;
	schedule_rebalance(b);
}

static struct sim_commit *commit_find(
	struct sim_group_state *g, const char *full, int32_t partition)
{
	for (struct sim_commit *c = g->commits; c; c = c->next)
		if (c->partition == partition && strcmp(c->topic, full) == 0)
			return c;
	return NULL;
}

void sim_group_apply_commit(struct sim_broker *b, struct sim_group_state *g, struct sim_cursor *c)
{
	if (!c->has_commit || c->gone)
		return;
	c->has_commit = false;
	if (b->is_down)
		return;

	struct sim_commit *s = commit_find(g, c->name->full, c->partition);
	if (!s) {
		s = calloc(1, sizeof(*s));
		if (!s || !(s->topic = strdup(c->name->full))) {
			free(s);
			return;
		}
		s->partition = c->partition;
		s->next = g->commits;
		g->commits = s;
	}
	s->offset = c->commit_offset;
	free(s->meta);
	s->meta = TAKE(c->commit_meta);
	s->n_meta = c->n_commit_meta;
}

static void revoke_all(struct sim_broker *b, struct sim_member *m)
{
	for (size_t i = 0; i < m->cursors.n && !m->gone; i++) {
		struct sim_cursor *c = m->cursors.v[i];

		if (c->gone)
			continue;
		c->revoked = true;
		m->ops->revoked(m->ctx, c->name->name, c->partition);
	}
	for (size_t i = 0; i < m->cursors.n; i++) {
		sim_group_apply_commit(b, m->state, m->cursors.v[i]);
		m->cursors.v[i]->gone = true;
	}
}

static bool is_subscribed(const struct sim_member *m, const char *full, const struct sim_name **ret)
{
	for (size_t i = 0; i < m->n_topics; i++)
		if (strcmp(m->topics[i]->full, full) == 0) {
			*ret = m->topics[i];
			return true;
		}
	return false;
}

/* The range assignor: a run of partitions of each topic, the first members get one more. */
static void give_range(struct sim_broker *b, struct sim_group_state *g, struct sim_member *m,
	const struct sim_topic *t)
{
	const struct sim_name *name = NULL, *mine = NULL;
	int32_t n_members = 0, index = 0;

	for (struct sim_member *o = g->members; o; o = o->next_in_group) {
		if (!is_subscribed(o, t->name, &name))
			continue;
		if (o == m) {
			index = n_members;
			mine = name;
		}
		n_members++;
	}
	if (!mine)
		return;

	int32_t each = t->n_parts / n_members, more = t->n_parts % n_members;
	int32_t first = index * each + (index < more ? index : more);

	for (int32_t p = first; p < first + each + (index < more); p++) {
		struct sim_cursor *c = sim_cursor_new(&m->cursors, mine, p);

		assert(c);
		c->ready_us = loop_mono_us(b->loop);
	}
}

static void tell_assigned(struct sim_member *m)
{
	size_t n = m->cursors.n;

	for (size_t i = 0; i < n && !m->gone; i++) {
		struct sim_cursor *c = m->cursors.v[i];

		if (c->gone)
			continue;
		const struct sim_commit *s = commit_find(m->state, c->name->full, c->partition);

		m->ops->assigned(m->ctx, c->name->name, c->partition, s ? s->offset : BUS_NO_OFFSET,
			s ? (struct str){ s->meta ? s->meta : "", s->n_meta } : STR_NONE);
	}
}

static void rebalance(struct sim_broker *b, struct sim_group_state *g)
{
	g->is_dirty = false;
	/* A member that leaves meanwhile stays in memory (and linked onward) until the sweep. */
	for (struct sim_member *m = g->members; m; m = m->next_in_group)
		revoke_all(b, m);
	for (struct sim_member *m = g->members; m; m = m->next_in_group)
		for (struct sim_topic *t = b->topics; t; t = t->next)
			give_range(b, g, m, t);
	for (struct sim_member *m = g->members; m; m = m->next_in_group)
		tell_assigned(m);
}

static void on_rebalance(void *ctx)
{
	struct sim_broker *b = ctx;

	if (b->is_down)
		return;
	b->n_busy++;
	for (struct sim_group_state *g = b->groups; g; g = g->next)
		if (g->is_dirty)
			rebalance(b, g);
	b->n_busy--;
	bus_sim_sweep(b);
}

static void group_free(struct sim_group_state *g)
{
	struct sim_commit *c;

	while ((c = g->commits)) {
		g->commits = c->next;
		free(c->topic);
		free(c->meta);
		free(c);
	}
	free(g->name);
	free(g);
}

/* ---- the broker ---- */

int sim_broker_new(struct sim_broker **ret, struct loop *loop)
{
	CLEANUP(sim_broker_free) struct sim_broker *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	b->loop = loop;
	b->rebalance = loop_timer_new(loop, on_rebalance, b);
	if (!b->rebalance)
		return -ENOMEM;
	*ret = TAKE(b);
	return 0;
}

static void topic_free(struct sim_topic *t)
{
	for (int32_t p = 0; t->parts && p < t->n_parts; p++) {
		for (size_t i = 0; i < t->parts[p].n; i++)
			free(t->parts[p].v[i]);
		free(t->parts[p].v);
	}
	free(t->parts);
	free(t->name);
	free(t);
}

struct sim_broker *sim_broker_free(struct sim_broker *b)
{
	struct sim_topic *t;
	struct sim_group_state *g;

	if (!b)
		return NULL;
	assert(!b->buses && b->n_busy == 0);
	while ((g = b->groups)) {
		b->groups = g->next;
		group_free(g);
	}
	while ((t = b->topics)) {
		b->topics = t->next;
		topic_free(t);
	}
	loop_timer_free(b->rebalance);
	free(b);
	return NULL;
}

static void topics_changed(struct sim_broker *b)
{
	for (struct sim_group_state *g = b->groups; g; g = g->next)
		g->is_dirty = true;
	schedule_rebalance(b);
	bus_sim_wake_all(b, loop_mono_us(b->loop));
}

int sim_broker_topic(struct sim_broker *b, const char *topic, int32_t partitions)
{
	assert(partitions > 0);
	if (sim_topic_find(b, topic))
		return -EEXIST;

	struct sim_topic *t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->n_parts = partitions;
	t->name = strdup(topic);
	t->parts = calloc((size_t)partitions, sizeof(*t->parts));
	if (!t->name || !t->parts) {
		topic_free(t);
		return -ENOMEM;
	}
	t->next = b->topics;
	b->topics = t;
	topics_changed(b);
	return 0;
}

int sim_broker_grow(struct sim_broker *b, const char *topic, int32_t partitions)
{
	struct sim_topic *t = sim_topic_find(b, topic);
	struct sim_part *parts;

	assert(t && partitions >= t->n_parts && b->n_busy == 0);
	parts = realloc(t->parts, (size_t)partitions * sizeof(*parts));
	if (!parts)
		return -ENOMEM;
	memset(parts + t->n_parts, 0, (size_t)(partitions - t->n_parts) * sizeof(*parts));
	t->parts = parts;
	t->n_parts = partitions;
	topics_changed(b);
	return 0;
}

void sim_broker_set_down(struct sim_broker *b, bool down)
{
	if (down && !b->is_down) {
		b->down_wall_ms = loop_now_ms(b->loop);
		b->down_mono_us = loop_mono_us(b->loop);
	}
	b->is_down = down;
	if (down)
		return;
	schedule_rebalance(b);
	bus_sim_wake_all(b, loop_mono_us(b->loop));
	for (struct bus_sim *s = b->buses; s; s = s->next)
		loop_timer_start_us(s->send_timer, 0);
}

void sim_broker_fail_sends(struct sim_broker *b, const char *topic, unsigned n, int err)
{
	struct sim_topic *t = sim_topic_find(b, topic);

	assert(t && err < 0);
	t->fail_n = n;
	t->fail_err = err;
}

void sim_broker_set_latency(struct sim_broker *b, int64_t us)
{
	assert(us >= 0);
	b->latency_us = us;
}

void sim_broker_truncate(struct sim_broker *b, const char *topic, int32_t partition, int64_t low)
{
	struct sim_part *p = sim_part_find(b, topic, partition);

	assert(p && low >= p->low && low <= sim_part_high(p));
	size_t n = (size_t)(low - p->low);

	for (size_t i = 0; i < n; i++)
		free(p->v[i]);
	if (n)
		memmove(p->v, p->v + n, (p->n - n) * sizeof(*p->v));
	p->n -= n;
	p->low = low;
	bus_sim_wake_all(b, loop_mono_us(b->loop));
}

const struct bus_record *sim_broker_record(
	struct sim_broker *b, const char *topic, int32_t partition, int64_t offset)
{
	struct sim_part *p = sim_part_find(b, topic, partition);

	return p && offset >= p->low && offset < sim_part_high(p) ? &p->v[offset - p->low]->r
								  : NULL;
}

int64_t sim_broker_high(struct sim_broker *b, const char *topic, int32_t partition)
{
	struct sim_part *p = sim_part_find(b, topic, partition);

	return p ? sim_part_high(p) : -1;
}

int64_t sim_broker_committed(struct sim_broker *b, const char *group, const char *topic,
	int32_t partition, struct str *ret_metadata)
{
	if (ret_metadata)
		*ret_metadata = STR_NONE;
	for (struct sim_group_state *g = b->groups; g; g = g->next) {
		struct sim_commit *c =
			strcmp(g->name, group) == 0 ? commit_find(g, topic, partition) : NULL;

		if (!c)
			continue;
		if (ret_metadata)
			*ret_metadata = (struct str){ c->meta ? c->meta : "", c->n_meta };
		return c->offset;
	}
	return BUS_NO_OFFSET;
}
