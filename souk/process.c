/*
 * Everything a role needs is made here and handed to it, so that no role knows which bus or cache
 * it runs on.
 */
#include "souk/process.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>

#include "common/base/log.h"
#include "common/model/ids.h"

#define SERIES_MAX 512

static int make_bus(struct process *p, const struct process_need *need, struct fault *f)
{
	const struct kafka_settings *k = &p->settings->kafka;
	size_t n_warm = 0;

	while (need->warm_topics && need->warm_topics[n_warm])
		n_warm++;
	return bus_kafka_new(&p->bus, p->loop,
		&(struct bus_kafka_config){
			.bootstrap = k->bootstrap,
			.topic_prefix = k->topic_prefix,
			.client_id = need->name,
			.properties = (const char *const *)k->properties.items,
			.n_properties = k->properties.n,
			.warm_topics = need->warm_topics,
			.n_warm_topics = n_warm,
		},
		p->metrics, f);
}

int process_init(struct process *p, const struct process_need *need,
	const struct settings *settings, struct fault *f)
{
	struct id id;
	int r;

	*p = (struct process){
		.name = need->name, .settings = settings, .drain_max_ms = PROCESS_DRAIN_MAX_MS
	};
	log_init(need->name, (enum log_level)settings->log.level,
		(enum log_format)settings->log.format);
	/* Many small frames and records come and go: giving memory back to the kernel after each
	 * burst costs more than it saves. */
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
	r = loop_ev_new(&p->loop);
	if (!r)
		r = id_v7(&id, loop_now_ms(p->loop));
	if (r)
		return fault_set(f, FAULT_FATAL, r, "cannot start: %s", strerror(-r));
	str_copy(p->instance, sizeof(p->instance), id_str(&id));
	r = metrics_new(&p->metrics, SERIES_MAX);
	if (!r)
		r = lws_host_new(&p->host, p->loop, f);
	if (!r && need->bus)
		r = make_bus(p, need, f);
	if (!r && need->cache)
		r = cache_redis_new(&p->cache, p->loop, settings->redis.url, p->metrics, f);
	return r;
}

static void stop_now(void *ctx)
{
	struct process *p = ctx;

	log_warn("process", "drain took too long, stopping", "after_ms=%lld",
		(long long)p->drain_max_ms);
	loop_stop(p->loop);
}

static void on_signal(void *ctx)
{
	struct process *p = ctx;

	if (p->is_stopping || !p->stop) {
		loop_stop(p->loop);
		return;
	}
	p->is_stopping = true;
	log_info("process", "stopping", "instance=%s", p->instance);
	loop_timer_start(p->drain_timer, p->drain_max_ms);
	p->stop(p->ctx);
}

static bool ready(void *ctx, struct buf *why)
{
	struct process *p = ctx;
	const size_t before = why->n;

	if (p->is_stopping)
		buf_puts(why, STR("process: stopping\n"));
	if (p->bus && !bus_is_up(p->bus))
		buf_printf(why, "kafka: no answer from %s\n", p->settings->kafka.bootstrap);
	if (p->cache && !cache_is_up(p->cache))
		buf_puts(why, STR("redis: not connected\n"));
	return (!p->is_ready || p->is_ready(p->ctx, why)) && why->n == before;
}

static void write_metrics(void *ctx, struct buf *out)
{
	metrics_write(((struct process *)ctx)->metrics, out);
}

int process_run(struct process *p, bool (*is_ready)(void *ctx, struct buf *why),
	void (*stop)(void *ctx), void *ctx, struct fault *f)
{
	static const struct admin_ops ops = { .is_ready = ready, .metrics = write_metrics };
	int r;

	p->is_ready = is_ready;
	p->stop = stop;
	p->ctx = ctx;
	p->drain_timer = loop_timer_new(p->loop, stop_now, p);
	if (!p->drain_timer)
		return fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");
	r = admin_new(&p->admin, p->host, p->settings->admin_listen, &ops, p, f);
	if (!r)
		r = loop_ev_signal(p->loop, SIGTERM, on_signal, p);
	if (!r)
		r = loop_ev_signal(p->loop, SIGINT, on_signal, p);
	if (r)
		return r;
	log_info("process", "started", "version=%s instance=%s admin_port=%d", SOUK_VERSION,
		p->instance, admin_port(p->admin));
	loop_run(p->loop);
	return 0;
}

void process_stopped(struct process *p)
{
	loop_stop(p->loop);
}

void process_fini(struct process *p)
{
	admin_free(p->admin);
	cache_free(p->cache);
	bus_free(p->bus);
	lws_host_free(p->host);
	if (p->drain_timer)
		loop_timer_free(p->drain_timer);
	metrics_free(p->metrics);
	loop_free(p->loop);
	*p = (struct process){ 0 };
}
