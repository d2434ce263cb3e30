#pragma once

/* The driven clock. Timers that fall due at the same time fire in the order they were started. */
#include "common/io/loop.h"

MUST_CHECK int loop_sim_new(struct loop **ret, int64_t now_ms);

/* Moves both clocks forward, firing each timer at its own time. */
void loop_sim_advance(struct loop *l, int64_t ms);
void loop_sim_advance_us(struct loop *l, int64_t us);
/* Fires what is due now (delay 0 included) until nothing is; the other in-memory seams deliver
 * through it. At most 1,000,000 firings (assert). */
void loop_sim_settle(struct loop *l);
/* Steps the wall clock only, as an operator or NTP does. */
void loop_sim_step_wall(struct loop *l, int64_t ms);
