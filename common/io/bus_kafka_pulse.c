/*
 * librdkafka can be asked for metadata only by a call that blocks, and an idle producer hears
 * nothing from its broker for minutes. So one thread asks once a second for the topics that the
 * producer knows: the answer gives the partition counts and proves that a broker is alive. It
 * shares a small table with the loop under a lock that is never held across the call.
 */
#include "common/io/bus_kafka.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define ASK_TIMEOUT_MS 1000
#define EVERY_MS       1000
#define AGAIN_MS       100 /* after a failure, or while a topic is unknown */
#define TOPICS_MAX     256

struct known {
	char *full;
	int32_t n_partitions;
};

struct kafka_pulse {
	rd_kafka_t *rk;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool is_stopped;                      /* {lock} */
	bool is_kicked;                       /* {lock} */
	int64_t heard_wall_ms, heard_mono_us; /* {lock} */
	struct known topics[TOPICS_MAX];      /* {lock} */
	size_t n_topics;                      /* {lock} */
	int n_brokers;                        /* {lock} */
};

static void learn_locked(struct kafka_pulse *p, const char *full, int32_t n_partitions)
{
	for (size_t i = 0; i < p->n_topics; i++)
		if (strcmp(p->topics[i].full, full) == 0) {
			p->topics[i].n_partitions = n_partitions;
			return;
		}
	if (p->n_topics == TOPICS_MAX)
		return;

	char *copy = strdup(full);
	if (copy)
		p->topics[p->n_topics++] = (struct known){ copy, n_partitions };
}

/* False if there is more to learn soon. */
static bool ask(struct kafka_pulse *p)
{
	const struct rd_kafka_metadata *md = NULL;
	bool is_complete = true;

	if (rd_kafka_metadata(p->rk, 0, NULL, &md, ASK_TIMEOUT_MS))
		return false;
	pthread_mutex_lock(&p->lock);
	p->heard_wall_ms = bus_kafka_wall_ms();
	p->heard_mono_us = bus_kafka_mono_us();
	p->n_brokers = md->broker_cnt;
	for (int i = 0; i < md->topic_cnt; i++) {
		const struct rd_kafka_metadata_topic *t = &md->topics[i];

		if (t->err || t->partition_cnt <= 0)
			is_complete = false;
		else
			learn_locked(p, t->topic, t->partition_cnt);
	}
	pthread_mutex_unlock(&p->lock);
	rd_kafka_metadata_destroy(md);
	return is_complete;
}

static void wait_locked(struct kafka_pulse *p, int64_t ms)
{
	struct timespec until;
	int err = 0;

	bus_kafka_deadline(&until, ms);
	while (!p->is_stopped && !p->is_kicked && !err)
		err = pthread_cond_timedwait(&p->wake, &p->lock, &until);
	p->is_kicked = false;
}

static void *pulse_thread(void *arg)
{
	struct kafka_pulse *p = arg;
	unsigned n_hasty = 0;

	pthread_mutex_lock(&p->lock);
	while (!p->is_stopped) {
		pthread_mutex_unlock(&p->lock);
		bool is_complete = ask(p);
		pthread_mutex_lock(&p->lock);

		/* A topic that nobody creates is not worth ten requests a second for ever. */
		n_hasty = is_complete ? 0 : n_hasty + 1;
		wait_locked(p, is_complete || n_hasty > 50 ? EVERY_MS : AGAIN_MS);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

int kafka_pulse_new(struct kafka_pulse **ret, rd_kafka_t *rk)
{
	struct kafka_pulse *p = calloc(1, sizeof(*p));
	pthread_condattr_t attr;
	sigset_t all, old;
	int r;

	if (!p)
		return -ENOMEM;
	p->rk = rk;
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->wake, &attr);
	pthread_condattr_destroy(&attr);

	sigfillset(&all); /* signals are the loop thread's */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&p->thread, NULL, pulse_thread, p);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r) {
		pthread_cond_destroy(&p->wake);
		pthread_mutex_destroy(&p->lock);
		free(p);
		return -r;
	}
	*ret = p;
	return 0;
}

void kafka_pulse_stop(struct kafka_pulse *p)
{
	pthread_mutex_lock(&p->lock);
	p->is_stopped = true;
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
}

struct kafka_pulse *kafka_pulse_free(struct kafka_pulse *p)
{
	if (!p)
		return NULL;
	kafka_pulse_stop(p);
	pthread_join(p->thread, NULL);
	for (size_t i = 0; i < p->n_topics; i++)
		free(p->topics[i].full);
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->lock);
	free(p);
	return NULL;
}

void kafka_pulse_kick(struct kafka_pulse *p)
{
	pthread_mutex_lock(&p->lock);
	p->is_kicked = true;
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
}

int32_t kafka_pulse_partitions(struct kafka_pulse *p, const char *full)
{
	int32_t n = 0;

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->n_topics && !n; i++)
		if (strcmp(p->topics[i].full, full) == 0)
			n = p->topics[i].n_partitions;
	pthread_mutex_unlock(&p->lock);
	return n;
}

int kafka_pulse_brokers(struct kafka_pulse *p)
{
	int n;

	pthread_mutex_lock(&p->lock);
	n = p->n_brokers;
	pthread_mutex_unlock(&p->lock);
	return n;
}

void kafka_pulse_heard(struct kafka_pulse *p, int64_t *ret_wall_ms, int64_t *ret_mono_us)
{
	pthread_mutex_lock(&p->lock);
	*ret_wall_ms = p->heard_wall_ms;
	*ret_mono_us = p->heard_mono_us;
	pthread_mutex_unlock(&p->lock);
}
