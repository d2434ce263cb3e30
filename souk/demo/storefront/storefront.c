#include "souk/demo/storefront/storefront.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "souk/command.h"
#include "souk/demo/storefront/ops.h"
#include "souk/demo/storefront/shelf.h"
#include "souk/demo/storefront/visitors.h"

/* "ws://127.0.0.1:8081/v1/ws" without its path. */
static void origin_of(char *ret, size_t cap, const char *url)
{
	const char *host = strstr(url, "://");
	const size_t n = host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/") : 0;

	if (str_copy(ret, cap, (struct str){ url, n }))
		ret[0] = '\0';
}

static int open_shop(struct storefront *s, struct fault *f)
{
	int r = shelf_new(&s->shelf, s->process.loop, s->process.cache, s->schedule, &s->story);

	if (!r)
		r = visitors_new(&s->visitors, s->process.loop, s->schedule,
			&(struct visitors_config){
				.ws_url = s->part->url,
				.secret_file = s->part->secret_file,
				.n_users = s->part->users,
				.speed = s->part->speed,
			});
	if (r)
		return fault_set(f, FAULT_FATAL, r, "out of memory");
	server_get(s->server, "/api/items", shelf_answer, s->shelf);
	server_get(s->server, "/api/session", visitors_answer, s->visitors);
	return 0;
}

static int open_ops(struct storefront *s, struct fault *f)
{
	static const char *const market_shards[] = { SCHEDULE_SLUG };

	return ops_new(&s->ops, s->process.loop, s->process.cache, s->server,
		&(struct ops_config){ .roles = s->part->roles ? s->part->roles : "",
			.market_shards = market_shards,
			.n_market_shards = ARRAY_LEN(market_shards) },
		f);
}

static int storefront_init(struct storefront *s, const struct settings *settings,
	const struct demo_part *part, struct fault *f)
{
	const struct process_need need = { .name = "demo-storefront", .bus = true, .cache = true };
	char ws_origin[128];
	int r = process_init(&s->process, &need, settings, f);

	if (r)
		return r;
	s->part = part;
	s->story = (struct story){ STORY_FROM_S, part->start_ms, part->speed };
	r = schedule_load(&s->schedule, part->data, STORY_FROM_S, STORY_UNTIL_S, f);
	if (r)
		return r;
	origin_of(ws_origin, sizeof(ws_origin), part->url);
	r = server_new(&s->server, s->process.loop,
		&(struct server_config){ .listen = part->listen, .ws_origin = ws_origin },
		s->process.metrics, f);
	if (!r)
		r = open_shop(s, f);
	return r ? r : open_ops(s, f);
}

static void storefront_fini(struct storefront *s)
{
	ops_free(s->ops);
	server_free(s->server);
	visitors_free(s->visitors);
	shelf_free(s->shelf);
	process_fini(&s->process);
	schedule_free(s->schedule);
}

int demo_storefront(const struct settings *settings, const struct demo_part *part, struct fault *f)
{
	struct storefront *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return fault_set(f, FAULT_FATAL, -ENOMEM, "out of memory");
	r = storefront_init(s, settings, part, f);
	if (!r)
		r = process_run(&s->process, NULL, NULL, s, f);
	storefront_fini(s);
	free(s);
	return r;
}
