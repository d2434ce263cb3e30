/*
 * The mock cluster needs a client handle to live on; this one never connects to anything. Topics
 * are made with the catalogue's demo partition counts, since the mock knows no CreateTopics.
 */
#include "souk/demo/broker.h"

#include <errno.h>
#include <stdlib.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "common/model/topics.h"

struct broker {
	rd_kafka_t *handle;
	rd_kafka_mock_cluster_t *cluster;
};

int broker_start(struct broker **ret, struct fault *f)
{
	struct broker *b = calloc(1, sizeof(*b));
	char text[200] = "out of memory";
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	if (!b) {
		rd_kafka_conf_destroy(conf);
		return -ENOMEM;
	}
	/* It would warn that it knows no broker; it needs none. */
	rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
	b->handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
	if (b->handle)
		b->cluster = rd_kafka_mock_cluster_new(b->handle, 1);
	if (!b->cluster) {
		broker_free(b);
		return fault_set(f, FAULT_FATAL, -EIO, "embedded Kafka: %s", text);
	}
	for (size_t i = 0; i < topic_specs_n; i++) {
		rd_kafka_resp_err_t err = rd_kafka_mock_topic_create(
			b->cluster, topic_specs[i].name, topic_specs[i].partitions_demo, 1);

		if (err) {
			broker_free(b);
			return fault_set(f, FAULT_FATAL, -EIO, "embedded Kafka: topic %s: %s",
				topic_specs[i].name, rd_kafka_err2str(err));
		}
	}
	*ret = b;
	return 0;
}

const char *broker_bootstrap(const struct broker *b)
{
	return rd_kafka_mock_cluster_bootstraps(b->cluster);
}

struct broker *broker_free(struct broker *b)
{
	if (!b)
		return NULL;
	if (b->cluster)
		rd_kafka_mock_cluster_destroy(b->cluster);
	if (b->handle)
		rd_kafka_destroy(b->handle);
	free(b);
	return NULL;
}
