/* `souk cache reset --side SIDE`. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/io/cache.h"
#include "souk/args.h"
#include "souk/cache_reset.h"

#define WAIT_MAX_MS 10000
#define TICK_MS     10

const char *const cache_reset_sides[CACHE_RESET_SIDES + 1] = { "profile", "loyalty", "inventory",
	"market", NULL };

struct reset {
	struct loop *loop;
	struct cache *cache;
	struct loop_timer *tick;
	const char *const *sides;
	size_t n, at; /* sides are taken one by one */
	long long *gen;
	int64_t until_ms;
	bool is_asked;
	int err;
};

static void raised(void *ctx, int err, const struct cache_row *rows, size_t n)
{
	struct reset *r = ctx;
	uint64_t gen = 0;

	if (!err && n == 1 && rows[0].state == CACHE_PRESENT &&
		!str_to_u64(row_get(&rows[0].row, "gen"), &gen))
		r->gen[r->at] = (long long)gen;
	r->err = err;
	r->is_asked = false;
	if (err || ++r->at == r->n)
		loop_stop(r->loop);
}

static void on_tick(void *ctx)
{
	struct reset *r = ctx;

	if (loop_mono_ms(r->loop) > r->until_ms) {
		r->err = -ETIMEDOUT;
		loop_stop(r->loop);
	} else if (cache_is_up(r->cache) && !r->is_asked) {
		r->is_asked = cache_side_raise(r->cache, str_of(r->sides[r->at]), raised, r) == 0;
	}
}

int cache_reset(
	const char *url, const char *const *sides, size_t n, long long *ret_gen, struct fault *f)
{
	CLEANUP(loop_free) struct loop *loop = NULL;
	CLEANUP(metrics_free) struct metrics *m = NULL;
	struct reset r = { .sides = sides, .n = n, .gen = ret_gen };
	int e = loop_ev_new(&loop);

	memset(ret_gen, 0, n * sizeof(*ret_gen));
	if (!e)
		e = metrics_new(&m, 32);
	if (e)
		return fault_set(f, FAULT_FATAL, e, "out of memory");
	e = cache_redis_new(&r.cache, loop, url, m, f);
	if (e)
		return e;
	r.loop = loop;
	r.until_ms = loop_mono_ms(loop) + WAIT_MAX_MS;
	r.tick = loop_timer_new(loop, on_tick, &r);
	if (r.tick) {
		loop_timer_repeat(r.tick, TICK_MS);
		loop_run(loop);
	} else {
		r.err = -ENOMEM;
	}
	loop_timer_free(r.tick);
	cache_free(r.cache);
	if (r.err == -ETIMEDOUT)
		return fault_set(f, FAULT_RETRY, -EIO, "Redis does not answer");
	return r.err ? fault_set(f, FAULT_RETRY, -EIO, "Redis: %s", strerror(-r.err)) : 0;
}

static int run(int argc, char **argv)
{
	const char *side = NULL;
	const struct own_flag own[] = { { .name = "side", .value = &side, .required = true } };
	struct args a;
	struct settings s = { 0 };
	struct fault f = { 0 };
	long long gen = 0;
	int r = args_parse(&a, &command_cache_reset, argc, argv, own, ARRAY_LEN(own));

	if (r)
		return r - 1;
	size_t i = 0;

	while (cache_reset_sides[i] && strcmp(cache_reset_sides[i], side) != 0)
		i++;
	if (!cache_reset_sides[i]) {
		fprintf(stderr,
			"souk cache reset: --side %s: profile, loyalty, inventory or market\n",
			side);
		return EXIT_USAGE;
	}
	r = args_settings(&a, &command_cache_reset, NULL, 0, &s);
	if (r)
		return r;
	r = cache_reset(s.redis.url, &side, 1, &gen, &f);
	settings_unload(&s);
	if (r || !gen) {
		fprintf(stderr, "souk cache reset: %s\n",
			r ? f.text : "this side is not in Redis: there is nothing to reset");
		return EXIT_FAILED;
	}
	printf(a.json ? "{\"side\":\"%s\",\"gen\":%lld}\n"
		      : "%s: generation %lld; its writers load it again\n",
		side, gen);
	return EXIT_DONE;
}

const struct command command_cache_reset = { "cache reset",
	"a new generation of a side, for a source that starts again",
	"--side profile|loyalty|inventory|market [--config FILE] [--set key=value]… [--json]", run,
	false };
