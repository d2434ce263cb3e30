/*
 * A partition of a log can hold several shards, and one process can own many of them. Owners of one
 * partition share a lane, which knows the last offset that any of them was reported: only records
 * of other processes make a gap. Reports of a lane wait in their order while a gap before them is
 * read, so no role learns that a record is in the log before it is known that the record counts.
 * All lanes of a bus read their gaps with one reader.
 *
 * Lanes and hubs are found by bus, topic and partition in a list of the process: owners are made by
 * roles that do not know each other.
 */
#include "common/io/owner.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "common/base/buf.h"

#define RETRY_MS   100
#define RECORD_MAX 4096

struct hub;
struct lane;

/* A message sent, until its report has been dealt with. */
struct flight {
	TAILQ_ENTRY(flight) link; /* in the air, then waiting in the lane, or an orphan */
	struct lane *lane;        /* NULL: an orphan */
	struct owner *owner;      /* NULL: freed meanwhile */
	bool is_claim;
	unsigned n_lost; /* of its owner when sent */
	bus_sent_fn sent;
	void *ctx;
	int err;
	int32_t partition;
	int64_t offset;
};
TAILQ_HEAD(flights, flight);

struct owner {
	TAILQ_ENTRY(owner) link;
	struct loop *loop;
	struct bus *bus;
	struct lane *lane; /* NULL until the partition is known */
	const struct owner_ops *ops;
	void *ctx;
	char *topic, *key, *instance;
	size_t n_key, n_instance;
	int32_t partition;
	int64_t repeat_ms;
	int64_t epoch; /* -1: not ours */
	bool wants;    /* an owner record is to be written or under way */
	bool is_claiming;
	bool is_doomed; /* replaced, as the gap being read shows */
	unsigned n_lost;
	uint64_t n_strays;
	struct loop_timer *retry, *repeat;
};
TAILQ_HEAD(owners, owner);

struct lane {
	LIST_ENTRY(lane) link;
	struct hub *hub;
	char *topic;
	int32_t partition;
	int64_t last; /* offset reported last, -1: none yet */
	struct owners owners;
	struct flights air, waiting;
	int64_t gap_until; /* a gap is being read up to here; -1: none */
	bool must_read;    /* its reading could not be started */
	unsigned n_busy;
};
LIST_HEAD(lanes, lane);

/* What the owners of one bus share. */
struct hub {
	LIST_ENTRY(hub) link;
	struct bus *bus;
	struct bus_reader *reader; /* NULL: not needed yet */
	struct loop_timer *retry;
	struct lanes lanes;
};

static LIST_HEAD(, hub) hubs = LIST_HEAD_INITIALIZER(hubs);
/* Reports that nobody waits for; of a bus that was freed they never come. */
static struct flights orphans = TAILQ_HEAD_INITIALIZER(orphans);

static void pump(struct lane *l);
static void try_claim(struct owner *o);

/* ---- reading a gap ---- */

static struct lane *hub_lane(struct hub *h, const char *topic, int32_t partition)
{
	struct lane *l;

	LIST_FOREACH(l, &h->lanes, link)
		if (l->partition == partition && strcmp(l->topic, topic) == 0)
			return l;
	return NULL;
}

/* A record of our own is none of another only while the one that replaces it is under way: behind
 * our epoch it makes void what we write, as every reader goes by the last one. */
static bool takes_away(const struct owner *o, struct str who)
{
	return who.p && (!o->wants || !str_eq(who, (struct str){ o->instance, o->n_instance }));
}

static void judge(struct lane *l, const struct bus_record *r)
{
	struct owner *o;

	TAILQ_FOREACH(o, &l->owners, link) {
		if (o->epoch < 0 || r->offset < o->epoch)
			continue;

		if (takes_away(o, o->ops->owner_of(o->ctx, r)))
			o->is_doomed = true;
		else
			o->n_strays++;
	}
}

static void on_records(void *ctx, const struct bus_record *r, size_t n)
{
	struct lane *l = hub_lane(ctx, r->topic, r->partition);

	for (; l && l->gap_until >= 0 && n; n--, r++)
		judge(l, r);
}

/* What retention has taken cannot be judged: a shard that may be lost is lost. */
static void on_out_of_range(void *ctx, const char *topic, int32_t partition, int64_t next_offset)
{
	struct lane *l = hub_lane(ctx, topic, partition);
	struct owner *o;

	(void)next_offset;
	if (l)
		TAILQ_FOREACH(o, &l->owners, link)
			o->is_doomed = o->epoch >= 0;
}

static void lose(struct owner *o)
{
	o->is_doomed = false;
	o->epoch = -1;
	o->wants = o->is_claiming = false;
	o->n_lost++;
	loop_timer_stop(o->retry);
	loop_timer_stop(o->repeat);
	o->ops->lost(o->ctx);
}

static struct owner *first_doomed(struct lane *l)
{
	struct owner *o;

	TAILQ_FOREACH(o, &l->owners, link)
		if (o->is_doomed)
			return o;
	return NULL;
}

static void lane_put(struct lane *l);

static void on_gap_end(void *ctx, const char *topic, int32_t partition, int64_t next_offset)
{
	struct lane *l = hub_lane(ctx, topic, partition);
	struct owner *o;

	if (!l || l->gap_until < 0)
		return;
	(void)next_offset;
	l->last = l->gap_until - 1;
	l->gap_until = -1;
	l->n_busy++;
	while ((o = first_doomed(l)))
		lose(o);
	l->n_busy--;
	pump(l);
}

static const struct bus_reader_ops READER = {
	.records = on_records, .at_end = on_gap_end, .out_of_range = on_out_of_range
};

static void read_gap(struct lane *l)
{
	struct hub *h = l->hub;
	int r = h->reader ? 0 : bus_reader_open(h->bus, &h->reader, &READER, h);

	if (!r)
		r = bus_reader_add(h->reader, l->topic, l->partition, l->last + 1, l->gap_until);
	l->must_read = r != 0;
	if (r)
		loop_timer_start(h->retry, RETRY_MS);
}

static void on_hub_retry(void *ctx)
{
	struct hub *h = ctx;
	struct lane *l;

	LIST_FOREACH(l, &h->lanes, link)
		if (l->must_read)
			read_gap(l);
}

/* ---- reports ---- */

static bool somebody_owns(const struct lane *l)
{
	const struct owner *o;

	TAILQ_FOREACH(o, &l->owners, link)
		if (o->epoch >= 0)
			return true;
	return false;
}

static void settle_claim(struct owner *o, const struct flight *f)
{
	o->is_claiming = false;
	if (f->err) { /* it may be in the log: nothing else is sent before one surely is */
		loop_timer_start(o->retry, RETRY_MS);
		return;
	}
	o->wants = false;
	o->epoch = f->offset;
	if (o->repeat_ms)
		loop_timer_start(o->repeat, o->repeat_ms);
	o->ops->acquired(o->ctx, o->epoch);
}

static void settle(struct flight *f)
{
	struct owner *o = f->owner;
	bool is_lost = o && f->n_lost != o->n_lost;

	if (o && f->is_claim && !is_lost)
		settle_claim(o, f);
	else if (o && !f->is_claim && f->sent) {
		int err = is_lost ? -EPERM : f->err;

		f->sent(f->ctx, err, err ? -1 : f->partition, err ? -1 : f->offset);
	}
	free(f);
}

static void pump(struct lane *l)
{
	struct flight *f;

	l->n_busy++;
	while (l->gap_until < 0 && (f = TAILQ_FIRST(&l->waiting))) {
		bool is_gap = !f->err && l->last >= 0 && f->offset > l->last + 1;

		if (is_gap && somebody_owns(l)) {
			l->gap_until = f->offset;
			read_gap(l);
			break;
		}
		TAILQ_REMOVE(&l->waiting, f, link);
		if (!f->err && f->offset > l->last)
			l->last = f->offset;
		settle(f);
	}
	l->n_busy--;
	lane_put(l);
}

static void on_sent(void *ctx, int err, int32_t partition, int64_t offset)
{
	struct flight *f = ctx;
	struct lane *l = f->lane;

	if (!l) {
		TAILQ_REMOVE(&orphans, f, link);
		free(f);
		return;
	}
	TAILQ_REMOVE(&l->air, f, link);
	f->err = err;
	f->partition = partition;
	f->offset = offset;
	TAILQ_INSERT_TAIL(&l->waiting, f, link);
	pump(l);
}

static int launch(struct owner *o, const struct bus_message *m, bool is_claim)
{
	struct flight *f = malloc(sizeof(*f));
	struct bus_message own = *m;
	int r;

	if (!f)
		return -ENOBUFS;
	*f = (struct flight){ .lane = o->lane,
		.owner = o,
		.is_claim = is_claim,
		.n_lost = o->n_lost,
		.sent = m->sent,
		.ctx = m->ctx };
	own.sent = on_sent;
	own.ctx = f;
	r = bus_send(o->bus, &own);
	if (r) {
		free(f);
		return r;
	}
	TAILQ_INSERT_TAIL(&o->lane->air, f, link);
	return 0;
}

/* ---- lanes and hubs ---- */

static struct hub *hub_get(struct bus *bus, struct loop *loop)
{
	struct hub *h;

	LIST_FOREACH(h, &hubs, link)
		if (h->bus == bus)
			return h;
	h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	h->bus = bus;
	h->retry = loop_timer_new(loop, on_hub_retry, h);
	if (!h->retry) {
		free(h);
		return NULL;
	}
	LIST_INIT(&h->lanes);
	LIST_INSERT_HEAD(&hubs, h, link);
	return h;
}

static void hub_put(struct hub *h)
{
	if (!LIST_EMPTY(&h->lanes))
		return;
	LIST_REMOVE(h, link);
	bus_reader_close(h->reader);
	loop_timer_free(h->retry);
	free(h);
}

static struct lane *lane_get(struct hub *h, const char *topic, int32_t partition)
{
	struct lane *l = hub_lane(h, topic, partition);

	if (l)
		return l;
	l = calloc(1, sizeof(*l));
	if (!l || !(l->topic = strdup(topic))) {
		free(l);
		return NULL;
	}
	l->hub = h;
	l->partition = partition;
	l->last = l->gap_until = -1;
	TAILQ_INIT(&l->owners);
	TAILQ_INIT(&l->air);
	TAILQ_INIT(&l->waiting);
	LIST_INSERT_HEAD(&h->lanes, l, link);
	return l;
}

static void lane_put(struct lane *l)
{
	struct hub *h = l->hub;
	struct flight *f;

	if (l->n_busy || !TAILQ_EMPTY(&l->owners))
		return;
	if (l->gap_until >= 0 && h->reader)
		bus_reader_remove(h->reader, l->topic, l->partition);
	while ((f = TAILQ_FIRST(&l->air))) {
		TAILQ_REMOVE(&l->air, f, link);
		f->lane = NULL;
		TAILQ_INSERT_TAIL(&orphans, f, link);
	}
	while ((f = TAILQ_FIRST(&l->waiting))) {
		TAILQ_REMOVE(&l->waiting, f, link);
		free(f);
	}
	LIST_REMOVE(l, link);
	free(l->topic);
	free(l);
	hub_put(h);
}

/* False: not known yet, or no memory. */
static bool find_lane(struct owner *o)
{
	int32_t n, partition = o->partition;
	struct hub *h;

	if (o->lane)
		return true;
	if (partition == BUS_BY_KEY) {
		n = bus_partitions(o->bus, o->topic);
		if (!n)
			return false;
		partition = bus_partition_of((struct str){ o->key, o->n_key }, n);
	}
	h = hub_get(o->bus, o->loop);
	if (!h)
		return false;
	o->lane = lane_get(h, o->topic, partition);
	if (!o->lane) {
		hub_put(h);
		return false;
	}
	o->partition = partition;
	TAILQ_INSERT_TAIL(&o->lane->owners, o, link);
	return true;
}

/* ---- claiming ---- */

static int send_claim(struct owner *o)
{
	CLEANUP(buf_fini) struct buf record = BUF_INIT(RECORD_MAX);

	o->ops->write(o->ctx, &record);
	if (record.failed)
		return -ENOBUFS;
	return launch(o,
		&(struct bus_message){ .topic = o->topic,
			.partition = o->partition,
			.key = o->key ? (struct str){ o->key, o->n_key } : STR_NONE,
			.value = buf_str(&record) },
		true);
}

static void try_claim(struct owner *o)
{
	if (!o->wants || o->is_claiming)
		return;
	if (!find_lane(o) || send_claim(o))
		loop_timer_start(o->retry, RETRY_MS);
	else
		o->is_claiming = true;
}

static void on_retry(void *ctx)
{
	try_claim(ctx);
}

static void on_repeat(void *ctx)
{
	owner_claim(ctx);
}

void owner_claim(struct owner *o)
{
	o->wants = true;
	try_claim(o);
}

int owner_send(struct owner *o, struct bus_message *m)
{
	if (o->epoch < 0)
		return -EPERM;
	if (o->wants) /* behind the record that is under way its epoch would be too low */
		return -ENOBUFS;
	m->topic = o->topic;
	m->partition = o->partition;
	return launch(o, m, false);
}

int64_t owner_epoch(const struct owner *o)
{
	return o->epoch;
}

uint64_t owner_strays(const struct owner *o)
{
	return o->n_strays;
}

/* ---- life ---- */

static char *copy(struct str s)
{
	char *p = malloc(s.n + 1);

	if (!p)
		return NULL;
	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

int owner_new(struct owner **ret, struct loop *loop, struct bus *bus,
	const struct owner_config *config, const struct owner_ops *ops, void *ctx)
{
	struct owner *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	assert(config->partition >= 0 || config->key.p);
	o->loop = loop;
	o->bus = bus;
	o->ops = ops;
	o->ctx = ctx;
	o->partition = config->partition;
	o->repeat_ms = config->repeat_ms;
	o->epoch = -1;
	o->topic = strdup(config->topic);
	o->instance = copy(config->instance);
	o->n_instance = config->instance.n;
	o->key = config->key.p ? copy(config->key) : NULL;
	o->n_key = config->key.n;
	o->retry = loop_timer_new(loop, on_retry, o);
	o->repeat = loop_timer_new(loop, on_repeat, o);
	if (!o->topic || !o->instance || (config->key.p && !o->key) || !o->retry || !o->repeat) {
		owner_free(o);
		return -ENOMEM;
	}
	*ret = o;
	return 0;
}

static void leave_lane(struct owner *o)
{
	struct lane *l = o->lane;
	struct flight *f;

	TAILQ_FOREACH(f, &l->air, link)
		if (f->owner == o)
			f->owner = NULL;
	TAILQ_FOREACH(f, &l->waiting, link)
		if (f->owner == o)
			f->owner = NULL;
	TAILQ_REMOVE(&l->owners, o, link);
	lane_put(l);
}

struct owner *owner_free(struct owner *o)
{
	if (!o)
		return NULL;
	if (o->lane)
		leave_lane(o);
	loop_timer_free(o->retry);
	loop_timer_free(o->repeat);
	free(o->topic);
	free(o->key);
	free(o->instance);
	free(o);
	return NULL;
}
