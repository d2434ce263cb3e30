/*
 * Ending a librdkafka client joins its threads, one of which may sit in a name look-up for many
 * seconds, and 2.0.2 has closes that never end. So the loop only hands clients over: each is
 * destroyed on a detached thread, and the end of the process waits for them a bounded time
 * (KAFKA_LINGER_MS) and then goes on without them. The shared part is counted, so a thread that is
 * left behind touches nothing that is gone.
 */
#include "common/io/bus_kafka.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

struct kafka_reaper {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	unsigned n_pending; /* {lock} */
	unsigned n_refs;    /* {lock} */
};

struct reaping {
	struct kafka_reaper *reaper;
	rd_kafka_t *rk;
	struct kafka_pulse *pulse;
};

int kafka_reaper_new(struct kafka_reaper **ret)
{
	struct kafka_reaper *r = calloc(1, sizeof(*r));
	pthread_condattr_t attr;

	if (!r)
		return -ENOMEM;
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->ended, &attr);
	pthread_condattr_destroy(&attr);
	r->n_refs = 1;
	*ret = r;
	return 0;
}

static void unref(struct kafka_reaper *r)
{
	pthread_mutex_lock(&r->lock);
	bool is_last = --r->n_refs == 0;
	pthread_mutex_unlock(&r->lock);

	if (!is_last)
		return;
	pthread_cond_destroy(&r->ended);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static void end_client(rd_kafka_t *rk, struct kafka_pulse *pulse)
{
	kafka_pulse_free(pulse);
	rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

static void *reap_thread(void *arg)
{
	struct reaping *x = arg;
	struct kafka_reaper *r = x->reaper;

	end_client(x->rk, x->pulse);
	free(x);
	pthread_mutex_lock(&r->lock);
	r->n_pending--;
	pthread_cond_broadcast(&r->ended);
	pthread_mutex_unlock(&r->lock);
	unref(r);
	return NULL;
}

/* Signals are the loop thread's. */
static int start_detached(struct reaping *x)
{
	sigset_t all, old;
	pthread_t id;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&id, NULL, reap_thread, x);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!r)
		pthread_detach(id);
	return r;
}

void kafka_reap(struct kafka_reaper *r, rd_kafka_t *rk, struct kafka_pulse *pulse)
{
	struct reaping *x = malloc(sizeof(*x));

	if (pulse)
		kafka_pulse_stop(pulse);
	pthread_mutex_lock(&r->lock);
	r->n_pending++;
	r->n_refs++;
	pthread_mutex_unlock(&r->lock);
	if (x) {
		*x = (struct reaping){ r, rk, pulse };
		if (start_detached(x) == 0)
			return;
		free(x);
	}

	end_client(rk, pulse); /* no thread to be had: better late than leaked */
	pthread_mutex_lock(&r->lock);
	r->n_pending--;
	pthread_mutex_unlock(&r->lock);
	unref(r);
}

bool kafka_reaper_wait(struct kafka_reaper *r, int timeout_ms)
{
	struct timespec until;
	int err = 0;

	bus_kafka_deadline(&until, timeout_ms);
	pthread_mutex_lock(&r->lock);
	while (r->n_pending && !err)
		err = pthread_cond_timedwait(&r->ended, &r->lock, &until);
	bool is_done = r->n_pending == 0;
	pthread_mutex_unlock(&r->lock);
	return is_done;
}

struct kafka_reaper *kafka_reaper_free(struct kafka_reaper *r)
{
	if (r)
		unref(r);
	return NULL;
}
