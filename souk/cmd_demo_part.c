/* `souk demo-part`: what the supervisor starts beside the roles. Not listed, not meant for
 * people. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "souk/args.h"

static int run(int argc, char **argv)
{
	struct demo_part p = { .name = argc > 1 ? argv[1] : "", .data = SOUK_DEMO_DATA };
	const char *start = "0", *speed = "1440", *users = "400", *sessions = "50", *rate = "20",
		   *seed = "1", *orders = "12";
	const struct own_flag own[] = {
		{ .name = "data", .value = &p.data },
		{ .name = "listen", .value = &p.listen },
		{ .name = "token", .value = &p.token },
		{ .name = "url", .value = &p.url },
		{ .name = "secret", .value = &p.secret_file },
		{ .name = "roles", .value = &p.roles },
		{ .name = "start", .value = &start },
		{ .name = "speed", .value = &speed },
		{ .name = "users", .value = &users },
		{ .name = "sessions", .value = &sessions },
		{ .name = "rate", .value = &rate },
		{ .name = "seed", .value = &seed },
		{ .name = "order-one-in", .value = &orders },
	};
	struct args a;
	struct settings s = { 0 };
	struct fault f = { 0 };
	int r = args_parse(&a, &command_demo_part, argc - 1, argv + 1, own, ARRAY_LEN(own));

	if (r)
		return r - 1;
	r = args_settings(&a, &command_demo_part, NULL, 0, &s);
	if (r)
		return r;
	p.start_ms = atoll(start);
	p.speed = atoll(speed);
	p.users = (uint32_t)atoi(users);
	p.sessions = (uint32_t)atoi(sessions);
	p.rate = atof(rate);
	p.seed = (uint64_t)atoll(seed);
	p.order_one_in = (uint32_t)atoi(orders);
	if (strcmp(p.name, "world") == 0)
		r = demo_world(&s, &p, &f);
	else if (strcmp(p.name, "shoppers") == 0)
		r = demo_shoppers(&s, &p, &f);
	else if (strcmp(p.name, "storefront") == 0)
		r = demo_storefront(&s, &p, &f);
	else
		r = fault_set(&f, FAULT_REJECT, -1, "%s: no such part", p.name);
	if (r)
		fprintf(stderr, "souk demo-part %s: %s\n", p.name, f.text);
	settings_unload(&s);
	return r ? EXIT_FAILED : EXIT_DONE;
}

const struct command command_demo_part = { "demo-part", "a part of the demo",
	"world|shoppers|storefront …", run, true };
