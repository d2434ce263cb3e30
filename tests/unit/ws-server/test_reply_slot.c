#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "common/io/sim/bus_sim.h"
#include "common/io/sim/cache_sim.h"
#include "common/io/sim/loop_sim.h"
#include "ws-server/reply_slot.h"

struct world {
	struct loop *loop;
	struct sim_broker *broker;
	struct bus *bus;
	struct sim_store *store;
	struct cache *cache;
	struct reply_slot *slot;
	unsigned n_taken, n_lost, n_kept;
	int32_t lost_slot;
};

static void on_taken(void *ctx, int32_t slot, const char *epoch)
{
	struct world *w = ctx;

	cr_expect(eq(int, slot, reply_slot_number(w->slot)));
	cr_expect(str_eqz(reply_slot_epoch(w->slot), epoch));
	w->n_taken++;
}

static void on_lost(void *ctx, int32_t slot, const char *epoch)
{
	struct world *w = ctx;

	cr_expect(not(reply_slot_is_held(w->slot)));
	cr_expect(not(zero(sz, strlen(epoch))));
	w->n_lost++;
	w->lost_slot = slot;
}

static void on_kept(void *ctx, int32_t slot, const char *epoch)
{
	struct world *w = ctx;

	cr_expect(reply_slot_is_held(w->slot));
	cr_expect(eq(int, slot, reply_slot_number(w->slot)));
	cr_expect(str_eqz(reply_slot_epoch(w->slot), epoch));
	w->n_kept++;
}

static const struct reply_slot_ops ops = { on_taken, on_lost, on_kept };

static void world_init(struct world *w, int32_t n_slots)
{
	*w = (struct world){ 0 };
	cr_assert(zero(int, loop_sim_new(&w->loop, 1795334400000)));
	cr_assert(zero(int, sim_broker_new(&w->broker, w->loop)));
	if (n_slots)
		cr_assert(zero(int, sim_broker_topic(w->broker, "offers", n_slots)));
	cr_assert(zero(int, bus_sim_new(&w->bus, w->broker, "")));
	cr_assert(zero(int, sim_store_new(&w->store, w->loop)));
	cr_assert(zero(int, cache_sim_new(&w->cache, w->store)));
	cr_assert(
		zero(int, reply_slot_new(&w->slot, w->loop, w->bus, w->cache, "offers", &ops, w)));
}

static void world_finip(struct world *w)
{
	reply_slot_free(w->slot);
	cache_free(w->cache);
	bus_free(w->bus);
	sim_broker_free(w->broker);
	sim_store_free(w->store);
	loop_free(w->loop);
}

#define WORLD(w, n) \
	CLEANUP(world_fini) struct world w; \
	world_init(&w, n)

static struct str lease(struct world *w, int32_t slot)
{
	char key[24];

	snprintf(key, sizeof(key), "gw:{%d}", (int)slot);
	return sim_store_get(w->store, key, NULL);
}

static void drop_lease(struct world *w, int32_t slot)
{
	char key[24];

	snprintf(key, sizeof(key), "gw:{%d}", (int)slot);
	sim_store_drop(w->store, key);
}

/* Another gateway's command on the same store. */
static void take_lease(struct world *w, struct cache *other, int32_t slot)
{
	char key[24];

	snprintf(key, sizeof(key), "gw:{%d}", (int)slot);
	cr_assert(
		zero(int, cache_lease_take(other, str_of(key), STR("other"), 3600000, NULL, NULL)));
	loop_sim_settle(w->loop);
}

Test(reply_slot, free_slot_is_taken_under_a_decimal_epoch)
{
	WORLD(w, 4);
	uint64_t epoch;

	cr_expect(not(reply_slot_is_held(w.slot)));
	loop_sim_settle(w.loop);
	cr_assert(reply_slot_is_held(w.slot));
	cr_expect(str_eq(lease(&w, reply_slot_number(w.slot)), reply_slot_epoch(w.slot)));
	cr_expect(zero(int, str_to_u64(reply_slot_epoch(w.slot), &epoch)));
	cr_expect(eq(int, (int)w.n_taken, 1));
	cr_expect(eq(u64, reply_slot_term(w.slot), 1));
}

Test(reply_slot, slots_in_other_hands_are_passed_over)
{
	WORLD(w, 4);
	CLEANUP(cache_free) struct cache *other = NULL;

	reply_slot_free(w.slot);
	cr_assert(zero(int, cache_sim_new(&other, w.store)));
	for (int32_t i = 0; i < 4; i++)
		if (i != 2)
			take_lease(&w, other, i);
	cr_assert(zero(int, reply_slot_new(&w.slot, w.loop, w.bus, w.cache, "offers", &ops, &w)));
	loop_sim_settle(w.loop);
	cr_expect(eq(int, reply_slot_number(w.slot), 2));
}

Test(reply_slot, waits_while_all_slots_are_taken)
{
	WORLD(w, 1);
	CLEANUP(cache_free) struct cache *other = NULL;

	reply_slot_free(w.slot);
	cr_assert(zero(int, cache_sim_new(&other, w.store)));
	take_lease(&w, other, 0);
	cr_assert(zero(int, reply_slot_new(&w.slot, w.loop, w.bus, w.cache, "offers", &ops, &w)));
	loop_sim_advance(w.loop, 30000);
	cr_expect(not(reply_slot_is_held(w.slot)));
	drop_lease(&w, 0);
	loop_sim_advance(w.loop, 1000);
	cr_expect(reply_slot_is_held(w.slot));
}

Test(reply_slot, topic_that_is_not_there_yet_is_waited_for)
{
	WORLD(w, 0);

	loop_sim_advance(w.loop, 5000);
	cr_expect(not(reply_slot_is_held(w.slot)));
	cr_assert(zero(int, sim_broker_topic(w.broker, "offers", 2)));
	loop_sim_advance(w.loop, 1000);
	cr_expect(reply_slot_is_held(w.slot));
}

Test(reply_slot, renewal_keeps_it_for_ever)
{
	WORLD(w, 4);

	for (int i = 0; i < 1000; i++) {
		loop_sim_advance(w.loop, 1000);
		cr_assert(reply_slot_is_held(w.slot));
	}
	cr_expect(eq(int, (int)w.n_taken, 1));
	cr_expect(zero(int, (int)w.n_lost));
	cr_expect(eq(int, (int)w.n_kept, 1000000 / REPLY_SLOT_RENEW_MS));
}

Test(reply_slot, key_that_is_gone_is_taken_again_under_the_same_epoch)
{
	WORLD(w, 4);
	char epoch[REPLY_SLOT_EPOCH_MAX];
	int32_t slot;

	loop_sim_settle(w.loop);
	slot = reply_slot_number(w.slot);
	cr_assert(zero(int, str_copy(epoch, sizeof(epoch), reply_slot_epoch(w.slot))));
	sim_store_flush(w.store);
	loop_sim_advance(w.loop, REPLY_SLOT_RENEW_MS);
	cr_expect(str_eqz(lease(&w, slot), epoch));
	cr_expect(eq(int, reply_slot_number(w.slot), slot));
	cr_expect(reply_slot_is_held(w.slot));
	cr_expect(eq(u64, reply_slot_term(w.slot), 1), "without a gap");
	cr_expect(zero(int, (int)w.n_lost));
}

Test(reply_slot, key_in_other_hands_is_lost_and_another_is_taken)
{
	WORLD(w, 4);
	CLEANUP(cache_free) struct cache *other = NULL;
	int32_t slot;

	loop_sim_settle(w.loop);
	slot = reply_slot_number(w.slot);
	cr_assert(zero(int, cache_sim_new(&other, w.store)));
	drop_lease(&w, slot);
	take_lease(&w, other, slot);
	loop_sim_advance(w.loop, REPLY_SLOT_RENEW_MS);
	cr_expect(eq(int, (int)w.n_lost, 1));
	cr_expect(eq(int, w.lost_slot, slot));
	cr_expect(reply_slot_is_held(w.slot));
	cr_expect(ne(int, reply_slot_number(w.slot), slot));
	cr_expect(eq(u64, reply_slot_term(w.slot), 2));
	cr_expect(str_eqz(lease(&w, slot), "other"));
}

Test(reply_slot, without_redis_it_is_held_to_its_own_deadline_and_no_longer)
{
	WORLD(w, 4);

	loop_sim_settle(w.loop);
	sim_store_set_down(w.store, true);
	loop_sim_advance(w.loop, REPLY_SLOT_TTL_MS - REPLY_SLOT_MARGIN_MS - 1);
	cr_expect(reply_slot_is_held(w.slot));
	loop_sim_advance(w.loop, 1);
	cr_expect(not(reply_slot_is_held(w.slot)));
	cr_expect(eq(int, reply_slot_number(w.slot), -1));
	cr_expect(eq(int, (int)w.n_lost, 1));
	sim_store_set_down(w.store, false);
	loop_sim_advance(w.loop, 5000);
	cr_expect(reply_slot_is_held(w.slot));
}

Test(reply_slot, short_outage_of_redis_is_survived)
{
	WORLD(w, 4);

	loop_sim_settle(w.loop);
	loop_sim_advance(w.loop, 2000);
	sim_store_set_down(w.store, true);
	loop_sim_advance(w.loop, 4000);
	sim_store_set_down(w.store, false);
	loop_sim_advance(w.loop, 60000);
	cr_expect(reply_slot_is_held(w.slot));
	cr_expect(zero(int, (int)w.n_lost));
}

Test(reply_slot, slow_answers_are_counted_from_the_question)
{
	WORLD(w, 4);

	loop_sim_settle(w.loop);
	sim_store_set_latency(w.store, 9600 * 1000);
	loop_sim_advance(w.loop, REPLY_SLOT_TTL_MS - REPLY_SLOT_MARGIN_MS);
	cr_expect(not(reply_slot_is_held(w.slot)), "a yes to an old question gives nothing");
	loop_sim_advance(w.loop, 60000);
	cr_expect(not(reply_slot_is_held(w.slot)));
	sim_store_set_latency(w.store, 0);
	loop_sim_advance(w.loop, 60000);
	cr_expect(reply_slot_is_held(w.slot));
}

Test(reply_slot, dropped_slot_is_free_at_once)
{
	WORLD(w, 1);

	loop_sim_settle(w.loop);
	reply_slot_drop(w.slot);
	cr_expect(not(reply_slot_is_held(w.slot)));
	loop_sim_advance(w.loop, 20000);
	cr_expect(not(str_is_set(lease(&w, 0))));
	cr_expect(not(reply_slot_is_held(w.slot)));
	cr_expect(zero(int, (int)w.n_lost));
}
