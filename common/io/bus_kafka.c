/*
 * The bus over librdkafka: one producer, one consuming client a reader, two a group (one is the
 * member, one reads). More clients than strictly needed, for two things that a subscribed consumer
 * cannot give: partitions that start one by one, each when its owner has restored its state, and a
 * hold without pause() and resume(), which lose or repeat records in librdkafka 2.0.2.
 */
#include "common/io/bus_kafka.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"

#define UP_US 3000000

static const struct metric_def SENT = { "souk_bus_sent_total", METRIC_COUNTER,
	"Delivery reports and refusals of sends.", "result" };
static const struct metric_def RECEIVED = { "souk_bus_received_total", METRIC_COUNTER,
	"Records received.", NULL };
static const struct metric_def HEADERS_CUT = { "souk_bus_headers_cut_total", METRIC_COUNTER,
	"Records received with more headers than are looked at.", NULL };
static const struct metric_def OUT_OF_RANGE = { "souk_bus_out_of_range_total", METRIC_COUNTER,
	"Starts at an offset that is not in the log.", NULL };
static const struct metric_def COMMIT_ERRORS = { "souk_bus_commit_errors_total", METRIC_COUNTER,
	"Offset commits that failed.", NULL };
static const struct metric_def PRODUCERS = { "souk_bus_producer_replacements_total", METRIC_COUNTER,
	"Producers replaced after a fatal error.", NULL };
static const struct metric_def ERRORS = { "souk_bus_errors_total", METRIC_COUNTER,
	"Errors told by the Kafka client.", "class" };
static const struct metric_def IN_FLIGHT = { "souk_bus_in_flight", METRIC_GAUGE,
	"Messages sent without a report yet.", NULL };
static const struct metric_def LATENCY = { "souk_bus_send_seconds", METRIC_HISTOGRAM_SECONDS,
	"From send to delivery report.", NULL };

static void counters_init(struct kafka_counters *n, struct metrics *m)
{
	*n = (struct kafka_counters){
		.sent_ok = metrics_counter(m, &SENT, "ok"),
		.sent_timeout = metrics_counter(m, &SENT, "timeout"),
		.sent_size = metrics_counter(m, &SENT, "size"),
		.sent_error = metrics_counter(m, &SENT, "error"),
		.sent_full = metrics_counter(m, &SENT, "full"),
		.received = metrics_counter(m, &RECEIVED, NULL),
		.headers_cut = metrics_counter(m, &HEADERS_CUT, NULL),
		.out_of_range = metrics_counter(m, &OUT_OF_RANGE, NULL),
		.commit_errors = metrics_counter(m, &COMMIT_ERRORS, NULL),
		.producers = metrics_counter(m, &PRODUCERS, NULL),
		.err_transport = metrics_counter(m, &ERRORS, "transport"),
		.err_timeout = metrics_counter(m, &ERRORS, "timeout"),
		.err_auth = metrics_counter(m, &ERRORS, "auth"),
		.err_topic = metrics_counter(m, &ERRORS, "topic"),
		.err_group = metrics_counter(m, &ERRORS, "group"),
		.err_fatal = metrics_counter(m, &ERRORS, "fatal"),
		.err_other = metrics_counter(m, &ERRORS, "other"),
		.in_flight = metrics_gauge(m, &IN_FLIGHT, NULL),
		.latency = metrics_histogram(m, &LATENCY, NULL),
	};
}

static struct counter *class_of(struct kafka_counters *n, rd_kafka_resp_err_t err)
{
	switch (err) {
	case RD_KAFKA_RESP_ERR__TRANSPORT:
	case RD_KAFKA_RESP_ERR__RESOLVE:
	case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
	case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
		return n->err_transport;
	case RD_KAFKA_RESP_ERR__TIMED_OUT:
	case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
	case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
	case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
		return n->err_timeout;
	case RD_KAFKA_RESP_ERR__AUTHENTICATION:
	case RD_KAFKA_RESP_ERR__SSL:
	case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
		return n->err_auth;
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
	case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
	case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
	case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
		return n->err_topic;
	case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
	case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
	case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
	case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
	case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
	case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
	case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
		return n->err_group;
	case RD_KAFKA_RESP_ERR__FATAL:
	case RD_KAFKA_RESP_ERR__FENCED:
		return n->err_fatal;
	default:
		return n->err_other;
	}
}

void bus_kafka_count_error(struct bus_kafka *k, rd_kafka_resp_err_t err)
{
	counter_add(class_of(&k->n, err), 1);
}

/* ---- clocks: also used off the loop thread, hence not the loop's ---- */

static int64_t clock_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t bus_kafka_mono_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

int64_t bus_kafka_wall_ms(void)
{
	return clock_us(CLOCK_REALTIME) / 1000;
}

void bus_kafka_deadline(struct timespec *ret, int64_t ms)
{
	int64_t us = bus_kafka_mono_us() + ms * 1000;

	*ret = (struct timespec){ .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };
}

/* ---- topics ---- */

struct kafka_topic *bus_kafka_topic(struct bus_kafka *k, const char *name)
{
	const char *prefix = k->config.topic_prefix;
	struct kafka_topic *t;

	for (t = k->topics; t; t = t->next)
		if (t->name == name || strcmp(t->name, name) == 0)
			return t;

	t = calloc(1, sizeof(*t));
	if (!t || asprintf(&t->full, "%s%s", prefix, name) < 0) {
		free(t);
		return NULL;
	}
	t->name = t->full + strlen(prefix);
	t->next = k->topics;
	return k->topics = t;
}

static void topics_free(struct bus_kafka *k)
{
	struct kafka_topic *t;

	while ((t = k->topics)) {
		k->topics = t->next;
		kafka_lanes_free(t);
		free(t->full);
		free(t);
	}
}

/* ---- ops ---- */

static struct bus_kafka *kafka_of(struct bus *b)
{
	return (struct bus_kafka *)b;
}

static int kafka_send(struct bus *b, const struct bus_message *m)
{
	return kafka_producer_send(&kafka_of(b)->producer, m);
}

static size_t kafka_in_flight(const struct bus *b)
{
	return ((const struct bus_kafka *)b)->producer.n_in_flight;
}

static int32_t kafka_partitions(struct bus *b, const char *topic)
{
	struct bus_kafka *k = kafka_of(b);
	struct kafka_topic *t = bus_kafka_topic(k, topic);

	if (!t || kafka_producer_know(&k->producer, t))
		return 0;
	return kafka_pulse_partitions(k->producer.pulse, t->full);
}

static bool is_warm(struct bus_kafka *k)
{
	for (struct kafka_topic *t = k->topics; t; t = t->next)
		if (t->is_warm && kafka_pulse_partitions(k->producer.pulse, t->full) == 0)
			return false;
	return true;
}

static bool kafka_is_up(struct bus *b)
{
	struct bus_kafka *k = kafka_of(b);
	int64_t wall_ms, mono_us;

	kafka_pulse_heard(k->producer.pulse, &wall_ms, &mono_us);
	return mono_us && bus_kafka_mono_us() - mono_us < UP_US && is_warm(k);
}

/*
 * A feed is as alive as what it reads: the answer of some broker is not enough while the leader of
 * a partition being read is silent. So the least of all.
 */
static int64_t kafka_heard_ms(struct bus *b)
{
	struct bus_kafka *k = kafka_of(b);
	int64_t heard_ms, mono_us;

	kafka_pulse_heard(k->producer.pulse, &heard_ms, &mono_us);
	int64_t readers = kafka_readers_heard_ms(k), groups = kafka_groups_heard_ms(k);

	if (readers < heard_ms)
		heard_ms = readers;
	return groups < heard_ms ? groups : heard_ms;
}

static void config_free(struct bus_kafka *k)
{
	free((char *)k->config.bootstrap);
	free((char *)k->config.topic_prefix);
	free((char *)k->config.client_id);
	for (size_t i = 0; k->properties && i < k->config.n_properties; i++)
		free(k->properties[i]);
	free(k->properties);
}

/* Members that are leaving get a bounded time to do so, then all clients end in the background and
 * get a bounded time, too. */
static void kafka_free(struct bus *b)
{
	struct bus_kafka *k = kafka_of(b);

	assert(k->n_busy == 0 && !k->readers);
	if (k->producer.h.rk) {
		int64_t until_us = bus_kafka_mono_us() + KAFKA_LINGER_MS * 1000;

		while (!kafka_groups_are_closed(k) && bus_kafka_mono_us() < until_us) {
			nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
			kafka_groups_serve(k);
		}
		kafka_groups_abandon(k);
		kafka_producer_fini(&k->producer);
	}
	if (k->reaper && !kafka_reaper_wait(k->reaper, KAFKA_LINGER_MS))
		log_debug("kafka", "clients left behind", "after_ms=%d", KAFKA_LINGER_MS);
	kafka_reaper_free(k->reaper);
	topics_free(k);
	config_free(k);
	free(k);
}

static const struct bus_ops KAFKA_OPS = {
	.free = kafka_free,
	.send = kafka_send,
	.in_flight = kafka_in_flight,
	.partitions = kafka_partitions,
	.is_up = kafka_is_up,
	.heard_ms = kafka_heard_ms,
	.reader_open = kafka_reader_open,
	.reader_close = kafka_reader_close,
	.reader_add = kafka_reader_add,
	.reader_remove = kafka_reader_remove,
	.reader_high = kafka_reader_high,
	.group_open = kafka_group_open,
	.group_close = kafka_group_close,
	.group_start = kafka_group_start,
	.group_hold = kafka_group_hold,
	.group_commit = kafka_group_commit,
	.group_high = kafka_group_high,
};

static int config_copy(struct bus_kafka *k, const struct bus_kafka_config *c)
{
	k->config.bootstrap = strdup(c->bootstrap);
	k->config.topic_prefix = strdup(c->topic_prefix ? c->topic_prefix : "");
	k->config.client_id = strdup(c->client_id ? c->client_id : "souk");
	k->config.delivery_timeout_ms = c->delivery_timeout_ms;
	k->properties = calloc(c->n_properties + 1, sizeof(char *));
	if (!k->config.bootstrap || !k->config.topic_prefix || !k->config.client_id ||
		!k->properties)
		return -ENOMEM;
	for (size_t i = 0; i < c->n_properties; i++, k->config.n_properties++)
		if (!(k->properties[i] = strdup(c->properties[i])))
			return -ENOMEM;
	k->config.properties = (const char *const *)k->properties;
	return 0;
}

/* Mistakes in settings of consuming clients show now, not when the first reader opens. */
static int check_consumers(const struct bus_kafka_config *c, struct fault *f)
{
	static const enum kafka_role roles[] = { KAFKA_FEED, KAFKA_MEMBER };

	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		rd_kafka_conf_t *conf = kafka_conf(c, roles[i], NULL, f);

		if (!conf)
			return -EINVAL;
		rd_kafka_conf_destroy(conf);
	}
	return 0;
}

static int warm(struct bus_kafka *k, const struct bus_kafka_config *c)
{
	for (size_t i = 0; i < c->n_warm_topics; i++) {
		struct kafka_topic *t = bus_kafka_topic(k, c->warm_topics[i]);

		if (!t || kafka_producer_know(&k->producer, t))
			return -ENOMEM;
		t->is_warm = true;
	}
	return 0;
}

int bus_kafka_new(struct bus **ret, struct loop *loop, const struct bus_kafka_config *config,
	struct metrics *m, struct fault *f)
{
	struct bus_kafka *k = calloc(1, sizeof(*k));
	int r;

	if (!k)
		return -ENOMEM;
	k->bus.ops = &KAFKA_OPS;
	k->loop = loop;
	counters_init(&k->n, m);
	if ((r = config_copy(k, config)) || (r = check_consumers(&k->config, f)) ||
		(r = kafka_reaper_new(&k->reaper)) ||
		(r = kafka_producer_init(&k->producer, k, f)) || (r = warm(k, config))) {
		kafka_free(&k->bus);
		return r;
	}
	*ret = &k->bus;
	return 0;
}
