/*
 * The client's side of the in-memory bus: what a role holds. Records are given as copies that are
 * freed right after the callback, so a role that keeps a borrowed pointer is caught by the
 * sanitizer. A send is appended at the next turn and reported after the latency: between the two
 * lies the moment in which a crash leaves a record in the log that nobody knows of.
 */
#include "common/io/sim/sim_broker.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define SEND_TIMEOUT_US 30000000
#define MESSAGE_MAX     1000000 /* librdkafka's message.max.bytes */
#define UP_US           3000000

static struct bus_sim *sim_of(struct bus *b)
{
	return (struct bus_sim *)b;
}

static int64_t mono(const struct bus_sim *s)
{
	return loop_mono_us(s->broker->loop);
}

static const struct sim_name *intern(struct bus_sim *s, const char *name)
{
	for (struct sim_name *i = s->names; i; i = i->next)
		if (strcmp(i->name, name) == 0)
			return i;

	struct sim_name *i = calloc(1, sizeof(*i));
	if (!i || asprintf(&i->full, "%s%s", s->prefix, name) < 0) {
		free(i);
		return NULL;
	}
	i->name = i->full + strlen(s->prefix);
	i->next = s->names;
	return s->names = i;
}

/* ---- cursors ---- */

struct sim_cursor *sim_cursor_new(
	struct sim_cursors *cs, const struct sim_name *name, int32_t partition)
{
	if (cs->n == cs->cap) {
		size_t cap = cs->cap ? 2 * cs->cap : 8;
		struct sim_cursor **v = realloc(cs->v, cap * sizeof(*v));

		if (!v)
			return NULL;
		cs->v = v;
		cs->cap = cap;
	}

	struct sim_cursor *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->name = name;
	c->partition = partition;
	c->until = -1;
	return cs->v[cs->n++] = c;
}

static struct sim_cursor *cursor_find(
	const struct sim_cursors *cs, const char *topic, int32_t partition)
{
	for (size_t i = 0; i < cs->n; i++) {
		struct sim_cursor *c = cs->v[i];

		if (!c->gone && c->partition == partition && strcmp(c->name->name, topic) == 0)
			return c;
	}
	return NULL;
}

static void cursor_free(struct sim_cursor *c)
{
	free(c->commit_meta);
	free(c);
}

static void cursors_sweep(struct sim_cursors *cs, bool all)
{
	size_t n = 0;

	for (size_t i = 0; i < cs->n; i++) {
		if (all || cs->v[i]->gone)
			cursor_free(cs->v[i]);
		else
			cs->v[n++] = cs->v[i];
	}
	cs->n = n;
	if (all) {
		free(cs->v);
		*cs = (struct sim_cursors){ 0 };
	}
}

/* ---- deliveries ---- */

typedef void (*records_fn)(void *ctx, const struct bus_record *r, size_t n);

/* The @n records before the position. */
static void give(
	const struct sim_cursor *c, const struct sim_part *p, size_t n, records_fn fn, void *ctx)
{
	size_t first = (size_t)(c->pos - p->low) - n;
	struct sim_record **copies = calloc(n, sizeof(*copies));
	struct bus_record *batch = calloc(n, sizeof(*batch));

	assert(copies && batch);
	for (size_t i = 0; i < n; i++) {
		copies[i] = sim_record_new(c->name->name, c->partition, &p->v[first + i]->r);
		assert(copies[i]);
		batch[i] = copies[i]->r;
		if (batch[i].n_headers > BUS_HEADERS_MAX)
			batch[i].n_headers = BUS_HEADERS_MAX;
	}
	fn(ctx, batch, n);
	for (size_t i = 0; i < n; i++)
		free(copies[i]);
	free(copies);
	free(batch);
}

static size_t n_ready(const struct sim_cursor *c, const struct sim_part *p, int64_t now)
{
	int64_t end = sim_part_high(p);
	size_t n = 0;

	if (c->until >= 0 && c->until < end)
		end = c->until;
	while (n < BUS_BATCH_MAX && c->pos + (int64_t)n < end &&
		p->v[c->pos - p->low + (int64_t)n]->visible_us <= now)
		n++;
	return n;
}

/* Where to begin; false if the wanted offset is not in the log. */
static bool resolve(struct sim_cursor *c, const struct sim_part *p)
{
	bool is_ok = true;

	if (c->pos == BUS_FROM_END)
		c->pos = sim_part_high(p);
	else if (c->pos == BUS_FROM_BEGIN || c->pos == BUS_NO_OFFSET)
		c->pos = p->low;
	else if (c->pos < p->low || c->pos > sim_part_high(p))
		is_ok = false;
	if (!is_ok)
		c->pos = p->low;
	return is_ok;
}

/* When there may be more to give: never, or a time. */
static int64_t next_due(const struct sim_cursor *c, const struct sim_part *p, int64_t now)
{
	if (c->gone || c->held || c->pos >= sim_part_high(p))
		return INT64_MAX;
	if (c->pos < p->low)
		return now;

	int64_t due = p->v[c->pos - p->low]->visible_us;

	return due > now ? due : now;
}

static int64_t pump_reader(
	struct sim_reader *r, struct sim_cursor *c, struct sim_part *p, int64_t now)
{
	if (!resolve(c, p) && r->ops->out_of_range)
		r->ops->out_of_range(r->ctx, c->name->name, c->partition, c->pos);

	size_t n = c->gone ? 0 : n_ready(c, p, now);
	if (n) {
		c->told_end = false;
		c->pos += (int64_t)n;
		give(c, p, n, r->ops->records, r->ctx);
	}
	if (c->gone)
		return INT64_MAX;

	bool is_done = c->until >= 0 && c->pos >= c->until;
	bool is_end = c->until < 0 && c->pos == sim_part_high(p);

	if (is_done || (is_end && !c->told_end)) {
		c->told_end = true;
		c->gone = is_done;
		if (r->ops->at_end)
			r->ops->at_end(
				r->ctx, c->name->name, c->partition, is_done ? c->until : c->pos);
	}
	return next_due(c, p, now);
}

static int64_t pump_member(
	struct sim_member *m, struct sim_cursor *c, struct sim_part *p, int64_t now)
{
	resolve(c, p);

	size_t n = n_ready(c, p, now);
	if (n) {
		c->told_end = false;
		c->pos += (int64_t)n;
		give(c, p, n, m->ops->records, m->ctx);
	}
	if (!c->gone && !c->told_end && c->pos == sim_part_high(p)) {
		c->told_end = true;
		if (m->ops->at_end)
			m->ops->at_end(m->ctx, c->name->name, c->partition, c->pos);
	}
	return next_due(c, p, now);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t pump_readers(struct bus_sim *s, int64_t now)
{
	int64_t due = INT64_MAX;

	for (struct sim_reader *r = s->readers; r; r = r->next)
		for (size_t i = 0; i < r->cursors.n; i++) {
			struct sim_cursor *c = r->cursors.v[i];
			struct sim_part *p = sim_part_find(s->broker, c->name->full, c->partition);

			if (c->gone || !p)
				continue;
			due = earlier(
				due, c->ready_us > now ? c->ready_us : pump_reader(r, c, p, now));
		}
	return due;
}

static int64_t pump_members(struct bus_sim *s, int64_t now)
{
	int64_t due = INT64_MAX;

	for (struct sim_member *m = s->members; m; m = m->next)
		for (size_t i = 0; i < m->cursors.n; i++) {
			struct sim_cursor *c = m->cursors.v[i];
			struct sim_part *p = sim_part_find(s->broker, c->name->full, c->partition);

			if (c->has_commit && c->commit_due_us <= now)
				sim_group_apply_commit(s->broker, m->state, c);
			if (c->has_commit)
				due = earlier(due, c->commit_due_us);
			if (c->gone || !p || !c->started || c->held)
				continue;
			due = earlier(
				due, c->ready_us > now ? c->ready_us : pump_member(m, c, p, now));
		}
	return due;
}

static void wake(struct bus_sim *s, int64_t due_us)
{
	int64_t delay = due_us - mono(s);

	if (s->read_due_us >= 0 && s->read_due_us <= due_us)
		return;
	s->read_due_us = due_us;
	loop_timer_start_us(s->read_timer, delay > 0 ? delay : 0);
}

static void on_read(void *ctx)
{
	struct bus_sim *s = ctx;
	struct sim_broker *b = s->broker;
	int64_t now = mono(s);

	s->read_due_us = -1;
	if (b->is_down)
		return;
	b->n_busy++;
	int64_t due = earlier(pump_readers(s, now), pump_members(s, now));
	b->n_busy--;
	if (due != INT64_MAX)
		wake(s, due);
	bus_sim_sweep(b);
}

void bus_sim_wake_all(struct sim_broker *b, int64_t due_us)
{
	for (struct bus_sim *s = b->buses; s; s = s->next)
		wake(s, due_us);
}

void bus_sim_sweep(struct sim_broker *b)
{
	if (b->n_busy)
		return;
	for (struct bus_sim *s = b->buses; s; s = s->next) {
		for (struct sim_reader **at = &s->readers; *at;) {
			struct sim_reader *r = *at;

			cursors_sweep(&r->cursors, r->gone);
			if (!r->gone) {
				at = &r->next;
				continue;
			}
			*at = r->next;
			free(r);
		}
		for (struct sim_member **at = &s->members; *at;) {
			struct sim_member *m = *at;

			cursors_sweep(&m->cursors, m->gone);
			if (!m->gone) {
				at = &m->next;
				continue;
			}
			*at = m->next;
			free(m->topics);
			free(m);
		}
	}
}

/* ---- sending ---- */

static void sends_push(struct sim_sends *q, struct sim_send *x)
{
	x->next = NULL;
	*q->last = x;
	q->last = &x->next;
	q->n++;
}

static struct sim_send *sends_pop(struct sim_sends *q)
{
	struct sim_send *x = q->first;

	q->first = x->next;
	if (!q->first)
		q->last = &q->first;
	q->n--;
	return x;
}

static void send_free(struct sim_send *x)
{
	free(x->record);
	free(x);
}

static void append(struct bus_sim *s, struct sim_send *x)
{
	if (x->topic->fail_n) {
		x->topic->fail_n--;
		x->err = x->topic->fail_err;
		return;
	}
	x->err = sim_part_append(s->broker, &x->topic->parts[x->partition], x->record, &x->offset);
	if (!x->err)
		x->record = NULL;
}

/* Moves what the broker has answered (or what waited too long for it) to the reports. */
static void answer(struct bus_sim *s, int64_t now)
{
	while (s->waiting.n) {
		struct sim_send *x = s->waiting.first;

		if (s->broker->is_down && x->deadline_us > now)
			break;
		sends_pop(&s->waiting);
		if (s->broker->is_down) {
			x->err = -ETIMEDOUT;
			x->report_us = now;
		} else {
			append(s, x);
			x->report_us = now + s->broker->latency_us;
		}
		sends_push(&s->answered, x);
	}
}

static void schedule_sends(struct bus_sim *s)
{
	const struct sim_send *x = s->answered.first;
	bool is_down = s->broker->is_down;
	int64_t now = mono(s), due = INT64_MAX;

	if (s->waiting.n)
		due = is_down ? s->waiting.first->deadline_us : now;
	if (x)
		due = earlier(due, is_down && !x->err ? x->deadline_us : x->report_us);
	if (due != INT64_MAX)
		loop_timer_start_us(s->send_timer, due > now ? due - now : 0);
}

/* An answer that the broker's going down has swallowed becomes a timeout: the record is in the log
 * and its sender does not know. */
static bool is_reportable(const struct bus_sim *s, struct sim_send *x, int64_t now)
{
	if (!s->broker->is_down || x->err)
		return x->report_us <= now;
	if (x->deadline_us > now)
		return false;
	x->err = -ETIMEDOUT;
	return true;
}

static void on_send(void *ctx)
{
	struct bus_sim *s = ctx;
	int64_t now = mono(s);

	answer(s, now);
	s->broker->n_busy++;
	while (s->answered.n && is_reportable(s, s->answered.first, now)) {
		struct sim_send *x = sends_pop(&s->answered);

		if (x->sent)
			x->sent(x->ctx, x->err, x->err ? -1 : x->partition,
				x->err ? -1 : x->offset);
		send_free(x);
	}
	s->broker->n_busy--;
	schedule_sends(s);
	bus_sim_sweep(s->broker);
}

static size_t message_size(const struct bus_message *m)
{
	size_t n = m->key.n + m->value.n;

	for (size_t i = 0; i < m->n_headers; i++)
		n += m->headers[i].name.n + m->headers[i].value.n;
	return n;
}

static int32_t pick_partition(struct bus_sim *s, const struct bus_message *m, int32_t n)
{
	if (m->partition != BUS_BY_KEY)
		return m->partition;
	return m->key.p ? bus_partition_of(m->key, n) : (int32_t)(s->round_robin++ % (uint32_t)n);
}

static int sim_send(struct bus *bus, const struct bus_message *m)
{
	struct bus_sim *s = sim_of(bus);
	const struct sim_name *name = intern(s, m->topic);
	struct sim_topic *t = name ? sim_topic_find(s->broker, name->full) : NULL;

	if (!t || m->partition < BUS_BY_KEY || m->partition >= t->n_parts)
		return -EINVAL;
	if (message_size(m) > MESSAGE_MAX)
		return -EMSGSIZE;
	if (s->waiting.n + s->answered.n >= s->queue_max)
		return -ENOBUFS;

	struct sim_send *x = calloc(1, sizeof(*x));
	if (!x)
		return -ENOBUFS;
	x->topic = t;
	x->partition = pick_partition(s, m, t->n_parts);
	x->sent = m->sent;
	x->ctx = m->ctx;
	x->deadline_us = mono(s) + SEND_TIMEOUT_US;
	x->record = sim_record_new(t->name, x->partition,
		&(struct bus_record){ .ts_ms = loop_now_ms(s->broker->loop),
			.key = m->key,
			.value = m->value,
			.headers = m->headers,
			.n_headers = m->n_headers });
	if (!x->record) {
		send_free(x);
		return -ENOBUFS;
	}
	sends_push(&s->waiting, x);
	schedule_sends(s);
	return 0;
}

static size_t sim_in_flight(const struct bus *bus)
{
	const struct bus_sim *s = (const struct bus_sim *)bus;

	return s->waiting.n + s->answered.n;
}

/* ---- the view of the cluster ---- */

static int32_t sim_partitions(struct bus *bus, const char *topic)
{
	struct bus_sim *s = sim_of(bus);
	const struct sim_name *name = intern(s, topic);
	struct sim_topic *t = name ? sim_topic_find(s->broker, name->full) : NULL;

	return t ? t->n_parts : 0;
}

static bool sim_is_up(struct bus *bus)
{
	struct bus_sim *s = sim_of(bus);

	return !s->broker->is_down || mono(s) - s->broker->down_mono_us < UP_US;
}

static int64_t sim_heard_ms(struct bus *bus)
{
	struct bus_sim *s = sim_of(bus);

	return s->broker->is_down ? s->broker->down_wall_ms : loop_now_ms(s->broker->loop);
}

static int64_t high_of(struct bus_sim *s, const char *topic, int32_t partition)
{
	const struct sim_name *name = intern(s, topic);

	return name ? sim_broker_high(s->broker, name->full, partition) : -1;
}

/* ---- readers ---- */

static int sim_reader_open(
	struct bus *bus, struct bus_reader **ret, const struct bus_reader_ops *ops, void *ctx)
{
	struct bus_sim *s = sim_of(bus);
	struct sim_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->reader.bus = bus;
	r->ops = ops;
	r->ctx = ctx;
	r->next = s->readers;
	s->readers = r;
	*ret = &r->reader;
	return 0;
}

static void sim_reader_close(struct bus_reader *reader)
{
	struct sim_reader *r = (struct sim_reader *)reader;

	r->gone = true;
	for (size_t i = 0; i < r->cursors.n; i++)
		r->cursors.v[i]->gone = true;
	bus_sim_sweep(sim_of(reader->bus)->broker);
}

static int sim_reader_add(struct bus_reader *reader, const char *topic, int32_t partition,
	int64_t from, int64_t until)
{
	struct sim_reader *r = (struct sim_reader *)reader;
	struct bus_sim *s = sim_of(reader->bus);
	const struct sim_name *name = intern(s, topic);

	if (cursor_find(&r->cursors, topic, partition))
		return -EEXIST;
	struct sim_cursor *c = name ? sim_cursor_new(&r->cursors, name, partition) : NULL;
	if (!c)
		return -ENOMEM;
	c->pos = from;
	c->until = until;
	c->ready_us = mono(s) + s->broker->latency_us;
	wake(s, c->ready_us);
	return 0;
}

static void sim_reader_remove(struct bus_reader *reader, const char *topic, int32_t partition)
{
	struct sim_reader *r = (struct sim_reader *)reader;
	struct sim_cursor *c = cursor_find(&r->cursors, topic, partition);

	if (c)
		c->gone = true;
	bus_sim_sweep(sim_of(reader->bus)->broker);
}

static int64_t sim_reader_high(struct bus_reader *reader, const char *topic, int32_t partition)
{
	return high_of(sim_of(reader->bus), topic, partition);
}

/* ---- groups ---- */

static int sim_group_open(struct bus *bus, struct bus_group **ret, const char *group,
	const char *const *topics, size_t n_topics, const struct bus_group_ops *ops, void *ctx)
{
	struct bus_sim *s = sim_of(bus);
	struct sim_member *m = calloc(1, sizeof(*m));
	int r = -ENOMEM;

	if (!m)
		return r;
	m->group.bus = bus;
	m->ops = ops;
	m->ctx = ctx;
	m->topics = calloc(n_topics, sizeof(struct sim_name *));
	for (; m->topics && m->n_topics < n_topics; m->n_topics++)
		if (!(m->topics[m->n_topics] = intern(s, topics[m->n_topics])))
			break;
	if (m->topics && m->n_topics == n_topics)
		r = sim_group_join(s->broker, m, group);
	if (r) {
		free(m->topics);
		free(m);
		return r;
	}
	m->next = s->members;
	s->members = m;
	*ret = &m->group;
	return 0;
}

static void sim_group_close(struct bus_group *g)
{
	struct sim_member *m = (struct sim_member *)g;
	struct sim_broker *b = sim_of(g->bus)->broker;

	sim_group_leave(b, m);
	m->gone = true;
	bus_sim_sweep(b);
}

static struct sim_cursor *member_cursor(struct bus_group *g, const char *topic, int32_t partition)
{
	return cursor_find(&((struct sim_member *)g)->cursors, topic, partition);
}

static void sim_group_start(struct bus_group *g, const char *topic, int32_t partition, int64_t from)
{
	struct sim_cursor *c = member_cursor(g, topic, partition);
	struct bus_sim *s = sim_of(g->bus);

	if (!c || c->revoked)
		return;
	c->pos = from;
	c->told_end = false;
	c->started = true;
	c->ready_us = mono(s) + s->broker->latency_us;
	wake(s, c->ready_us);
}

static void sim_group_hold(struct bus_group *g, const char *topic, int32_t partition, bool hold)
{
	struct sim_cursor *c = member_cursor(g, topic, partition);

	if (!c)
		return;
	c->held = hold;
	if (!hold)
		wake(sim_of(g->bus), mono(sim_of(g->bus)));
}

static int sim_group_commit(struct bus_group *g, const char *topic, int32_t partition,
	int64_t next_offset, struct str metadata)
{
	struct sim_cursor *c = member_cursor(g, topic, partition);
	struct bus_sim *s = sim_of(g->bus);

	if (!c)
		return -EINVAL;
	free(c->commit_meta);
	c->n_commit_meta = metadata.p ? metadata.n : 0;
	c->commit_meta = c->n_commit_meta ? malloc(c->n_commit_meta) : NULL;
	if (c->commit_meta)
		memcpy(c->commit_meta, metadata.p, metadata.n);
	else
		c->n_commit_meta = 0;
	c->commit_offset = next_offset;
	c->commit_due_us = mono(s) + s->broker->latency_us;
	c->has_commit = true;
	wake(s, c->commit_due_us);
	return 0;
}

static int64_t sim_group_high(struct bus_group *g, const char *topic, int32_t partition)
{
	return high_of(sim_of(g->bus), topic, partition);
}

/* ---- the bus ---- */

static void sends_free(struct sim_sends *q)
{
	while (q->n)
		send_free(sends_pop(q));
}

static void sim_free(struct bus *bus)
{
	struct bus_sim *s = sim_of(bus);
	struct bus_sim **at;
	struct sim_name *name;

	assert(!s->readers && !s->members && s->broker->n_busy == 0);
	for (at = &s->broker->buses; *at && *at != s; at = &(*at)->next)
		;
	if (*at)
		*at = s->next;
	if (s->waiting.last)
		sends_free(&s->waiting);
	if (s->answered.last)
		sends_free(&s->answered);
	while ((name = s->names)) {
		s->names = name->next;
		free(name->full);
		free(name);
	}
	loop_timer_free(s->send_timer);
	loop_timer_free(s->read_timer);
	free(s->prefix);
	free(s);
}

static const struct bus_ops SIM_OPS = {
	.free = sim_free,
	.send = sim_send,
	.in_flight = sim_in_flight,
	.partitions = sim_partitions,
	.is_up = sim_is_up,
	.heard_ms = sim_heard_ms,
	.reader_open = sim_reader_open,
	.reader_close = sim_reader_close,
	.reader_add = sim_reader_add,
	.reader_remove = sim_reader_remove,
	.reader_high = sim_reader_high,
	.group_open = sim_group_open,
	.group_close = sim_group_close,
	.group_start = sim_group_start,
	.group_hold = sim_group_hold,
	.group_commit = sim_group_commit,
	.group_high = sim_group_high,
};

int bus_sim_new(struct bus **ret, struct sim_broker *broker, const char *topic_prefix)
{
	struct bus_sim *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->bus.ops = &SIM_OPS;
	s->broker = broker;
	s->queue_max = 100000;
	s->read_due_us = -1;
	s->waiting.last = &s->waiting.first;
	s->answered.last = &s->answered.first;
	s->prefix = strdup(topic_prefix ? topic_prefix : "");
	s->send_timer = loop_timer_new(broker->loop, on_send, s);
	s->read_timer = loop_timer_new(broker->loop, on_read, s);
	if (!s->prefix || !s->send_timer || !s->read_timer) {
		sim_free(&s->bus);
		return -ENOMEM;
	}
	s->next = broker->buses;
	broker->buses = s;
	*ret = &s->bus;
	return 0;
}

void sim_bus_set_queue_max(struct bus *b, size_t n)
{
	sim_of(b)->queue_max = n;
}
