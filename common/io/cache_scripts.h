#pragma once

/*
 * The Lua scripts of cache_redis.c: one key each (SIDE_RAISE also the shards' feeds, of the same
 * hash tag), everything else in ARGV, so that they also run on a cluster. Each has its own comment
 * in the .c file with its arguments and its answer.
 */
enum cache_script {
	SCRIPT_WRITE,
	SCRIPT_FEED_OPEN,
	SCRIPT_FEED_BEAT,
	SCRIPT_SIDE_OPEN,
	SCRIPT_SIDE_RAISE,
	SCRIPT_LEASE_TAKE,
	SCRIPT_LEASE_RENEW,
	SCRIPT_LEASE_DROP,
	SCRIPT_VIEW,
	SCRIPT_MAX,
};

extern const char *const cache_scripts[SCRIPT_MAX];
