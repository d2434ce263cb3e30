#include "souk/one_shot.h"

#include <errno.h>
#include <string.h>

#define TICK_MS  20
#define LIMIT_MS 10000

int one_shot_init(
	struct one_shot *o, const struct settings *s, const char *client_id, struct fault *f)
{
	int r;

	*o = (struct one_shot){ 0 };
	r = loop_ev_new(&o->loop);
	if (r == 0)
		r = metrics_new(&o->metrics, 64);
	if (r != 0)
		return fault_set(f, FAULT_FATAL, r, "cannot start: %s", strerror(-r));
	return bus_kafka_new(&o->bus, o->loop,
		&(struct bus_kafka_config){
			.bootstrap = s->kafka.bootstrap,
			.topic_prefix = s->kafka.topic_prefix,
			.client_id = client_id,
			.properties = (const char *const *)s->kafka.properties.items,
			.n_properties = s->kafka.properties.n,
		},
		o->metrics, f);
}

void one_shot_fini(struct one_shot *o)
{
	loop_timer_free(o->tick);
	loop_timer_free(o->limit);
	bus_free(o->bus);
	metrics_free(o->metrics);
	loop_free(o->loop);
	*o = (struct one_shot){ 0 };
}

static void on_tick(void *ctx)
{
	struct one_shot *o = ctx;

	o->step(o->ctx);
}

static void on_limit(void *ctx)
{
	struct one_shot *o = ctx;

	o->is_late = true;
	loop_stop(o->loop);
}

int one_shot_run(struct one_shot *o, const struct settings *s, void (*step)(void *ctx), void *ctx,
	struct fault *f)
{
	o->step = step;
	o->ctx = ctx;
	o->tick = loop_timer_new(o->loop, on_tick, o);
	o->limit = loop_timer_new(o->loop, on_limit, o);
	if (!o->tick || !o->limit)
		return fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");
	loop_timer_start(o->limit, LIMIT_MS);
	if (step)
		loop_timer_repeat(o->tick, TICK_MS);
	loop_run(o->loop);
	if (o->is_late && bus_is_up(o->bus))
		return fault_set(f, FAULT_RETRY, -ETIMEDOUT,
			"Kafka at %s did not do it in time (souk topics check tells whether the "
			"topic is there)",
			s->kafka.bootstrap);
	if (o->is_late)
		return fault_set(f, FAULT_RETRY, -ETIMEDOUT, "no answer from Kafka at %s",
			s->kafka.bootstrap);
	return 0;
}

void one_shot_end(struct one_shot *o)
{
	loop_stop(o->loop);
}
