#pragma once

/*
 * What every cache must do, against cache.h alone: run by tests/unit/io/test_cache_sim.c and by
 * tests/integration/cache_redis.c, so that what roles are tested with and what they run on cannot
 * drift apart.
 */
#include "common/io/cache.h"

struct cache_harness {
	void *ctx;
	/* Another client of the same store, which was empty when the case began; the case frees it.
	 */
	struct cache *(*make)(void *ctx);
	/* Lets about 10 ms pass and delivers what is due. */
	void (*pump)(void *ctx);
	/* The server goes away, comes back (with or without its data), loses all data. */
	void (*down)(void *ctx);
	void (*up)(void *ctx);
	void (*flush)(void *ctx);
	char failure[256]; /* what went wrong first; empty: nothing */
};

#define CACHE_SUITE(X) \
	X(a_row_is_read_back_with_its_version_and_source) \
	X(a_missing_row_is_missing) \
	X(only_a_higher_version_replaces_a_row) \
	X(versions_compare_as_numbers_part_by_part) \
	X(a_write_replaces_the_whole_row) \
	X(a_row_with_a_ttl_expires) \
	X(a_later_write_replaces_the_ttl) \
	X(a_stale_write_leaves_the_ttl) \
	X(gen_beats_version_and_compares_as_a_number) \
	X(values_are_bytes) \
	X(a_versioned_delete_leaves_a_tombstone) \
	X(a_late_update_does_not_resurrect) \
	X(a_newer_update_replaces_a_tombstone) \
	X(a_tombstone_expires) \
	X(a_delete_by_offset_needs_the_same_partition_and_a_later_offset) \
	X(a_delete_by_offset_of_nothing_lets_any_version_follow) \
	X(a_delete_by_offset_of_a_higher_gen_forgets_the_version) \
	X(a_feed_opens_beats_and_completes) \
	X(a_feed_beat_with_a_foreign_run_is_refused) \
	X(a_feed_beat_after_a_flush_is_refused) \
	X(a_feed_keeps_complete_on_takeover) \
	X(a_side_opens_with_gen_1_and_keeps_a_higher_one) \
	X(a_raised_side_has_a_higher_gen_and_no_feeds) \
	X(a_side_that_is_not_there_is_not_raised) \
	X(a_lease_is_taken_once) \
	X(a_lease_is_renewed_and_dropped_by_its_holder_only) \
	X(a_lease_expires) \
	X(a_view_replaces_and_expires) \
	X(rows_come_in_the_order_of_the_keys) \
	X(answers_come_in_the_order_of_the_commands) \
	X(no_callback_comes_from_inside_the_call) \
	X(a_callback_may_be_left_out) \
	X(a_callback_may_give_a_command) \
	X(a_callback_may_free_the_cache) \
	X(freeing_drops_what_is_in_flight) \
	X(too_many_in_flight_are_refused) \
	X(commands_fail_at_once_while_the_server_is_away) \
	X(commands_in_flight_are_reset_when_the_server_goes) \
	X(it_works_again_when_the_server_is_back) \
	X(tracking_begins_with_forget_everything) \
	X(tracking_can_begin_late) \
	X(changes_by_anyone_are_told_in_order) \
	X(changes_of_other_prefixes_are_not_told) \
	X(a_stale_write_is_not_told) \
	X(a_flush_forgets_everything) \
	X(a_lost_server_forgets_everything_and_again_when_back) \
	X(a_read_after_an_invalidation_sees_the_change)

#define X(name) void cache_suite_##name(struct cache_harness *h);
CACHE_SUITE(X)
#undef X
