/* Creating topics: for commands and the supervisor, so it may wait. A client of its own, gone
 * afterwards. */
#include "common/io/bus_kafka.h"

#include <errno.h>
#include <stdlib.h>

struct admin_client {
	rd_kafka_t *rk;
	rd_kafka_queue_t *queue;
	int timeout_ms;
};

static int left_ms(int64_t until_us)
{
	int64_t ms = (until_us - bus_kafka_mono_us()) / 1000;

	return ms > 1 ? (int)ms : 1;
}

/* -1: there is no such topic. */
static int count_partitions(const struct rd_kafka_metadata *md, const char *full)
{
	for (int i = 0; i < md->topic_cnt; i++)
		if (!md->topics[i].err && strcmp(md->topics[i].topic, full) == 0)
			return md->topics[i].partition_cnt;
	return -1;
}

static int set_config(rd_kafka_NewTopic_t *t, const struct bus_topic_spec *spec, struct fault *f)
{
	for (const char *const *c = spec->config; c && *c; c++) {
		const char *equals = strchr(*c, '=');
		char name[128];

		if (!equals ||
			str_copy(name, sizeof(name), (struct str){ *c, (size_t)(equals - *c) }))
			return fault_set(f, FAULT_FATAL, -EINVAL,
				"topic %s: \"%s\" is not name=value", spec->name, *c);
		rd_kafka_NewTopic_set_config(t, name, equals + 1);
	}
	return 0;
}

/* Replication is left to the broker's default.replication.factor. */
static int add_topic(rd_kafka_NewTopic_t **v, size_t *n, const char *full,
	const struct bus_topic_spec *spec, struct fault *f)
{
	char why[160];
	rd_kafka_NewTopic_t *t =
		rd_kafka_NewTopic_new(full, spec->partitions, -1, why, sizeof(why));

	if (!t)
		return fault_set(f, FAULT_FATAL, -EIO, "topic %s: %s", full, why);
	v[(*n)++] = t;
	return set_config(t, spec, f);
}

static int plan(const struct rd_kafka_metadata *md, const char *prefix,
	const struct bus_topic_spec *specs, size_t n_specs, rd_kafka_NewTopic_t **v, size_t *n,
	struct fault *f)
{
	for (size_t i = 0; i < n_specs; i++) {
		char full[256];

		if ((size_t)snprintf(full, sizeof(full), "%s%s", prefix, specs[i].name) >=
			sizeof(full))
			return fault_set(f, FAULT_FATAL, -EIO, "topic %s: the name is too long",
				specs[i].name);

		int have = count_partitions(md, full), r;

		if (have >= 0 && have != specs[i].partitions)
			return fault_set(f, FAULT_FATAL, -EEXIST,
				"topic %s has %d partitions, it should have %d", full, have,
				specs[i].partitions);
		if (have < 0 && (r = add_topic(v, n, full, &specs[i], f)))
			return r;
	}
	return 0;
}

static int check_results(rd_kafka_event_t *e, struct fault *f)
{
	const rd_kafka_CreateTopics_result_t *result;
	const rd_kafka_topic_result_t **topics;
	size_t n;

	if (rd_kafka_event_error(e))
		return fault_set(f, FAULT_RETRY, -EIO, "kafka: cannot create topics: %s",
			rd_kafka_event_error_string(e));
	result = rd_kafka_event_CreateTopics_result(e);
	topics = rd_kafka_CreateTopics_result_topics(result, &n);
	for (size_t i = 0; i < n; i++) {
		rd_kafka_resp_err_t err = rd_kafka_topic_result_error(topics[i]);

		/* Someone else was quicker: the next check sees whether with the right count. */
		if (err && err != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
			return fault_set(f, FAULT_FATAL, -EIO, "topic %s: %s",
				rd_kafka_topic_result_name(topics[i]),
				rd_kafka_topic_result_error_string(topics[i]));
	}
	return 0;
}

static int create(struct admin_client *c, rd_kafka_NewTopic_t **v, size_t n, int64_t until_us,
	struct fault *f)
{
	rd_kafka_AdminOptions_t *options =
		rd_kafka_AdminOptions_new(c->rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
	char why[128];
	int timeout_ms = left_ms(until_us), r;

	rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, why, sizeof(why));
	rd_kafka_AdminOptions_set_operation_timeout(options, timeout_ms, why, sizeof(why));
	rd_kafka_CreateTopics(c->rk, v, n, options, c->queue);
	rd_kafka_AdminOptions_destroy(options);

	rd_kafka_event_t *e = rd_kafka_queue_poll(c->queue, timeout_ms);
	if (!e)
		return fault_set(f, FAULT_RETRY, -EIO,
			"kafka: no answer to creating topics within %d ms", timeout_ms);
	r = check_results(e, f);
	rd_kafka_event_destroy(e);
	return r;
}

/* One look and, if something is missing, one creation. */
static int converge(struct admin_client *c, const char *prefix, const struct bus_topic_spec *specs,
	size_t n_specs, int64_t until_us, bool *ret_created, struct fault *f)
{
	rd_kafka_NewTopic_t **v = calloc(n_specs + 1, sizeof(*v));
	const struct rd_kafka_metadata *md = NULL;
	size_t n = 0;
	int r;

	if (!v)
		return -ENOMEM;
	rd_kafka_resp_err_t err = rd_kafka_metadata(c->rk, 1, NULL, &md, left_ms(until_us));
	if (err) {
		free(v);
		return fault_set(f, FAULT_RETRY, -EIO, "kafka: no broker answers: %s",
			rd_kafka_err2str(err));
	}
	r = plan(md, prefix, specs, n_specs, v, &n, f);
	if (!r && n)
		r = create(c, v, n, until_us, f);
	*ret_created = n > 0;
	rd_kafka_NewTopic_destroy_array(v, n);
	rd_kafka_metadata_destroy(md);
	free(v);
	return r;
}

int bus_kafka_create_topics(const struct bus_kafka_config *config,
	const struct bus_topic_spec *specs, size_t n, int timeout_ms, struct fault *f)
{
	int64_t until_us = bus_kafka_mono_us() + (int64_t)timeout_ms * 1000;
	rd_kafka_conf_t *conf = kafka_conf(config, KAFKA_PRODUCER, NULL, f);
	struct kafka_reaper *reaper = NULL;
	bool created = true;
	char why[200];
	int r;

	if (!conf)
		return -EIO;
	rd_kafka_conf_set(conf, "enable.idempotence", "false", NULL, 0); /* nothing is produced */
	r = kafka_reaper_new(&reaper);
	struct admin_client c = {
		.rk = r ? NULL : rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why))
	};
	if (!c.rk) {
		rd_kafka_conf_destroy(conf);
		kafka_reaper_free(reaper);
		return r ? r : fault_set(f, FAULT_FATAL, -EIO, "kafka: %s", why);
	}
	c.queue = rd_kafka_queue_new(c.rk);
	/* The second look finds what another process has created meanwhile. */
	for (int tries = 0; !r && created && tries < 3; tries++)
		r = converge(&c, config->topic_prefix ? config->topic_prefix : "", specs, n,
			until_us, &created, f);
	rd_kafka_queue_destroy(c.queue);
	kafka_reap(reaper, c.rk, NULL);
	kafka_reaper_wait(reaper, left_ms(until_us));
	kafka_reaper_free(reaper);
	return r;
}
