#pragma once

/*
 * `souk demo-part storefront`: the pages and what they ask for, in a process of its own.
 *
 * It is a stranger to the roles: the shop speaks to ws-server as any client does, and what this
 * process knows it reads from the schedule and from Redis, and from the roles' admin ports.
 */
#include "souk/demo/schedule.h"
#include "souk/demo/storefront/server.h"
#include "souk/demo/story.h"
#include "souk/process.h"

struct demo_part;
struct ops;
struct shelf;
struct visitors;

/* What the parts of the storefront share. */
struct storefront {
	struct process process;
	const struct demo_part *part;
	struct story story;
	struct schedule *schedule;
	struct server *server;
	struct shelf *shelf;
	struct visitors *visitors;
	struct ops *ops;
};
