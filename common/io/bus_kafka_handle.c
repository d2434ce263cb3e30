/*
 * One librdkafka client on the loop. Its queues write to one eventfd when they go from empty to not
 * empty, so a wake-up drains them fully; a tick once a second covers a lost edge and keeps
 * max.poll.interval.ms from evicting an idle member. Logs arrive as events too (log.queue): our log
 * is the loop thread's alone.
 */
#include "common/io/bus_kafka.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/log.h"

#define TICK_MS    1000
#define EVENTS_MAX 256 /* a turn; the rest waits for the next */

/* Pairs. The user's properties come after these and win. */
static const char *const COMMON[] = { "socket.nagle.disable", "true", "socket.keepalive.enable",
	"true", "reconnect.backoff.ms", "20", "reconnect.backoff.max.ms", "1000", NULL };

static const char *const DEFAULTS[][24] = {
	[KAFKA_PRODUCER] = { "linger.ms", "0", "retry.backoff.ms", "20", "partitioner",
		"murmur2_random", "queue.buffering.max.messages", "100000",
		"queue.buffering.max.kbytes", "65536", NULL },
	/*
	 * The fetch limits hold per partition, as every partition has a queue of its own. A broker
	 * answers a fetch as soon as there is something, so the wait costs no latency; a short one
	 * costs a round trip each time it is over (10 ms instead of 50: a fifth of two cores at 100
	 * events/s). Not longer, because a partition whose queue was full joins only the next
	 * fetch.
	 */
	[KAFKA_FEED] = { "fetch.wait.max.ms", "50", "fetch.error.backoff.ms", "20",
		"queued.min.messages", "5000", "queued.max.messages.kbytes", "1024",
		"fetch.message.max.bytes", "262144", "session.timeout.ms", "10000", NULL },
	[KAFKA_MEMBER] = { "session.timeout.ms", "10000", "heartbeat.interval.ms", "1000",
		"max.poll.interval.ms", "60000", "coordinator.query.interval.ms", "10000", NULL },
};

/* What the code relies on: the user cannot change it. */
static const char *const FIXED_COMMON[] = { "statistics.interval.ms", "1000", "log.queue", "true",
	NULL };

static const char *const FIXED[][24] = {
	[KAFKA_PRODUCER] = { "enable.idempotence", "true", "acks", "all", NULL },
	[KAFKA_FEED] = { "enable.partition.eof", "true", "auto.offset.reset", "error",
		"enable.auto.commit", "false", "isolation.level", "read_committed", NULL },
	[KAFKA_MEMBER] = { "partition.assignment.strategy", "range", "auto.offset.reset",
		"earliest", "enable.auto.commit", "false", "enable.auto.offset.store", "false",
		NULL },
};

static const char *const RESERVED[] = { "bootstrap.servers", "metadata.broker.list", "group.id",
	"delivery.timeout.ms", "message.timeout.ms", "request.required.acks", "transactional.id",
	NULL };

static bool is_in_pairs(const char *const *pairs, const char *name)
{
	for (; *pairs; pairs += 2)
		if (strcmp(*pairs, name) == 0)
			return true;
	return false;
}

static bool is_reserved(const char *name)
{
	for (const char *const *r = RESERVED; *r; r++)
		if (strcmp(*r, name) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_LEN(FIXED); i++)
		if (is_in_pairs(FIXED[i], name))
			return true;
	return is_in_pairs(FIXED_COMMON, name);
}

static int set_pairs(rd_kafka_conf_t *conf, const char *const *pairs, struct fault *f)
{
	char why[200];

	for (; pairs && *pairs; pairs += 2)
		if (rd_kafka_conf_set(conf, pairs[0], pairs[1], why, sizeof(why)) !=
			RD_KAFKA_CONF_OK)
			return fault_set(f, FAULT_FATAL, -EINVAL, "kafka: %s: %s", pairs[0], why);
	return 0;
}

static int set_property(rd_kafka_conf_t *conf, const char *property, struct fault *f)
{
	const char *equals = strchr(property, '=');
	char name[128], why[200];

	if (!equals ||
		str_copy(name, sizeof(name), (struct str){ property, (size_t)(equals - property) }))
		return fault_set(f, FAULT_FATAL, -EINVAL,
			"kafka.properties: \"%.60s\" is not name=value", property);
	if (is_reserved(name))
		return fault_set(f, FAULT_FATAL, -EINVAL,
			"kafka.properties: %s is set by Souk itself", name);
	if (rd_kafka_conf_set(conf, name, equals + 1, why, sizeof(why)) != RD_KAFKA_CONF_OK)
		return fault_set(f, FAULT_FATAL, -EINVAL, "kafka.properties: %s: %s", name, why);
	return 0;
}

static int set_all(rd_kafka_conf_t *conf, const struct bus_kafka_config *config,
	enum kafka_role role, const char *const *extra, struct fault *f)
{
	const char *const own[] = { "bootstrap.servers", config->bootstrap, "client.id",
		config->client_id ? config->client_id : "souk", NULL };
	int r;

	if ((r = set_pairs(conf, own, f)) || (r = set_pairs(conf, COMMON, f)) ||
		(r = set_pairs(conf, DEFAULTS[role], f)))
		return r;
	for (size_t i = 0; i < config->n_properties; i++)
		if ((r = set_property(conf, config->properties[i], f)))
			return r;
	if ((r = set_pairs(conf, FIXED_COMMON, f)) || (r = set_pairs(conf, FIXED[role], f)))
		return r;
	return set_pairs(conf, extra, f);
}

rd_kafka_conf_t *kafka_conf(const struct bus_kafka_config *config, enum kafka_role role,
	const char *const *extra, struct fault *f)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	if (set_all(conf, config, role, extra, f)) {
		rd_kafka_conf_destroy(conf);
		return NULL;
	}
	return conf;
}

/* ---- events ---- */

static int64_t number_after(const char **at, const char *end, const char *key)
{
	const char *hit = memmem(*at, (size_t)(end - *at), key, strlen(key));

	if (!hit)
		return INT64_MIN;
	*at = hit + strlen(key);
	while (*at < end && (**at == ' ' || **at == ':'))
		++*at;
	return strtoll(*at, NULL, 10);
}

/*
 * "brokers":{"<name>":{…,"rxidle":N,…,"toppars":{…}},…}: only brokers have these two keys, in this
 * order. Partitions without a leader are under an internal broker, which is never heard.
 */
int64_t kafka_stats_idle_us(const char *json, size_t n)
{
	const char *at = json, *end = json + n;
	int64_t worst = -2;

	for (;;) {
		int64_t idle = number_after(&at, end, "\"rxidle\"");

		if (idle == INT64_MIN || number_after(&at, end, "\"toppars\"") == INT64_MIN)
			return worst;
		while (at < end && (*at == '{' || *at == ' '))
			at++;
		if (at < end && *at == '}')
			continue;
		if (idle < 0)
			return -1;
		if (idle > worst)
			worst = idle;
	}
}

static void on_stats(struct kafka_handle *h, rd_kafka_event_t *e)
{
	const char *json = rd_kafka_event_stats(e);
	int64_t idle_us = kafka_stats_idle_us(json, strlen(json));

	if (idle_us == -2) /* nothing to be silent: what is added next starts with a clean sheet */
		idle_us = 0;
	if (idle_us < 0)
		return;

	int64_t heard_ms = bus_kafka_wall_ms() - idle_us / 1000;
	if (heard_ms > h->heard_ms)
		h->heard_ms = heard_ms;
}

static void on_log(rd_kafka_event_t *e)
{
	const char *facility = NULL, *text = NULL;
	int level = 7;

	if (rd_kafka_event_log(e, &facility, &text, &level))
		return;
	/* syslog's levels: 4 is a warning. CONFWARN says that a producer's setting means nothing to
	 * a consumer: the user's properties go to both. */
	if (level <= 4 && strcmp(facility, "CONFWARN") != 0)
		log_warn("kafka", "librdkafka warns", "facility=%s text=%s", facility,
			log_quote(str_of(text)));
	else
		log_debug("kafka", "librdkafka says", "facility=%s text=%s", facility,
			log_quote(str_of(text)));
}

static void dispatch(struct kafka_handle *h, rd_kafka_event_t *e)
{
	switch (rd_kafka_event_type(e)) {
	case RD_KAFKA_EVENT_STATS:
		on_stats(h, e);
		break;
	case RD_KAFKA_EVENT_LOG:
		on_log(e);
		break;
	case RD_KAFKA_EVENT_ERROR:
		bus_kafka_count_error(h->bus, rd_kafka_event_error(e));
		log_debug("kafka", "client error", "error=%s text=%s",
			rd_kafka_err2name(rd_kafka_event_error(e)),
			log_quote(str_of(rd_kafka_event_error_string(e))));
		h->ops->event(h, e);
		break;
	default:
		h->ops->event(h, e);
	}
}

static void sweep(struct bus_kafka *k)
{
	if (k->n_busy)
		return;
	kafka_readers_sweep(k);
	kafka_groups_sweep(k);
}

void kafka_handle_serve(struct kafka_handle *h)
{
	struct bus_kafka *k = h->bus;
	rd_kafka_event_t *e;
	unsigned n = 0;

	k->n_busy++;
	while (n < EVENTS_MAX && (e = rd_kafka_queue_poll(h->queue, 0))) {
		dispatch(h, e);
		rd_kafka_event_destroy(e);
		n++;
	}
	if (n == EVENTS_MAX)
		kafka_handle_kick(h);
	if (h->ops->turn)
		h->ops->turn(h);
	k->n_busy--;
	sweep(k); /* may free @h */
}

static void on_io(struct ev_loop *loop, struct ev_io *w, int revents)
{
	struct kafka_handle *h = w->data;
	uint64_t n;

	(void)loop;
	(void)revents;
	if (read(h->fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		log_debug("kafka", "eventfd read failed", "errno=%d", errno);
	kafka_handle_serve(h);
}

static void on_tick(void *ctx)
{
	kafka_handle_serve(ctx);
}

/* ---- life ---- */

void kafka_handle_kick(struct kafka_handle *h)
{
	uint64_t one = 1;

	if (h->fd >= 0 && write(h->fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_debug("kafka", "eventfd write failed", "errno=%d", errno);
}

void kafka_handle_watch(struct kafka_handle *h, rd_kafka_queue_t *q)
{
	static const uint64_t one = 1;

	rd_kafka_queue_io_event_enable(q, h->fd, &one, sizeof(one));
}

void kafka_handle_unwatch(rd_kafka_queue_t *q)
{
	rd_kafka_queue_io_event_enable(q, -1, NULL, 0);
}

static int open_client(
	struct kafka_handle *h, enum kafka_role role, const char *const *extra, struct fault *f)
{
	rd_kafka_conf_t *conf = kafka_conf(&h->bus->config, role, extra, f);
	int events = RD_KAFKA_EVENT_STATS | RD_KAFKA_EVENT_LOG | RD_KAFKA_EVENT_ERROR;
	char why[200];

	if (!conf)
		return -EINVAL;
	if (role == KAFKA_PRODUCER)
		events |= RD_KAFKA_EVENT_DR;
	if (role == KAFKA_MEMBER)
		events |= RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_OFFSET_COMMIT;
	rd_kafka_conf_set_events(conf, events);

	h->rk = rd_kafka_new(role == KAFKA_PRODUCER ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf,
		why, sizeof(why));
	if (!h->rk) {
		rd_kafka_conf_destroy(conf);
		return fault_set(f, FAULT_FATAL, -EINVAL, "kafka: %s", why);
	}
	rd_kafka_set_log_queue(h->rk, NULL);
	if (role == KAFKA_MEMBER)
		rd_kafka_poll_set_consumer(h->rk);
	h->queue = role == KAFKA_MEMBER ? rd_kafka_queue_get_consumer(h->rk)
					: rd_kafka_queue_get_main(h->rk);
	return 0;
}

int kafka_handle_init(struct kafka_handle *h, struct bus_kafka *bus, enum kafka_role role,
	const char *const *extra, const struct kafka_handle_ops *ops, struct fault *f)
{
	int r;

	*h = (struct kafka_handle){ .bus = bus, .ops = ops, .heard_ms = bus_kafka_wall_ms() };
	h->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (h->fd < 0)
		return -errno;
	h->tick = loop_timer_new(bus->loop, on_tick, h);
	r = h->tick ? open_client(h, role, extra, f) : -ENOMEM;
	if (r) {
		loop_timer_free(h->tick);
		close(h->fd);
		*h = (struct kafka_handle){ .fd = -1 };
		return r;
	}
	ev_io_init(&h->io, on_io, h->fd, EV_READ);
	h->io.data = h;
	ev_io_start(loop_ev(bus->loop), &h->io);
	loop_timer_repeat(h->tick, TICK_MS);
	kafka_handle_watch(h, h->queue);
	kafka_handle_kick(h); /* what came before the watch */
	return 0;
}

void kafka_handle_fini(struct kafka_handle *h, struct kafka_pulse *pulse)
{
	if (!h->rk)
		return;
	kafka_handle_unwatch(h->queue);
	rd_kafka_queue_destroy(h->queue);
	ev_io_stop(loop_ev(h->bus->loop), &h->io);
	loop_timer_free(h->tick);
	close(h->fd);
	kafka_reap(h->bus->reaper, h->rk, pulse);
	*h = (struct kafka_handle){ .fd = -1 };
}
