#pragma once

/* A Redis in memory on the driven loop. Several caches (one per simulated process) share one
 * sim_store. */
#include "common/io/cache.h"

struct sim_store;

MUST_CHECK int sim_store_new(struct sim_store **ret, struct loop *loop);
struct sim_store *sim_store_free(struct sim_store *s); /* after its caches */
DEFINE_CLEANUP(struct sim_store *, sim_store_free)
MUST_CHECK int cache_sim_new(struct cache **ret, struct sim_store *store);

/* Faults. */
void sim_store_set_down(struct sim_store *s, bool down);
void sim_store_flush(struct sim_store *s);
void sim_store_drop(struct sim_store *s, const char *key); /* a lost write */
/* the invalidation connection dies and comes back */
void sim_cache_lose_tracking(struct cache *c);
void sim_store_set_latency(struct sim_store *s, int64_t us);

/* Field of a stored hash (or the text of a lease with field NULL); p == NULL if absent. Borrowed
 * until the next write. */
struct str sim_store_get(struct sim_store *s, const char *key, const char *field);
